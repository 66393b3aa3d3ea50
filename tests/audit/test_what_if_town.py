"""Recorded clocks of real cases under other limits: under the same rules nothing differs, and nothing is touched."""

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import yaml
from temporalio.client import Client
from typer.testing import CliRunner

from engine.runtime.settings import PROJECT, Settings
from local.commands.audit_reading import audit_app
from schemas.audit.what_if import judge
from schemas.clocks.clocks import Limit
from schemas.incident import INCIDENT
from schemas.incident_state import IncidentState
from tests.api_driver import OpenDoor, Step

pytestmark = pytest.mark.usefixtures("worker")
FAST = 500_000
SLOWER = 60_000
"""A speed at which there is time for each step of a walk: ten seconds until it is closed unrated."""

POLICIES = PROJECT / "policies"


async def what_if(settings: Settings, policy: Path, *options: str) -> dict[str, Any]:
    """`jiceng audit what-if` on the town; in a thread, since the command has a loop of its own."""
    command = ["what-if", "--policy", str(policy), *options, "--json", "--data", str(settings.data)]
    result = await asyncio.to_thread(lambda: CliRunner().invoke(audit_app, command))
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def only(opened: str) -> tuple[str, ...]:
    """The options for the one case that was opened at a moment."""
    before = datetime.fromisoformat(opened) + timedelta(microseconds=1)
    return ("--procedure", "incident", "--since", opened, "--before", before.isoformat())


@pytest.fixture(scope="module")
async def left_alone(door: OpenDoor, worker: None) -> tuple[str, str]:
    """A case that nobody answered, all its duties broken; and when it was opened."""
    town = await door(INCIDENT, speed=FAST)
    case_id = await town.start()
    shown = await town.case(case_id, wait="stage:unresolved", timeout="60")
    return case_id, shown["opened_at"]


def rules(folder: Path, **terms: Any) -> Path:
    """A policy file like the town's, with other terms."""
    content = yaml.safe_load((POLICIES / "incident.yaml").read_text(encoding="utf-8"))
    content["version"] = "what-if"
    content["terms"] |= terms
    file = folder / "other-rules.yaml"
    file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return file


async def test_under_the_very_same_rules_nothing_differs(
    left_alone: tuple[str, str], door: OpenDoor, settings: Settings
) -> None:
    """Every recorded clock of the town: as many would have been broken as were, each by each."""
    _, opened = left_alone
    town = await door(INCIDENT, speed=SLOWER)
    walked = await town.case(await town.walk(town.examples.MAIN), wait="ended", timeout="60")
    for moment, case in ((opened, "left alone"), (walked["opened_at"], "walked")):
        found = await what_if(settings, POLICIES, *only(moment))

        assert found["cases"] == 1, case
        assert found["breached"] == found["would_breach"]
        assert (found["newly"], found["spared"]) == (0, 0)
        assert found["judged"] >= 3
        assert all(line["limits"] == line["other_limits"] for line in found["lines"])


async def test_what_is_recorded_is_what_the_rows_say(
    left_alone: tuple[str, str], settings: Settings, pool: asyncpg.Pool
) -> None:
    """The number of broken clocks is that of the case's own row, per department."""
    case_id, opened = left_alone
    found = await what_if(settings, POLICIES, *only(opened))
    clocks = await pool.fetchval("select clocks from cases where case_id = $1", case_id)
    broken = {clock["name"] for clock in clocks if clock["breached"]} & {"sign", "respond", "finish"}
    lines = {line["clock"]: line for line in found["lines"] if line["department"] == "urban-management"}

    assert broken == {name for name, line in lines.items() if line["breached"]} == {"sign", "respond", "finish"}
    assert found["policies"] == {"incident": "2026.2"}


async def test_a_longer_limit_spares_those_that_it_would_not_have_caught(
    left_alone: tuple[str, str], settings: Settings, tmp_path: Path
) -> None:
    """With a year for signing nobody would have been late with it; the other clocks stay as they were."""
    _, opened = left_alone
    file = rules(tmp_path, sign="365 natural_days")
    found = await what_if(settings, file, *only(opened))
    signing = next(line for line in found["lines"] if line["clock"] == "sign")
    others = [line for line in found["lines"] if line["clock"] != "sign"]

    assert (signing["limits"], signing["other_limits"]) == (["1 working_hours"], ["365 natural_days"])
    assert (signing["breached"], signing["would_breach"], signing["spared"]) == (
        signing["judged"],
        0,
        signing["judged"],
    )
    assert all(line["breached"] == line["would_breach"] for line in others)
    assert found["policies"] == {"incident": "what-if"}


