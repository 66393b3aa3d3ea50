"""起因: cases that led to others, and cases that are born of others. What they tell each other: schemas/parts/origins.py.

BornCase    tells the case it is born of that it stands, and how it ended
OriginCase  takes that down, and tells whoever holds it
"""

from typing import ClassVar, TypeVar

from schemas.kernel.case import Message, is_case_of
from schemas.kernel.case_file import FiledState
from schemas.kernel.state import DeclaredState
from schemas.parts.origins import LedCaseEnded, LedTo, OriginSubject
from workflows.kernel.case_file import CaseFile
from workflows.kernel.declared import DeclaredCase

FiledT = TypeVar("FiledT", bound=FiledState)
StateT = TypeVar("StateT", bound=DeclaredState)


class BornCase(DeclaredCase[StateT]):
    """A case that may be born of another one."""

    def born_of(self) -> str | None:
        """Return the number of the case it is born of; None: of none."""
        raise NotImplementedError

    def tell_origin_it_stands(self) -> None:
        """Once, when it begins."""
        if (origin := self.born_of()) is not None:
            self.tell(origin, OriginSubject.LED_TO, **LedTo(procedure=self.procedure.name).model_dump())

    def tell_origin_it_has_ended(self) -> None:
        """Once, at the final stage."""
        if (origin := self.born_of()) is not None:
            ended = LedCaseEnded(procedure=self.procedure.name, stage=self.state.stage)
            self.tell(origin, OriginSubject.LED_CASE_ENDED, **ended.model_dump())


class OriginCase(CaseFile[FiledT]):
    """A case that may lead to others. `leads_to`: to cases of which procedures; `told_if_nobody_holds_it`: a desk."""

    leads_to: ClassVar[tuple[str, ...]] = ()
    told_if_nobody_holds_it: ClassVar[str]

    def knows(self, message: Message) -> bool:
        """A case that it may have led to says so; whoever opened that one has seen this one."""
        if message.subject in set(OriginSubject):
            led = message.facts.get("procedure")
            return led in self.leads_to and is_case_of(message.sender, str(led))
        return super().knows(message)

    def on_message(self, message: Message, *, repeated: bool) -> None:
        """It stands, or it has ended."""
        if message.subject not in set(OriginSubject):
            super().on_message(message, repeated=repeated)
        elif not repeated:
            self.hear_of_led_case(message)

    def hear_of_led_case(self, message: Message) -> None:
        """转出案件: on the record, and whoever holds this case can go on with the result."""
        name = self.procedure.name
        if message.subject == OriginSubject.LED_TO:
            led = LedTo.model_validate(message.facts)
            self.record(f"{name}:led:to", led=message.sender, procedure=led.procedure)
            return
        ended = LedCaseEnded.model_validate(message.facts)
        self.record(f"{name}:led:ended", led=message.sender, procedure=ended.procedure, outcome=ended.stage)
        self.notify(
            self.state.holder or self.told_if_nobody_holds_it, "led_case_ended", led=message.sender, outcome=ended.stage
        )
