"""Open311, GeoReport v2: other systems report here and read where things stand, in their words and by our rules."""

import shutil
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import asyncpg
import httpx
import pytest

from engine.keys.counterpart_keys import Counterpart, found_counterpart_keys, key_file
from engine.keys.keys import Keys
from engine.keys.tokens import issue
from engine.policies.open311_policy import load_open311
from engine.policies.policies import PolicyFaults
from engine.runtime.settings import PROJECT, Settings
from schemas.clocks.calendar import SHANGHAI
from schemas.incident import INCIDENT
from schemas.incident_report import AS_REPORTED
from schemas.values.actor import Role
from starter.open311.requests import days_asked
from tests.api_callers import As, BuildApp, OwnTown, api_of
from tests.api_driver import OpenDoor, Step
from tests.canaries import Canaries
from tests.waiting import eventually

pytest_plugins = ("tests.api_fixture",)

V2 = "/open311/v2"
CLIENT = "county-app"
AREA = "320104.003.07.01"
"""A grid of the town's own."""

RUBBISH = {
    "service_code": "环境卫生",
    "description": "小区垃圾堆积未清理",
    "address_string": "幸福小区3号楼",
    "address_id": AREA,
    "lat": "32.060255",
    "long": "118.796877",
    "last_name": "王",
    "first_name": "小明",
    "phone": "13800000001",
}
PRIVATE = RUBBISH | {"service_code": "邻里纠纷"}
"""A matter that is not published: of a quarrel the place and the day are enough to know whose it is."""

RULES = f"""
jurisdiction: town.example
contact: 基层治理中心
published: [环境卫生, 供水供电]
clients:
  - {{code: {CLIENT}, name: {{zh: 县平台, en: County}}, role: window_clerk}}
"""


def open_to_client(settings: Settings, folder: Path) -> Settings:
    """The town with a client of Open311."""
    policies = shutil.copytree(settings.policies, folder / "policies")
    (policies / "open311.yaml").write_text(RULES, encoding="utf-8")
    found_counterpart_keys(settings.key_folder, [CLIENT], Counterpart.OPEN311)
    return settings.model_copy(update={"policies": policies})


@pytest.fixture(scope="module")
async def open311(
    build_app: BuildApp, settings: Settings, worker: None, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx.AsyncClient]:
    """The town's API, as another system reaches it."""
    async with api_of(build_app(over=open_to_client(settings, tmp_path_factory.mktemp("open311")))) as http:
        yield http


@pytest.fixture
def key(settings: Settings, open311: httpx.AsyncClient) -> str:
    """The key of the client."""
    return key_file(settings.key_folder, CLIENT, Counterpart.OPEN311).read_text(encoding="ascii").strip()


