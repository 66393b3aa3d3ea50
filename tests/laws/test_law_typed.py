"""Law: a code or number that is typed while an input method is on is what it means, at every command of the terminal."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cli import app
from engine.department_policy import load_departments
from engine.policies import PolicyFaults, load_policy
from engine.settings import PROJECT
from local.typed_codes import typed_code, typed_number
from schemas.actor import Role
from schemas.incident import INCIDENT
from tests.api_callers import REPORT, As

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
