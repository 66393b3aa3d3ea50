"""POST /api/v1/documents 附件: a file is kept, and gets the reference by which commands attach it to a case."""

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from engine.vault.active_content import WORDS, Active
from engine.vault.documents import SHOW_DOCUMENT, Documents, DocumentsAway, Found, Reserved, TooManyWaiting
from engine.vault.person_identity import PersonIdentity
from engine.vault.vault import Vault
from schemas.kernel.case import CaseState
from schemas.kernel.reference_facts import Refers, declared_by
from schemas.kernel.visibility import may_read_texts
from schemas.values.actor import Actor, Role
from schemas.values.document import SUFFIXES, Document
from schemas.values.references import OPAQUE, PersonReference, Tombstone
from schemas.values.refusals import Fault, Refusal, RefusalCode, say
from starter.cases.case_reading import CaseReader
from starter.http.authentication import Caller, acting
from starter.http.database import Connection, database, reading
from starter.http.dependencies import dependency
from starter.http.documentation import responses
from starter.http.json_answers import CREATED, OK, json_response
from starter.http.problems import RETRY_AFTER_SECONDS, Attempt, Problem, ProblemCode, refused, too_many_requests
from starter.http.shared_rates import SharedRates
from starter.http.upload_memory import UploadMemory
from starter.http.uploads import read_file

router = APIRouter(prefix="/api/v1/documents", tags=["documents"])


@dataclass(frozen=True)
class Attachments:
    """What files are kept and read with; `refused_uploads` slows down whoever sends what is not taken."""

    pool: asyncpg.Pool
    vault: Vault
    reader: CaseReader
    documents: Documents
    refused_uploads: SharedRates
    upload_memory: UploadMemory


AttachmentsOf = Annotated[Attachments, dependency(Attachments)]

KEEPS_NONE = frozenset({Role.ADMIN, Role.AUDITOR})
"""Who runs or checks the system attaches nothing to a case."""

_REFERENCE = re.compile(rf"document:{OPAQUE}")
_FILE = {"schema": {"type": "string", "format": "binary"}}
_FORM = {"schema": {"type": "object", "required": ["file"], "properties": {"file": _FILE["schema"]}}}
_HEADERS = {
    # A file that people sent is never run by a browser as if it were ours.
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, no-store",
}


