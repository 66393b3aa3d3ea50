"""Law: a code or number that is typed while an input method is on is what it means, at every command of the terminal."""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import typer
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from pydantic.fields import FieldInfo

from cli import app
from engine.policies.areas import load_areas
from engine.policies.department_policy import load_departments
from engine.policies.policies import PolicyFaults, load_policy
from engine.runtime.settings import PROJECT
from local.town.typed_codes import typed_code, typed_number
from schemas.contracts.department import Code
from schemas.incident import INCIDENT
from schemas.kernel.procedure import Command, Procedure
from schemas.mediation import MEDIATION
from schemas.values.actor import Role
from schemas.values.location import AreaCode
from starter.http.command_bodies import command_body_of
from starter.intake.choices import SHOWN_AT_MOST, areas_near
from starter.intake.openings import opening_of
from tests.api_callers import REPORT, As
from tests.api_driver import ApiDriver, OpenDoor, path_of
from tests.body_leaves import Leaf, leaves
from tests.every_procedure import PROCEDURE_LIST, who_starts

pytest_plugins = ("tests.api_fixture",)

TAKE_CODES = frozenset({"case", "area", "department", "of_area", "of_department"})
"""How parameters are called that take the code of an area or department, or the number of a case."""

CODES = tuple(each.code for each in load_departments(PROJECT / "policies" / "departments.yaml").departments)
WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)} | {ord(" "): "\u3000"}
DASHES = "-‐‑–—－"


def _parameters(command: Any, name: str = "jiceng") -> Iterator[tuple[str, Any]]:
    for below, each in getattr(command, "commands", {}).items():
        yield from _parameters(each, f"{name} {below}")
    if not hasattr(command, "commands"):
        yield from ((f"{name} {parameter.name}", parameter) for parameter in command.params)


TYPED = [(name, each) for name, each in _parameters(typer.main.get_command(app())) if each.name in TAKE_CODES]


@pytest.mark.parametrize(("name", "parameter"), TYPED, ids=[name for name, _ in TYPED])
def test_every_code_of_the_terminal_is_taken_as_it_is_meant(name: str, parameter: Any) -> None:
    """Whatever command takes a case, an area or a department takes it in full width, with any dash and blanks around it."""
    assert parameter.callback is not None, name
    assert parameter.callback(None, parameter, " ａｂ－１２．３\u200b ") == "ab-12.3"


def test_the_terminal_has_such_parameters() -> None:
    """The walk has found them: cases by number, areas and departments by code."""
    assert {parameter.name for _, parameter in TYPED} == TAKE_CODES
    assert len(TYPED) > 15


@given(
    st.from_regex(r"\A[a-z0-9]+([-.][a-z0-9]+)*\Z"),
    st.sampled_from(DASHES),
    st.sampled_from(["", " ", "\u3000", "\u200b"]),
)
def test_a_code_in_any_width_is_the_same_code(code: str, dash: str, around: str) -> None:
    """Half or full width, any dash, blanks around: one code; and a number in capitals is the number."""
    written = f"{around}{code.translate(WIDE).replace('－', dash)}{around}"

    assert typed_code(written) == code
    assert typed_number(written.upper()) == code


@pytest.mark.parametrize(
    "written", ["环境卫生 ", "\u3000环境卫生", "环境卫生\n", "环境\u200b卫生", "\ufeff环境卫生\u2060"]
)
async def test_a_category_in_any_spelling_is_the_one_on_the_list(written: str, as_: As) -> None:
    """What looks like a line of the responsibility list goes to who answers for it, and stands in the case by its name."""
    started = await as_(Role.WINDOW_CLERK).report(REPORT | {"category": written})
    timeline = await as_(Role.COORDINATOR).get(f"/api/v1/cases/{started.json()['case_id']}/timeline")

    assert started.status_code == 201
    assert timeline.json()["items"][0]["facts"]["category"] == "环境卫生"


def test_two_categories_that_look_the_same_are_a_fault_of_the_list(tmp_path: Path) -> None:
    """A responsibility list on which a line stands twice is refused: neither wins in silence."""
    rules = yaml.safe_load((PROJECT / "policies" / "incident.yaml").read_text(encoding="utf-8"))
    rules["categories"]["环境卫生\u3000"] = rules["categories"]["环境卫生"]
    (tmp_path / "incident.yaml").write_text(yaml.safe_dump(rules, allow_unicode=True), encoding="utf-8")
    with pytest.raises(PolicyFaults, match="looks the same"):
        load_policy(INCIDENT, tmp_path, CODES)


# ---- choices ----------------------------------------------------------------------------------------------------------

A_WORD, NO_SUCH = "低保", "no-such-code"
ANY_KIND = {("welfare", "ask_correction"): "an officer may ask for a kind of document that the town has no word for"}
OF_OTHERS = {
    "code": "a bank's own word for why a payment came back; what a duty is called by whoever drafts it",
    "clauses.0.code": "what a clause is called by whoever drafts it",
    "task": "what a task is called by whoever gives it",
}
CODE_PATTERN, AREA_PATTERN = (TypeAdapter(each).json_schema()["pattern"] for each in (Code, AreaCode))


