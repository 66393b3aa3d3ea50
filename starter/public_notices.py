"""Public notices 公示: for everybody to see without signing in, for exactly the window; and objections to them.

A masked name, the community, the window, and what the procedure's posting shows (schemas/parts/postings.py): nothing else of
anybody leaves the town here. Which procedures post is what they are composed of; none is named here. A notice has a number of
its own, made anew for each posting, that tells nothing of the case.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any, Union

import asyncpg
from fastapi import APIRouter
from pydantic import create_model
from starlette.requests import Request
from starlette.responses import Response

from engine.database import Queries
from engine.vault import PersonDetails
from schemas.actor import Actor, Channel, Role
from schemas.calendar import TownDatetime, in_shanghai
from schemas.model import Model
from schemas.parts.postings import PUBLICITY, Object, PostedState, Posting
from schemas.person_views import masked_name
from schemas.procedure import Procedure
from schemas.refusals import RefusalCode, say
from starter.answers import refusal_of, settled
from starter.bodies import read_body, read_key, read_model, together
from starter.database import Connection, database
from starter.documentation import body_of, responses
from starter.doors import Door, door_of
from starter.intake import ANYBODY, Entered, Sender
from starter.parts import Parts, PartsOf
from starter.problems import Problem, ProblemCode, bad_request, refused
from starter.resident_codes import tidy_code
from starter.senders import sender_of
from workflows.registry import PROCEDURES

PURPOSE = "show-public-notice"
NAMES_KEPT = 10_000
COMMUNITY_PARTS = 3
"""A community is district, street and itself; a grid, which is smaller, is nobody else's business."""

FRESH_SECONDS = 30
"""An objection takes a notice down at once; who kept a copy asks again after so long, or at the end of a window."""

READER = Actor(subject="public-notices", role=Role.RESIDENT, channel=Channel.APP)
SOMEBODY = Actor(subject=ANYBODY, role=Role.RESIDENT, channel=Channel.APP)
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept",
}
_TITLE = "公示 Public notices"

router = APIRouter(prefix="/public/notices", tags=["residents"])


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
OBJECTION = door_of(Object)
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