@router.post(
    "",
    summary="上传附件 Keep a document",
    status_code=CREATED,
    responses=responses(
        {200: Document, 201: Document}, "token-missing", "not-your-role", "against-the-rules", "bad-request",
        "body-too-large", "document-type", "unknown-case", "database-away", "documents-away",
    ),
    openapi_extra={"requestBody": {"required": True, "content": {
        "multipart/form-data": _FORM, **dict.fromkeys(SUFFIXES, _FILE),
    }}},
)  # fmt: skip
async def keep_document(
    request: Request,
    caller: Caller,
    attachments: AttachmentsOf,
    case_id: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """201 with reference, SHA-256 and size; 200 for the same file sent before. No idempotency key: the file is its own.

    With `case_id` it is kept with the person whose case it is, as the texts of the case are; otherwise with the sender.
    """
    actor = acting(caller)
    await refuse_unless_uploader(attachments, actor)
    state = await attachments.reader.state(case_id, actor) if case_id is not None else None
    # A place is taken when all has come: whoever sends slowly, or nothing, holds nobody up.
    with attachments.upload_memory.held(actor.subject) as held:
        content = await read_file(request, attachments.documents.policy.bytes_max, held)
        document, first = await keep_content(attachments, actor, state, content)
    return json_response(document, CREATED if first else OK)


async def refuse_unless_uploader(attachments: Attachments, actor: Actor) -> None:
    """Raises Problem: a role that attaches nothing, or an account of which too much was refused."""
    if actor.role in KEEPS_NONE:
        raise refused(_not_an_uploader())
    if (pause := await attachments.refused_uploads.left(actor.subject)) is not None:
        raise too_many_requests(pause)


async def keep_content(
    attachments: Attachments, actor: Actor, state: CaseState | None, content: bytes
) -> tuple[Document, bool]:
    """Keep a file, with the person whose case it is or with its sender; and whether it was not kept before.

    Raises Problem: a type that is not taken, too many that stand in no case, or the store is away.
    """
    media_type = await _taken_type(attachments, actor, content)
    async with attachments.documents.keeping:
        reserved = await _reserve(attachments, actor, state, content, media_type)
        try:
            await attachments.documents.store(reserved, content)
        except DocumentsAway as error:
            raise _store_away() from error
    first = False
    if reserved.content_key is not None:
        async with database(attachments.pool) as connection:
            first = await attachments.documents.mark_stored(connection, reserved.document.reference)
    return reserved.document, first


async def _taken_type(attachments: Attachments, actor: Actor, content: bytes) -> str:
    """The type of a file that the town takes. Raises Problem 415, which counts: looking into a file is work too."""
    found = await attachments.documents.examine(content)
    if found.media_type is not None and found.media_type in attachments.documents.policy.types and found.active is None:
        return found.media_type
    await attachments.refused_uploads.take(actor.subject)
    if found.active is not None:
        raise _active(found.active)
    raise _not_taken(attachments.documents.policy.types)


async def _reserve(
    attachments: Attachments, actor: Actor, state: CaseState | None, content: bytes, media_type: str
) -> Reserved:
    async with database(attachments.pool) as connection:
        try:
            person = await _owner(attachments, connection, actor, state)
            return await attachments.documents.reserve(connection, person, actor, content, media_type)
        except TooManyWaiting:
            raise refused(_too_many(attachments.documents.policy.waiting_at_most)) from None


async def _owner(
    attachments: Attachments, connection: Connection, actor: Actor, state: CaseState | None
) -> PersonReference:
    """Whose document it is: the reporter's of the case, as its texts are; a person of the case's own without one.

    In a confidential case, whose own: each gets out, and has erased, what is theirs, and nobody what another side sent.
    """
    confidential = state is not None and attachments.reader.procedures[state.procedure].confidential
    reporter: PersonReference | None = None if confidential else getattr(state, "reporter", None)
    if reporter is not None and not await attachments.vault.is_erased(connection, reporter):
        return reporter
    account = f"case {state.case_id}" if state is not None and not confidential else actor.subject
    return await attachments.vault.find_or_create_person(connection, PersonIdentity.account(account))


@router.get(
    "/{reference}",
    summary="下载附件 Read a document",
    response_class=Response,
    responses={
        200: {"description": "the file as it was sent", "content": dict.fromkeys(SUFFIXES, _FILE)},
        **responses({}, "token-missing", "unknown-document", "document-erased", "database-away", "documents-away"),
    },
)
async def read_document(reference: str, caller: Caller, attachments: AttachmentsOf) -> Response:
    """The file, for who sees a case in which it stands; before that for its sender. Who read it is recorded."""
    document, content = await open_document(reference, acting(caller), attachments)
    headers = _HEADERS | {"Content-Disposition": f'attachment; filename="{file_name(document)}"'}
    return Response(content, OK, headers=headers, media_type=document.media_type)


async def open_document(
    reference: str,
    actor: Actor,
    attachments: Attachments,
    purpose: str = SHOW_DOCUMENT,
    only: Container[str] = frozenset(SUFFIXES),
) -> tuple[Document, bytes]:
    """A file, read for a purpose: that it was read is on record before anything of it is given.

    Raises Problem: there is none that the actor may see, it is of another type than `only` has (then it was not read), its person
    was erased, or the store is away.
    """
    if not _REFERENCE.fullmatch(reference):
        raise _unknown_document()
    if not may_read_texts(actor):
        raise _unknown_document(Attempt(RefusalCode.NOT_YOUR_ROLE))
    async with database(attachments.pool) as connection:
        found = (await attachments.documents.find(connection, [reference])).get(reference)
    if found is None:
        raise _unknown_document()
    case_id = await _seen_in(attachments, found, actor)
    if found.document.media_type not in only:
        raise not_shown()
    async with database(attachments.pool) as connection:
        key = await attachments.documents.key_for_reading(connection, reference, actor, case_id, purpose)
    if isinstance(key, Tombstone):
        raise _erased(key)
    async with attachments.documents.reading:
        try:
            return found.document, await attachments.documents.open(found.document, key)
        except DocumentsAway as error:
            raise _store_away() from error


def file_name(document: Document) -> str:
    """What a file is called when it is saved: nothing that its sender called it."""
    return f"{document.reference.removeprefix('document:')}.{SUFFIXES[document.media_type]}"


async def document_faults(attachments: Attachments, given: BaseModel, actor: Actor) -> list[Fault]:
    """What is wrong with the documents that a body names: not there, or not the caller's to attach.

    Facts of a document that stand beside its reference must be those of the document.
    """
    named = list(_named(given))
    if not named:
        return []
    async with database(attachments.pool) as connection:
        known = await attachments.documents.find(connection, [reference for _, reference, _ in named])
    faults = []
    for field, reference, facts in named:
        found = known.get(reference)
        if found is None or not await _may_attach(attachments, found, actor):
            faults.append(_no_such_document(field))
        elif facts - found.document.model_dump().items():
            faults.append(_other_facts(field))
    return faults


async def _may_attach(attachments: Attachments, found: Found, actor: Actor) -> bool:
    if found.uploader == actor.subject:
        return True
    try:
        await _seen_in(attachments, found, actor)
    except Problem as problem:
        if problem.code != ProblemCode.UNKNOWN_DOCUMENT:
            raise
        return False
    return True


async def _seen_in(attachments: Attachments, found: Found, actor: Actor) -> str | None:
    """The case by which the caller sees a document; None while it stands in none and is the caller's own."""
    async with reading(attachments.pool) as connection:
        cases = await attachments.documents.cases_of(connection, found.document.reference)
    if not cases and found.uploader == actor.subject:
        return None
    for case_id in cases:
        try:
            state = await attachments.reader.state(case_id, actor)
        except Problem as problem:
            if problem.code != ProblemCode.UNKNOWN_CASE:
                raise
            continue
        own = found.uploader == actor.subject
        if own or await attachments.reader.hears_of(state, found.document.reference, actor):
            return state.case_id
    raise _unknown_document(Attempt(RefusalCode.NOT_YOUR_CASE, case_id=cases[0] if cases else None))


def _named(given: BaseModel) -> Iterator[tuple[str, str, set[tuple[str, Any]]]]:
    """Every document that a body declares: its field, its reference, and the facts that stand beside it."""
    plain = given.model_dump(mode="json")
    for place, refers in declared_by(type(given)).items():
        if refers is Refers.DOCUMENT:
            yield from _at(plain, place)


def _at(plain: Any, place: str, field: str = "") -> Iterator[tuple[str, str, set[tuple[str, Any]]]]:
    """What stands at a declared place; each of a list with its number."""
    name, _, rest = place.partition(".")
    whole = name.removesuffix("[]")
    value = plain.get(whole) if isinstance(plain, dict) else None
    at = f"{field}.{whole}".removeprefix(".")
    each = list(enumerate(value or ())) if name.endswith("[]") else [(None, value)]
    for number, item in each:
        here = at if number is None else f"{at}.{number}"
        if rest == "reference" and isinstance(item, dict):
            facts = {(fact, item[fact]) for fact in Document.model_fields if item.get(fact) is not None}
            yield here, item["reference"], facts
        elif rest:
            yield from _at(item, rest, here)
        elif isinstance(item, str):
            yield here, item, set()


def _no_such_document(field: str) -> Fault:
    return Fault(
        field=field,
        reason=say("没有此附件,或非您所传", "is no document that is yours to attach"),
        remedy=say("请先上传", "send the file to /api/v1/documents first and give the reference it gets"),
    )


def _other_facts(field: str) -> Fault:
    return Fault(
        field=field,
        reason=say("与附件的摘要、大小或类型不符", "has another digest, size or type than the document"),
        remedy=say("请原样填写上传时的答复", "give them as the answer to the upload did"),
    )


def _not_taken(types: Iterable[str]) -> Problem:
    taken = ", ".join(SUFFIXES[media_type] for media_type in types)
    return Problem(
        ProblemCode.DOCUMENT_TYPE,
        say(
            f"可受理的文件:{taken};含宏、脚本等活动内容的不受理",
            f"taken are: {taken}, without active content; the content counts, not the name",
        ),
    )


def not_shown(zh: str = "此类文件无法显示", en: str = "a file of this kind is not shown") -> Problem:
    """It is there, and can be had as it was sent."""
    return Problem(ProblemCode.DOCUMENT_TYPE, say(f"{zh},请下载原件", f"{en}; download the file itself"))


def _active(found: Active) -> Problem:
    chinese, english = WORDS[found]
    return Problem(
        ProblemCode.DOCUMENT_TYPE,
        say(f"文件{chinese},不予受理;请导出为普通PDF或图片", f"{english}; send it as a plain PDF or a picture"),
    )


def _store_away() -> Problem:
    return Problem(
        ProblemCode.DOCUMENTS_AWAY,
        say("附件库暂不可用,请稍后重试", "the store does not answer; send the same again a little later"),
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def _unknown_document(attempt: Attempt | None = None) -> Problem:
    detail = say("没有此附件,或您无权查看", "there is no such document, or none that you may see")
    return Problem(ProblemCode.UNKNOWN_DOCUMENT, detail, attempt=attempt)


def _erased(tombstone: Tombstone) -> Problem:
    return Problem(ProblemCode.DOCUMENT_ERASED, say(str(tombstone), f"erased on {tombstone.erased_at:%Y-%m-%d}"))


def _not_an_uploader() -> Refusal:
    return Refusal(
        code=RefusalCode.NOT_YOUR_ROLE,
        detail=say("您的角色不能上传附件", "your role attaches no documents"),
        command="keep_document",
    )


def _too_many(at_most: int) -> Refusal:
    return Refusal(
        code=RefusalCode.AGAINST_THE_RULES,
        detail=say(
            f"未入案的附件已达{at_most}件", f"{at_most} of your documents stand in no case yet; attach them first"
        ),
        command="keep_document",
    )