async def report(
    http: httpx.AsyncClient, said: Mapping[str, str], *, form: str = "json", **headers: str
) -> httpx.Response:
    """Send a report as a form."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return await http.post(f"{V2}/requests.{form}", content=urlencode(said).encode(), headers=kind | headers)


async def reported(http: httpx.AsyncClient, said: Mapping[str, str]) -> str:
    """The number of a report that was taken."""
    answer = await report(http, said)
    assert answer.status_code == 201, answer.text
    [row] = answer.json()
    return str(row["service_request_id"])


def told(answer: httpx.Response) -> list[str]:
    """The fields that errors name, each as `code field`, from either form."""
    if answer.headers["content-type"].startswith("text/xml"):
        errors = [{each.tag: each.text or "" for each in error} for error in ET.fromstring(answer.content)]  # noqa: S314 - ours
    else:
        errors = answer.json()
    return [f"{each['code']} {each['description'].partition(':')[0]}" for each in errors]


async def test_what_can_be_reported_is_listed_in_both_forms(open311: httpx.AsyncClient) -> None:
    """Every matter of the responsibility list is a service; JSON and XML say the same; none asks for more."""
    answer = await open311.get(f"{V2}/services.json", params={"jurisdiction_id": "town.example"})
    as_xml = await open311.get(f"{V2}/services.xml")
    root = ET.fromstring(as_xml.content)  # noqa: S314 - our own words
    listed = answer.json()
    definition = await open311.get(f"{V2}/services/环境卫生.xml")

    assert {"环境卫生", "邻里纠纷", "供水供电"} <= {each["service_code"] for each in listed}
    assert listed[0] | {"keywords": ""} == {
        "service_code": "环境卫生", "service_name": "环境卫生", "description": "事件处置 · 环境卫生", "metadata": False,
        "type": "realtime", "keywords": "", "group": "事件处置",
    }  # fmt: skip
    assert "垃圾" in "".join(each["keywords"] for each in listed)
    assert (as_xml.headers["content-type"], root.tag) == ("text/xml; charset=utf-8", "services")
    assert as_xml.text.startswith('<?xml version="1.0" encoding="utf-8"?>')
    assert [{each.tag: each.text for each in service} for service in root] == [
        {name: str(value).lower() if value is False else (value or None) for name, value in each.items()}
        for each in listed
    ]
    assert [each.tag for each in ET.fromstring(definition.content)] == ["service_code", "attributes"]  # noqa: S314 - ours


async def test_a_client_reports_and_the_case_is_one_of_the_town(
    open311: httpx.AsyncClient, key: str, as_: As, pool: asyncpg.Pool
) -> None:
    """A report in GeoReport's words is dispatched like any other; who sent it is the client, and whose it is the one it names."""
    answer = await report(
        open311, RUBBISH | {"api_key": key, "jurisdiction_id": "town.example", "email": "a@b.example"}
    )
    [row] = answer.json()
    number = row["service_request_id"]
    case = (await as_(Role.COORDINATOR).get(f"/api/v1/cases/{number}")).json()
    opening = await pool.fetchval("select snapshot -> 'opening' -> 'actor' from cases where case_id = $1", number)
    timeline = (await as_(Role.WINDOW_CLERK).get(f"/api/v1/cases/{number}/timeline")).text
    code = row["service_notice"].partition("code: ")[2].partition(")")[0]
    followed = await open311.get(f"/public/cases/{number}", params={"code": code})

    assert (answer.status_code, set(row)) == (201, {"service_request_id", "service_notice", "account_id"})
    assert (case["stage"], case["area"], case["labels"]["channel"]) == ("dispatched", AREA, "open311")
    assert (opening["subject"], opening["role"], opening["channel"]) == (f"open311:{CLIENT}", "window_clerk", "open311")
    assert RUBBISH["description"] in timeline
    assert "王小明" in timeline
    assert followed.status_code == 200, followed.text


async def test_a_resident_reports_with_their_own_token(open311: httpx.AsyncClient, keys: Keys, as_: As) -> None:
    """Who shows a token reports as who they are, in the header or in the place of the key, and acts on the case afterwards."""
    token = issue(keys, subject="resident-open311", role=Role.RESIDENT)
    by_header = await report(open311, RUBBISH | {"description": "甲"}, Authorization=f"Bearer {token}")
    by_key = await report(open311, RUBBISH | {"description": "乙", "api_key": token})
    own = as_(Role.RESIDENT, subject="resident-open311")
    numbers = [answer.json()[0]["service_request_id"] for answer in (by_header, by_key)]

    assert [(await own.get(f"/api/v1/cases/{number}")).status_code for number in numbers] == [200, 200]
    assert (await as_(Role.RESIDENT, subject="resident-other").get(f"/api/v1/cases/{numbers[0]}")).status_code == 404


