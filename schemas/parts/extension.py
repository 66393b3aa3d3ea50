"""延期 and 挂账: more time that is asked for and granted, and work that rests until what holds it up is over.

An extension comes before the due time and only so far, in working days, all told. A suspension holds the clocks of the work; it
has a limit of its own, so that nothing rests for ever. What is asked for lapses with the work that it was for.
What the workflow does with it stands in `workflows/parts/extension.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from schemas.clocks.clock_schedule import BREACH
from schemas.clocks.clocks import Status, due_at
from schemas.kernel.acts import Act, Nothing, Stages, Step, Tells, WithReason, act, step
from schemas.kernel.case import CaseState, Entry
from schemas.kernel.choices import Bounds, Choices
from schemas.kernel.entries import entry
from schemas.kernel.explanation import Because
from schemas.kernel.parties import THE_DEPARTMENT, desk_of
from schemas.kernel.procedure import Command
from schemas.kernel.reference_facts import Refers
from schemas.kernel.rules import By, Condition
from schemas.kernel.state import DeclaredState
from schemas.values.actor import Actor
from schemas.values.references import TextReference
from schemas.values.refusals import say

# ---- what a case remembers ------------------------------------------------------------------------------------------


class ExtendedState(DeclaredState):
    """A case that gets more time, so many working days in all as the terms say."""

    extended_working_days: int = 0

    @property
    def extension_at_most(self) -> int:
        """Working days, by the town's rules."""
        most: int = self.terms.extension_working_days_at_most
        return most


class ExtensionRequest(BaseModel):
    """An extension 延期 that a department asked for and nobody has answered yet."""

    model_config = ConfigDict(extra="forbid")

    working_days: int
    reason: TextReference


class RequestsState(ExtendedState):
    """A case in which more time, or a pause, is asked for.

    `extension` and `suspension` (its reason) are requests not yet answered; `paused` are the clocks that rest.
    """

    extension: ExtensionRequest | None = None
    suspension: TextReference | None = None
    paused: list[str] = []


# ---- what people say ------------------------------------------------------------------------------------------------


class ForMoreDays(Command):
    """A command about so many working days more."""

    @classmethod
    def allowed(cls, state: CaseState) -> Mapping[str, Choices | Bounds]:
        """No more days than the case has left."""
        if not isinstance(state, ExtendedState):
            return {}
        most = state.extension_at_most
        left = most - state.extended_working_days
        return {
            "working_days": Bounds(
                at_least=1,
                at_most=left,
                reason=say(
                    f"累计延期不得超过{most}个工作日", f"a case is extended by {most} working days at most, in all"
                ),
                remedy=say(f"最多还可延{left}个工作日", f"at most {left} are left"),
            )
        }


class RequestExtension(ForMoreDays):
    """申请延期: more time for handling, asked for before the due time."""

    reason: TextReference
    working_days: int = Field(ge=1)


# ---- when it can be -------------------------------------------------------------------------------------------------


def days_are_left(state: ExtendedState, _actor: Actor, _now: datetime) -> str | None:
    """A case is extended so far and no further."""
    most = state.extension_at_most
    if state.extended_working_days >= most:
        return say(f"累计延期已达{most}个工作日", f"the case was extended by {most} working days, the most allowed")
    return None


def before_it_is_due(clock: str, why: str) -> Condition:
    """A limit is extended before it is due. `why`: what is said afterwards, for people (`say`)."""

    def condition(state: ExtendedState, _actor: Actor, now: datetime) -> str | None:
        counting = state.clocks[clock]
        due = due_at(counting, state.charter.calendar)
        open_still = counting.status in {Status.RUNNING, Status.PAUSED} and BREACH not in counting.fired
        if open_still and (due is None or now < due):
            return None
        return why

    condition.__name__ = f"before_{clock}_is_due"
    return condition


def _no_extension_asked(state: RequestsState, _actor: Actor, _now: datetime) -> str | None:
    return (
        say("已有延期申请待审批", "an extension is asked for already and not yet answered") if state.extension else None
    )


def _extension_asked(state: RequestsState, _actor: Actor, _now: datetime) -> str | None:
    missing = say("没有待审批的延期申请,须先由部门申请", "no extension is asked for: the department asks first")
    return None if state.extension else missing


def _no_suspension_asked(state: RequestsState, _actor: Actor, _now: datetime) -> str | None:
    return say("已有挂账申请待审批", "a suspension is asked for already") if state.suspension else None


def _suspension_asked(state: RequestsState, _actor: Actor, _now: datetime) -> str | None:
    missing = say("没有待审批的挂账申请,须先由部门申请", "no suspension is asked for: the department asks first")
    return None if state.suspension else missing


# ---- its entries ------------------------------------------------------------------------------------------------------


def _why_extended(entry: Entry, state: Any) -> Because:
    added, altogether, most = int(entry.facts["working_days"]), int(entry.facts["in_all"]), state.extension_at_most
    return Because(
        rule=f"policies/{state.procedure}.yaml terms.extension_working_days_at_most",
        says=say(
            f"到期前批准,累计至多延{most}个工作日", f"granted before the due time, at most {most} working days in all"
        ),
        inputs={"working_days": added, "in_all": altogether, "at_most": most},
        arithmetic=(f"{altogether - added} + {added} = {altogether} ≤ {most}",),
    )


