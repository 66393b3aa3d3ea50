"""The law of cases that lead to others: the first hears that the other stands and how it ended, once each, and no word of it."""

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from schemas.incident import INCIDENT
from schemas.kernel.case import Message
from schemas.mediation import MEDIATION
from schemas.parts.origins import LedCaseEnded, OriginSubject
from tests.api_driver import ApiDriver, Step
from tests.bench_api import bench_door
from tests.case_bench import CaseBench, case_bench
from tests.waiting import eventually
from workflows.incident import Incident

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Cases of both procedures."""
    async with case_bench(tmp_path_factory.mktemp("origins")) as opened:
        yield opened


def told(bench: CaseBench, case_id: str, kind: str) -> list[Mapping[str, Any]]:
    """The facts of every entry of a kind."""
    entries = zip(bench.tables.kinds(case_id), bench.tables.facts(case_id), strict=True)
    return [
        {name: each for name, each in facts.items() if name != "clocks"} for found, facts in entries if found == kind
    ]


async def led(bench: CaseBench, incident: str) -> tuple[ApiDriver, str]:
    """A dispute that an incident led to."""
    door = bench_door(bench, MEDIATION)
    return door, await door.start(body={**door.examples.REPORT, "incident": incident}, by="grid_worker")


async def test_an_incident_hears_how_the_mediation_ended_and_no_word_of_it(bench: CaseBench) -> None:
    """It stands, it was not accepted: two entries, with number, procedure and outcome, and nothing that anybody said."""
    incident = await bench_door(bench, INCIDENT).start()
    door, dispute = await led(bench, incident)
    await eventually(lambda: len(told(bench, incident, "incident:led:to")) == 1)
    assert told(bench, incident, "incident:led:ended") == []
    await door.go(dispute, [Step("refuse_case", "committee")])
    await eventually(lambda: len(told(bench, incident, "incident:led:ended")) == 1)

    assert told(bench, incident, "incident:led:to") == [{"led": dispute, "procedure": "mediation"}]
    ended = {"led": dispute, "procedure": "mediation", "outcome": "not_accepted"}
    assert told(bench, incident, "incident:led:ended") == [ended]
    texts = [each for each in json.dumps(bench.tables.facts(dispute)).split('"') if each.startswith("text:")]
    assert texts
    assert not [each for each in texts if each in json.dumps(bench.tables.facts(incident))]


async def test_a_dispute_names_an_incident_that_whoever_opens_it_sees(bench: CaseBench) -> None:
    """One that is not there, and a case of another procedure, are no incident."""
    door, dispute = await led(bench, await bench_door(bench, INCIDENT).start())
    answers: list[httpx.Response] = []
    for number in ("incident-20261123-999999", dispute):
        body = {**door.examples.REPORT, "incident": number}
        answers.append(
            await door.api.post(
                "/api/v1/mediations", json=body, headers=door.headers("grid_worker", f"origin {number}")
            )
        )

    assert [each.status_code for each in answers] == [422, 422]
    assert [each.json()["faults"][0]["field"] for each in answers] == ["incident", "incident"]


@pytest.mark.parametrize(
    ("sender", "procedure", "known"),
    [
        ("mediation-20261123-000001", "mediation", True),
        ("welfare-20261123-000001", "mediation", False),
        ("welfare-20261123-000001", "welfare", False),
        ("mediation-20261123-000001.part", "mediation", False),
    ],
)
def test_nobody_else_says_that_a_case_was_led_to(sender: str, procedure: str, *, known: bool) -> None:
    """Who says it has to be a case of a procedure to which incidents lead, and of the one that it names."""
    facts = LedCaseEnded(procedure=procedure, stage="closed").model_dump()
    message = Message(message_id="m", sender=sender, subject=OriginSubject.LED_CASE_ENDED, facts=facts)
    case: Incident = object.__new__(Incident)

    assert case.knows(message) is known
