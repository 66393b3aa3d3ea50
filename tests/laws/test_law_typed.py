"""Law: a code or number that is typed while an input method is on is what it means, at every command of the terminal."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from cli import app
from local.typed_codes import typed_code, typed_number

CODES = frozenset({"case", "area", "department", "of_area", "of_department"})
"""How parameters are called that take the code of an area or department, or the number of a case."""

WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)} | {ord(" "): "\u3000"}
DASHES = "-‐‑–—－"


def _parameters(command: Any, name: str = "jiceng") -> Iterator[tuple[str, Any]]:
    for below, each in getattr(command, "commands", {}).items():
        yield from _parameters(each, f"{name} {below}")
    if not hasattr(command, "commands"):
        yield from ((f"{name} {parameter.name}", parameter) for parameter in command.params)


TYPED = [(name, each) for name, each in _parameters(typer.main.get_command(app())) if each.name in CODES]


@pytest.mark.parametrize(("name", "parameter"), TYPED, ids=[name for name, _ in TYPED])
def test_every_code_of_the_terminal_is_taken_as_it_is_meant(name: str, parameter: Any) -> None:
    """Whatever command takes a case, an area or a department takes it in full width, with any dash and blanks around it."""
    assert parameter.callback is not None, name
    assert parameter.callback(None, parameter, " ａｂ－１２．３\u200b ") == "ab-12.3"


def test_the_terminal_has_such_parameters() -> None:
    """The walk has found them: cases by number, areas and departments by code."""
    assert {parameter.name for _, parameter in TYPED} == CODES
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
