"""POST of a service request: a report in GeoReport's words becomes the body of the opening that it is for.

From there on it is a report like any other: the same rules and faults, the same intake, the same case. Who reports is whoever
shows a key: a client of the town as the staff that its policy says, or anybody with a token as who they are.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from engine.keys.tokens import Principal
from engine.store.database import AWAY
from schemas.kernel.case import CaseState
from schemas.kernel.rules import for_other_roles
from schemas.values.actor import Channel
from schemas.values.canonical import canonical_json
from schemas.values.refusals import Fault, Refusal, RefusalCode, say
from schemas.values.tidy_text import tidy
from starter.cases.announcements import CASES
from starter.http.bodies import BODY_BYTES_MAX, KEY_HEADER, check_model, read_key
from starter.http.problems import Problem, ProblemCode, bad_request, database_away, refused
from starter.intake.intake import Entered
from starter.intake.openings import opening_of
from starter.intake.postbox import Status
from starter.open311.door import API_KEY, JURISDICTION, Open311
from starter.open311.forms import Row
from starter.open311.requests import no_service
from starter.open311.services import Service

FIELDS_AT_MOST = 200
FORM = "application/x-www-form-urlencoded"
NAMES: Mapping[str, str] = {
    "matter": "service_code",
    "description": "description",
    "address": "address_string",
    "area": "address_id",
    "latitude": "lat",
    "longitude": "long",
    "name": "first_name",
    "phone": "phone",
}
"""What GeoReport calls the parts of a report."""

Sent = Mapping[str, str]


async def read_form(request: Request) -> dict[str, str]:
    """What a form says, each name once. Raises Problem: too large, or no form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > BODY_BYTES_MAX:
            detail = say(f"请求内容不得超过{BODY_BYTES_MAX}字节", f"a body has at most {BODY_BYTES_MAX} bytes")
            raise Problem(ProblemCode.BODY_TOO_LARGE, detail)
    if kind != FORM:
        raise Problem(ProblemCode.NOT_JSON, say(f"请以 {FORM} 提交", f"send it with Content-Type: {FORM}"))
    try:
        return dict(parse_qsl(body.decode(), max_num_fields=FIELDS_AT_MOST, errors="strict"))
    except ValueError:
        reason = say("不是UTF-8编码的表单", "is no form in UTF-8")
        fault = Fault(field="body", reason=reason, remedy=say("请更正后重新提交", "mend it and send it again"))
        raise bad_request([fault]) from None


async def report(door: Open311, request: Request, caller: Principal, sent: Sent) -> tuple[Row, bool]:
    """Accept a report. Returns what is answered, and whether it had been accepted before.

    Raises:
        Problem: no such service, not the caller's role, faults (all at once, by GeoReport's names), a key used otherwise.
    """
    if caller.role not in door.reporters:
        detail = for_other_roles(sorted(door.reporters))
        raise refused(Refusal(code=RefusalCode.NOT_YOUR_ROLE, detail=detail, command="report"))
    service = door.services.get(tidy(sent.get("service_code", "")))
    if "service_code" in sent and service is None:
        raise no_service()
    if service is None:
        raise bad_request([_missing("service_code")])
    opening = opening_of(service.procedure)
    opening.refuse_unless_starter(caller.role)
    key, key_faults = _key(door, request, sent)
    parts, faults = _parts(door, service, sent)
    body, shape_faults = check_model(opening.model, service.fields.body(parts) | {"channel": Channel.OPEN311})
    faults += await opening.all_faults(door.filing, caller, body, shape_faults)
    if body is None or faults or key_faults:
        raise bad_request([*key_faults, *_in_their_words(service, faults)])
    entered = await opening.accept(door.filing, opening.sender(caller, key, body), body)
    return await _answered(door, entered, media="media_url" in sent), entered.repeated


async def number_of(door: Open311, token: str) -> Row:
    """The number of what was accepted under a token, as soon as it stands. Raises Problem: no such token of this door."""
    try:
        found = await door.filing.answering.postbox.find(token)
    except AWAY as error:
        raise database_away() from error
    opening = found.payload.get("opening", {}) if found is not None and found.kind == "start" else {}
    if found is None or opening.get("actor", {}).get("channel") != Channel.OPEN311:
        raise Problem(ProblemCode.NOT_FOUND, say("没有此受理凭据", "token provided was not found"))
    return {"service_request_id": found.case_id if found.status is Status.DELIVERED else None, "token": token}


