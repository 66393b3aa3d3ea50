"""A town is disturbed under load and comes to rest whole (`make chaos`); what counts it finds what is not whole."""

from collections import Counter
from typing import Any

import pytest

from local.chaos.chaos import ChaosOptions, run_chaos, told
from local.chaos.chaos_count import carried_out_twice, clock_faults
from local.chaos.chaos_incident import report_of
from local.chaos.chaos_load import Responses
from local.chaos.chaos_schedule import ALL_FAULTS, LASTING, PAUSES, FaultKind, schedule
from local.chaos.chaos_walks import crowds
from local.chaos.chaos_welfare import paid_more_than_once
from local.town.town_processes import PROCESSES, TownProcess
from tests.every_procedure import PROCEDURE_LIST
from tests.forked import forked

BREACHED: dict[str, Any] = {"started_at": "2026-11-22T09:00:00+08:00", "due_at": "2026-11-22T10:00:00+08:00"}


def test_a_schedule_is_a_function_of_its_seed() -> None:
    """The same seed gives the same faults and reports, another seed others: what was found can be looked for again."""
    assert schedule(7, 30, 4.0) == schedule(7, 30, 4.0) != schedule(8, 30, 4.0)
    assert report_of(7, 3) == report_of(7, 3) != report_of(7, 4)


def test_every_fault_comes_before_any_comes_again() -> None:
    """A schedule as long as the list has each fault as often as the list, in order of time; what lasts has its length."""
    planned = schedule(3, len(ALL_FAULTS), 4.0)

    assert Counter((fault.kind, fault.target) for fault in planned) == Counter(ALL_FAULTS)
    assert [fault.at_seconds for fault in planned] == sorted(fault.at_seconds for fault in planned)
    assert all((fault.for_seconds > 0) == (fault.kind in LASTING) for fault in planned)
    for kind, lasting in LASTING.items():
        assert {fault.target: fault.for_seconds for fault in planned if fault.kind is kind} == lasting


def entry(facts: dict[str, Any], command: str | None = None) -> dict[str, Any]:
    return {"facts": facts, "stamp": {"command_id": command} if command else None}


def clock(*, status: str = "running", fired: tuple[str, ...] = (), **also: Any) -> dict[str, Any]:
    return {"clocks": {"sign": {**BREACHED, "status": status, "fired": fired, **also}}}


def test_a_moment_told_twice_or_not_at_all_is_found() -> None:
    """Twice in one life of a clock, stopped too late without a word, or fired and untold: each is a fault; once is none."""
    breach = entry({"clock": "sign", "moment": "breach"})
    fired = {"clocks": {"sign": {"fired": ["breach"], "warn_percent": 80}}}
    late = clock(status="stopped", stopped_at="2026-11-22T10:00:01+08:00")

    assert list(clock_faults("incident", [entry(clock()), breach], fired)) == []
    assert list(clock_faults("incident", [entry(clock()), breach, entry(clock() | {"again": 1}), breach], fired)) != []
    assert list(clock_faults("incident", [entry(clock()), entry(late)], {"clocks": {}})) != []
    assert list(clock_faults("incident", [entry(clock())], fired)) != []


def test_a_command_carried_out_twice_is_found() -> None:
    """Entries of one command stand together; where they come again later, it was carried out twice."""
    assert carried_out_twice([entry({}, "a"), entry({}, "a"), entry({}), entry({}, "b")]) == []
    assert carried_out_twice([entry({}, "a"), entry({}), entry({}, "a")]) == ["a"]


def test_money_that_moved_twice_for_one_entitlement_is_found() -> None:
    """By the bank's own books: another attempt under a key of its own is the same person, benefit and month."""
    first, second = (f"{'0' * 26}.temporary-aid.2026-{month}" for month in ("11", "12"))

    assert paid_more_than_once([{"payment_key": first}, {"payment_key": second}]) == []
    assert paid_more_than_once([{"payment_key": first}, {"payment_key": f"{first}.2"}]) == [f"{first} was paid 2 times"]


OPENED = [each.name for each in PROCEDURE_LIST if each.parent is None and each.name != "incident"]


def test_every_procedure_that_people_open_has_a_crowd_of_its_own_keys() -> None:
    """Beside incidents, which are always there: a crowd of its own, or one that goes its walks; no two have the same keys."""

    def nobody(_persona: object, _entrance: int) -> Any:
        raise LookupError("nobody acts before the town stands")

    found = crowds(dict.fromkeys(OPENED, 1), 1, nobody, Responses())

    assert list(found) == OPENED
    assert len({crowd.called for crowd in found.values()}) == len(OPENED)


def quickly_there() -> list[TownProcess]:
    """A town whose processes are forked, but those that a fault stops: what is forked is no child of what would be stopped."""
    return [each for process in PROCESSES for each in ([process] if process.name in PAUSES else forked([process]))]


@pytest.mark.timeout(300)
async def test_a_town_disturbed_under_load_loses_and_doubles_nothing() -> None:
    """A few faults in a short while, a worker of the next release among them: all comes to rest, whole when it is counted."""
    options = ChaosOptions(seed=5, faults=4, cases=10, gap_seconds=1.5, rest_seconds=200, speed=9000, to_the_end=False,
                           processes=quickly_there())  # fmt: skip
    planned = {fault.kind for fault in schedule(options.seed, options.faults, options.gap_seconds)}
    report = await run_chaos(options)

    assert FaultKind.RELEASE in planned
    assert report.well, told(report)
    assert sum(report.faults.values()) + report.missed == options.faults
    assert report.count.accepted == report.count.cases >= options.cases


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_all_procedures_come_to_their_end_when_the_town_is_disturbed() -> None:
    """Incidents, whistles with their summonses, and applications that are paid, until every one of them has ended."""
    report = await run_chaos(
        ChaosOptions(
            seed=6, faults=10, cases=12, crowds={"whistle": 4, "welfare": 4}, gap_seconds=2.0, rest_seconds=600
        )
    )

    assert report.well, told(report)
    assert report.count.ended == report.count.cases >= 12 + 4 * 3 + 4
