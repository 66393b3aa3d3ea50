"""People who go from door to door, as tests send them: a sweep is walked to its end, whatever was done of it before."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from schemas.sweep import SWEEP
from schemas.warning import WARNING
from tests.api_driver import ApiDriver, Step
from tests.waiting import eventually

LISTED_A = ("riverside-01", "riverside-02")
EVERYBODY = (*LISTED_A, "riverside-03", "riverside-11", "found-1")
POINT = "riverside-low"
TEAM = Step("set_out", "grid_worker", {"team": ["grid-qian"]})
ALONG = Step("set_out", "deputy", {})
"""Who goes along says so too."""


def door_body(household: str, outcome: str = "moved", persons: int = 1) -> Mapping[str, Any]:
    """What was found at a door."""
    return {"item": household, "outcome": outcome, "persons": persons, "words": "由邻居证实"}


def back_body(household: str, how: str = "at_home") -> Mapping[str, Any]:
    """How a household has ended."""
    return {"item": household, "how": how, "persons": 1, "words": "由邻居证实"}


def of_sweeps(door: ApiDriver) -> ApiDriver:
    """The same people, at the door of sweeps."""
    return replace(door, procedure=SWEEP)


def of_warnings(door: ApiDriver) -> ApiDriver:
    """The same people, at the door of warnings."""
    return replace(door, procedure=WARNING)


async def sweeps_of(door: ApiDriver, warning: str) -> list[str]:
    """The sweeps of a warning that stand."""
    found: list[str] = []
    while True:
        sweep = f"{warning}.sweep-{len(found) + 1}"
        answer = await door.api.get(f"/api/v1/cases/{sweep}", headers=door.headers("auditor"))
        if answer.status_code != 200:
            return found
        found.append(sweep)


async def first_sweep(door: ApiDriver, warning: str) -> str:
    """The first sweep of a warning, when its case stands and is shown."""

    async def shown() -> bool:
        return bool(await sweeps_of(door, warning))

    await eventually(shown, within=60)
    return f"{warning}.sweep-1"


async def facts_of(door: ApiDriver, case_id: str, kind: str) -> list[Mapping[str, Any]]:
    """What the entries of a kind say."""
    answer = await door.api.get(f"/api/v1/cases/{case_id}/timeline", headers=door.headers("auditor"))
    return [each["facts"] for each in answer.json()["items"] if each["kind"] == kind]


async def try_all(door: ApiDriver, case_id: str, steps: Sequence[Step], what: str) -> None:
    """Give commands as far as they can be given, once however often it is asked."""
    for number, step in enumerate(steps):
        answer = await door.taken(case_id, step, key=f"{what}-{case_id}-{number}")
        assert answer.status_code in (200, 403, 404, 409, 422), answer.text


async def sweep_is_walked(door: ApiDriver, sweep: str, what: str = "walk") -> None:
    """Everybody who is listed is moved, and the sweep reported; what was drawn is seen again."""
    there = of_sweeps(door)
    steps = [TEAM, ALONG, *(Step("record_door", "grid_worker", door_body(each)) for each in EVERYBODY)]
    await try_all(there, sweep, [*steps, Step("report_swept", "grid_worker", {"unsafe": []})], what)
    for number, swept in enumerate(await facts_of(there, sweep, "sweep:swept")):
        seen = [Step("recheck", "street_officer", {"item": each, "as_written": True}) for each in swept["to_recheck"]]
        await try_all(there, sweep, seen, f"{what}-again-{number}")


async def nobody_had_gone(door: ApiDriver, sweep: str) -> None:
    """It is over, and whoever leads the team says that it had not gone; once, however often it is asked."""
    await told(of_sweeps(door), sweep, "sweep:over")
    await try_all(of_sweeps(door), sweep, [Step("report_not_gone", "grid_worker", {})], "not-gone")


async def sweep_is_back(door: ApiDriver, sweep: str, what: str = "back") -> None:
    """Whoever was released is seen at home."""
    there = of_sweeps(door)
    steps = [
        Step("report_not_gone", "grid_worker", {}),
        TEAM,
        ALONG,
        *(Step("confirm_back", "grid_worker", back_body(each)) for each in EVERYBODY),
    ]
    await try_all(there, sweep, steps, what)


async def all_are_walked(door: ApiDriver, warning: str, *, heard: bool = True) -> None:
    """Every sweep of a warning is walked, and the warning has heard of it."""
    for sweep in await sweeps_of(door, warning):
        await sweep_is_walked(door, sweep)
    if heard:
        await told(door, warning, "warning:swept")


async def all_are_back(door: ApiDriver, warning: str) -> None:
    """Every sweep of a warning is over, and the warning has heard of it."""
    for sweep in await sweeps_of(door, warning):
        await sweep_is_back(door, sweep)
    await told(door, warning, "warning:all_back")


async def told(door: ApiDriver, case_id: str, kind: str, times: int = 1) -> None:
    """Wait until a case has told something, without making it later."""

    async def has() -> bool:
        return (await door.kinds(case_id)).count(kind) >= times

    await eventually(has, within=60)
