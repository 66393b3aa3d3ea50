"""A case as somebody sees it who has shown number and code: promises, who has it, answers; and what they can do in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from console.http.pages import page
from console.staff.facts import shown_entry
from schemas.contracts.department_policy import Name
from schemas.kernel.case import CaseState
from schemas.kernel.parties import THE_REPORTER
from schemas.kernel.screen_words import role_name
from schemas.values.actor import Channel, Role
from schemas.values.both import shown
from starter.cases.public import Residents, shown_to_residents
from starter.cases.views import TimelineEntry
from starter.intake.command_forms import CommandForm, forms_of
from starter.intake.filing import Filing
from starter.intake.guests import Guest, guest_of
from starter.intake.town_rules import TownRules

PASSED = "_pass"
ENTRIES_SHOWN = 200
REASON = "reason"
_ROLE = "role:"
_DEPARTMENT = "department:"


@dataclass(frozen=True)
class Happened:
    """A line of what happened: no texts, no names."""

    at: datetime
    title: str
    by: str


async def show_case(  # noqa: PLR0917 - a case, and what has just been done in it
    request: Request,
    residents: Residents,
    filing: Filing,
    state: CaseState,
    told: str = "",
    status: int = HTTPStatus.OK,
) -> Response:
    """The page of a case. `told`: what came of what was just sent. That an answer was read is recorded, as at the API."""
    found, town, guest = await shown_to_residents(residents, state), filing.town, guest_of(state)
    forms: Sequence[CommandForm] = ()
    entries: Sequence[TimelineEntry] = ()
    if guest is not None:
        actor = guest.actor(Channel.APP)
        forms = [each for each in forms_of(filing, state, actor).commands if each.possible]
        entries = await filing.reader.timeline(state.case_id, actor, 0, ENTRIES_SHOWN, opens=False)
    names = {
        each.department: shown(town.names[each.department]) for each in found.answers if each.department in town.names
    }
    return page(
        request,
        "followed.html",
        status,
        found=found,
        departments=names,
        holder=_holder(town, state),
        returns=getattr(state, "returns", 0),
        happened=[_happened(town, each) for each in entries],
        reason=await _reason(filing, state, guest, entries),
        forms=forms,
        passed=residents.passes.issue(state.case_id),
        told=told,
    )


async def _reason(filing: Filing, state: CaseState, guest: Guest | None, entries: Sequence[TimelineEntry]) -> str:
    """Why a case without an account ended as it did, in the words of who decided: nobody can tell them otherwise."""
    procedure = filing.town.procedures[state.procedure]
    if guest is None or state.stage in procedure.rules.open_stages:
        return ""
    of_end = next((each for each in reversed(entries) if each.facts.get(REASON)), None)
    if of_end is None:
        return ""
    actor = guest.actor(Channel.APP)
    opened = await filing.reader.timeline(state.case_id, actor, of_end.seq - 1, 1, opens=True)
    return str(opened[0].facts[REASON]) if opened else ""


def _happened(town: TownRules, entry: TimelineEntry) -> Happened:
    shown = shown_entry(town, entry)
    return Happened(shown.at, shown.title, shown.by)


def _holder(town: TownRules, state: CaseState) -> Name | None:
    """Who has to act next, in words; None: nobody any more."""
    holder = state.holder
    if holder == THE_REPORTER:
        return Name(zh="您", en="you")
    if holder.startswith(_DEPARTMENT):
        named = town.names.get(holder.removeprefix(_DEPARTMENT))
        return Name(zh=named.zh, en=named.en) if named is not None else None
    if holder.startswith(_ROLE):
        words = role_name(Role(holder.removeprefix(_ROLE)))
        return Name(zh=words.zh, en=words.en)
    return None
