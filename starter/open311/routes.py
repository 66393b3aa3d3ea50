"""/open311/v2: GeoReport v2 (wiki.open311.org/GeoReport_v2), as JSON and XML. docs/open311.md says what is shown and what not."""

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from schemas.values.refusals import say
from schemas.values.tidy_text import tidy
from starter.http.problems import Problem, ProblemCode
from starter.open311.door import API_KEY, JURISDICTION, Open311Of
from starter.open311.forms import MEDIA_TYPES, Form, Row, form_of, row_in, rows_in
from starter.open311.reporting import number_of, read_form, report
from starter.open311.requests import listed_requests, named_requests, no_service, plain_query

CHANGED = "2026-11-29T00:00:00+08:00"
"""When what this door says was changed last."""

SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
OK, CREATED = 200, 201

# GeoReport describes these addresses itself, in its own words; the API's own description is of the API's own.
router = APIRouter(prefix="/open311", tags=["open311"], include_in_schema=False, dependencies=[Depends(form_of)])


@router.get("/discovery.{form}")
@router.get("/v2/discovery.{form}")
async def discovery(door: Open311Of, form: Form) -> Response:
    """Where and in which forms this door speaks."""
    where: Row = {
        "specification": SPECIFICATION,
        "url": f"{door.api_url.rstrip('/')}/open311/v2",
        "changeset": CHANGED,
        "type": "production",
        "formats": [each.partition(";")[0] for each in MEDIA_TYPES.values()],
    }
    said: Row = {
        "changeset": CHANGED,
        "contact": door.policy.contact,
        "key_service": say("向本地管理单位申请 api_key", "ask the town for an api_key"),
        "endpoints": [where],
    }
    return row_in(form, said, "discovery")


@router.get("/v2/services.{form}")
async def services(request: Request, door: Open311Of, form: Form) -> Response:
    """What can be reported."""
    door.refuse_elsewhere(request.query_params.get(JURISDICTION))
    return rows_in(form, [each.row() for each in door.services.values()], "services", "service")


@router.get("/v2/services/{service_code}.{form}")
async def definition(service_code: str, request: Request, door: Open311Of, form: Form) -> Response:
    """What is asked beyond the usual for a service: nothing."""
    door.refuse_elsewhere(request.query_params.get(JURISDICTION))
    if (service := door.services.get(tidy(service_code))) is None:
        raise no_service()
    said: Row = {"service_code": service.code, "attributes": []}
    return row_in(form, said, "service_definition")


@router.get("/v2/requests.{form}")
async def requests(request: Request, door: Open311Of, form: Form) -> Response:
    """Cases: those of the numbers that are named, or a page of those of published matters."""
    asked = plain_query(request.query_params)
    door.refuse_elsewhere(asked.get(JURISDICTION))
    caller = await door.caller(request, asked.get(API_KEY))
    numbers = [each.strip() for each in asked.get("service_request_id", "").split(",") if each.strip()]
    rows = await (named_requests(door, numbers, caller) if numbers else listed_requests(door, asked))
    return rows_in(form, rows, "service_requests", "request")


@router.post("/v2/requests.{form}")
async def report_request(request: Request, door: Open311Of, form: Form) -> Response:
    """A report: 201 with its number, or with a token while it is on its way; the same again: 200."""
    sent = await read_form(request)
    door.refuse_elsewhere(sent.get(JURISDICTION) or request.query_params.get(JURISDICTION))
    caller = await door.sender(request, sent.get(API_KEY) or request.query_params.get(API_KEY))
    row, repeated = await report(door, request, caller, sent)
    return rows_in(form, [row], "service_requests", "request", OK if repeated else CREATED)


@router.get("/v2/requests/{service_request_id}.{form}")
async def one_request(service_request_id: str, request: Request, door: Open311Of, form: Form) -> Response:
    """One case; one that does not exist and one that is not shown are the same 404."""
    door.refuse_elsewhere(request.query_params.get(JURISDICTION))
    caller = await door.caller(request, request.query_params.get(API_KEY))
    rows = await named_requests(door, [service_request_id], caller)
    if not rows:
        detail = say("没有此案件(service_request_id)", "service_request_id provided was not found")
        raise Problem(ProblemCode.NOT_FOUND, detail)
    return rows_in(form, rows, "service_requests", "request")


@router.get("/v2/tokens/{token}.{form}")
async def token_number(token: str, request: Request, door: Open311Of, form: Form) -> Response:
    """The number of a report that was on its way. A token is 128 random bits, and tells nothing but the number."""
    door.refuse_elsewhere(request.query_params.get(JURISDICTION))
    return rows_in(form, [await number_of(door, token)], "service_requests", "request")