async def test_the_same_report_on_the_same_day_is_the_same_case(open311: httpx.AsyncClient, key: str) -> None:
    """GeoReport has no idempotency key: who gets no answer sends again, and the town has one case; a key of ours counts too."""
    said = RUBBISH | {"api_key": key, "description": "路灯不亮,夜间危险"}
    first, again = await report(open311, said), await report(open311, said)
    other = await report(open311, said | {"description": "路灯不亮,夜间很危险"})
    keyed = [await report(open311, said, **{"Idempotency-Key": "open311-test"}) for _ in range(2)]
    changed = await report(open311, said | {"phone": "13800000002"}, **{"Idempotency-Key": "open311-test"})

    assert (first.status_code, again.status_code, first.json()) == (201, 200, again.json())
    assert len({each.json()[0]["service_request_id"] for each in (first, other, *keyed)}) == 3
    assert (changed.status_code, told(changed)[0].split(" ")[0]) == (400, "400")


@pytest.mark.parametrize("form", ["json", "xml"])
async def test_all_that_is_wrong_is_told_at_once_in_their_words(
    open311: httpx.AsyncClient, key: str, form: str
) -> None:
    """One error for each fault, with the field's name as GeoReport has it, in the form that was asked for."""
    said = {"service_code": "环境卫生", "api_key": key, "lat": "north", "address_id": "999999", "phone": "1" * 100}
    answer = await report(open311, said, form=form)

    assert answer.status_code == 400
    assert set(told(answer)) == {"400 description", "400 lat", "400 long", "400 address_string", "400 phone"} | (
        set() if "400 address_id" not in told(answer) else {"400 address_id"}
    )
    assert len(told(answer)) == len(set(told(answer)))


async def test_a_place_may_be_coordinates_or_an_area_alone(open311: httpx.AsyncClient, key: str, as_: As) -> None:
    """Our rules want a place that people can read: it is made of what is said, and nothing is a place that says nothing."""
    bare = {"service_code": "环境卫生", "description": "丙", "api_key": key}
    by_point = await reported(open311, bare | {"lat": "32.060255", "long": "118.796877"})
    by_area = await reported(open311, bare | {"address_id": AREA})
    nowhere = await report(open311, bare)
    half = await report(open311, bare | {"lat": "32.060255"})
    timelines = [
        (await as_(Role.COORDINATOR).get(f"/api/v1/cases/{each}/timeline")).text for each in (by_point, by_area)
    ]

    assert "坐标 32.060255, 118.796877" in timelines[0]
    assert (nowhere.status_code, told(nowhere)) == (400, ["400 address_string"])
    assert (half.status_code, "400 long" in told(half)) == (400, True)


async def test_who_shows_no_key_or_may_not_report_is_refused(
    open311: httpx.AsyncClient, key: str, keys: Keys, pool: asyncpg.Pool
) -> None:
    """No key, a wrong one, a role that reports nothing: 403, and nothing is kept but the attempt."""
    before = await pool.fetchval("select count(*) from intake")
    nobody = await report(open311, RUBBISH, form="xml")
    wrong = await report(open311, RUBBISH | {"api_key": key[:-1] + ("0" if key[-1] != "0" else "1")})
    auditor = await report(open311, RUBBISH | {"api_key": issue(keys, subject="a-1", role=Role.AUDITOR)})
    elsewhere = await open311.get("/api/v1/cases", headers={"Authorization": f"Bearer {key}"})

    assert (nobody.status_code, ET.fromstring(nobody.content).tag) == (403, "errors")  # noqa: S314 - our own words
    assert (wrong.status_code, auditor.status_code) == (403, 403)
    assert elsewhere.status_code == 401  # the key of a client opens no other door
    assert await pool.fetchval("select count(*) from intake") == before


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (f"{V2}/services/没有的事.json", {}),
        (f"{V2}/services.json", {"jurisdiction_id": "elsewhere.example"}),
        (f"{V2}/requests.json", {"service_code": "没有的事"}),
        (f"{V2}/requests/incident-20200101-000001.json", {}),
        (f"{V2}/requests/%00.json", {}),
        (f"{V2}/tokens/none.json", {}),
        (f"{V2}/services.csv", {}),
    ],
)
async def test_what_there_is_not_is_a_404_of_georeport(
    open311: httpx.AsyncClient, path: str, said: dict[str, str]
) -> None:
    """A list of errors with code and words, not a problem of the API."""
    answer = await open311.get(path, params=said)

    assert answer.status_code == 404, answer.text
    assert [each["code"] for each in answer.json()] == [404]


