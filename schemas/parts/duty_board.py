"""义务公开 the board of duties: what each side owes, how far it is and how often it was kept, for everybody to see. No persons.

A procedure declares a `DutyBoard`, and its duties stand at `GET /public/boards` while a case is at one of its stages.
What a duty is about in words is a text of the vault and is not shown: it may name somebody. Its code is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from schemas.kernel.acts import Act, Step
from schemas.kernel.rules import Rule
from schemas.kernel.state import DeclaredState
from schemas.kernel.timers import Timer
from schemas.parts.agreed import DatedDuty, Recurs, Side, Standing
from schemas.parts.duties import DutiesState
from schemas.parts.postings import Shown
from schemas.values.model import Model

STANDINGS: Mapping[Standing, str] = {
    Standing.DUE: "待履行",
    Standing.PROVED: "待认可",
    Standing.MISSED: "逾期,补救中",
    Standing.KEPT: "已履行",
    Standing.BROKEN: "未履行",
    Standing.WAIVED: "已免除",
    Standing.RESTED: "中止",
    Standing.EXCUSED: "困难免除",
}
SIDES: Mapping[Side, str] = {Side.PARTY: "合伙方", Side.COUNTERPARTY: "社区"}


class BoardLine(Model):
    """One duty. `due_on`: the day of this time; `sum_fen`: what is to be paid this time, where it is known.

    `rests`: it is not to be done, because the other side has not done its own.
    """

    side: Side
    side_zh: str
    duty: str
    recurs: Recurs
    round: int
    times: int
    due_on: date
    standing: Standing
    standing_zh: str
    rests: bool
    kept: int
    broken: int
    waived: int
    rested: int
    sum_fen: int | None = None


def line_of(duty: DatedDuty, state: DutiesState) -> BoardLine:
    """How a duty stands on the board."""
    ended = duty.ended_as
    return BoardLine(
        side=duty.agreed.side,
        side_zh=SIDES[duty.agreed.side],
        duty=duty.code,
        recurs=duty.agreed.recurs,
        round=duty.round,
        times=duty.agreed.times,
        due_on=duty.due_on,
        standing=duty.standing,
        standing_zh=STANDINGS[duty.standing],
        rests=duty.open and state.rests(duty),
        kept=ended.count(Standing.KEPT),
        broken=ended.count(Standing.BROKEN),
        waived=ended.count(Standing.WAIVED) + ended.count(Standing.EXCUSED),
        rested=ended.count(Standing.RESTED),
        sum_fen=duty.sum_fen,
    )


def lines_of(state: DutiesState) -> list[BoardLine]:
    """Every duty of a case, those of the party first."""
    return [line_of(each, state) for side in Side for each in state.duties_owed_by(side)]


@dataclass(frozen=True, kw_only=True)
class DutyBoard:
    """That everybody sees the duties of a procedure's cases, at these stages; and what else of a case (`Shown`)."""

    at: tuple[StrEnum, ...]
    shows: tuple[Shown, ...] = ()

    def faults(
        self,
        state: type[DeclaredState],
        timers: Mapping[str, Timer],  # noqa: ARG002 - it has no clocks
        lines: Sequence[Act | Step | Rule],  # noqa: ARG002 - nor lines: it is read alone
    ) -> Iterator[str]:
        """Say what does not fit."""
        if not issubclass(state, DutiesState):
            yield "a board of duties needs a DutiesState"
