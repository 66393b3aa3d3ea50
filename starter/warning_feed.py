"""POST /api/v1/alerts/{issuer}: what an issuer of warnings says becomes a case of each area, or a word to that one.

As with departments (docs/procedures/warning.md): believed is who signs with the issuer's key. What comes of a message says
`starter/warning_alerts.py`.
"""

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from schemas.values.area import widest_named
from schemas.values.model import Model
from starter.counterparts.arrivals import ahead_faults
from starter.counterparts.signatures import SignersOf, believe
from starter.http.bodies import read_body
from starter.http.database import PoolOf, database
from starter.http.documentation import responses, signed_body_of
from starter.http.faults import faults_of
from starter.http.json_answers import OK
from starter.http.problems import bad_request
from starter.intake.filing import FilingOf
from starter.warning_alerts import AlertSent, Feed

LONGEST_ALERT_BYTES = 64_000
router = APIRouter(prefix="/api/v1/alerts", tags=["alerts"])


class AlertTaken(Model):
    """The town has taken the message. `areas`: those of its areas that are of this town."""

    identifier: str
    areas: tuple[str, ...]


@router.post(
    "/{issuer}",
    summary="官方预警 What an issuer of warnings says",
    responses=responses(
        {200: AlertTaken}, "not-believed", "bad-request", "key-reused", "body-too-large", "not-json", "database-away",
        "not-yet-taken",
    ),
    openapi_extra=signed_body_of(AlertSent),
)  # fmt: skip
async def receive_alert(issuer: str, request: Request, filing: FilingOf, signers: SignersOf, pool: PoolOf) -> Response:
    """Signed as docs/procedures/warning.md says. Sent again until it is acknowledged with a 200, it counts once, for ever.

    What is of no area of this town is acknowledged too, and starts nothing.
    """
    body = await read_body(request, LONGEST_ALERT_BYTES)
    believe(signers.issuers.believed(issuer), request, body)
    alert = _read(body)
    if faults := ahead_faults("sent", alert.sent, filing.intake.now()):
        raise bad_request(faults)
    here = widest_named(alert.areas, filing.town.areas.names)
    async with database(pool) as connection:
        await Feed(connection, filing, issuer).take(alert, here)
    answer = AlertTaken(identifier=alert.identifier, areas=here)
    return Response(answer.model_dump_json(), OK, media_type="application/json")


def _read(body: bytes) -> AlertSent:
    try:
        return AlertSent.model_validate_json(body)
    except ValidationError as error:
        raise bad_request(faults_of(error.errors(include_url=False, include_input=False))) from None