async def test_a_case_is_shown_by_day_and_community_alone(
    open311: httpx.AsyncClient, key: str, pool: asyncpg.Pool
) -> None:
    """Number, matter, stage, department, community and days: no text, no address, no coordinates, no hour, no person."""
    canaries = Canaries()
    said = {
        name: canaries.plant(value) if name in {"description", "address_string", "last_name"} else value
        for name, value in RUBBISH.items()
    }
    number = await reported(open311, said | {"api_key": key})
    alone = await open311.get(f"{V2}/requests/{number}.json")
    listed = await open311.get(f"{V2}/requests.json", params={"service_code": "环境卫生"})
    as_xml = await open311.get(f"{V2}/requests/{number}.xml")
    row = await pool.fetchrow("select opened_at, clocks from cases where case_id = $1", number)
    assert row is not None
    [due] = [datetime.fromisoformat(each["due_at"]) for each in row["clocks"] if each["name"] == "finish"]
    today = f"{row['opened_at'].astimezone(SHANGHAI):%Y-%m-%d}T00:00:00+08:00"
    [shown] = alone.json()

    assert shown == {
        "service_request_id": number, "status": "open", "status_notes": shown["status_notes"], "service_name": "环境卫生",
        "service_code": "环境卫生", "description": None, "agency_responsible": "城管局", "service_notice": None,
        "requested_datetime": today, "updated_datetime": today, "expected_datetime": due.astimezone(SHANGHAI).isoformat(),
        "address": shown["address"], "address_id": None, "zipcode": None, "lat": None, "long": None, "media_url": None,
    }  # fmt: skip
    assert shown["address"].endswith(("社区", "村"))
    assert shown in listed.json()
    [request] = ET.fromstring(as_xml.content)  # noqa: S314 - our own words
    assert {each.tag: each.text for each in request} == shown
    for answer in (alone, listed, as_xml):
        assert canaries.found_in(answer.content) == []
        assert b"13800000001" not in answer.content


async def test_an_unpublished_matter_is_shown_to_who_reported_it_alone(
    open311: httpx.AsyncClient, key: str, keys: Keys
) -> None:
    """For everybody else there is no such case: not in a list, not by its number; a list is the same for everybody."""
    number = await reported(open311, PRIVATE | {"api_key": key})
    by_number = f"{V2}/requests/{number}.json"
    today = {"start_date": "2020-01-01", "end_date": "2020-02-01"}
    stranger = issue(keys, subject="resident-stranger", role=Role.RESIDENT)
    lists = [(await open311.get(f"{V2}/requests.json", params={"api_key": each})).json() for each in ("", key)]

    assert (await open311.get(by_number)).status_code == 404
    assert (await open311.get(by_number, params={"api_key": stranger})).status_code == 404
    assert (await open311.get(f"{V2}/requests.json", params={"service_request_id": number})).json() == []
    assert (await open311.get(by_number, params={"api_key": key})).json()[0]["service_request_id"] == number
    assert all(number not in {row["service_request_id"] for row in each} for each in lists)
    assert (await open311.get(f"{V2}/requests.json", params={"service_code": "邻里纠纷"})).json() == []
    assert (await open311.get(f"{V2}/requests.json", params=today)).json() == []


