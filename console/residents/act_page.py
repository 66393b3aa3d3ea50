"""What somebody does in the own case without an account: the commands that the table gives its reporter, by the code of the case.

Drawn, judged and sent like everybody else's: `GET …/commands` says what is possible, the API's services take it in, the case
decides. Who only knows the number, or has the code of another case, or a pass of yesterday, has nothing here.
"""

from dataclasses import dataclass, replace
from http import HTTPStatus
from uuid import uuid4

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from console.forms.faults import PlacedFault, placed, said
from console.forms.offers import command_controls
from console.forms.on_record import on_record
from console.forms.sheet import BACK, CHECKED, KEY, MORE, Sheet, own
from console.forms.values import body_of, closed_up
from console.http.forms import Posted, read_posted
from console.http.pages import AS_PAGES, page
from console.residents.case_shown import PASSED, show_case
from console.residents.follow_page import CODE_CHARACTERS_MAX
from console.residents.photos import AT_MOST, SENDING
from console.staff.files import with_files_kept
from console.staff.final import is_final
from schemas.kernel.case import CaseState
from schemas.values.actor import Actor, Channel
from schemas.values.both import titled, together
from schemas.values.refusals import in_both, say
from starter.cases.public import Residents, ResidentsOf, case_by_code, case_by_pass
from starter.http.authentication import GuardOf
from starter.http.bodies import check_model, key_faults
from starter.http.command_bodies import CommandBody
from starter.http.problems import Problem, ProblemCode, too_many_requests
from starter.http.senders import address_of, sender_of
from starter.intake.command_forms import CommandForm, form_of
from starter.intake.commands import command_faults, give
from starter.intake.filing import Filing, FilingOf
from starter.intake.guests import Guest, guest_of
from starter.intake.intake import Sender

NUMBER = "_number"
CODE = "_code"
LEAVE = "_leave"
ADDRESS = "/follow/{command}"
ACTING = "act"
"""What is counted of whoever has the code of a case: nobody answers for what they write into it."""

router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])


@dataclass(frozen=True)
class Asked:
    """A command that somebody may give who has shown the code of the case."""

    guest: Guest
    actor: Actor
    state: CaseState
    door: CommandBody
    form: CommandForm
    sheet: Sheet


@router.post(ADDRESS)
async def act(request: Request, command: str, residents: ResidentsOf, filing: FilingOf, guard: GuardOf) -> Response:
    """Draw the form of a command, or send it; where the pass is over, ask for the code again and keep what was written."""
    with filing.attachments.upload_memory.held(f"address {address_of(request.scope)}") as held:
        posted = await read_posted(request, filing.attachments.documents.policy.bytes_max * AT_MOST, held.grow)
        request.state.posted = _without_code(posted)  # whatever goes wrong from here on, what was typed goes back
        try:
            state = await _let_in(request, residents, posted)
        except Problem as problem:
            return _asks_for_code(request, command, posted, problem.kind.status, problem.detail)
        if state is None:
            return _asks_for_code(request, command, posted, HTTPStatus.FORBIDDEN, "")
        request.state.posted = _without_code(posted, residents.passes.issue(state.case_id))
        if (pause := await guard.rates.take(f"case {state.case_id}")) is not None:
            raise too_many_requests(pause)
        asked = _asked(residents, filing, state, command)
        if asked is None or posted.one(LEAVE):
            return await _not_now(request, residents, filing, state, command, left=bool(posted.one(LEAVE)))
        if not posted.one(KEY):
            return page(request, "form.html", sheet=asked.sheet, since=())
        texts, file_faults = await _written(request, residents, filing, asked, posted)
    sheet = replace(asked.sheet, texts=closed_up(asked.sheet.controls, texts), key=posted.one(KEY))
    return await _sent(request, residents, filing, replace(asked, sheet=sheet), posted, file_faults)


async def _let_in(request: Request, residents: Residents, posted: Posted) -> CaseState | None:
    """The case that somebody may act on. None: they have to show the code again. Raises Problem: it is wrong."""
    if posted.one(CODE):
        return await case_by_code(residents, request, posted.one(NUMBER), posted.one(CODE)[:CODE_CHARACTERS_MAX])
    return await case_by_pass(residents, posted.one(PASSED))


