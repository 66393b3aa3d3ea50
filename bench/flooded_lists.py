"""The lists of a town under water, for `bench.flood`: its grids, places, households, and who leads where.

The rules are the town's own but for two lists, those of areas and of risk points.
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from engine.runtime.settings import PROJECT
from local.simulation.townspeople import Persona
from schemas.values.actor import Role

DISTRICT, STREET = "320104", "320104.003"
GRIDS_IN_A_COMMUNITY = 10
ZONES = ("a", "b", "ring")


@dataclass(frozen=True)
class Place:
    """A risk point, one in each grid: who leads there, who stands in, and which households on which list."""

    code: str
    area: str
    leader: Persona
    deputy: Persona
    households: Mapping[str, str]


def places_of(grids: int, teams: int, households: int) -> list[Place]:
    """So many grids with a place each, among so many teams, and so many households among them."""
    found = []
    for number in range(grids):
        area = f"{STREET}.{21 + number // GRIDS_IN_A_COMMUNITY:02}.{number % GRIDS_IN_A_COMMUNITY + 1:02}"
        team = number % teams + 1
        homes = range(number, households, grids)
        found.append(
            Place(
                code=f"place-{number + 1:02}",
                area=area,
                leader=Persona(f"leader-{team:02}", Role.GRID_WORKER),
                deputy=Persona(f"deputy-{team:02}", Role.GRID_WORKER),
                households={f"house-{home + 1:04}": ZONES[order % len(ZONES)] for order, home in enumerate(homes)},
            )
        )
    return found


def houses_of(places: Sequence[Place]) -> dict[str, str]:
    """Where each household lives, by code: the town's file of houses."""
    homes = [code for each in places for code in each.households]
    return {code: f"滨河路{number}号" for number, code in enumerate(homes, 1)}


@contextmanager
def with_lists(folder: Path, places: Sequence[Place]) -> Iterator[None]:
    """The town's own policies, with these areas and risk points: its processes are started with them."""
    policies = shutil.copytree(PROJECT / "policies", folder / "policies")
    _rewrite(policies / "areas.yaml", lambda areas: _add_grids(areas, places))
    _rewrite(policies / "warning.yaml", lambda rules: rules.update(risk_points=_risk_points(places)))
    before = os.environ.get("JICENG_POLICIES")
    os.environ["JICENG_POLICIES"] = str(policies)
    try:
        yield
    finally:
        os.environ.pop("JICENG_POLICIES")
        if before is not None:
            os.environ["JICENG_POLICIES"] = before


def _rewrite(file: Path, change: Any) -> None:
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    change(content)
    file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


def _add_grids(areas: dict[str, Any], places: Sequence[Place]) -> None:
    communities = areas["districts"][DISTRICT]["streets"][STREET]["communities"]
    for place in places:
        community = place.area.rpartition(".")[0]
        grids = communities.setdefault(community, {"name": _name(community), "grids": {}})["grids"]
        grids[place.area] = {"name": _name(place.area), "households": 400, "residents": 1200, "workers": []}


def _risk_points(places: Sequence[Place]) -> dict[str, Any]:
    return {
        place.code: {
            "name": _name(place.code), "area": place.area,
            "leader": place.leader.subject, "deputy": place.deputy.subject,
            "households": {code: {"zone": zone, "heads": 3} for code, zone in place.households.items()},
        }
        for place in places
    }  # fmt: skip


def _name(code: str) -> dict[str, str]:
    return {"zh": f"片{code}", "en": f"Part {code}"}
