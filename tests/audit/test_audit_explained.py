"""Every procedure explains its own decisions: the rule, its version, its inputs, and an arithmetic that comes out as recorded."""

import asyncio
from collections.abc import Mapping
from typing import Any

import asyncpg
import pytest
from temporalio.client import Client

from audit.replay.moments import town_histories
from audit.replay.reading import Auditing
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.archive import ArchiveStore
from schemas.kernel.explanation import Explanation
from schemas.kernel.procedure import Procedure
from schemas.welfare_audit import reckoned
from schemas.words.titles import title_of
from tests.api_driver import ApiDriver, OpenDoor, Walk, examples
from tests.every_procedure import PROCEDURE_LIST

SUMS: Mapping[tuple[str, str], Mapping[str, str]] = {
    (each.name, walk): sums for each in PROCEDURE_LIST for walk, sums in examples(each).EXPLAINED.items()
}
"""By procedure and walk: what the arithmetic of an entry says, by kind; of several entries of a kind, in the last."""

TAKES_MONTHS = frozenset({"partnership"})
"""On a busy machine a fast clock goes past the days on which such people have to act."""


@pytest.fixture
def auditing(temporal: Client, pool: asyncpg.Pool, keys: Keys, settings: Settings) -> Auditing:
    """What an auditor reads with."""
    histories = town_histories(temporal, pool, keys, ArchiveStore(None))
    return Auditing(pool, keys, settings, histories, title_of, asyncio.Semaphore(1))


def walk_of(procedure: Procedure, name: str) -> Walk:
    found: Walk = next(walk for walk in examples(procedure).WALKS if walk.name == name)
    return found


async def last_of_each_kind(town: ApiDriver, auditing: Auditing, case_id: str) -> dict[str, Explanation]:
    places = {kind: seq for seq, kind in enumerate(await town.kinds(case_id), start=1)}
    explained = set(town.procedure.explanations) & set(places)
    return {kind: await auditing.explanation(case_id, places[kind]) for kind in sorted(explained)}


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    ("name", "walk"),
    [
        pytest.param(name, walk, id=f"{name}: {walk}", marks=pytest.mark.long if name in TAKES_MONTHS else ())
        for name, walk in SUMS
    ],
)
async def test_a_decision_is_explained_by_its_own_rule(
    name: str, walk: str, door: OpenDoor, auditing: Auditing
) -> None:
    """Each decision of a walk names its rule and version, and its arithmetic says what the entry recorded."""
    procedure = next(each for each in PROCEDURE_LIST if each.name == name)
    way = walk_of(procedure, walk)
    # A way on which days have to pass goes by the clock by which it was recorded.
    town = await door(procedure, speed=examples(procedure).SPEED if way.waits else 1)
    case_id = await town.walk(way)
    found = await last_of_each_kind(town, auditing, case_id)

    assert set(SUMS[name, walk]) <= set(found)
    for kind, why in found.items():
        assert why.from_history
        assert why.rule
        assert why.policy_version
        assert "与记录不符" not in "\n".join(why.arithmetic)
        assert SUMS[name, walk].get(kind, "") in "\n".join(why.arithmetic)


def test_amounts_are_reckoned_by_each_rule() -> None:
    """The second reckoning follows each kind of amount; a wrong number in the entry is told."""
    shortfall: dict[str, Any] = {
        "rule": "shortfall", "standard_fen": 99500, "stated_income_fen": 80000, "found_income_fen": 90001,
        "income_per_head_fen": 30000, "heads": 3,
    }  # fmt: skip
    state: Any = None

    assert reckoned(shortfall, state)[1] == (99500 - 30000) * 3
    assert reckoned(shortfall | {"standard_fen": 100}, state)[1] == 0


@pytest.mark.parametrize("procedure", PROCEDURE_LIST, ids=lambda procedure: procedure.name)
def test_what_is_explained_is_a_kind_of_the_procedure(procedure: Procedure) -> None:
    """A procedure explains entries of its own, and says under which limits its duties stand."""
    assert set(procedure.explanations) <= set(procedure.titles)
    assert procedure.explanations or procedure.name == "hall"  # it decides nothing about anybody
    assert procedure.limits is not None