async def _answered(door: Open311, entered: Entered, *, media: bool) -> Row:
    """Its number when the case stands, as the API itself says 201; else a token, by which the number is had a little later."""
    submission, answering = entered.submission, door.filing.answering

    async def look() -> CaseState | None:
        return await answering.reader.standing(submission.case_id)

    try:
        state = await answering.announcements.until(
            CASES, submission.case_id, look, answering.patience_seconds, at_once=entered.repeated
        )
    except Problem as problem:
        if problem.code != ProblemCode.DATABASE_AWAY:
            raise
        state = None  # it went away after the acceptance: what was accepted stays so
    notice = [
        say("凭编号和查询码查看进展", f"follow it with its number and this code: {_code(door, submission.case_id)}")
    ]
    if media:
        notice.append(say("未收取 media_url 的图片", "no picture was fetched from media_url"))
    number = {"token": submission.submission} if state is None else {"service_request_id": submission.case_id}
    return number | {"service_notice": "; ".join(notice), "account_id": None}


def _code(door: Open311, case_id: str) -> str:
    return door.filing.answering.codes.code_of(case_id)


def _key(door: Open311, request: Request, sent: Sent) -> tuple[str, list[Fault]]:
    """The caller's idempotency key; GeoReport has none: then the same report on the same day is the same request."""
    if request.headers.get(KEY_HEADER) is not None:
        return read_key(request)
    said = {name: value for name, value in sent.items() if name not in {API_KEY, JURISDICTION}}
    content = canonical_json({"day": f"{door.filing.intake.now():%Y%m%d}", "said": said})
    return f"open311-{hashlib.sha256(content).hexdigest()}", []


def _parts(door: Open311, service: Service, sent: Sent) -> tuple[dict[str, Any], list[Fault]]:
    """The parts of a report, and which of its numbers are none. What says nothing is left out."""
    said = {name: value.strip() for name, value in sent.items() if value.strip()}
    parts: dict[str, Any] = {part: said[name] for part, name in NAMES.items() if name in said}
    faults: list[Fault] = []
    for part, other in (("latitude", "longitude"), ("longitude", "latitude")):
        if part in parts and _degrees(parts[part]) is None:
            faults.append(_no_number(NAMES[part]))
        elif NAMES[part] not in said and NAMES[other] in said:
            faults.append(_missing(NAMES[part]))
    for part in ("latitude", "longitude"):
        parts[part] = None if faults else _degrees(parts.get(part, ""))
    parts |= {"matter": service.code, "name": _name(said.get("last_name", ""), said.get("first_name", "")) or None}
    if "address" not in parts:
        parts["address"] = _place(door, parts)
    return parts, faults


def _place(door: Open311, parts: Mapping[str, Any]) -> str | None:
    """The place in words, where only coordinates or an area are said: our rules want one that people can read."""
    if parts.get("latitude") is not None and parts.get("longitude") is not None:
        return f"坐标 {parts['latitude']:.6f}, {parts['longitude']:.6f}"
    area = door.filing.town.areas.names.get(str(parts.get("area", "")))
    return None if area is None else area.zh


def _name(last: str, first: str) -> str:
    """A name as it is written: 王小明, or Ming Wang."""
    return f"{first} {last}".strip() if f"{first}{last}".isascii() else f"{last}{first}"


def _degrees(text: str) -> float | None:
    try:
        number = float(text) if text.isascii() else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _in_their_words(service: Service, faults: Sequence[Fault]) -> list[Fault]:
    """Faults with the names that their sender knows, each once."""
    named = [
        each.model_copy(update={"field": NAMES.get(service.fields.part_of(each.field) or "", each.field)})
        for each in faults
    ]
    return list(dict.fromkeys(named))


def _missing(field: str) -> Fault:
    return Fault(field=field, reason=say("缺失", "is missing"), remedy=say("请填写", "add it"))


def _no_number(field: str) -> Fault:
    return Fault(
        field=field, reason=say("应为数字", "is not a number"), remedy=say("例如 32.060255", "such as 32.060255")
    )
