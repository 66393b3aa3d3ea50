"""POST /api/v1/gauges/{platform}/readings 测点读数: what bins and water levels say opens an incident, one an episode.

As with departments (docs/gauges.md): believed is who signs with the platform's key. When an episode begins says
`schemas/contracts/gauges.py`; a gauge that has said nothing for long is to be mended, and is found by what others say.
"""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from schemas.clocks.calendar import TownDatetime
from schemas.contracts.gauges import Gauge, Value
from schemas.values.foreign_code import ForeignCode
from schemas.values.model import Model
from schemas.values.refusals import say
from starter.counterparts.arrivals import ahead_faults
from starter.counterparts.signatures import SignersOf, believe
from starter.http.bodies import read_body
from starter.http.database import PoolOf
from starter.http.documentation import responses, signed_body_of
from starter.http.faults import faults_of
from starter.http.json_answers import OK
from starter.http.problems import Problem, ProblemCode, bad_request
from starter.http.rates import Rates
from starter.incident_episodes import Episodes
from starter.intake.filing import Filing, FilingOf

LONGEST_READING_BYTES = 4_000
READING_RATE = Rates(per_second=1 / 60, burst_seconds=3600)
"""Of a gauge: one a minute, 60 at once, for a platform that was away for an hour."""

router = APIRouter(prefix="/api/v1/gauges", tags=["gauges"])


class ReadingSent(Model):
    """What a platform sends: which of its gauges, what it showed in whole units of its kind, and when (town time)."""

    gauge: ForeignCode
    value: Value
    at: TownDatetime


class ReadingTaken(Model):
    """The town has taken the reading. `opened`: whether an incident begins with it; its number is nobody's outside."""

    gauge: str
    opened: Annotated[bool, Field(strict=True)]


@router.post(
    "/{platform}/readings",
    summary="测点读数 What a gauge shows",
    responses=responses(
        {200: ReadingTaken}, "not-believed", "bad-request", "unknown-device", "body-too-large", "not-json",
        "database-away", "not-yet-taken", "too-many-requests",
    ),
    openapi_extra=signed_body_of(ReadingSent),
)  # fmt: skip
async def receive_reading(
    platform: str, request: Request, filing: FilingOf, signers: SignersOf, pool: PoolOf
) -> Response:
    """Signed as docs/gauges.md says. Sent again until it is acknowledged with a 200, it counts once, for ever: by its time."""
    body = await read_body(request, LONGEST_READING_BYTES)
    believe(signers.gauges.believed(platform), request, body)
    reading, gauge = _read(filing, platform, body)
    _wait_your_turn(gauge)
    episodes = Episodes(filing, pool)
    opened = await episodes.hear(gauge, reading.value, reading.at)
    await episodes.look_for_silent_ones(platform)
    answer = ReadingTaken(gauge=gauge.code, opened=opened)
    return Response(answer.model_dump_json(), OK, media_type="application/json")


def _read(filing: Filing, platform: str, body: bytes) -> tuple[ReadingSent, Gauge]:
    try:
        reading = ReadingSent.model_validate_json(body)
    except ValidationError as error:
        raise bad_request(faults_of(error.errors(include_url=False, include_input=False))) from None
    gauge = filing.town.gauges.gauge(platform, reading.gauge)
    if gauge is None:
        said = say("没有此测点", "the town has no such gauge: add it to gauges.yaml")
        raise Problem(ProblemCode.UNKNOWN_DEVICE, said)
    if faults := ahead_faults("at", reading.at, filing.intake.now()):
        raise bad_request(faults)
    return reading, gauge


def _wait_your_turn(gauge: Gauge) -> None:
    pause = READING_RATE.take(f"{gauge.platform}/{gauge.code}")
    if pause is not None:
        said = say("测点上报过于频繁", "this gauge says too much")
        raise Problem(ProblemCode.TOO_MANY_REQUESTS, said, headers={"Retry-After": str(pause)})
