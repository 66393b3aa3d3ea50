"""POST /api/v1/devices/{platform}/events: what a wristband or a sensor says becomes a command of the file it is bound to.

As with departments (docs/procedures/care.md): believed is who signs with the platform's key. An event is taken once, for ever, by
its number, whatever order events come in and however often; what is stored is acknowledged. The platform learns nothing of anybody.
A call for help that no file takes is the duty desk's (starter/care_unfiled.py).
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from engine.store.device_events import SQL
from schemas.care import CARE
from schemas.care_commands import DEVICE_EVENT, EventKind
from schemas.care_state import DEVICE_UNIT, CareState, device_key
from schemas.clocks.calendar import TownDatetime
from schemas.kernel.case import CaseState
from schemas.values.actor import Actor, Channel, Role
from schemas.values.canonical import digest
from schemas.values.foreign_code import ForeignCode
from schemas.values.model import Model
from schemas.values.refusals import Fault, RefusalCode, say
from starter.care_unfiled import Call, UnfiledCalls, is_unfiled, not_yet_taken
from starter.counterparts.signatures import SignersOf, believe
from starter.http.bodies import read_body, read_json
from starter.http.database import PoolOf, reading
from starter.http.documentation import responses, signed_body_of
from starter.http.faults import faults_of
from starter.http.json_answers import OK
from starter.http.problems import Problem, ProblemCode, bad_request
from starter.http.rates import Rates
from starter.intake.commands import give
from starter.intake.filing import Filing, FilingOf
from starter.intake.intake import Sender

LONGEST_EVENT_BYTES = 4_000
NO_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)
"""When a call happened of which nobody can read that: before anything was bound here, so that a person finds out who calls."""

router = APIRouter(prefix="/api/v1/devices", tags=["devices"])


class EventSent(Model):
    """What a platform sends: its number of the event, which of its devices, what happened, and when (town time, with an offset)."""

    event_id: ForeignCode
    device: ForeignCode
    kind: EventKind
    at: TownDatetime
    battery_percent: Annotated[int | None, Field(strict=True, ge=0, le=100)] = None


class EventTaken(Model):
    """The file has taken the event, or the duty desk has."""

    event_id: str


@router.post(
    "/{platform}/events",
    summary="设备上报 What a device says",
    responses=responses(
        {200: EventTaken}, "not-believed", "bad-request", "unknown-device",
        "not-now", "against-the-rules", "bad-command", "key-reused", "case-ended", "body-too-large", "not-json",
        "database-away", "not-yet-taken", "too-many-requests",
    ),
    openapi_extra=signed_body_of(EventSent),
)  # fmt: skip
async def receive_event(
    platform: str, request: Request, filing: FilingOf, signers: SignersOf, pool: PoolOf
) -> Response:
    """Signed as docs/procedures/care.md says. Sent again until it is acknowledged with a 200, it counts once, for ever.

    Acknowledged is what the file has taken. Where its word takes longer, the answer is a 503, and the next time it is known.
    """
    body = await read_body(request, LONGEST_EVENT_BYTES)
    believe(signers.platforms.believed(platform), request, body)
    event, faults = _read(body)
    events, unfiled = DeviceEvents(pool), UnfiledCalls(filing, pool)
    wait_your_turn(device_key(platform, event.device), event.kind)
    file, attempt = await events.case_of(platform, event)
    heard = Heard(filing, events, unfiled, platform, event)
    if faults:
        await heard.as_unclear(attempt)
        raise bad_request(faults)
    if event.kind.alarm is not None and (file is None or is_unfiled(file)):
        await heard.at_the_desk(attempt, file)
        return taken(event)
    state = None if file is None else await filing.reader.state_for_department(file)
    if file is None or state is None or state.procedure != CARE.name:
        raise unknown_device()
    await heard.in_its_file(state, attempt)
    try:
        answer = await _give(filing, platform, event, state, key=key_of(event, attempt))
    except Problem as problem:
        if problem.code == RefusalCode.KEY_REUSED and event.kind.alarm is not None:
            await heard.as_unclear(attempt)
        elif problem.refusal is not None:
            await events.forget(platform, event, file, attempt)
            if event.kind.alarm is not None:  # its file does not take it any more: the duty desk does
                await heard.at_the_desk(attempt + 1, None)
                return taken(event)
        raise
    if event.kind.alarm is not None and answer.status_code == OK and not is_theirs(platform, event, state):
        await unfiled.tell_that_it_is_unclear(_call(platform, event, attempt))
    return acknowledged(event, answer)


def is_theirs(platform: str, event: EventSent, state: CaseState) -> bool:
    """Whether a call is of whom the file is: the device was theirs when it called. Of any other the desk finds out who it is."""
    assert isinstance(state, CareState)  # noqa: S101 - asked of files alone
    device = state.device_of(platform, event.device)
    return device is not None and device.bound and (device.bound_at is None or event.at >= device.bound_at)


def acknowledged(event: EventSent, given: Response) -> Response:
    """The answer to an event that its file has taken. Raises Problem: what came of it is not known yet: it is to be sent again."""
    if given.status_code != OK:
        raise not_yet_taken()
    return taken(event)


def taken(event: EventSent) -> Response:
    """The answer to an event that is taken."""
    return Response(EventTaken(event_id=event.event_id).model_dump_json(), OK, media_type="application/json")


STATUS_RATE = Rates(per_second=1 / 60, burst_seconds=1200)
"""Of what a device says of itself: one a minute, 20 at once."""

ALARM_RATE = Rates(per_second=1 / 10, burst_seconds=1200)
"""Of its calls for help, of each kind: 120 at once. The first ones are never refused, who presses on is heard every 10 seconds."""


def wait_your_turn(device: str, kind: EventKind) -> None:
    """Raise Problem: a device says more than its file can take; by what this process heard: a call for help waits for no count."""
    pause = STATUS_RATE.take(device) if kind.alarm is None else ALARM_RATE.take(f"{device} {kind}")
    if pause is not None:
        said = say("设备上报过于频繁", "this device says too much")
        raise Problem(ProblemCode.TOO_MANY_REQUESTS, said, headers={"Retry-After": str(pause)})


class DeviceEvents:
    """The memory of events."""

    def __init__(self, pool: PoolOf) -> None:
        self._pool = pool

    async def case_of(self, platform: str, event: EventSent) -> tuple[str | None, int]:
        """Return the case to which an event went, and at which attempt; one that is nobody's goes to the file of its device.

        None: a call for help of a device that nobody has now.

        Raises Problem: what a device says of itself that is bound to nobody.
        """
        async with reading(self._pool) as connection:
            known = await connection.fetchrow(SQL.file_of_event, platform, event.event_id)
            if known is not None and known["case_id"] is not None:
                return str(known["case_id"]), int(known["attempt"])
            file = await connection.fetchval(SQL.file_of_device, DEVICE_UNIT, device_key(platform, event.device))
            if file is None:
                if event.kind.alarm is None:
                    raise unknown_device()
                return None, 1 if known is None else int(known["attempt"])
            await connection.execute(SQL.remember, platform, event.event_id, file)
            known = await connection.fetchrow(SQL.file_of_event, platform, event.event_id)
            if known is None or known["case_id"] is None:
                # refused under another process's hands just now: it comes again
                raise unknown_device() if event.kind.alarm is None else not_yet_taken()
            return str(known["case_id"]), int(known["attempt"])

    async def file_of(self, platform: str, device: str) -> str | None:
        """The living file that has a device now."""
        return await self._file(SQL.file_of_device, platform, device)

    async def file_that_had(self, platform: str, device: str) -> str | None:
        """The living file that had a device last: whoever calls by it may still be that person."""
        return await self._file(SQL.file_that_had_device, platform, device)

    async def _file(self, query: str, platform: str, device: str) -> str | None:
        async with reading(self._pool) as connection:
            found: str | None = await connection.fetchval(query, DEVICE_UNIT, device_key(platform, device))
            return found

    async def forget(self, platform: str, event: EventSent, file: str, attempt: int) -> None:
        """Forget an event that its file has refused at this attempt, whoever gave it."""
        async with reading(self._pool) as connection:
            await connection.execute(SQL.forget, platform, event.event_id, file, attempt)


def key_of(event: EventSent, attempt: int) -> str:
    """Under what an event is given to its file: a refusal stands for ever under the key of its attempt, and under no other."""
    return event.event_id if attempt == 1 else f"{event.event_id} ({attempt})"


def _call(platform: str, event: EventSent, attempt: int) -> Call:
    return Call(
        platform=platform,
        event=event.event_id,
        device=event.device,
        kind=event.kind,
        at=event.at,
        key=key_of(event, attempt),
    )


@dataclass(frozen=True)
class Heard:
    """A call for help that is not simply one of a file: the desk hears it, which has the clocks, and whoever may know who calls."""

    filing: Filing
    events: DeviceEvents
    unfiled: UnfiledCalls
    platform: str
    event: EventSent

    async def at_the_desk(self, attempt: int, went_to: str | None) -> None:
        """Nobody has the device: the desk has the call once it returns. A living file that had the device last hears of it, too.

        Raises Problem: as `UnfiledCalls.take`; of a number that stood for something else a person was told then.
        """
        try:
            is_news = await self.unfiled.take(_call(self.platform, self.event, attempt), attempt, went_to)
        except Problem as problem:
            if problem.code == RefusalCode.KEY_REUSED:
                await self.as_unclear(attempt)
            raise
        if is_news:
            with suppress(Problem):  # the desk has it, and has told the people of that file
                await self._tell(await self.events.file_that_had(self.platform, self.event.device), "beside")

    async def in_its_file(self, state: CaseState, attempt: int) -> None:
        """The device has a file by now, and calls since before that: the desk hears whose it is, and the file that it calls."""
        assert isinstance(state, CareState)  # noqa: S101 - the case of an event is a file
        device = state.device_of(self.platform, self.event.device)
        if device is None or not device.bound or device.bound_at is None:
            return
        with suppress(Problem):  # what the device says now comes first
            call = _call(self.platform, self.event, attempt)
            since = await self.unfiled.tell_that_it_is_bound(call, state.case_id, device.bound_at)
            if since is not None and since.event is not None and since.happened_at is not None:
                kind = EventKind(since.kinds[0])
                called = EventSent(event_id=since.event, device=self.event.device, kind=kind, at=since.happened_at)
                await _give(self.filing, self.platform, called, state, key=f"before {since.case_id}", unclear=True)

    async def as_unclear(self, attempt: int) -> None:
        """The number stood for something else before: the file that has the device now is told, and the desk, each word once."""
        said = digest(self.event.model_dump(mode="json"))[:16]
        try:
            file = await self.events.file_of(self.platform, self.event.device)
            await self._tell(file, f"unclear {said}", unclear=True)
        except Problem as problem:
            if problem.refusal is None:
                raise
        await self.unfiled.tell_that_it_is_unclear(_call(self.platform, self.event, attempt))

    async def _tell(self, file: str | None, word: str, *, unclear: bool = False) -> None:
        state = None if file is None else await self.filing.reader.state_for_department(file)
        if state is not None:
            key = f"{self.event.event_id} {word}"
            await _give(self.filing, self.platform, self.event, state, key=key, unclear=unclear)


async def _give(
    filing: Filing, platform: str, event: EventSent, state: CaseState, *, key: str, unclear: bool = False
) -> Response:
    # No token has this role: what acts under it is the case itself, or a system that its signature vouches for.
    actor = Actor(subject=f"platform:{platform}", role=Role.ENGINE, channel=Channel.DEVICE)
    door = filing.town.doors[CARE.name][DEVICE_EVENT]
    given = door.model.model_validate(
        {
            "platform": platform,
            "device": event.device,
            "event": event.event_id,
            "unclear": unclear,
            "event_kind": event.kind,
            "at": event.at,
            "battery_percent": event.battery_percent,
        }
    )
    sender = Sender(f"platform:{platform}", key, actor)
    return await give(filing, sender, state, name=DEVICE_EVENT, door=door, given=given)


def unknown_device() -> Problem:
    """A device that is bound to nobody, a platform that has no such device: to a platform these are one."""
    return Problem(ProblemCode.UNKNOWN_DEVICE, say("没有绑定此设备", "this device is bound to nobody"))


def _read(body: bytes) -> tuple[EventSent, list[Fault]]:
    """An event, and what is wrong with it: a call for help of which number, device and kind can be read is heard all the same.

    Raises Problem: that of anything else.
    """
    try:
        return EventSent.model_validate_json(body), []
    except ValidationError as error:
        faults = faults_of(error.errors(include_url=False, include_input=False))
    plain, _ = read_json(body)
    read = {name: plain.get(name) for name in ("event_id", "device", "kind")} if isinstance(plain, dict) else {}
    with suppress(ValidationError):
        event = EventSent.model_validate_json(json.dumps({**read, "at": NO_MOMENT.isoformat()}))
        if event.kind.alarm is not None:
            return event, faults
    raise bad_request(faults)