async def test_a_stranger_s_words_are_shown_to_nobody_before_somebody_of_the_town_has_looked(
    open311: httpx.AsyncClient, door: OpenDoor
) -> None:
    """A report without an account, of a matter that is published: neither listed nor there by its number until it is admitted."""
    town = await door(INCIDENT)
    number = await town.start(by="guest")
    await town.stands(number)

    async def seen() -> tuple[int, bool]:
        alone, listed = await open311.get(f"{V2}/requests/{number}.json"), await open311.get(f"{V2}/requests.json")
        return alone.status_code, number in {row["service_request_id"] for row in listed.json()}

    before = await seen()
    await town.go(number, (Step("admit", "coordinator"),))

    assert before == (404, False)
    assert await seen() == (200, True)


async def test_lists_are_narrowed_and_come_in_pages(
    open311: httpx.AsyncClient, key: str, as_: As, pool: asyncpg.Pool
) -> None:
    """By number, service, status and days; pages neither repeat nor hide a case."""
    numbers = [await reported(open311, RUBBISH | {"api_key": key, "description": f"第{each}处"}) for each in range(3)]
    coordinator = as_(Role.COORDINATOR)
    assert (await coordinator.command(numbers[0], "reject", {"reason": "不属于受理范围"})).status_code == 200

    async def asked(**said: str) -> list[str]:
        answer = await open311.get(f"{V2}/requests.json", params=said)
        assert answer.status_code == 200, answer.text
        return [row["service_request_id"] for row in answer.json()]

    everything = await asked()
    size = len(everything) // 5 + 1  # a town that others report to has many, and there are no more than a hundred pages
    pages = [await asked(page=str(page), page_size=str(size)) for page in range(1, len(everything) // size + 2)]

    assert set(await asked(service_request_id=", ".join(numbers))) == set(numbers)
    assert numbers[0] in await asked(status="closed")
    assert numbers[0] not in await asked(status="open")
    assert set(numbers) <= set(await asked(status="open,closed"))
    assert set(numbers).isdisjoint(await asked(service_code="供水供电"))
    assert [each for page in pages for each in page] == everything
    assert await asked(max_requests="1") == everything[:1]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"start_date": "2026-01-01", "end_date": "2026-06-01"}, "end_date"),
        ({"start_date": "yesterday"}, "start_date"),
        ({"end_date": "2026-01-01T10:00"}, "end_date"),
        ({"status": "fixed"}, "status"),
        ({"page": "0"}, "page"),
        ({"page_size": "1001"}, "page_size"),
        ({"max_requests": "٣"}, "max_requests"),
    ],
)
async def test_a_question_that_makes_no_sense_is_told_why(
    open311: httpx.AsyncClient, said: dict[str, str], field: str
) -> None:
    """400 with the parameter's name."""
    answer = await open311.get(f"{V2}/requests.json", params=said)

    assert (answer.status_code, told(answer)) == (400, [f"400 {field}"])


@pytest.mark.parametrize(
    ("asked", "first", "before"),
    [
        ({}, "2026-03-04", "2026-06-02"),
        ({"start_date": "2026-05-01T10:30:00+08:00"}, "2026-05-01", "2026-07-30"),
        ({"end_date": "2026-05-01T10:30:00+08:00"}, "2026-02-01", "2026-05-02"),
        ({"start_date": "2026-01-01", "end_date": "2026-04-01"}, "2026-01-01", "2026-04-02"),
        ({"start_date": "2026-05-01T23:00:00Z", "end_date": "2026-05-02T00:00:00Z"}, "2026-05-02", "2026-05-03"),
    ],
)
def test_who_asks_by_the_hour_is_answered_by_the_day(asked: dict[str, str], first: str, before: str) -> None:
    """Asking with ever narrower times tells nobody when a report came in: whole days of the town are looked at, ninety at most."""
    found = days_asked(asked, datetime(2026, 6, 1, 9, tzinfo=SHANGHAI))

    assert [f"{each:%Y-%m-%d}" for each in found] == [first, before]
    assert all(f"{each:%H:%M%z}" == "00:00+0800" for each in found)


