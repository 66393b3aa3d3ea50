"""The law of cases that lead to others: the first hears that the other stands and how it ended, once each, and no word of it.

That whoever opens the other one has to see the first is the law of all case numbers (tests/laws/test_law_case_numbers.py).
"""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from schemas.council import COUNCIL
from schemas.incident import INCIDENT
from schemas.kernel.case import Message
from schemas.mediation import MEDIATION
from schemas.parts.origins import LedCaseEnded, OriginSubject
from tests.api_driver import ApiDriver, Step
from tests.bench_api import bench_door
from tests.case_bench import CaseBench, case_bench
from tests.waiting import eventually

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


async def test_a_motion_hears_how_what_it_led_to_ended_and_no_word_of_it(bench: CaseBench) -> None:
    """What was decided is reported as an incident; the motion hears that it stands and is rejected, and nothing that was said."""
    motion = await bench_door(bench, COUNCIL).start()
    door = bench_door(bench, INCIDENT)
    incident = await door.start(body={**door.examples.REPORT, "motion": motion}, by="grid_worker")
    await eventually(lambda: len(told(bench, motion, "council:led:to")) == 1)
    await door.go(incident, [Step("reject", "coordinator")])
    await eventually(lambda: len(told(bench, motion, "council:led:ended")) == 1)

    assert told(bench, motion, "council:led:to") == [{"led": incident, "procedure": "incident"}]
    (ended,) = told(bench, motion, "council:led:ended")
    assert ended == {"led": incident, "procedure": "incident", "outcome": "rejected"}


async def test_nobody_else_says_that_a_case_was_led_to(bench: CaseBench) -> None:
    """Whose word it is has to be a case of a procedure to which incidents lead, and of the one that it names."""
    incident = await bench_door(bench, INCIDENT).start()
    handle = bench.client.get_workflow_handle(incident)
    strange = (
        ("welfare-20261123-000001", "mediation"),
        ("welfare-20261123-000001", "welfare"),
        ("mediation-20261123-000001.part", "mediation"),
    )
    right = ("mediation-20261123-000001", "mediation")
    for number, (sender, procedure) in enumerate((*strange, right, right)):
        facts = LedCaseEnded(procedure=procedure, stage="closed").model_dump()
        message_id = "told twice" if sender == right[0] else f"strange {number}"
        subject = OriginSubject.LED_CASE_ENDED
        await handle.signal(
            "message", Message(message_id=message_id, sender=sender, to=incident, subject=subject, facts=facts)
        )
    await eventually(lambda: len(told(bench, incident, "incident:led:ended")) > 0)
    await bench.at_rest(incident)

    assert told(bench, incident, "incident:led:ended") == [
        {"led": right[0], "procedure": "mediation", "outcome": "closed"}
    ]
