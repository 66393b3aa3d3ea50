"""Public notices 公示: for everybody to see without signing in, for exactly the window; and objections to them.

A masked name, the community, the window, and what the procedure's posting shows (schemas/parts/postings.py): nothing else of
anybody leaves the town here. Which procedures post is what they are composed of; none is named here. A notice has a number of
its own, made anew for each posting, that tells nothing of the case.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Union

import asyncpg
from fastapi import APIRouter
from pydantic import BaseModel, create_model
from starlette.requests import Request
from starlette.responses import Response

from engine.keys.tokens import Verifier
from engine.store.database import Queries
from engine.vault.vault import PersonDetails
from schemas.clocks.calendar import TownDatetime, in_shanghai
from schemas.kernel.procedure import Procedure
from schemas.parts.postings import PUBLICITY, Object, PostedState, Posting
from schemas.values.actor import Actor, Channel, Role
from schemas.values.area import community_of
from schemas.values.model import Model
from schemas.values.person_views import masked_name
from schemas.values.refusals import RefusalCode, say
from starter.cases.resident_codes import ResidentCodes, tidy_code
from starter.http.bodies import read_body, read_key, read_model, together
from starter.http.command_bodies import CommandBody, command_body_of
from starter.http.database import Connection, database
from starter.http.dependencies import dependency
from starter.http.documentation import body_of, responses
from starter.http.problems import Problem, ProblemCode, bad_request, refused
from starter.http.senders import sender_of
from starter.intake.answers import refusal_of, settled
from starter.intake.filing import Filing
from starter.intake.intake import ANYBODY, Entered, Sender
from workflows.registry import PROCEDURES

PURPOSE = "show-public-notice"
NAMES_KEPT = 10_000
FRESH_SECONDS = 30
"""An objection takes a notice down at once; who kept a copy asks again after so long, or at the end of a window."""

READER = Actor(subject="public-notices", role=Role.RESIDENT, channel=Channel.APP)
SOMEBODY = Actor(subject=ANYBODY, role=Role.RESIDENT, channel=Channel.APP)
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}

router = APIRouter(prefix="/public/notices", tags=["residents"])


@dataclass(frozen=True)
class NoticeBoard:
    """What notices are shown with and objections taken in with. `codes` number the postings and count who objects how often."""

    pool: asyncpg.Pool
    filing: Filing
    codes: ResidentCodes
    verifier: Verifier


NoticeBoardOf = Annotated[NoticeBoard, dependency(NoticeBoard)]


class PublicNotice(Model):
    """One case, posted. `name` is masked, `until` the end of the window; besides, what the posting of its procedure shows."""

    notice: str
    procedure: str
    procedure_zh: str
    name: str
    community: str
    community_zh: str
    posted_at: TownDatetime
    until: TownDatetime


def _notice_of(procedure: Procedure, posting: Posting) -> type[PublicNotice]:
    """The notice of a procedure: that of every procedure, and what its posting shows."""
    shown: dict[str, Any] = {each.name: (each.kind, ...) for each in posting.shows}
    name = "".join(part.capitalize() for part in (*procedure.name.split("_"), "notice"))
    return create_model(name, __base__=PublicNotice, __doc__=f"{procedure.title}公示", __module__=__name__, **shown)


POSTED: Mapping[str, Posting] = {
    procedure.name: posting
    for procedure in (case.procedure for case in PROCEDURES)
    if (posting := procedure.part_or_none(Posting)) is not None
}
"""How each procedure posts that does."""

NOTICES: Mapping[str, type[PublicNotice]] = {
    case.procedure.name: _notice_of(case.procedure, POSTED[case.procedure.name])
    for case in PROCEDURES
    if case.procedure.name in POSTED
}
OBJECTION = command_body_of(Object)
"""The same whatever is posted: who objects knows no case and no procedure, but the number of a notice."""


class PublicNotices(Model):
    """Everything that is posted now, the next to come down first."""

    items: list[Union[tuple(NOTICES.values())]]  # type: ignore[valid-type]  # noqa: UP007 - made of what is declared


class ObjectionTaken(Model):
    """The objection has reached the town; it is looked into, and the notice comes down meanwhile."""

    notice: str


class NoticeQueries(Queries):
    """engine/queries/public_notices.sql."""

    posted: str


SQL = NoticeQueries.load("public_notices")
_NOTICE = re.compile(r"[0-9A-Za-z-]{1,40}")
_names: dict[tuple[str, int], str] = {}


@dataclass(frozen=True)
class NoticesShown:
    """How notices are shown as a page, told by whoever serves pages (console/residents/notices_page.py); None: as JSON alone."""

    show: Callable[[Request, Sequence[PublicNotice]], Response] | None = None


NoticesShownOf = Annotated[NoticesShown, dependency(NoticesShown)]


@router.get("", summary="公示 Public notices", responses=responses({200: PublicNotices}, "database-away"))
async def public_notices(request: Request, board: NoticeBoardOf, shown: NoticesShownOf) -> Response:
    """As JSON, or as a page for who asks for HTML. Unchanged: 304 by its ETag. No scripts, nothing loaded from elsewhere."""
    now = board.filing.intake.now()
    notices = PublicNotices(items=await posted_now(board))
    if shown.show is not None and "text/html" in request.headers.get("accept", ""):
        answer = shown.show(request, notices.items)
    else:
        answer = Response(notices.model_dump_json(), headers=HEADERS, media_type="application/json")
    etag = f'"{hashlib.sha256(answer.body).hexdigest()[:32]}"'
    cached = {
        "ETag": etag,
        "Cache-Control": f"public, max-age={_fresh(board, notices, now)}, must-revalidate",
        "Vary": "Accept, Cookie",  # a page looks as its reader wants pages to
    }
    if etag in {each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")}:
        return Response(None, 304, headers=HEADERS | cached)
    answer.headers.update(cached)
    return answer


async def posted_now(board: NoticeBoard) -> list[PublicNotice]:
    """Every notice that is up, the next to come down first. Raises Problem 503 without Postgres."""
    async with database(board.pool) as connection:
        posted = await _posted(board, connection, board.filing.intake.now())
        return [await _notice(board, connection, state, row) for state, row in posted]


@router.post(
    "/{notice}/objections",
    summary="公示异议 Object to a public notice",
    status_code=202,
    responses=responses(
        {202: ObjectionTaken}, "not-found", "not-now", "against-the-rules", "case-ended", "bad-request", "key-reused",
        "too-many-attempts", "body-too-large", "not-json", "database-away",
    ),
    openapi_extra=body_of(OBJECTION.model),
)  # fmt: skip
async def object_to(notice: str, request: Request, board: NoticeBoardOf) -> Response:
    """By anybody, with a reason and a way to be reached; both go into the vault. After the window there is no such notice.

    One contact counts once in a case, however often it is posted: what it says again is taken, and changes nothing.
    """
    if not _NOTICE.fullmatch(notice):
        raise _no_notice()
    _, key_faults = read_key(request)
    given, body_faults = read_model(OBJECTION.model, await read_body(request))
    faults = together(key_faults, body_faults, OBJECTION.faults(given) if given is not None else [])
    if given is None or faults:
        raise bad_request(faults)
    await take_objection(board, request, notice, given)
    return Response(ObjectionTaken(notice=tidy_code(notice)).model_dump_json(), 202, media_type="application/json")


async def take_objection(board: NoticeBoard, request: Request, notice: str, given: BaseModel) -> None:
    """Take in an objection that has the right shape, of whoever sends it.

    Raises Problem: too many were sent, no such notice is up, the case refuses it, or Postgres is away.
    """
    await _count(board, request)
    state = await posted_state(board, notice)
    sender = Sender(ANYBODY, _one_contact(board, state, OBJECTION.texts_of(given)["contact"]), SOMEBODY)
    entered = await _entered(board, sender, state, OBJECTION, given)
    if entered is None:
        return
    submission = await settled(board.filing.answering, entered.submission)
    if (refusal := refusal_of(submission)) is not None:
        raise refused(refusal.model_copy(update={"stage": "", "legal_commands": ()}))


def _one_contact(board: NoticeBoard, state: PostedState, contact: str) -> str:
    """The key of whoever objects to a case, the same for the same contact in any writing; it tells nothing of the contact."""
    plain = "".join(
        each for each in unicodedata.normalize("NFKC", contact).casefold() if unicodedata.category(each)[0] in "LN"
    )
    return f"{state.case_id} objector {board.codes.code_of(f'{state.case_id} objector {plain}')}"


async def _entered(
    board: NoticeBoard, sender: Sender, state: PostedState, door: CommandBody, given: object
) -> Entered | None:
    """The objection on its way; None: this contact has objected in this case in other words."""
    assert isinstance(given, door.model)  # noqa: S101 - it was read as that
    try:
        entered = await board.filing.intake.command(sender, state, "object", door, given)
    except Problem as problem:
        if problem.code != RefusalCode.KEY_REUSED:
            raise
        return None
    if entered.submission.leased and not entered.repeated:
        board.filing.relay.take(entered.submission)
    return entered


async def _posted(
    board: NoticeBoard, connection: Connection, now: datetime
) -> list[tuple[PostedState, asyncpg.Record]]:
    at = [posting.posted.value for posting in POSTED.values()]
    rows = await connection.fetch(SQL.posted, now, list(POSTED), at, PUBLICITY)
    states = [board.filing.town.procedures[row["procedure"]].state.model_validate(row["snapshot"]) for row in rows]
    return [(state, row) for state, row in zip(states, rows, strict=True) if isinstance(state, PostedState)]


async def posted_state(board: NoticeBoard, notice: str) -> PostedState:
    """The case behind a notice that is up, by its number in any writing. Raises Problem: there is none."""
    if not _NOTICE.fullmatch(notice):
        raise _no_notice()
    notice = tidy_code(notice)
    async with database(board.pool) as connection:
        for state, _ in await _posted(board, connection, board.filing.intake.now()):
            if _number(board, state) == notice:
                return state
    raise _no_notice()


def _no_notice() -> Problem:
    return Problem(
        ProblemCode.NOT_FOUND, say("没有此公示,或公示期已满", "no such notice is up; the window may be over")
    )


async def _notice(board: NoticeBoard, connection: Connection, state: PostedState, row: asyncpg.Record) -> PublicNotice:
    community = community_of(state.area) or state.area
    shown: dict[str, Any] = {each.name: each.value(state) for each in POSTED[state.procedure].shows}
    return NOTICES[state.procedure](
        notice=_number(board, state),
        procedure=state.procedure,
        procedure_zh=board.filing.town.procedures[state.procedure].title,
        name=await _masked_name(board, connection, state),
        community=community,
        community_zh=board.filing.town.areas.name_of(community),
        posted_at=in_shanghai(row["posted_at"]),
        until=in_shanghai(row["until_at"]),
        **shown,
    )


def _number(board: NoticeBoard, state: PostedState) -> str:
    """The number of a posting. Made with a key of the town: nobody can tell the case from it."""
    return board.codes.code_of(f"{state.case_id} posting {state.posting}")


async def _masked_name(board: NoticeBoard, connection: Connection, state: PostedState) -> str:
    """张*: read once for each posting, so that looking at notices does not fill the record of who read whom."""
    place = (state.case_id, state.posting)
    if place not in _names:
        person = state.reporter
        statement = state.statements.get(person)
        details = await board.filing.vault.read_statement(
            connection, person, statement, READER, purpose=PURPOSE, case_id=state.case_id
        )
        if len(_names) > NAMES_KEPT:
            _names.clear()
        _names[place] = masked_name(details.name or "") if isinstance(details, PersonDetails) else "*"
    return _names[place]


def _fresh(board: NoticeBoard, notices: PublicNotices, now: datetime) -> int:
    """How many real seconds a copy may be shown: not beyond the end of the window that ends next."""
    time = next(iter(board.filing.town.charters.values())).time  # the town has one
    left = [(time.to_real(each.until) - time.to_real(now)).total_seconds() for each in notices.items]
    return int(min([FRESH_SECONDS, *left]))


async def _count(board: NoticeBoard, request: Request) -> None:
    """Objections of one sender are as many as somebody could mean; whoever only makes noise has to wait, and nobody else."""
    await board.codes.attempts.take("objection", await sender_of(request, board.verifier))
