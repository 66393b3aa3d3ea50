"""Forms made from declarations: whatever a command or an opening takes can be written into its form, and comes back as it was."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from console.forms.controls import Choice, Control, ControlKind, Offered, leaves_of
from console.forms.faults import placed
from console.forms.shapes import controls_of
from console.forms.values import body_of, closed_up, fen_of
from schemas.kernel.procedure import Procedure
from schemas.values.refusals import Fault
from schemas.welfare_application import WelfareApplication
from starter.http.bodies import check_model
from starter.http.command_bodies import command_body_of
from starter.http.samples import sample
from starter.intake.openings import opening_of
from tests.console_browser import written
from tests.every_procedure import EVERY_PROCEDURE, PROCEDURE_LIST

KINDS_AT_MOST = 14


def bodies(procedure: Procedure) -> Iterator[tuple[str, type[BaseModel], tuple[Control, ...]]]:
    """Everything that people send of a procedure: its name, its shape, its controls."""
    for name, command in procedure.commands.items():
        door = command_body_of(command)
        yield name, door.model, controls_of(door.model, command, {})
    if procedure.parent is None:
        model = opening_of(procedure).model
        yield "opening", model, controls_of(model, model, {})


def whole(model: type[BaseModel]) -> dict[str, Any]:
    """A body of the shape, with a value in each of its fields."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    made = {
        name: sample({**each, "default": None}, schema.get("$defs", {}), name)
        for name, each in schema["properties"].items()
    }
    return {name: value if value != {} else {"balance_fen": 120050} for name, value in made.items()}


@EVERY_PROCEDURE
def test_what_is_written_into_a_form_is_the_body_that_the_api_gets(procedure: Procedure) -> None:
    """Each field of each command and opening has a control, and what is written there is read as the API wants it."""
    wrong = []
    for name, model, controls in bodies(procedure):
        body = json.loads(json.dumps(whole(model)))
        texts = written(body)
        read = body_of(controls, closed_up(controls, texts))
        if read != {field: value for field, value in body.items() if value != [{}]}:  # a row without a word is none
            wrong.append((name, body, read))

    assert wrong == []


@EVERY_PROCEDURE
def test_a_blank_form_lacks_what_is_missing_in_a_blank_body(procedure: Procedure) -> None:
    """Of a form in which nothing was written the API says what it says of a body without fields, group by group."""
    for name, model, controls in bodies(procedure):
        _, of_form = check_model(model, body_of(controls, {}))
        _, of_body = check_model(model, {})
        missing = {fault.field for fault in of_form}

        assert {fault.field.partition(".")[0] for fault in of_body} == {field.partition(".")[0] for field in missing}, (
            name
        )


def test_few_controls_are_enough() -> None:
    """The forms of every procedure are made of so few kinds of controls: a new procedure needs words, and no screen."""
    kinds = {
        control.kind
        for procedure in PROCEDURE_LIST
        for _, _, controls in bodies(procedure)
        for control in (*controls, *leaves_of(controls))
    }

    assert {ControlKind.LINES, ControlKind.YES_NO, ControlKind.MONEY, ControlKind.ROWS, ControlKind.FILES} <= kinds
    assert len(ControlKind) == KINDS_AT_MOST


@pytest.mark.parametrize(
    ("written_so", "fen"),
    [("1200.50", 120050), ("1,200.5", 120050), ("¥1200", 120000), ("0.01", 1), (" 12 ", 1200), ("1200", 120000)],
)
def test_money_is_written_in_yuan(written_so: str, fen: int) -> None:
    """An amount as people write it becomes whole fen, without a rounding anywhere."""
    assert fen_of(written_so) == fen


@pytest.mark.parametrize("written_so", ["一千", "12.345", "1e3", "--1", "", "12元"])
def test_what_is_no_amount_stays_what_was_written(written_so: str) -> None:
    """The API says what is wrong with it; the form has not made another amount of it."""
    assert fen_of(written_so) == written_so


def test_rows_that_were_left_blank_are_no_rows() -> None:
    """Whoever fills in the second row and not the first has one member, and a fault of theirs is shown beside their row."""
    controls = controls_of(WelfareApplication, WelfareApplication, {})
    texts = {
        "household.0.name": [""],
        "household.1.name": ["李四"],
        "household.1.identity_document.kind": ["passport"],
        "household.3.name": [" "],
    }
    closed = closed_up(controls, texts)

    assert closed == {"household.0.name": ["李四"], "household.0.identity_document.kind": ["passport"]}
    assert body_of(controls, closed)["household"] == [{"name": "李四", "identity_document": {"kind": "passport"}}]


def test_a_fault_stands_at_its_control() -> None:
    """However deep a field lies, its fault is shown where it is mended, under the words of the form; what is of none, above all."""
    controls = controls_of(WelfareApplication, WelfareApplication, {})
    found = placed(
        [
            Fault(field="household.1.identity_document.birth", reason="缺失", remedy="请填写"),
            Fault(field="monthly_income_fen", reason="应为数字", remedy="例如1200.50元写作120050"),
            Fault(field="nowhere", reason="未知", remedy=""),
        ],
        controls,
    )

    assert [(each.place, each.label) for each in found] == [
        ("household.1.identity_document.birth", "家庭成员 其他证件 出生日期"),
        ("monthly_income_fen", "月收入(元)"),
        ("", "nowhere"),
    ]
    assert "120050" not in found[1].remedy  # a form asks for yuan, and says so


def test_what_may_be_named_decides_how_it_is_chosen() -> None:
    """A few that must be chosen from are shown at once, many or none in a list that opens; several can be ticked."""
    controls = {each.place: each for each in controls_of(WelfareApplication, WelfareApplication, _offered(3))}
    more = {each.place: each for each in controls_of(WelfareApplication, WelfareApplication, _offered(30))}

    assert controls["benefit"].kind is ControlKind.RADIOS
    assert more["benefit"].kind is ControlKind.SELECT
    assert more["household"].parts[2].parts[0].kind is ControlKind.SELECT  # in a row nobody could take a radio back


def _offered(number: int) -> dict[str, Offered]:
    return {"benefit": Offered(tuple(Choice(str(each), str(each), str(each)) for each in range(number)))}