async def test_no_case_is_touched(door: OpenDoor, settings: Settings, pool: asyncpg.Pool, temporal: Client) -> None:
    """Neither row nor ledger nor history of a case is another afterwards."""
    town = await door(INCIDENT)
    case_id = await town.walk(next(walk for walk in town.examples.WALKS if walk.name == "rejected"))
    await temporal.get_workflow_handle(case_id).result()

    async def traces() -> tuple[Any, ...]:
        row = await pool.fetchrow("select * from cases where case_id = $1", case_id)
        entries = await pool.fetchval("select count(*) from ledger where case_id = $1", case_id)
        history = await temporal.get_workflow_handle(case_id).fetch_history()
        return row, entries, len(history.events)

    before = await traces()
    await what_if(settings, POLICIES)

    assert await traces() == before


async def test_each_course_belongs_to_the_department_that_held_the_case(door: OpenDoor, pool: asyncpg.Pool) -> None:
    """A returned order's `sign` is the first department's, the next one's its own; work that is finished is the last one's."""
    town = await door(INCIDENT)
    walk = next(walk for walk in town.examples.WALKS if walk.name == "returned and sent elsewhere")
    case_id = await town.walk(walk)
    snapshot = await pool.fetchval("select snapshot from cases where case_id = $1", case_id)
    state = IncidentState.model_validate(snapshot)
    hour = Limit.model_validate("1 hours")
    now = datetime.fromisoformat(snapshot["last_at"]) + timedelta(days=1)
    courses = list(judge(state, dict.fromkeys(("sign", "finish", "rate"), hour), now))

    assert [(course.clock, course.department) for course in courses] == [
        ("sign", "urban-management"),
        ("sign", "justice-office"),
        ("finish", "justice-office"),
        ("rate", "justice-office"),
    ]
    assert not any(course.breached or course.would_breach for course in courses)


async def test_a_clock_started_anew_ended_with_the_department_before(door: OpenDoor, pool: asyncpg.Pool) -> None:
    """An order sent elsewhere unsigned starts `sign` anew at that very instant: the first course is still the first one's."""
    town = await door(INCIDENT)
    case_id = await town.start()
    await town.go(case_id, [Step("redispatch", "coordinator")])
    snapshot = await pool.fetchval("select snapshot from cases where case_id = $1", case_id)
    state = IncidentState.model_validate(snapshot)
    courses = list(judge(state, {"sign": Limit.model_validate("1 hours")}, at_last(snapshot)))

    assert [course.department for course in courses] == ["urban-management", "justice-office"]
    assert courses[0].ended_at == courses[1].started_at


def at_last(snapshot: dict[str, Any]) -> datetime:
    """A moment right after everything a case remembers."""
    return datetime.fromisoformat(snapshot["last_at"]) + timedelta(seconds=1)


async def test_a_clock_that_runs_is_judged_by_now(door: OpenDoor, pool: asyncpg.Pool) -> None:
    """What has not been stopped breaks the other limit as soon as its due time is there, and counts as newly broken."""
    town = await door(INCIDENT)
    case_id = await town.start()
    snapshot = await pool.fetchval("select snapshot from cases where case_id = $1", case_id)
    state = IncidentState.model_validate(snapshot)
    start = state.clocks["sign"].facts[0].at
    moments = [start + timedelta(minutes=30) - timedelta(microseconds=1), start + timedelta(minutes=30)]
    judged = [next(judge(state, {"sign": Limit.model_validate("30 minutes")}, now)) for now in moments]

    assert [course.would_breach for course in judged] == [False, True]
    assert [course.breached for course in judged] == [False, False]
    assert [course.ended_at for course in judged] == [None, None]


@pytest.mark.parametrize(
    ("given", "said"),
    [("nowhere.yaml", "whose rules are these"), ("incident.yaml", "No such file"), (".", "rules of no procedure")],
)
def test_rules_that_cannot_be_had_are_told(given: str, said: str, settings: Settings, tmp_path: Path) -> None:
    """A file of no procedure, one that is not there, a folder without rules: exit code 1 and a sentence."""
    command = ["what-if", "--policy", str(tmp_path / given), "--data", str(settings.data)]
    result = CliRunner().invoke(audit_app, command)

    assert result.exit_code == 1
    assert said in " ".join(result.output.split())
