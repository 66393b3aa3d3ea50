"""不予确认与申诉 refusal and appeal: a refusal is told in writing, and appealed against once; another officer decides.

    any stage that refuses -> refused -> appealed -> refused, for good | goes on where it was refused
                                 |
                                 +-> told, and nobody appeals: it stands; nobody was told until the last limit: it stands as it is

The window for an appeal counts from the day on which the refusal was told. Who refused does not decide again.

Sources: 行政许可法 第三十八条 (a refusal is written, has its reasons and names the remedies), 社会救助暂行办法. A procedure puts
`refusal_line()` and `appeal_lines()` into its table, gives its entries `AppealEntries`, its clocks `appeal_timers()`, its state
`AppealedState` and its workflow `Appeals` (workflows/parts/appeal.py).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from schemas.kernel.acts import Act, Stages, Tells, act
from schemas.kernel.entries import entry
from schemas.kernel.people import Part
from schemas.kernel.procedure import Command
from schemas.kernel.reference_facts import Refers
from schemas.kernel.rules import By
from schemas.kernel.state import DeclaredState
from schemas.kernel.timers import LimitOf, Timer, duty, window
from schemas.parts.conditions import while_open
from schemas.values.actor import Actor
from schemas.values.references import TextReference
from schemas.values.refusals import say

APPEAL, SERVE, DECIDE = "appeal", "refusal_notice", "decide_appeal"
"""The window for an appeal; the clocks of who has to tell of a refusal, and of who decides on an appeal."""


class AppealedState(DeclaredState):
    """A case that may be refused.

    `refused_at`: where it stood; `refusal`: the reason; `refusers`: who ever refused it, and decides no more. `notice_served`: the
    refusal was told. `appeals`: how many were made. `refusal_final`: nothing can be done about it any more.
    """

    refusers: list[str] = []
    refused_at: str | None = None
    refusal: TextReference | None = None
    notice_served: bool = False
    appeals: int = 0
    refusal_final: bool = False
    appeal_decided_by: str | None = None

    def took_part(self) -> Mapping[Part, tuple[str, ...]]:
        """Who refused, and who decided on the appeal."""
        decided = () if self.appeal_decided_by is None else (self.appeal_decided_by,)
        return {**super().took_part(), Part.REFUSED: tuple(self.refusers), Part.APPEAL_DECIDED: decided}


class WithBasis(Command):
    """A decision with its reason and legal basis."""

    reason: TextReference
    legal_basis: TextReference


class Refuse(WithBasis):
    """不予确认: with its reason and legal basis."""


class ServeNotice(Command):
    """书面告知: the refusal was handed over in writing."""


class Appeal(Command):
    """申诉: against a refusal, within its window, once."""

    reason: TextReference


class Outcome(StrEnum):
    """What an appeal comes to."""

    UPHELD = "upheld"
    OVERTURNED = "overturned"


class DecideAppeal(WithBasis):
    """申诉决定: by another officer. `upheld`: the refusal stands; `overturned`: the application goes on."""

    outcome: Outcome


class AppealEntries:
    """What the ledger says of it; a procedure that says why replaces an entry by its own."""

    REFUSED = entry("refused", "不予确认")
    NOTICE_SERVED = entry("notice_served", "书面告知")
    NOTICE_NOT_SERVED = entry("notice_not_served", "未能书面告知")
    APPEALED = entry("appealed", "申诉", references={"against": Refers.TEXT})
    APPEAL_DECIDED = entry("appeal_decided", "申诉决定")
    APPEAL_LAPSED = entry("appeal_lapsed", "申诉期满")


def notice_is_to_be_served(state: AppealedState, _actor: Actor, _now: datetime) -> str | None:
    """A refusal is served once."""
    return say("已书面告知", "it was served already") if state.notice_served else None


_in_time = while_open("in_time", APPEAL, "申诉期已过", "the window for an appeal has passed")


def appeal_is_open(state: AppealedState, actor: Actor, now: datetime) -> str | None:
    """Once, and inside the window."""
    if state.appeals:
        return say("已申诉过一次", "an appeal was made before; one is allowed")
    if not state.notice_served:
        return None  # the window begins anew when it is told
    return _in_time(state, actor, now)


def appeal_timers(
    *, serve: str | LimitOf = SERVE, appeal: str | LimitOf = APPEAL, decide: str | LimitOf = DECIDE
) -> dict[str, Timer]:
    """Its clocks; their limits stand at these places of the terms."""
    return {
        SERVE: duty("书面告知", "written notice", serve),
        DECIDE: duty("申诉决定", "decision on the appeal", decide),
        APPEAL: window("可申诉", "time for an appeal", appeal),
    }


def refusal_line(
    kinds: type[AppealEntries],
    *,
    by: By | Sequence[By],
    at: Stages,
    refused: StrEnum,
    apart_from: Sequence[Part],
    stops: Sequence[str] = (),
    tells: Tells | None = None,
) -> Act:
    """The line by which somebody refuses. Others may refuse too, by `refuse_as` in their methods."""
    return act(
        Refuse,
        "不予确认",
        by=by,
        at=at,
        to=refused,
        apart_from=(*apart_from, Part.REFUSED),
        stops=stops,
        entry=kinds.REFUSED,
        tells=tells,
    )


def appeal_lines(
    kinds: type[AppealEntries],
    *,
    refused: StrEnum,
    appealed: StrEnum,
    goes_on_at: Sequence[StrEnum],
    served_by: Sequence[By],
    made_by: Sequence[By],
    decided_by: Sequence[By],
    apart_from: Sequence[Part],
) -> tuple[Act, ...]:
    """The lines of what becomes of a refusal. `goes_on_at`: the stages of a case whose refusal is overturned.

    `apart_from`: who does not decide on an appeal, besides who refused.
    """
    return (
        act(
            ServeNotice,
            "书面告知",
            by=served_by,
            at=refused,
            when=notice_is_to_be_served,
            entry=kinds.NOTICE_SERVED,
        ),
        act(Appeal, "申诉", by=made_by, at=refused, to=appealed, when=appeal_is_open, entry=kinds.APPEALED),
        act(
            DecideAppeal,
            "申诉决定",
            by=decided_by,
            at=appealed,
            to=(refused, *goes_on_at),
            apart_from=(*apart_from, Part.REFUSED),
            part=Part.APPEAL_DECIDED,
            entry=kinds.APPEAL_DECIDED,
        ),
    )
