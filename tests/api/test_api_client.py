"""The typed client against the API itself: what each method gives, and what it raises."""

import io
import uuid
from collections.abc import Callable

import httpx
import pytest

from schemas.incident_report import IncidentReport
from schemas.values.location import Location
from starter.client import NotSettled, Refused, TownClient
from starter.intake.command_batch import CommandLine
from starter.intake.submission_views import SubmissionView
from tests.api_callers import REPORT, As
from tests.waiting import eventually

pytest_plugins = ("tests.api_fixture",)

Clients = Callable[..., TownClient]
GIVEN = {
    "submission": "command:1", "kind": "command", "command": "score", "case_id": "proposal-20261123-000001",
    "status": "delivered", "attempts": 1, "received_at": "2026-11-23T09:00:00Z", "settled_at": "2026-11-23T09:00:01Z",
    "status_url": "/api/v1/submissions/command:1", "case_url": "/api/v1/cases/proposal-20261123-000001",
    "accepted": {
        "case_id": "proposal-20261123-000001", "command": "score", "command_id": "1", "stage": "judged", "seq": 9,
        "at": "2026-11-23T17:00:01+08:00",
    },
}  # fmt: skip
"""The answer of a town to the last juror of a proposal, who does not see it any more."""


@pytest.fixture
def client(as_: As, http: httpx.AsyncClient) -> Clients:
    """Make clients by role."""

    def make(role: str = "resident", subject: str | None = None, **claims: str) -> TownClient:
        token = as_(role, subject, **claims).headers["Authorization"].removeprefix("Bearer ")
        return TownClient("http://town", lambda: token, http)

    return make


def report(area: str, **other: str) -> IncidentReport:
    """A report from an area."""
    place = Location(address="幸福小区3号楼", lat=31.5, lon=118.5, area=area)
    return IncidentReport.model_validate(REPORT | {"location": place.model_dump()} | other)


async def test_a_report_brings_a_code_by_which_it_is_followed(client: Clients) -> None:
    """Number and code from the report show the case without an account; a wrong code is refused."""
    started = await client().report(report("870.1"), str(uuid.uuid4()))
    assert started.code is not None
    followed = await client().follow(started.case.case_id, started.code)
    with pytest.raises(Refused) as refused:
        await client().follow(started.case.case_id, "AAAAAAAA")

    assert (followed.case_id, followed.stage) == (started.case.case_id, "dispatched")
    assert (refused.value.status, refused.value.code) == (404, "unknown-case")


async def test_an_unchanged_case_comes_once(client: Clients) -> None:
    """With the ETag of the last answer there is no case to read until it changes."""
    case_id = (await client().report(report("870.2"), str(uuid.uuid4()))).case.case_id

    async def quiet() -> bool:  # the receipt of its order is the last that it tells by itself
        return "incident:order_received" in [entry.kind for entry in await client().timeline(case_id)]

    await eventually(quiet)
    first, etag = await client().case_if_changed(case_id, None)
    same, again = await client().case_if_changed(case_id, etag)
    await client("supervisor").command(case_id, "urge", {}, str(uuid.uuid4()))
    changed, _ = await client().case_if_changed(case_id, etag)

    assert (first is not None, same, again == etag) == (True, None, True)
    assert changed is not None
    assert changed.seq > (first.seq if first else 0)


async def test_a_batch_is_reported_under_its_keys(client: Clients) -> None:
    """One result for each key, in order; sent again it is the same."""
    reports = {str(uuid.uuid4()): report("870.3") for _ in range(3)}
    first, again = [await client().report_all(reports) for _ in range(2)]

    assert [result.idempotency_key for result in first.results] == list(reports)
    assert [result.case_id for result in first.results] == [result.case_id for result in again.results]
    assert (first.accepted, first.not_accepted) == (3, 0)


async def test_commands_are_given_together(client: Clients) -> None:
    """Each under its key, each with its answer: the case's word for one, the problem of another."""
    clerk = client("window_clerk")
    case_id = (await clerk.report(report("870.4"), str(uuid.uuid4()))).case.case_id
    right = CommandLine(idempotency_key=str(uuid.uuid4()), case_id=case_id, command="comment", body={"text": "已告知"})
    wrong = right.model_copy(update={"idempotency_key": str(uuid.uuid4()), "body": {}})
    answer = await clerk.give_all([right, wrong])

    assert (answer.accepted, answer.not_accepted) == (1, 1)
    assert answer.results[0].case is not None
    assert answer.results[1].problem is not None
    assert [each.field for each in answer.results[1].problem.faults or ()] == ["text"]


async def test_what_waits_and_what_it_looks_like_as_a_whole(client: Clients) -> None:
    """Inbox, lists, indicators, proposals and categories speak of the same case."""
    one, other = [(await client().report(report("871.1"), str(uuid.uuid4()))).case.case_id for _ in range(2)]
    supervisor = client("supervisor", area="871")
    inbox = await client("department_officer", department="urban-management").inbox(100)
    figures = await supervisor.indicators(["category", "month"], area="871")
    listed = [row.case_id async for row in supervisor.cases(area="871", sort="due")]

    assert inbox.holder == "department:urban-management"
    assert inbox.mine.count >= 2
    assert (figures.whole.reported, len(figures.lines)) == (2, 1)
    assert set(listed) == {one, other}
    assert [item.case_id for item in (await supervisor.similar(one)).items] == [other]
    assert (await client().categories("垃圾")).items[0].category == "环境卫生"


async def test_an_export_is_written_to_a_file(client: Clients) -> None:
    """The file arrives whole; a refusal is raised, and nothing is written."""
    case_id = (await client().report(report("872.1"), str(uuid.uuid4()))).case.case_id
    file, nothing = io.BytesIO(), io.BytesIO()
    await client("supervisor").export(file, area="872")
    with pytest.raises(Refused) as refused:
        await client("supervisor").export(nothing, "pdf")

    assert case_id in file.getvalue().decode("utf-8-sig")
    assert (refused.value.status, nothing.getvalue()) == (422, b"")


async def test_a_command_after_which_the_case_is_not_seen_is_answered_with_its_word() -> None:
    """Who does not see the case any more hears that it was carried out, in a few requests: 202 is not asked again for ever."""
    asked: list[str] = []

    def town(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        if request.method == "POST":
            return httpx.Response(202, json=GIVEN)
        return httpx.Response(404, json={"code": "unknown-case"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(town)) as http:
        told = await TownClient("http://town", lambda: "token", http).command(
            "proposal-20261123-000001", "score", {}, "k", 9.0
        )

    assert isinstance(told, SubmissionView)
    assert (told.status, told.accepted is not None) == ("delivered", True)
    assert asked == ["POST", "GET"]


async def test_a_command_whose_case_is_slow_is_not_waited_for_without_end() -> None:
    """A word that does not come into the ledger in time is accepted, and waits: the answer says so when the time is over."""

    def town(request: httpx.Request) -> httpx.Response:
        return httpx.Response(202, json={**GIVEN, "accepted": None})

    async with httpx.AsyncClient(transport=httpx.MockTransport(town)) as http:
        with pytest.raises(NotSettled):
            await TownClient("http://town", lambda: "token", http).command(
                "proposal-20261123-000001", "score", {}, "k", 0.5
            )