def _asked(residents: Residents, filing: Filing, state: CaseState, command: str) -> Asked | None:
    """The command as it stands now; None: it cannot be given now, or never by whoever has the code.

    Raises Problem: there is no such command.
    """
    door = filing.town.doors[state.procedure].get(command)
    if door is None:
        raise Problem(ProblemCode.UNKNOWN_COMMAND, say("没有此操作", "there is no such command"))
    guest = guest_of(state)
    if guest is None:
        return None
    actor = guest.actor(Channel.APP)
    form = form_of(filing, state, actor, command)
    if not form.possible:
        return None
    sheet = Sheet(
        title=titled(form.title, form.command),
        english=command.replace("_", " "),
        description="",
        action=ADDRESS.replace("{command}", command),
        back="/follow",
        submit=titled(form.title, form.command),
        controls=command_controls(door, form),
        carried={PASSED: residents.passes.issue(state.case_id)},
    )
    return Asked(guest, actor, state, door, form, sheet)


async def _not_now(
    request: Request, residents: Residents, filing: Filing, state: CaseState, command: str, *, left: bool
) -> Response:
    """The case, with the reason why nothing came of it; of one that the code gives no say in, that."""
    if left:
        return await show_case(request, residents, filing, state)
    guest = guest_of(state)
    if guest is None:
        told = say("凭查询码只能查看此案件", "by the code this case is looked at, and no more")
        return await show_case(request, residents, filing, state, told, HTTPStatus.FORBIDDEN)
    reason = form_of(filing, state, guest.actor(Channel.APP), command).reason or ""
    return await show_case(request, residents, filing, state, reason, HTTPStatus.CONFLICT)


async def _written(
    request: Request, residents: Residents, filing: Filing, asked: Asked, posted: Posted
) -> tuple[dict[str, list[str]], list[PlacedFault]]:
    """What was written, with the files kept in the case; files are counted, whoever sends them."""
    sender = await sender_of(request, residents.verifier)
    for files in posted.files.values():
        for _ in files:
            await residents.codes.attempts.take(SENDING, sender)
    return await with_files_kept(filing.attachments, asked.actor, asked.state, posted, own(posted))


async def _sent(  # noqa: PLR0917 - a command, and what was sent with it
    request: Request,
    residents: Residents,
    filing: Filing,
    asked: Asked,
    posted: Posted,
    file_faults: list[PlacedFault],
) -> Response:
    sheet, state = asked.sheet, asked.state
    if posted.one(MORE) or posted.one(BACK):
        return page(request, "form.html", sheet=replace(sheet, faults=file_faults), since=())
    given, shape_faults = check_model(asked.door.model, body_of(sheet.controls, sheet.texts))
    faults = await command_faults(filing, state, asked.door, given, shape_faults, asked.actor)
    faults += key_faults(sheet.key)
    if given is None or faults or file_faults:
        drawn = replace(sheet, faults=[*file_faults, *placed(faults, sheet.controls)])
        return page(request, "form.html", HTTPStatus.UNPROCESSABLE_ENTITY, sheet=drawn, since=())
    procedure = filing.town.procedures[state.procedure]
    if is_final(procedure, state.stage, asked.form.command) and not posted.one(CHECKED):
        return page(request, "check.html", sheet=sheet)
    return await _given(request, residents, filing, asked, given)


async def _given(request: Request, residents: Residents, filing: Filing, asked: Asked, given: BaseModel) -> Response:
    # Beside the form: whoever has to wait sends the same once more, under its key.
    await residents.codes.attempts.take(ACTING, f"account {asked.guest.subject}")
    sender = Sender(asked.guest.subject, asked.sheet.key, asked.actor)
    try:
        answer = await give(filing, sender, asked.state, name=asked.form.command, door=asked.door, given=given)
    except Problem as problem:
        # Under this key it has been refused for good: what is mended is something else, and has another one.
        again = replace(asked.sheet, key=str(uuid4()), faults=said(problem, asked.sheet.controls))
        drawn = page(request, "form.html", problem.kind.status, sheet=again, since=())
        return on_record(drawn, request, filing, asked.actor, problem)
    waits = answer.status_code == HTTPStatus.ACCEPTED
    told = say("已收到,正在办理", "received, and on its way") if waits else say("已办理", "done")
    state = await filing.reader.state(asked.state.case_id, asked.actor)
    return await show_case(
        request, residents, filing, state, together(": ", (titled(asked.form.title, asked.form.command), in_both(told)))
    )


def _without_code(posted: Posted, passed: str = "") -> Posted:
    """What goes back into a page: never the code; a new pass where it was right."""
    texts = {name: each for name, each in posted.texts.items() if name not in {CODE, PASSED}}
    return Posted(texts | {PASSED: [passed]} if passed else texts, posted.files)


def _asks_for_code(request: Request, command: str, posted: Posted, status: int, fault: str) -> Response:
    """Number and code once more; what was written goes along unseen."""
    kept = [(name, text) for name, text in _without_code(posted).pairs() if name != NUMBER]
    action, number = ADDRESS.replace("{command}", command), posted.one(NUMBER)
    return page(request, "follow_again.html", status, action=action, kept=kept, fault=fault, number=number)
