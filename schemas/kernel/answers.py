"""The word of another person on a request: it names the request that was looked at, and no other.

Between a look and the answer to it a request may have been replaced by another one. So what waits has a number, the case shows it
(`requests` of a case at the API), and an answer with another number is refused as not what was seen. Nothing has changed then.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from schemas.kernel.case import CaseState
from schemas.kernel.people import Part
from schemas.kernel.procedure import Command, Procedure
from schemas.values.references import WrittenAs
from schemas.values.refusals import Fault, say

RequestNumber = Annotated[int, Field(strict=True, ge=1)]
"""What waits for another person's word, counted by its case from 1."""

SeenNumber = Annotated[RequestNumber | None, WrittenAs(RequestNumber, required=True)]
"""The request that was seen; at the door it is named. Cases of an earlier day took answers that named none."""


def _is_none(number: int | None) -> bool:
    return number is None


UNNAMED: Any = Field(default=None, exclude_if=_is_none)
"""An answer that names no request is written as before there were numbers: digests of an earlier day stay what they are."""


class AnswerTo(Command):
    """An answer to what waits. `part`: what its asker did in the case; `number_in`: the field that names the request."""

    part: ClassVar[Part]
    number_in: ClassVar[str] = "request"

    @classmethod
    def choices(cls, field: str, state: CaseState) -> tuple[Any, ...] | None:
        """Return what waits now, where the request is named."""
        return tuple(state.requests().get(cls.part, ())) if field == cls.number_in else super().choices(field, state)

    @property
    def named(self) -> int | None:
        """The request that was seen."""
        number: int | None = getattr(self, self.number_in)
        return number

    def not_what_was_seen(self, state: CaseState) -> Fault | None:
        """Say that what waits is not, or not any more, what the answer names; None when it is."""
        waiting = state.requests().get(self.part, ())
        if self.named is None or self.named in waiting:
            return None
        numbers = ", ".join(map(str, waiting))
        return Fault(
            field=self.number_in,
            reason=say(
                "不是现在待办的那一项:您查看之后已有变化", "is not what waits now: it has changed since you looked"
            ),
            remedy=say(f"请重新查看后再办理,现为:{numbers}", f"look again, then answer; now it is: {numbers}"),
        )


def answered_by(procedure: Procedure, state: CaseState) -> Mapping[str, tuple[int, ...]]:
    """What waits where the case stands, by the command that answers it: the numbers that an answer may name."""
    waiting = state.requests()
    here = {rule.command for rule in procedure.rules if state.stage in rule.at}
    return {
        name: waiting[model.part]
        for name, model in procedure.commands.items()
        if name in here and issubclass(model, AnswerTo) and waiting.get(model.part)
    }
