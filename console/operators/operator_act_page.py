"""The form of what an operator does: a reason is asked for, what is final is looked at once more, and the case notes it."""

from dataclasses import replace
from http import HTTPStatus
from uuid import uuid4

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from temporalio.service import RPCError, RPCStatusCode

from console.forms.controls import Control
from console.forms.faults import PlacedFault, placed, said
from console.forms.on_record import on_record
from console.forms.shapes import controls_of
from console.forms.sheet import BACK, CHECKED, KEY, Sheet, own
from console.http.forms import PostedTexts
from console.http.pages import AS_PAGES, page, see_other
from console.operators.acts import ACTS, STUCK, Act
from console.sign_in.signed_in import SignedIn
from schemas.kernel.case_file import Comment
from schemas.values.actor import Actor
from schemas.values.both import shown, together
from schemas.values.refusals import in_both, say
from starter.http.bodies import check_model, key_faults
from starter.http.problems import Problem, ProblemCode
from starter.intake import stuck_acts, undelivered_notices
from starter.intake.delivery import Delivery, DeliveryOf, NotDelivered
from starter.intake.filing import Filing, FilingOf
from starter.intake.intake import Sender
from starter.intake.noting import COMMENT, TEXT, noting
from starter.intake.operations import ACTORS, refuse_unless_operator
from starter.intake.postbox import Status

_PATH = f"{STUCK}/{{act}}/{{target}}"
_NOTICES = frozenset({"send-again", "seen"})
_DIGITS_AT_MOST = 18
router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])


@router.get(_PATH)
async def act_form(request: Request, act: str, target: str, caller: SignedIn, filing: FilingOf) -> Response:
    """The form: why it is done."""
    actor, asked = refuse_unless_operator(caller, ACTORS, "act_on_stuck"), _act(act)
    return _form(request, _sheet(asked, target, await _case_of(filing, actor, asked, target)))


@router.post(_PATH)
async def do_act(  # noqa: PLR0917 - an act, and what it is done with
    request: Request,
    act: str,
    target: str,
    caller: SignedIn,
    posted: PostedTexts,
    filing: FilingOf,
    delivery: DeliveryOf,
) -> Response:
    """Do it, and back to the list; or draw the form again with what is wrong."""
    request.state.posted = posted
    actor, asked = refuse_unless_operator(caller, ACTORS, "act_on_stuck"), _act(act)
    case_id = await _case_of(filing, actor, asked, target)
    blank = _sheet(asked, target, case_id)
    sheet = replace(blank, texts=own(posted), key=posted.one(KEY) or blank.key)
    if posted.one(BACK):
        return _form(request, sheet)
    given, faults = check_model(COMMENT.model, {TEXT: posted.one(TEXT)})
    faults += COMMENT.faults(given) if given is not None else []
    faults += key_faults(sheet.key)
    if faults:
        drawn = replace(sheet, faults=placed(faults, sheet.controls))
        return _form(request, drawn, HTTPStatus.UNPROCESSABLE_ENTITY)
    if asked.final and not posted.one(CHECKED):
        return page(request, "check.html", sheet=sheet)
    try:
        sender = Sender(caller.subject, sheet.key, actor)
        done = await _done(filing, delivery, sender, asked, target, posted.one(TEXT))
    except Problem as problem:
        again = replace(sheet, key=str(uuid4()), faults=said(problem, sheet.controls))
        return on_record(_form(request, again, problem.kind.status), request, filing, actor, problem)
    except (NotDelivered, RPCError) as error:
        return _form(request, replace(sheet, faults=[_not_reached(error)]), HTTPStatus.SERVICE_UNAVAILABLE)
    return see_other(f"{STUCK}?done={asked.code if done else 'nothing'}")


async def _done(  # noqa: PLR0917 - an act, all of it
    filing: Filing, delivery: Delivery, sender: Sender, act: Act, target: str, reason: str
) -> bool:
    """Do it by the service that `jiceng stuck` uses; False: by now there is nothing that it could be done to."""
    note, postbox = noting(filing, sender), filing.answering.postbox
    match act.code:
        case "retry":
            return await stuck_acts.retry_with_reason(await delivery.client(), target, reason, note) > 0
        case "again":
            return await stuck_acts.take_up_again(postbox, target, reason, note)
        case "set-aside":
            return await stuck_acts.lay_aside(postbox, delivery, target, reason, note)
        case "send-again":
            return await undelivered_notices.send_again(filing.attachments.pool, int(target), reason, note)
        case _:
            return await undelivered_notices.look_at(filing.attachments.pool, int(target), reason, note)


def _act(code: str) -> Act:
    if code not in ACTS:
        raise Problem(ProblemCode.NOT_FOUND, say("没有此操作", "there is no such act"))
    return ACTS[code]


async def _case_of(filing: Filing, actor: Actor, act: Act, target: str) -> str:
    """The case that it is about. Raises Problem 404: there is nothing of this name that it could be done to."""
    case_id: str | None = None
    if act.code == "retry":
        return (await filing.reader.state(target, actor)).case_id
    if act.code in _NOTICES:
        if target.isascii() and target.isdecimal() and len(target) <= _DIGITS_AT_MOST:
            case_id = await undelivered_notices.case_of_notice(filing.attachments.pool, int(target))
    elif (found := await filing.answering.postbox.find(target)) is not None and _fits(act, found.status):
        case_id = found.case_id
    if case_id is None:
        raise Problem(
            ProblemCode.NOT_RECORDED, say("已无此项可办", "there is nothing any more that this can be done to")
        )
    return case_id


def _fits(act: Act, status: Status) -> bool:
    return status is Status.SET_ASIDE or (act.code == "set-aside" and status is Status.WAITING)


def _sheet(act: Act, target: str, case_id: str) -> Sheet:
    return Sheet(
        title=together(" · ", (shown(act), case_id)),
        english=act.en,
        description=act.description,
        action=act.address(target),
        back=STUCK,
        submit=shown(act),
        controls=_reason(),
    )


def _reason() -> tuple[Control, ...]:
    """The one field of a comment, by the name that it has here."""
    return tuple(replace(each, zh="理由", en="reason") for each in controls_of(COMMENT.model, Comment, {}))


def _not_reached(error: Exception) -> PlacedFault:
    if isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND:
        return PlacedFault(
            "", "", in_both("案件没有运行 (the case does not run)"), in_both("理由已交案件记录 (the reason was noted)")
        )
    return PlacedFault(
        "",
        "",
        in_both("系统暂不可用 (Temporal does not answer)"),
        in_both("请稍后重试 (press it again a little later)"),
    )


def _form(request: Request, sheet: Sheet, status: int = HTTPStatus.OK) -> Response:
    return page(request, "form.html", status, sheet=sheet, since=())
