"""warning 预警: what people say of its shelters, and of who is in them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import Field

from schemas.clocks.calendar import TownDatetime
from schemas.contracts.department import Code
from schemas.kernel.case import CaseState
from schemas.kernel.choices import Bounds, Choices
from schemas.kernel.procedure import Command
from schemas.parts.items import ItemCode, date_faults
from schemas.values.account import AccountCode
from schemas.values.actor import Actor
from schemas.values.references import TextReference
from schemas.values.refusals import Fault, say
from schemas.warning_commands import People, warning_of
from schemas.warning_state import Refuge
from schemas.words.field_words import FieldWords


class OnShelter(Command):
    """A word on a shelter."""

    shelter: Annotated[Code, FieldWords("避难场所", "shelter")]

    @classmethod
    def among(cls, refuge: Refuge) -> bool:
        """Whether this can be said of it now."""
        return refuge.opened

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """Those of which it can be said."""
        shelters = warning_of(state).shelters
        here = tuple(code for code, each in shelters.items() if cls.among(each))
        elsewhere = {code for code, each in shelters.items() if each.book_elsewhere}

        def reason(code: str) -> str:
            if code in elsewhere:
                return say(
                    "此场所由另一预警启用,请在该预警中登记", "another warning has opened it: write it down there"
                )
            return say("此场所现在不能这样办理", "this cannot be said of it now")

        return {"shelter": Choices(here, reason)}

    def refuge(self, state: CaseState) -> Refuge | None:
        """The shelter itself; None: there is none of this code."""
        return warning_of(state).shelters.get(self.shelter)


class OpenShelter(OnShelter):
    """启用: and who keeps it."""

    keeper: Annotated[AccountCode, FieldWords("负责人", "who keeps it")]

    @classmethod
    def among(cls, refuge: Refuge) -> bool:
        """One that is not open."""
        return not refuge.opened


def has_its_book_here(refuge: Refuge) -> bool:
    """Whether who is in it stands in this warning's list, and in no other one's."""
    return refuge.opened and not refuge.book_elsewhere


class CloseShelter(OnShelter):
    """关闭: when nobody is in it, and everybody was counted."""

    @classmethod
    def among(cls, refuge: Refuge) -> bool:
        """An open one, empty, in whose count nobody lacks."""
        return refuge.opened and not refuge.guests and not refuge.missing


class OnGuests(OnShelter):
    """A word on who is in a shelter. On paper first, it is entered later: `done_at` is when it was so; the later counts."""

    household: Annotated[ItemCode, FieldWords("户编号", "code of the household")]
    done_at: Annotated[TownDatetime | None, FieldWords("实际时间(不填即现在)", "when it was, if not now")] = None

    def is_overtaken(self, refuge: Refuge) -> bool:  # noqa: ARG002 - of those who come it is asked
        """Whether they have left since: who came in before that, and is written down later, is none of those inside."""
        return False

    def not_theirs(self, state: CaseState, actor: Actor, now: datetime) -> tuple[Fault, ...]:  # noqa: ARG002 - whoever it is
        """Not ahead, and not farther back than a door."""
        hours = warning_of(state).terms.entered_within_hours
        return date_faults(self.done_at, hours, state.opened_at, now)


class CheckIn(OnGuests):
    """登记: so many more of a household are in a shelter, and in no other one. What was on paper first is entered later."""

    persons: Annotated[int, Field(strict=True, ge=1, le=500), FieldWords("人数", "how many people")]

    @classmethod
    def among(cls, refuge: Refuge) -> bool:
        """An open one whose list is here."""
        return has_its_book_here(refuge)

    def is_overtaken(self, refuge: Refuge) -> bool:
        """Whether somebody has written down that they left after that."""
        left = refuge.said.get(self.household)
        return self.done_at is not None and left is not None and self.done_at < left

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """In one shelter, or in parts of which each is there once. Full: the next one that has room; none, nobody is sent away."""
        found, refuge = list(super().faults(state)), self.refuge(state)
        if found or refuge is None or self.is_overtaken(refuge):
            return tuple(found)
        shelters = warning_of(state).shelters
        elsewhere = [code for code, each in shelters.items() if code != self.shelter and self.household in each.guests]
        listed = sum(each.guests.get(self.household, 0) for each in shelters.values())
        if elsewhere and listed + self.persons > warning_of(state).heads_of(self.household):
            said = say(f"此户已登记在:{elsewhere[0]}", f"this household is in another one: {elsewhere[0]}")
            remedy = say("请先在该处登记离开", "write down first that they left there")
            return (Fault(field="household", reason=said, remedy=remedy),)
        room = {code: each.places - each.people for code, each in shelters.items() if has_its_book_here(each)}
        others = [code for code, left in room.items() if code != self.shelter and left >= self.persons]
        if self.persons > room[self.shelter] and others:
            said = say("此场所已满", "it is full")
            found.append(Fault(field="shelter", reason=said, remedy=say(f"请到:{others[0]}", f"go to: {others[0]}")))
        return tuple(found)


class CheckOut(OnGuests):
    """离开: so many of a household leave, and where to. `found`: so many of them had lacked in the last count."""

    persons: Annotated[int, Field(strict=True, ge=1, le=500), FieldWords("离开人数", "how many leave")]
    found: Annotated[
        int,
        Field(strict=True, ge=0, le=500),
        FieldWords("其中清点时缺少的人数", "how many of them lacked in the count"),
    ] = 0
    where: Annotated[TextReference, FieldWords("去向", "where to")]

    def faults(self, state: CaseState) -> tuple[Fault, ...]:
        """Who is in it leaves it, and no more; who comes in on paper later has left already.

        Nobody is found who did not lack; and whoever lacks stays on the list until somebody says that they were found.
        """
        found, refuge = list(super().faults(state)), self.refuge(state)
        if found or refuge is None or self.is_overtaken(refuge):
            return tuple(found)
        inside = refuge.guests.get(self.household, 0)
        if self.persons > inside and (inside or self.household in refuge.said):
            said = say(f"登记在内仅{inside}人", f"by the list {inside} of them are in it")
            found.append(Fault(field="persons", reason=said, remedy=say("请核对人数", "look at the number again")))
        if self.found > min(self.persons, refuge.missing):
            said = say(f"清点缺{refuge.missing}人", f"{refuge.missing} people lack in the last count")
            found.append(Fault(field="found", reason=said, remedy=say("请核对人数", "look at the number again")))
        elif inside and refuge.people - self.persons < refuge.missing - self.found:
            said = say(
                f"清点缺{refuge.missing}人,不能登记为离开", f"{refuge.missing} of those listed lack: they cannot leave"
            )
            remedy = say("请写明已找到几人,或重新清点", "say how many of them were found, or count again")
            found.append(Fault(field="found", reason=said, remedy=remedy))
        return tuple(found)


class Headcount(OnShelter):
    """清点: so many are there, counted by eye. Who is on the list and not there is missing. On paper first, it says when it was."""

    counted: Annotated[People, FieldWords("当面清点人数", "counted by eye")]
    done_at: Annotated[TownDatetime | None, FieldWords("实际时间(不填即现在)", "when it was, if not now")] = None

    def is_overtaken(self, refuge: Refuge) -> bool:
        """Whether somebody came, left or was counted after that: against the list of now it says nothing."""
        return self.done_at is not None and refuge.last_at is not None and self.done_at < refuge.last_at

    def not_theirs(self, state: CaseState, actor: Actor, now: datetime) -> tuple[Fault, ...]:  # noqa: ARG002 - whoever it is
        """Not ahead, and not farther back than a door."""
        return date_faults(self.done_at, warning_of(state).terms.entered_within_hours, state.opened_at, now)

    @classmethod
    def among(cls, refuge: Refuge) -> bool:
        """An open one whose list is here: by eye all of its people are counted."""
        return has_its_book_here(refuge)
