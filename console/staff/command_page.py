"""The form of a command, drawn from its declaration: it refuses what the API does, in its words, and keeps what was typed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from console.drafts.drafts import DraftsOf, draft_id
from console.forms.controls import Control
from console.forms.faults import PlacedFault, placed, said
from console.forms.offers import command_controls, seen_number
from console.forms.on_record import on_record
from console.forms.questions import form_page, next_question, question_of
from console.forms.sheet import BACK, CHECKED, DRAFT, KEEP, KEY, MORE, SEQ, Sheet, own
from console.forms.values import body_of, closed_up
from console.http.forms import Posted, read_posted
from console.http.pages import AS_PAGES, page, see_other
from console.sign_in.signed_in import SignedIn
from console.staff.facts import shown_entry
from console.staff.files import bytes_at_most, with_files_kept
from console.staff.final import is_final
from console.staff.kept import keep, taken_up
from console.staff.sent import where_to
from console.staff.since import told_since, was_sent
from engine.keys.tokens import Principal
from schemas.kernel.case import CaseState
from schemas.values.actor import Actor
from schemas.values.both import described, titled
from schemas.values.refusals import Refusal, RefusalCode, say
from starter.http.authentication import acting
from starter.http.bodies import check_model, key_faults
from starter.http.command_bodies import CommandBody
from starter.http.problems import FORBIDDEN, KINDS, Attempt, Problem, ProblemCode, refused
from starter.intake.command_forms import CommandForm, form_of
from starter.intake.commands import command_faults, give
from starter.intake.filing import Filing, FilingOf
from starter.intake.intake import Sender

router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])
_PATH = "/cases/{case_id}/{command}"
_SEQ = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class Asked:
    """A command of a case, as somebody has asked for its form."""

    caller: Principal
    actor: Actor
    state: CaseState
    door: CommandBody
    form: CommandForm
    sheet: Sheet

    @property
    def controls(self) -> tuple[Control, ...]:
        """The controls of the form."""
        return self.sheet.controls


@router.get(_PATH)
async def command_form(  # noqa: PLR0917 - whose form of which case, and what was kept of it
    request: Request,
    case_id: str,
    command: str,
    caller: SignedIn,
    filing: FilingOf,
    drafts: DraftsOf,
    draft: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """The form, blank or with what was kept of it; where the command cannot be given now, why."""
    asked = await _asked(filing, caller, case_id, command)
    problem = None if asked.form.possible else _not_possible(asked)
    if problem is not None and (not draft or problem.code in FORBIDDEN):
        raise problem
    if not draft:
        return form_page(request, asked.sheet)
    sheet = await taken_up(drafts, caller, asked.sheet, draft)
    return form_page(request, sheet if problem is None else replace(sheet, faults=said(problem)))


@router.post(_PATH)
async def send_command(  # noqa: PLR0911, PLR0917 - what is sent by whom, and each way in which it comes back
    request: Request, case_id: str, command: str, caller: SignedIn, filing: FilingOf, drafts: DraftsOf
) -> Response:
    """Give the command, or draw the form again with what is wrong. What is final is looked at once more before."""
    asked = await _asked(filing, caller, case_id, command)
    posted, texts, file_faults = await _read(request, filing, asked)
    sheet = replace(
        asked.sheet,
        texts=texts,
        key=posted.one(KEY) or asked.sheet.key,
        at=question_of(posted),
        draft=posted.one(DRAFT) or asked.sheet.draft,
    )
    if posted.one(KEEP):
        return await keep(request, drafts, caller, replace(sheet, faults=file_faults), posted)
    given, shape_faults = check_model(asked.door.model, body_of(asked.controls, texts))
    if (past := await _past(request, filing, asked, sheet, given, posted.one(SEQ))) is not None:
        return past
    if posted.one(MORE) or posted.one(BACK):
        return form_page(request, replace(sheet, faults=file_faults))
    faults = await command_faults(filing, asked.state, asked.door, given, shape_faults, asked.actor)
    faults += key_faults(sheet.key)
    found = [*file_faults, *placed(faults, asked.controls)]
    if (following := next_question(sheet, posted, found)) is not None:
        return form_page(request, following, HTTPStatus.UNPROCESSABLE_ENTITY if following.faults else HTTPStatus.OK)
    if given is None or found:
        return form_page(request, replace(sheet, faults=found), HTTPStatus.UNPROCESSABLE_ENTITY)
    if is_final(filing.town.procedures[asked.state.procedure], asked.state.stage, command) and not posted.one(CHECKED):
        return page(request, "check.html", sheet=sheet)
    answer = await _give(request, filing, asked, sheet, given)
    if answer.status_code == HTTPStatus.SEE_OTHER:
        await drafts.was_sent(caller.subject, draft_id(sheet.draft))
    return answer


async def _past(  # noqa: PLR0917 - what was sent, and where the case stands
    request: Request, filing: Filing, asked: Asked, sheet: Sheet, given: BaseModel | None, seen: str
) -> Response | None:
    """What to answer where the case stands otherwise than when the form was drawn; None: it stands as it did."""
    has_gone_on = _SEQ.fullmatch(seen) is not None and int(seen) < asked.state.seq
    if asked.form.possible and not has_gone_on:
        return None
    sender = Sender(asked.caller.subject, sheet.key, asked.actor)
    if given is not None and await was_sent(filing, sender, asked.state.case_id, asked.form.command, given):
        return see_other(sheet.back)  # pressed twice: what the case has told since is this very command
    if asked.form.possible:
        return await _went_on(request, filing, asked, sheet, int(seen))
    problem = _not_possible(asked)
    if problem.code in FORBIDDEN:
        raise problem
    return form_page(request, replace(sheet, faults=said(problem)), problem.kind.status)


async def _asked(filing: Filing, caller: Principal, case_id: str, command: str) -> Asked:
    """The command as it stands now. Raises Problem: no such case for this caller, no such command."""
    actor = acting(caller)
    state = await filing.reader.state(case_id, actor)
    door = filing.town.doors[state.procedure].get(command)
    if door is None:
        raise Problem(ProblemCode.UNKNOWN_COMMAND, say("没有此操作", "there is no such command"))
    form = form_of(filing, state, actor, command)
    controls = command_controls(door, form) if form.possible or form.fields else ()
    case = f"/cases/{state.case_id}"
    sheet = Sheet(
        title=titled(form.title, command),
        english=command.replace("_", " "),
        description=described(form.description),
        action=f"{case}/{command}",
        back=case,
        submit=titled(form.title, command),
        controls=controls,
        seq=state.seq,
        unseen=_unseen(door, controls),
        keeps=bool(controls),
    )
    return Asked(caller, actor, state, door, form, replace(sheet, texts=_seen(sheet)))


def _unseen(door: CommandBody, controls: Sequence[Control]) -> frozenset[str]:
    """The number of what an answer answers goes along unseen, where there is one alone."""
    number = seen_number(door)
    return frozenset(each.place for each in controls if each.place == number and len(each.choices) == 1)


def _seen(sheet: Sheet) -> Mapping[str, Sequence[str]]:
    return {each.place: [each.choices[0].written] for each in sheet.controls if each.place in sheet.unseen}


async def _read(
    request: Request, filing: Filing, asked: Asked
) -> tuple[Posted, dict[str, list[str]], list[PlacedFault]]:
    """What was sent, its texts with the files kept, and what is wrong with files."""
    with filing.attachments.upload_memory.held(asked.actor.subject) as held:
        posted = await read_posted(request, bytes_at_most(filing.attachments, asked.controls), held.grow)
        request.state.posted = posted  # whatever goes wrong from here on, what was typed goes back to whoever typed it
        texts, faults = await with_files_kept(filing.attachments, asked.actor, asked.state, posted, own(posted))
    return posted, closed_up(asked.controls, texts), faults


async def _went_on(request: Request, filing: Filing, asked: Asked, sheet: Sheet, seen: int) -> Response | None:
    """What people have done since the form was drawn, told before anything is sent on what is past.

    None: the case alone has told more, such as that a department's system has the order; that is nobody's act.
    """
    since = await told_since(filing, asked.state.case_id, asked.actor, seen)
    if not since:
        return None
    texts = {**sheet.texts, **_seen(asked.sheet)}
    shown = [shown_entry(filing.town, entry) for entry in since]
    return form_page(request, replace(sheet, texts=texts), HTTPStatus.CONFLICT, shown)


async def _give(request: Request, filing: Filing, asked: Asked, sheet: Sheet, given: BaseModel) -> Response:
    sender = Sender(asked.caller.subject, sheet.key, asked.actor)
    try:
        answer = await give(filing, sender, asked.state, name=asked.form.command, door=asked.door, given=given)
    except Problem as problem:
        # Under this key it has been refused for good: what is mended is something else, and has another one.
        again = replace(sheet, key=str(uuid4()), faults=said(problem, asked.controls))
        drawn = form_page(request, again, problem.kind.status)
        return on_record(drawn, request, filing, asked.actor, problem)
    return see_other(where_to(answer, asked.state.case_id))


def _not_possible(asked: Asked) -> Problem:
    """Why it cannot be given now; an attempt on what is somebody else's is kept with the case, as at the API."""
    code = asked.form.refusal or RefusalCode.NOT_NOW
    command, detail = asked.form.command, asked.form.reason or KINDS[code].title
    problem = refused(Refusal(code=code, detail=detail, command=command), kept=True)
    if code in FORBIDDEN:
        problem.attempt = Attempt(code, command, asked.state.case_id)
    return problem