def _why_suspended(entry: Entry, state: Any) -> Because:
    longest = state.terms.suspension
    return Because(
        rule=f"policies/{state.procedure}.yaml terms.suspension",
        says=say(
            f"挂账期间办结暂停计时,最长{longest.chinese}",
            f"`finish` does not count while suspended, for {longest.english} at most",
        ),
        inputs={"reason": entry.facts.get("reason"), "paused": list(state.paused)},
    )


class LapsingEntries:
    """What is asked for lapses with the work that it was for."""

    REQUEST_LAPSED = entry("request_lapsed", "申请失效")


class ExtensionEntries(LapsingEntries):
    """The entries of an extension: `class Kind(ExtensionEntries, EntryKinds, procedure="NAME")`."""

    EXTENSION_REQUESTED = entry("extension:requested", "申请延期")
    EXTENSION_GRANTED = entry("extension:granted", "同意延期", _why_extended)
    EXTENSION_REFUSED = entry("extension:refused", "不同意延期")


class SuspensionEntries(LapsingEntries):
    """The entries of a suspension."""

    SUSPENSION_REQUESTED = entry("suspension:requested", "申请挂账")
    SUSPENSION_GRANTED = entry("suspension:granted", "挂账", _why_suspended, references={"reason": Refers.TEXT})
    SUSPENSION_REFUSED = entry("suspension:refused", "不同意挂账")
    RESUMED = entry("resumed", "恢复办理")
    SUSPENSION_ENDED = entry("suspension:ended", "挂账到期")


# ---- its lines ------------------------------------------------------------------------------------------------------


_TOO_LATE = say("办结期限已过,不得延期", "the limit for finishing has passed: it is extended before, not after")


def extension_lines(
    kinds: type[ExtensionEntries],
    *,
    by: By | Sequence[By],
    granted_by: By,
    at: Stages,
    clock: str = "finish",
    asker: str = THE_DEPARTMENT,
) -> tuple[Act, ...]:
    """申请延期, 同意延期, 不同意延期 of a clock. `asker`: who is told of the answer; the desk that grants hears of the request."""
    before_due, desk = before_it_is_due(clock, _TOO_LATE), desk_of(granted_by)
    return (
        act(
            RequestExtension, "申请延期", by=by, at=at, when=(before_due, _no_extension_asked, days_are_left),
            entry=kinds.EXTENSION_REQUESTED, tells=Tells(desk, "extension_requested", ("department",)),
        ),
        act(
            Nothing, "同意延期", name="grant_extension", meaning=f"`{clock}` grows by what was asked for.",
            by=granted_by, at=at, when=(_extension_asked, before_due),
            entry=kinds.EXTENSION_GRANTED, tells=Tells(asker, "extension_granted", ("working_days",)),
        ),
        act(
            WithReason, "不同意延期", name="refuse_extension", meaning=f"`{clock}` stays as it is.",
            by=granted_by, at=at, when=_extension_asked,
            entry=kinds.EXTENSION_REFUSED, tells=Tells(asker, "extension_refused"),
        ),
    )  # fmt: skip


def suspension_lines(
    kinds: type[SuspensionEntries],
    *,
    by: By | Sequence[By],
    granted_by: By,
    at: Stages,
    suspended: Stages,
    clock: str = "suspension",
    asker: str = THE_DEPARTMENT,
) -> tuple[Act | Step, ...]:
    """申请挂账, 同意挂账, 不同意挂账, 恢复办理 and 挂账到期. `at`: where the work is done; `suspended`: where it rests.

    `clock`: the window after which it goes on by itself. Who asked and who granted may say that it goes on.
    """
    desk, askers = desk_of(granted_by), (by,) if isinstance(by, By) else tuple(by)
    return (
        act(
            WithReason, "申请挂账", name="request_suspension", meaning="the work cannot go on for a stated reason.",
            by=by, at=at, when=_no_suspension_asked,
            entry=kinds.SUSPENSION_REQUESTED, tells=Tells(desk, "suspension_requested", ("department",)),
        ),
        act(
            Nothing, "同意挂账", name="grant_suspension", meaning="the clocks of the work pause.",
            by=granted_by, at=at, to=suspended, when=_suspension_asked,
            holder=asker, entry=kinds.SUSPENSION_GRANTED, tells=Tells(asker, "suspension_granted"),
        ),
        act(
            WithReason, "不同意挂账", name="refuse_suspension", meaning="the clocks go on.",
            by=granted_by, at=at, when=_suspension_asked,
            entry=kinds.SUSPENSION_REFUSED, tells=Tells(asker, "suspension_refused"),
        ),
        act(
            Nothing, "恢复办理", name="resume", meaning="what held up the work is over.",
            by=(*askers, granted_by), at=suspended, to=at,
            stops=[clock], holder=asker, entry=kinds.RESUMED, tells=Tells(asker, "resumed"),
        ),
        step("end_suspension", "挂账到期", at=suspended, to=at, entry=kinds.SUSPENSION_ENDED, clock=clock),
    )  # fmt: skip
