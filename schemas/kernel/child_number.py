"""What a case asks before it believes that a case which it wanted to start stands already: whose run that is."""

from schemas.contracts.question import Answer, Question
from schemas.values.actor import Stamp


class ChildNumber(Question):
    """A number of a case's own child that somebody's workflow has. `opening`: the stamp under which the child begins."""

    case_id: str
    child: str
    procedure: str
    opening: Stamp

    @property
    def question(self) -> str:
        """One question for each child: to ask it again is to ask the same."""
        return f"{self.case_id}/child-number {self.child}"


class ChildStanding(Answer):
    """`stands`: it is this case's child. Otherwise nothing runs under its number any more, and it can be started."""

    stands: bool