def is_code(schema: Mapping[str, Any]) -> bool:
    """A code that stands in some list of the town or of the case."""
    return bool(schema.get("pattern") == CODE_PATTERN)


def is_choice(schema: Mapping[str, Any]) -> bool:
    """Something that can be chosen: an enumeration, a code, an area."""
    return "enum" in schema or schema.get("pattern") in {CODE_PATTERN, AREA_PATTERN}


def every(among: Iterable[Procedure]) -> pytest.MarkDecorator:
    """Each of these procedures."""
    return pytest.mark.parametrize("procedure", [pytest.param(each, id=each.name) for each in among])


EVERY_OPENING = every([each for each in PROCEDURE_LIST if each.parent is None])
EVERY_ONE = every(PROCEDURE_LIST)


async def faults_at(caller: Any, path: str, leaf: Leaf, value: Any) -> list[dict[str, str]]:
    """What is told of one field, when this stands in it."""
    answer = await caller.post(path, leaf.body(value))
    assert answer.status_code == 422, (str(leaf), value, answer.text)
    return [each for each in answer.json()["faults"] if each["field"] == str(leaf)]


def lists(remedy: str) -> bool:
    """Whether a remedy names what may be written, by code and in both languages."""
    return remedy.startswith("可选:") and " (one of: " in remedy


@EVERY_OPENING
async def test_an_opening_tells_what_may_be_chosen(procedure: Procedure, as_: As) -> None:
    """A word, and a code that is none, in every field of an opening that holds a choice: told which there are."""
    path = path_of(procedure)
    caller = as_(who_starts(opening_of(procedure).starters))
    found = leaves(opening_of(procedure).model, is_choice)
    codes = {str(leaf) for leaf in leaves(opening_of(procedure).model, is_code)}
    for leaf, value in itertools.product(found, (A_WORD, NO_SUCH)):
        if value == NO_SUCH and str(leaf).endswith("area"):
            continue  # the town of the tests takes reports for its neighbours: see below
        (fault,) = await faults_at(caller, path, leaf, value)
        assert lists(fault["remedy"]), (str(leaf), value, fault)
        if str(leaf) in codes:
            assert re.search("[\u4e00-\u9fff]", fault["remedy"].partition(" (")[0].removeprefix("可选:")), fault

    assert len(found) > 1


@EVERY_ONE
async def test_a_command_tells_what_may_be_chosen(
    procedure: Procedure, door: OpenDoor, as_: As, pool: asyncpg.Pool
) -> None:
    """A word in every field of a command that holds a choice: told which there are now, if there is any, each by its word."""
    case_id, state, policy = await _case_of(procedure, door, pool)
    seen = 0
    for name, command in procedure.commands.items():
        choices = command.choices_by_field(state, policy)
        for leaf in leaves(command_body_of(command).model, is_choice):
            seen += 1
            (fault,) = await faults_at(as_(Role.AUDITOR), f"/api/v1/cases/{case_id}/commands/{name}", leaf, A_WORD)
            if leaf in leaves(command_body_of(command).model, is_code):
                place = str(leaf).replace(".0", ".*")
                if str(leaf) in OF_OTHERS and place not in choices:
                    continue
                offered = choices[place]
                assert all(code in fault["remedy"] for code in offered[:SHOWN_AT_MOST])
                assert lists(fault["remedy"]) or not offered, (name, fault)
            else:
                assert lists(fault["remedy"]), (name, fault)

    assert seen or procedure.name in {"summons", "recovery", "ballot", "hall"}


@EVERY_ONE
async def test_a_case_refuses_a_code_that_is_none_with_those_that_are(
    procedure: Procedure, door: OpenDoor, pool: asyncpg.Pool
) -> None:
    """What a command offers it takes, and what it does not offer it refuses with what it offers: two lists cannot differ."""
    _, state, policy = await _case_of(procedure, door, pool)
    for name, command in procedure.commands.items():
        if (procedure.name, name) in ANY_KIND:
            continue
        body = _shape(command)
        for field, offered in command.choices_by_field(state, policy).items():
            own, listed = field.removesuffix(".*"), field.endswith(".*")
            if "." in own:
                continue  # what stands in what is listed is asked by the tests of its procedure
            for code in (NO_SUCH, *offered):
                given = command.model_construct(**{**body, own: (code,) if listed else code})
                told = [each for each in given.faults(state) if each.field == field.replace("*", "0")]
                assert bool(told) is (code == NO_SUCH), (name, field, code)
                assert all(lists(each.remedy) for each in told) or not offered, told


def _shape(command: type[Command]) -> dict[str, Any]:
    """A body of a command, as far as its own faults look at it."""
    return {name: _some(name, field) for name, field in command.model_fields.items()}