@router.get("", summary="公示 Public notices", responses=responses({200: PublicNotices}, "database-away"))
async def public_notices(request: Request, parts: PartsOf) -> Response:
    """As JSON, or as a page for who asks for HTML. Unchanged: 304 by its ETag. No scripts, nothing loaded from elsewhere."""
    now = parts.intake.now()
    async with database(parts.pool) as connection:
        posted = await _posted(parts, connection, now)
        items = [await _notice(parts, connection, state, row) for state, row in posted]
    notices = PublicNotices(items=items)
    as_page = "text/html" in request.headers.get("accept", "")
    content = (_page(notices) if as_page else notices.model_dump_json()).encode()
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = HEADERS | {
        "ETag": etag,
        "Cache-Control": f"public, max-age={_fresh(parts, notices, now)}, must-revalidate",
    }
    if etag in {each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")}:
        return Response(None, 304, headers=headers)
    return Response(content, headers=headers, media_type="text/html" if as_page else "application/json")


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
async def object_to(notice: str, request: Request, parts: PartsOf) -> Response:
    """By anybody, with a reason and a way to be reached; both go into the vault. After the window there is no such notice.

    One contact counts once in a case, however often it is posted: what it says again is taken, and changes nothing.
    """
    if not _NOTICE.fullmatch(notice):
        raise _no_notice()
    door = OBJECTION
    _, key_faults = read_key(request)
    given, body_faults = read_model(door.model, await read_body(request))
    faults = together(key_faults, body_faults, door.faults(given) if given is not None else [])
    if given is None or faults:
        raise bad_request(faults)
    await _count(parts, request)
    notice = tidy_code(notice)
    state = await _state_of(parts, notice)
    sender = Sender(ANYBODY, _one_contact(parts, state, door.texts_of(given)["contact"]), SOMEBODY)
    entered = await _entered(parts, sender, state, door, given)
    if entered is None:
        return _taken(notice)
    submission = await settled(parts, entered.submission)
    if (refusal := refusal_of(submission)) is not None:
        raise refused(refusal.model_copy(update={"stage": "", "legal_commands": ()}))
    return _taken(notice)


def _taken(notice: str) -> Response:
    return Response(ObjectionTaken(notice=notice).model_dump_json(), 202, media_type="application/json")


def _one_contact(parts: Parts, state: PostedState, contact: str) -> str:
    """The key of whoever objects to a case, the same for the same contact in any writing; it tells nothing of the contact."""
    plain = "".join(
        each for each in unicodedata.normalize("NFKC", contact).casefold() if unicodedata.category(each)[0] in "LN"
    )
    return f"{state.case_id} objector {parts.codes.code_of(f'{state.case_id} objector {plain}')}"


async def _entered(parts: Parts, sender: Sender, state: PostedState, door: Door, given: object) -> Entered | None:
    """The objection on its way; None: this contact has objected in this case in other words."""
    assert isinstance(given, door.model)  # noqa: S101 - it was read as that
    try:
        entered = await parts.intake.command(sender, state, "object", door, given)
    except Problem as problem:
        if problem.code != RefusalCode.KEY_REUSED:
            raise
        return None
    if entered.submission.leased and not entered.repeated:
        parts.relay.take(entered.submission)
    return entered


async def _posted(parts: Parts, connection: Connection, now: datetime) -> list[tuple[PostedState, asyncpg.Record]]:
    at = [posting.posted.value for posting in POSTED.values()]
    rows = await connection.fetch(SQL.posted, now, list(POSTED), at, PUBLICITY)
    states = [parts.procedures[row["procedure"]].state.model_validate(row["snapshot"]) for row in rows]
    return [(state, row) for state, row in zip(states, rows, strict=True) if isinstance(state, PostedState)]


async def _state_of(parts: Parts, notice: str) -> PostedState:
    async with database(parts.pool) as connection:
        for state, _ in await _posted(parts, connection, parts.intake.now()):
            if _number(parts, state) == notice:
                return state
    raise _no_notice()


def _no_notice() -> Problem:
    return Problem(
        ProblemCode.NOT_FOUND, say("没有此公示,或公示期已满", "no such notice is up; the window may be over")
    )


async def _notice(parts: Parts, connection: Connection, state: PostedState, row: asyncpg.Record) -> PublicNotice:
    community = ".".join(state.area.split(".")[:COMMUNITY_PARTS])
    shown: dict[str, Any] = {each.name: each.value(state) for each in POSTED[state.procedure].shows}
    return NOTICES[state.procedure](
        notice=_number(parts, state),
        procedure=state.procedure,
        procedure_zh=parts.procedures[state.procedure].title,
        name=await _masked_name(parts, connection, state),
        community=community,
        community_zh=parts.areas.name_of(community),
        posted_at=in_shanghai(row["posted_at"]),
        until=in_shanghai(row["until_at"]),
        **shown,
    )


def _number(parts: Parts, state: PostedState) -> str:
    """The number of a posting. Made with a key of the town: nobody can tell the case from it."""
    return parts.codes.code_of(f"{state.case_id} posting {state.posting}")


async def _masked_name(parts: Parts, connection: Connection, state: PostedState) -> str:
    """张*: read once for each posting, so that looking at notices does not fill the record of who read whom."""
    place = (state.case_id, state.posting)
    if place not in _names:
        person = state.reporter
        statement = state.statements.get(person)
        details = await parts.vault.read_statement(
            connection, person, statement, READER, purpose=PURPOSE, case_id=state.case_id
        )
        if len(_names) > NAMES_KEPT:
            _names.clear()
        _names[place] = masked_name(details.name or "") if isinstance(details, PersonDetails) else "*"
    return _names[place]


def _fresh(parts: Parts, notices: PublicNotices, now: datetime) -> int:
    """How many real seconds a copy may be shown: not beyond the end of the window that ends next."""
    time = next(iter(parts.charters.values())).time  # the town has one
    left = [(time.to_real(each.until) - time.to_real(now)).total_seconds() for each in notices.items]
    return int(min([FRESH_SECONDS, *left]))


async def _count(parts: Parts, request: Request) -> None:
    """Objections of one sender are as many as somebody could mean; whoever only makes noise has to wait, and nobody else."""
    _, wait_seconds = await parts.codes.attempts.count("objection", await sender_of(request, parts.verifier))
    if wait_seconds:
        detail = say("提交次数过多,请稍后再试", "too many were sent; try again later")
        raise Problem(ProblemCode.TOO_MANY_ATTEMPTS, detail, headers={"Retry-After": str(wait_seconds)})


def _page(notices: PublicNotices) -> str:
    items: list[PublicNotice] = notices.items
    tables = "".join(_table(name, [each for each in items if each.procedure == name]) for name in POSTED)
    return (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{_TITLE}</title></head>'
        f"<body><h1>{_TITLE}</h1><p>公示期内,任何人均可凭编号提出异议,请写明理由和联系方式。</p>{tables}</body></html>"
    )


def _table(procedure: str, notices: Sequence[PublicNotice]) -> str:
    """What a procedure has posted, with the columns that its posting shows; nothing where nothing is posted."""
    if not notices:
        return ""
    shows = [each for each in POSTED[procedure].shows if each.on_page]
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td><bdi>{escape(text)}</bdi></td>"  # so that no name turns what stands beside it
            for text in (
                each.name,
                each.community_zh,
                *(_in_words(getattr(each, shown.name), money=shown.money) for shown in shows),
                f"{each.posted_at:%Y-%m-%d %H:%M}",
                f"{each.until:%Y-%m-%d %H:%M}",
                each.notice,
            )
        )
        + "</tr>"
        for each in notices
    )
    columns = ("姓名", "社区", *(shown.zh for shown in shows), "公示起", "公示止", "编号")
    heads = "".join(f"<th>{escape(each)}</th>" for each in columns)
    return f"<h2>{escape(notices[0].procedure_zh)}</h2><table border=1><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _in_words(value: str | int, *, money: bool) -> str:
    return f"{int(value) // 100}.{int(value) % 100:02d}" if money else str(value)
