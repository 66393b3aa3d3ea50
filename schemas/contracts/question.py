"""What a case asks outside, and what it is answered: an answer says which question it is the answer to.

An answer is taken where its question was asked and nowhere else (workflows/kernel/steps.py). Temporal keeps the two apart by the
number of the activity, and so does nobody who answers in the worker's place with an answer of another case.
"""

from schemas.values.model import Model


class Question(Model):
    """What a doer is asked."""

    @property
    def question(self) -> str:
        """Which question this is: no other case asks it, nor this one for another purpose."""
        raise NotImplementedError


class Answer(Model):
    """What a doer answers. `question` is None in histories from before answers named theirs."""

    question: str | None = None

    def to(self, asked: Question) -> "Answer":
        """The same, as the answer to this question."""
        return self.model_copy(update={"question": asked.question})
