"""Areas: the file is checked whole, with lines; a report that names an area names one that there is."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from engine.keys.keys import Keys
from engine.policies.areas import load_areas, read_areas
from engine.policies.policies import PolicyFaults
from engine.runtime.settings import PROJECT
from local.simulation.townspeople import GRID_WORKERS
from schemas.values.area import wholly_named, widest_named
from tests.api_callers import REPORT, As, Caller, OwnTown, api_of, callers

pytest_plugins = ("tests.api_fixture",)

POLICIES = PROJECT / "policies"
PLACE = {"address": "幸福小区3号楼", "lat": 32.060255, "lon": 118.796877}


def changed(folder: Path, *changes: tuple[str, str]) -> Path:
    """A folder with the town's areas, changed here and there."""
    text = (POLICIES / "areas.yaml").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "areas.yaml").write_text(text, encoding="utf-8")
    return folder


def line_of(folder: Path, words: str) -> int:
    lines = (folder / "areas.yaml").read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if words in line)


def faults(folder: Path) -> list[str]:
    with pytest.raises(PolicyFaults) as refused:
        read_areas(folder)
    return refused.value.faults


@pytest.mark.parametrize(
    ("named", "here"),
    [
        (["320104.003.01"], ("320104.003.01",)),
        (["320100"], ("320104",)),
        (["320000"], ("320104",)),
        (["320104"], ("320104",)),
        (["320104", "320104.003.01"], ("320104",)),
        (["320104.003.01", "320104.003.02", "999999"], ("320104.003.01", "320104.003.02")),
        (["320200", "3201", "32010", "320105", "320105003000"], ()),
        (["320104003000"], ("320104.003",)),
        (["320104000000", "320104003"], ("320104",)),
        (["320100000000"], ("320104",)),
        (["320104.003.99", "320104003099"], ("320104.003",)),
        (["320104.009"], ("320104",)),
        ([], ()),
    ],
)
def test_what_others_name_is_the_widest_of_the_town(named: list[str], here: tuple[str, ...]) -> None:
    """A city or province is all of the town that lies in it; what lies in another one that is named is named once."""
    town = ["320104", "320104.003", "320104.003.01", "320104.003.02", "320104.003.01.01"]

    assert widest_named(named, town) == here


def test_what_the_town_does_not_know_is_not_wholly_named() -> None:
    """It widens an alert; a cancel of it does not call off all that lies around it."""
    town = ["320104", "320104.003", "320104.003.01"]

    assert wholly_named(["320104.003.99"], town) == ()
    assert wholly_named(["320104003000", "320104.003.99"], town) == ("320104.003",)
    assert wholly_named(["320100"], town) == ("320104",)


def test_the_towns_own_areas_are_as_the_rules_want_them() -> None:
    """The delivered file has neither fault nor warning, and the simulated grid workers walk in it."""
    loaded = read_areas(POLICIES)
    walks = {persona.area: persona.subject for persona in GRID_WORKERS}

    assert loaded.warnings == ()
    assert {area: loaded.areas.policy.workers_of(str(area)) for area in walks} == {
        area: (subject,) for area, subject in walks.items()
    }


def test_every_fault_of_the_areas_is_told_with_its_line(tmp_path: Path) -> None:
    """A code that lies elsewhere, one that stands twice, a grid without anybody: in one answer, each with line and remedy."""
    folder = changed(
        tmp_path,
        ('"320104.003.01.02":', '"320104.003.02.02":'),
        ('"320104.003.03":', '"320104.004.03":'),
        ("households: 449, residents: 1296", "households: 0, residents: 0"),
    )
    found = faults(folder)
    lines = {int(fault.partition("areas.yaml:")[2].partition(":")[0]) for fault in found}

    assert lines >= {
        line_of(folder, "320104.003.02.02"),
        line_of(folder, "320104.004.03"),
        line_of(folder, "households: 0"),
    }
    assert any("stands twice; keep one" in fault for fault in found)
    assert all("; " in fault for fault in found)


