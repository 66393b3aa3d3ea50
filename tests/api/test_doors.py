"""Doors: the shape of a command outside, derived from its shape inside."""

from typing import Any

import pytest
from pydantic import BaseModel

from schemas.incident import INCIDENT
from schemas.kernel.procedure import Command
from schemas.values.model import Model
from schemas.values.references import TextReference
from starter.http.bodies import read_model
from starter.http.command_bodies import command_body_of
from starter.http.faults import faults_of

REFERENCE = "text:" + "A" * 26


@pytest.mark.parametrize("name", INCIDENT.commands)
def test_a_door_has_the_fields_of_its_command(name: str) -> None:
    """Same names, same ones required: only texts stand in place of references."""
    command = INCIDENT.commands[name]
    door = command_body_of(command)

    inside = {field: info.is_required() for field, info in command.model_fields.items()}
    assert {field: info.is_required() for field, info in door.model.model_fields.items()} == inside


def test_texts_become_references_and_all_else_stays() -> None:
    """What enters is the command with references, optional texts left out where they were left out."""
    door = command_body_of(INCIDENT.commands["rate"])
    given, faults = read_model(door.model, b'{"solved": "solved", "satisfied": "not", "comment": "\\ud83d\\ude42"}')
    assert given is not None
    assert faults == []
    assert door.texts_of(given) == {"comment": "🙂"}

    command = door.to_command(given, {"comment": REFERENCE})
    assert command.model_dump(mode="json") == {"solved": "solved", "satisfied": "not", "comment": REFERENCE}


def test_a_reference_is_no_text() -> None:
    """Somebody who writes what looks like a reference has written a text: it is kept as such, not followed."""
    door = command_body_of(INCIDENT.commands["finish"])
    given, _ = read_model(door.model, f'{{"result": "{REFERENCE}"}}'.encode())
    assert given is not None
    assert door.texts_of(given) == {"result": REFERENCE}


def test_a_reference_deeper_than_a_field_is_refused_at_the_start() -> None:
    """A command whose texts would pass the vault by cannot be built into an API."""

    class Inner(Model):
        text: TextReference

    class Hidden(Command):
        inner: Inner

    class Many(Command):
        texts: tuple[TextReference, ...]

    for command in (Hidden, Many):
        with pytest.raises(TypeError, match="field of its own"):
            command_body_of(command)


@pytest.mark.parametrize("body", [{"passed": "true"}, {"passed": 1}, {"passed": None}])
def test_a_body_is_read_strictly(body: dict[str, Any]) -> None:
    """A truth in quotes or a one is no truth."""
    import json  # noqa: PLC0415 - only here

    _, faults = read_model(command_body_of(INCIDENT.commands["verify"]).model, json.dumps(body).encode())
    assert [fault.field for fault in faults] == ["passed"]


def test_a_fault_never_repeats_the_value() -> None:
    """What somebody wrote is not sent back, nor written anywhere, only because it was wrong."""

    class Numbers(BaseModel):
        number: int

    _, faults = read_model(Numbers, b'{"number": "secret", "secret_name": 1}')
    assert "secret" not in str(faults[0])
    assert faults_of([]) == []