async def test_a_report_that_is_on_its_way_has_a_token(own_town: OwnTown, tmp_path: Path) -> None:
    """Where nobody takes a case up at once the answer is a token that leads to the number; of another door it says nothing."""
    settings = open_to_client(own_town.settings, tmp_path).model_copy(update={"delivery_patience_seconds": 0.0})
    secret = key_file(settings.key_folder, CLIENT, Counterpart.OPEN311).read_text(encoding="ascii").strip()
    async with api_of(own_town.build(over=settings)) as http:
        answer = await report(http, RUBBISH | {"api_key": secret})
        [row] = answer.json()

        async def numbered() -> bool:
            [found] = (await http.get(f"{V2}/tokens/{row['token']}.json")).json()
            return bool(found["service_request_id"])

        await eventually(numbered)
        await own_town.pool.execute(
            "update intake set payload = jsonb_set(payload, '{opening,actor,channel}', '\"app\"')"
        )
        foreign = await http.get(f"{V2}/tokens/{row['token']}.xml")

    assert (answer.status_code, set(row)) == (201, {"token", "service_notice", "account_id"})
    assert foreign.status_code == 404


async def test_where_this_door_is_stands_in_the_discovery(open311: httpx.AsyncClient, settings: Settings) -> None:
    """As JSON and as XML, with the address of the API, the forms and whom to ask."""
    said = (await open311.get("/open311/discovery.json")).json()
    root = ET.fromstring((await open311.get(f"{V2}/discovery.xml")).content)  # noqa: S314 - our own words

    assert said["contact"] == "基层治理中心"
    assert [each["url"] for each in said["endpoints"]] == [f"{settings.api_url}/open311/v2"]
    assert [each.text for each in root.iterfind("endpoints/endpoint/formats/format")] == [
        "text/xml",
        "application/json",
    ]
    assert root.findtext("endpoints/endpoint/specification") == "http://wiki.open311.org/GeoReport_v2"


async def test_what_is_no_form_is_refused(open311: httpx.AsyncClient) -> None:
    """JSON, a body without end, another encoding: each is told what it is."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    as_json = await open311.post(f"{V2}/requests.json", json=RUBBISH)
    too_long = await open311.post(f"{V2}/requests.json", content=b"a" * 200_000, headers=kind)
    garbled = await open311.post(f"{V2}/requests.json", content=b"description=%ff%fe", headers=kind)

    assert [each.status_code for each in (as_json, too_long, garbled)] == [415, 413, 400]


def test_a_declaration_says_where_the_parts_of_a_report_go() -> None:
    """A body is made of parts, and a fault in it leads back to the part; what nobody said is left out."""
    body = AS_REPORTED.body({"matter": "环境卫生", "address": "幸福小区", "latitude": 32.1, "name": None})

    assert body == {"category": "环境卫生", "location": {"address": "幸福小区", "lat": 32.1}}
    assert [AS_REPORTED.part_of(field) for field in ("location.lat", "location", "reporter.phone", "finish", "channel")] == [
        "latitude", "address", "phone", None, None,
    ]  # fmt: skip


def test_all_faults_of_the_rules_are_told_at_once(tmp_path: Path) -> None:
    """A matter that nobody can report, a client twice, one that would report as a resident; each with its line."""
    file = tmp_path / "open311.yaml"
    file.write_text(
        "published: [环境卫生, 没有的事]\nclients:\n"
        "  - {code: one, name: {zh: 甲, en: A}}\n  - {code: one, name: {zh: 乙, en: B}, role: resident}\n",
        encoding="utf-8",
    )
    with pytest.raises(PolicyFaults) as refused:
        load_open311(tmp_path, ["环境卫生"], frozenset({Role.RESIDENT, Role.WINDOW_CLERK}))

    assert [fault.removeprefix(f"{file}:").split(": ")[:2] for fault in refused.value.faults] == [
        ["1", "published.1"],
        ["4", "clients.1.code"],
        ["4", "clients.1.role"],
    ]
    assert load_open311(tmp_path / "none").published == ()
    assert load_open311(PROJECT / "policies").clients == ()