async def test_what_is_listed_by_number_is_told_by_number(door: OpenDoor, as_: As) -> None:
    """A body in which such a field is missing is wrong, and told the numbers that there are: no fault of the town's."""
    town = await door(MEDIATION)
    case_id = await town.start(body={**town.examples.REPORT, "danger": True})
    await town.stands(case_id)
    answer = await as_(Role.AUDITOR).post(f"/api/v1/cases/{case_id}/commands/refer_danger", {"called": "police"})

    assert answer.status_code == 422
    assert [each["remedy"] for each in answer.json()["faults"] if each["field"] == "danger"] == ["可选:1 (one of: 1)"]


def _some(name: str, field: FieldInfo) -> Any:
    if name in {"departments", "score", "team", "persons"}:
        return {"departments": (), "score": 100, "team": (), "persons": 1}[name]
    if isinstance(field.annotation, type) and issubclass(field.annotation, Enum):
        return next(iter(field.annotation))
    return None if field.is_required() else field.default


async def _case_of(procedure: Procedure, door: OpenDoor, pool: asyncpg.Pool) -> tuple[str, Any, Any]:
    town: ApiDriver = await door(procedure)
    case_id = await town.start()
    await town.stands(case_id)
    snapshot = await pool.fetchval("select snapshot::text from cases where case_id = $1", case_id)
    owner = next(each for each in PROCEDURE_LIST if each.name == (procedure.parent or procedure.name))
    owner = owner if owner.parent is None else next(each for each in PROCEDURE_LIST if each.name == owner.parent)
    return case_id, procedure.state.model_validate_json(snapshot), load_policy(owner, PROJECT / "policies", CODES)


AREAS = load_areas(PROJECT / "policies")


@pytest.mark.parametrize("code", ["999", "999.001", "no-such", "32010", ""])
def test_an_area_of_which_nothing_is_known_is_answered_with_more_than_the_widest(code: str) -> None:
    """Districts with the streets inside them, and what is written alike first: never the root alone."""
    offered = AREAS.nearest(code)

    assert any("." in each for each in offered)
    assert all(each in AREAS.names for each in offered)
    assert code != "32010" or offered[0].startswith("32010")


def test_an_area_inside_a_known_one_is_answered_with_what_lies_there() -> None:
    """However deep: those inside the narrowest area that is known; and each with its name."""
    for known in AREAS.names:
        offered = AREAS.nearest(f"{known}.999.999")
        within = {
            each for each in AREAS.names if each.startswith(f"{known}.") and each.count(".") == known.count(".") + 1
        }
        assert set(offered) == (within or {known})
        said = areas_near(AREAS, f"{known}.999", "", "")
        assert lists(said)
        assert all(f"{AREAS.names[each].zh} {each}" in said for each in offered[:SHOWN_AT_MOST])
        assert len(offered) <= SHOWN_AT_MOST or f"另有{len(offered) - SHOWN_AT_MOST}项" in said


# ---- amounts ----------------------------------------------------------------------------------------------------------

NO_AMOUNTS: tuple[Any, ...] = (
    "1200.50",
    "1,200",
    "1200",
    "1200元",
    "1.2e3",
    1200.5,
    1200.0,
    1e30,
    -1,
    10**30,
    True,
    [],
    "",
)


def _is_number(schema: Mapping[str, Any]) -> bool:
    return bool(schema.get("type") == "integer")


def amounts(model: Any) -> list[Leaf]:
    """Every field of a body that holds money."""
    return [leaf for leaf in leaves(model, _is_number) if str(leaf).endswith("_fen")]


async def test_an_amount_that_is_none_is_told_its_unit(door: OpenDoor, as_: As, pool: asyncpg.Pool) -> None:
    """Decimals, commas, full width, exponents, words, less than nothing: 422 with unit and example, at every field of money."""
    found = 0
    for procedure in PROCEDURE_LIST:
        commands = {name: amounts(command_body_of(command).model) for name, command in procedure.commands.items()}
        places = [(as_(Role.AUDITOR), name, leaf) for name, of_command in commands.items() for leaf in of_command]
        case_id = (await _case_of(procedure, door, pool))[0] if places else ""
        paths = [(caller, f"/api/v1/cases/{case_id}/commands/{name}", leaf) for caller, name, leaf in places]
        if procedure.parent is None:
            opening = opening_of(procedure)
            caller = as_(who_starts(opening.starters))
            path = path_of(procedure)
            paths += [(caller, path, leaf) for leaf in amounts(opening.model)]
        for (caller, path, leaf), value in itertools.product(paths, NO_AMOUNTS):
            (fault,) = await faults_at(caller, path, leaf, value)
            assert "分" in fault["remedy"], (path, value, fault)
            assert "1200.50 yuan is 120050" in fault["remedy"], (path, value, fault)
            found += 1

    assert found >= 4 * len(NO_AMOUNTS)
