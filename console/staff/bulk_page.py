"""批量办理: one command for many cases, by one form; each case answers for itself, as if it had been given the command alone."""

from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from console.forms.faults import placed
from console.forms.shapes import controls_of
from console.forms.sheet import BACK, CHECKED, KEY, MORE, Sheet, own
from console.forms.values import body_of, closed_up
from console.http.forms import PostedTexts
from console.http.pages import AS_PAGES, page, see_other
from console.sign_in.signed_in import SignedIn
from console.staff.common_form import common_command, common_commands, for_many, without_files
from console.staff.list_page import CASES
from console.staff.rows import shown_rows
from console.staff.since import told_since, was_sent
from console.staff.ticked import Ticked, gone_on, result_of, ticked_cases, written
from engine.keys.tokens import Principal
from schemas.kernel.case import CaseState
from schemas.values.both import described, titled
from schemas.values.refusals import say
from starter.http.authentication import acting
from starter.http.bodies import check_model, key_faults
from starter.http.command_bodies import CommandBody
from starter.http.problems import Problem, ProblemCode
from starter.intake.command_batch import CommandLine, LineGiven, give_lines, keeping_attempts
from starter.intake.filing import Filing, FilingOf
from starter.intake.intake import Sender

BULK = "/bulk"
router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])


@router.get(BULK)
@router.get(f"{BULK}/{{command}}")
async def nothing_ticked(caller: SignedIn) -> Response:  # noqa: ARG001 - for who is signed in
    """Cases are ticked in a list."""
    return see_other(CASES)


@router.post(BULK)
async def choose_command(request: Request, caller: SignedIn, posted: PostedTexts, filing: FilingOf) -> Response:
    """What can be done with all of the cases that were ticked."""
    ticked, states = await ticked_cases(filing, caller, posted)
    actor, now = acting(caller), filing.intake.now()
    rows = [filing.reader.view(each, actor, now) for each in states]
    return page(
        request,
        "bulk.html",
        rows=shown_rows(filing.town, rows, now),
        commands=common_commands(filing, states, actor),
        ticked=written(ticked, states),
    )


@router.post(f"{BULK}/{{command}}")
async def act_on_many(
    request: Request, command: str, caller: SignedIn, posted: PostedTexts, filing: FilingOf
) -> Response:
    """The form, blank or again with what is wrong; then all of it once more; then what came of each case."""
    request.state.posted = posted  # whatever goes wrong from here on, what was typed goes back to whoever typed it
    ticked, states = await ticked_cases(filing, caller, posted)
    door, sheet = _sheet(filing, caller, states, command, drawn=bool(posted.one(KEY)))
    sheet = replace(sheet, texts=closed_up(sheet.controls, own(posted)), key=posted.one(KEY) or sheet.key)
    shown: dict[str, Any] = {"ticked": written(ticked, states), "count": len(states)}
    if not posted.one(KEY) and sheet.controls:
        return page(request, "bulk_form.html", sheet=sheet, since=(), **shown)
    body = body_of(sheet.controls, sheet.texts)
    given, faults = check_model(door.model, body)
    if posted.one(MORE) or posted.one(BACK):
        return page(request, "bulk_form.html", sheet=sheet, since=(), **shown)
    faults = [*faults, *(door.faults(given) if given is not None else ()), *key_faults(sheet.key)]
    if given is None or faults:
        drawn = replace(sheet, faults=placed(faults, sheet.controls))
        return page(request, "bulk_form.html", HTTPStatus.UNPROCESSABLE_ENTITY, sheet=drawn, since=(), **shown)
    if not posted.one(CHECKED):
        return page(request, "bulk_check.html", sheet=sheet, **shown)
    return await _give_each(request, filing, caller, (ticked, states), sheet, (command, body, given))


async def _give_each(  # noqa: PLR0917 - what is given to which cases, and the form that it came by
    request: Request,
    filing: Filing,
    caller: Principal,
    cases: tuple[Sequence[Ticked], Sequence[CaseState]],
    sheet: Sheet,
    what: tuple[str, dict[str, Any], BaseModel],
) -> Response:
    """Give the command to each case that nobody has gone on with, and show what came of each."""
    command, body, given = what
    changed = {
        state.case_id
        for each, state in zip(*cases, strict=True)
        if await _has_gone_on(filing, caller, each, state, sheet.key, (command, given))
    }
    sent = [each.case_id for each in cases[0] if each.case_id not in changed]
    lines = [CommandLine(idempotency_key=sheet.key, case_id=each, command=command, body=body) for each in sent]
    outcomes = await give_lines(filing, caller, [LineGiven(line, ()) for line in lines])
    found = {case_id: result_of(case_id, each) for case_id, each in zip(sent, outcomes, strict=True)}
    results = [found.get(each.case_id) or gone_on(each.case_id) for each in cases[0]]
    answer = page(request, "bulk_done.html", sheet=sheet, results=results, done=sum(each.done for each in results))
    answer.background = keeping_attempts(filing, acting(caller), f"POST {BULK}/{{command}}", outcomes)
    return answer


def _sheet(
    filing: Filing, caller: Principal, states: Sequence[CaseState], command: str, *, drawn: bool
) -> tuple[CommandBody, Sheet]:
    """The form. Once it was `drawn` it is read without asking what is possible now: a second press finds what the first one did.

    Raises Problem: there is no such form for these cases.
    """
    common = common_command(filing, states, acting(caller), command)
    procedure = filing.town.procedures[states[0].procedure]
    door = filing.town.doors[procedure.name].get(command)
    if door is None or not for_many(procedure, command, door) or (common is None and not drawn):
        raise Problem(
            ProblemCode.UNKNOWN_COMMAND, say("所选案件不能一并办理此操作", "this cannot be done with all of the cases")
        )
    controls = without_files(controls_of(door.model, door.command, {})) if common is None else common.controls
    title = titled(next(r.title for r in procedure.rules if r.command == command and not r.automatic), command)
    sheet = Sheet(
        title=title,
        english=command.replace("_", " "),
        description=described((door.command.__doc__ or "").strip()),
        action=f"{BULK}/{command}",
        back=CASES,
        submit=title,
        controls=controls,
    )
    return door, sheet


async def _has_gone_on(  # noqa: PLR0917 - what was seen of a case, and what is to be given
    filing: Filing, caller: Principal, ticked: Ticked, state: CaseState, key: str, what: tuple[str, BaseModel]
) -> bool:
    """Whether people did something with the case since the form was drawn, other than by this very form."""
    if ticked.seen is None or state.seq <= ticked.seen:
        return False
    actor = acting(caller)
    if await was_sent(filing, Sender(caller.subject, key, actor), state.case_id, *what):
        return False
    return bool(await told_since(filing, state.case_id, actor, ticked.seen))