def test_a_code_adds_one_part_to_that_of_its_area(tmp_path: Path) -> None:
    """A community with the code of a grid would be taken for one by everybody who counts the parts."""
    found = faults(changed(tmp_path, ('"320104.003.07":', '"320104.003.07.5":')))

    assert any("'320104.003.07.5' does not lie in '320104.003'; write 320104.003.NAME" in fault for fault in found)


def test_shape_faults_are_told_together(tmp_path: Path) -> None:
    """A field that is misspelt, one that is missing, and a negative number: three lines, three remedies."""
    folder = changed(
        tmp_path,
        ("households: 412", "housholds: 412"),
        ("households: 385", "households: -1"),
    )

    assert [fault.partition(": ")[0].rpartition(":")[2] for fault in faults(folder)] == [
        str(line_of(folder, "320104.003.01.01")), str(line_of(folder, "housholds")), str(line_of(folder, "households: -1")),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("households", "residents", "warned"),
    [
        (300, 0, False), (500, 0, False), (299, 999, True), (501, 1501, True), (299, 1000, False), (600, 1500, False),
    ],
)  # fmt: skip
def test_a_grid_of_another_size_is_a_warning(tmp_path: Path, households: int, residents: int, warned: object) -> None:
    """300-500 households or 1,000-1,500 people, the ends included; outside both the town starts and is told."""
    new = f"households: {households}, residents: {residents}"
    loaded = read_areas(changed(tmp_path, ("households: 412, residents: 1180", new)))

    assert bool(loaded.warnings) is warned
    assert load_areas(tmp_path).exists("320104.003.01.01")


def test_a_grid_where_nobody_walks_is_a_warning(tmp_path: Path) -> None:
    """Nobody would verify there but the coordinator."""
    loaded = read_areas(changed(tmp_path, ("workers: [grid-worker-320104.003.07]", "workers: []")))

    assert len(loaded.warnings) == 1
    assert "320104.003.07.01" in loaded.warnings[0]


def test_the_grid_workers_of_an_area_are_those_of_its_grids() -> None:
    """Asked for a street: everybody who walks in one of its grids, each once; an area of like name is another."""
    policy = read_areas(POLICIES).areas.policy

    assert policy.workers_of("320104.003")[:2] == ("grid-worker-320104.003.01", "grid-worker-320104.003.02")
    assert len(policy.workers_of("320104")) == 4
    assert policy.workers_of("320104.00") == ()


@pytest.fixture
async def strict(own_town: OwnTown, keys: Keys) -> AsyncIterator[Caller]:
    """A resident at the API of a town with the delivered rules."""
    settings = own_town.settings.model_copy(update={"policies": POLICIES})
    async with api_of(own_town.build(over=settings)) as client:
        yield callers(client, keys)()


def report(area: str | None) -> dict[str, Any]:
    return REPORT | {"location": PLACE | ({"area": area} if area else {})}


@pytest.mark.parametrize("area", ["320104", "320104.003", "320104.003.07", "320104.003.07.01", None])
async def test_a_report_names_an_area_of_any_width_or_none(strict: Caller, area: str | None) -> None:
    """District, street, community or grid: whatever the reporter knows."""
    assert (await strict.report(report(area))).status_code in {201, 202}


@pytest.mark.parametrize("area", ["320104.003.08", "320104.003.07.02", "320104.003.07.01.1", "320104.00", "999.1"])
async def test_an_area_that_there_is_not_is_refused_with_those_beside_it(strict: Caller, area: str) -> None:
    """A slip of the pen would hide the case from everybody who walks there; told together with what else is wrong."""
    body = report(area) | {"description": " "}
    answer = await strict.report(body)
    told = {fault["field"]: fault["remedy"] for fault in answer.json()["faults"]}
    only = (await strict.report(report(area))).json()["faults"]

    assert answer.status_code == 422
    assert "description" in told
    assert [fault["field"] for fault in only] == ["location.area"]
    assert "320104" in only[0]["remedy"]


async def test_a_centre_for_several_districts_takes_reports_from_all(as_: As) -> None:
    """With `other_districts: accept` a district that is not in the file is taken; an unknown area of its own is not."""
    assert (await as_().report(report("998.1"))).status_code in {201, 202}
    assert (await as_().report(report("320104.9"))).status_code == 422
