"""The law of forms: what a form offers, what the API takes and what the case takes are the same, by one rule for all three."""

from collections import defaultdict
from collections.abc import Iterator
from enum import EnumType
from functools import cache
from typing import Any, get_args

import httpx
import pytest
from pydantic import BaseModel, ValidationError

from schemas.kernel.case import CaseState
from schemas.kernel.procedure import Command, Procedure
from schemas.words.field_words import FIELDS, VALUES, words_of
from starter.http.samples import sample
from starter.intake.command_forms import CommandForms
from starter.intake.openings import opening_of
from tests.api_driver import ApiDriver, OpenDoor
from tests.every_procedure import EVERY_PROCEDURE, PROCEDURE_LIST
from tests.histories import keys_in
from tests.recorded_states import recorded_states

pytestmark = [pytest.mark.usefixtures("worker"), pytest.mark.timeout(300)]

_DEFINED = "#/components/schemas/"
_NOBODY = ("no-such-code", 0, 999_999_999, True, False)
"""Values that no case offers, or that some do."""


def fields() -> Iterator[tuple[str, str, type[Command]]]:
    for procedure in PROCEDURE_LIST:
        for name, command in procedure.commands.items():
            yield from ((f"{procedure.name}.{name}", field, command) for field in command.model_fields)


def opening_fields() -> Iterator[tuple[str, str]]:
    """The fields of what opens a case, with the model that each stands in: those inside too, but of a document or a calendar."""
    for procedure in PROCEDURE_LIST:
        if procedure.parent is None:
            schema = opening_of(procedure).model.model_json_schema()
            models = {"": schema, **schema.get("$defs", {})}
            for name, model in models.items():
                if name not in {"Document", "Calendar"}:
                    yield from ((name, field) for field in model.get("properties", {}))


def standing_in(kind: Any) -> Iterator[type[BaseModel]]:
    """The models that stand in the fields of a model, however deep."""
    for part in get_args(kind):
        yield from standing_in(part)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for field in kind.model_fields.values():
            yield from standing_in(field.annotation)
        yield kind


def test_every_field_has_its_words() -> None:
    """A form can name each field of each command and each opening in Chinese and English, and no word is left over."""
    openings = set(opening_fields())
    used = {field for _, field, _ in fields()} | {
        f"{model}.{field}" if f"{model}.{field}" in FIELDS else field for model, field in openings
    }
    used |= {
        f"{each.__name__}.{field}"
        for _, _, command in fields()
        for each in standing_in(command)
        for field in each.model_fields
        if f"{each.__name__}.{field}" in FIELDS
    }

    assert sorted({field for _, field, command in fields() if words_of(command, field) is None}) == []
    assert sorted(used - set(FIELDS) - {field for _, field, command in fields() if words_of(command, field)}) == []
    assert sorted(set(FIELDS) - used) == []


def _opening(procedure: Procedure) -> list[type[BaseModel]]:
    return [opening_of(procedure).model] if procedure.parent is None else []


def test_every_value_of_a_list_of_codes_has_its_words() -> None:
    """A form can name each of our own codes that a command or an opening takes, and no word is left of a code that is gone."""
    codes = {
        (name, value)
        for procedure in PROCEDURE_LIST
        for model in (*procedure.commands.values(), *_opening(procedure))
        for name, defined in model.model_json_schema().get("$defs", {}).items()
        for value in defined.get("enum", ())
    }

    assert codes == {(name, value) for name, values in VALUES.items() for value in values}


@cache
def right(command: type[Command]) -> dict[str, Any]:
    """A body of the right shape; worked out once, for thousands of values are tried in it."""
    schema = command.model_json_schema(ref_template=f"{_DEFINED}{{model}}")
    return dict(sample(schema, schema.get("$defs", {})))


def with_value(command: type[Command], field: str, value: Any) -> Command | None:
    """A command of the right shape with this value in a field; None where its shape does not take it."""
    try:
        return command.model_validate(right(command) | {field: value})
    except ValidationError:
        return None


def refused_at(given: Command, field: str, state: CaseState, *, many: bool) -> bool:
    place = f"{field}.0" if many else field
    unseen = given.not_what_was_seen(state)
    return any(fault.field == place for fault in (*given.faults(state), *([] if unseen is None else [unseen])))


def tried(command: type[Command], field: str, state: CaseState, offered: set[Any]) -> Iterator[tuple[Any, bool]]:
    """Values to try in a field, each with whether it may stand there now; none where the case has no say in it."""
    choices, bounds = command.choices(field, state), command.bounds(field, state)
    if choices is not None:
        yield from ((value, value in choices) for value in (*sorted(offered, key=str), *_NOBODY))
    elif bounds is not None:
        least, most = bounds
        for value in [each for bound in bounds if bound is not None for each in _around(bound)]:
            yield value, (least is None or value >= least) and (most is None or value <= most)


def _around(bound: Any) -> tuple[Any, ...]:
    """A bound, with what comes before and after it: of a number, or of a month."""
    return (bound - 1, bound, bound + 1) if isinstance(bound, int) else ("2000-01", bound, "2099-12")


NEVER_REFUSED = {("partnership", "confirm_hand_back", "owed_fen")}
"""Fields with a bound that no recorded case came to: none has ended with a sum unpaid. The bound itself has a test of its own
(tests/procedures/test_partnership_attacked.py)."""


@EVERY_PROCEDURE
async def test_a_value_is_offered_exactly_when_it_is_no_fault(
    procedure: Procedure, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """In each recorded state of each procedure: what a field offers is taken, and everything else is refused at that field."""
    states = await recorded_states(keys_in(tmp_path_factory.mktemp("keys") / "keys"), procedure)
    fields = [(name, command, field) for name, command in procedure.commands.items() for field in command.model_fields]
    offers: dict[tuple[str, str], set[Any]] = defaultdict(set)
    for state in states:
        for name, command, field in fields:
            offers[name, field].update(command.choices(field, state) or ())
    for name, command, field in fields:
        codes: Any = command.model_fields[field].annotation
        if isinstance(codes, EnumType):  # every code that there is, whether a recorded case offered it or not
            offers[name, field].update(codes)
    wrong: list[str] = []
    refused: set[tuple[str, str]] = set()
    asked: set[tuple[str, str]] = set()
    for state in states:
        for name, command, field in fields:
            many = str(command.model_fields[field].annotation).startswith("tuple")
            for value, right in tried(command, field, state, offers[name, field]):
                given = with_value(command, field, (value,) if many else value)
                if given is None:
                    continue
                asked.add((name, field))
                taken = not refused_at(given, field, state, many=many)
                refused |= set() if taken else {(name, field)}
                if taken is not right:
                    wrong.append(f"{state.case_id} {state.stage} {name}.{field}={value!r}: {taken} is not {right}")

    assert len(states) > len(procedure.stages)
    assert wrong == []
    assert asked - refused == {each[1:] for each in NEVER_REFUSED if each[0] == procedure.name}


@EVERY_PROCEDURE
async def test_a_form_says_what_is_possible_and_why_the_rest_is_not(procedure: Procedure, door: OpenDoor) -> None:
    """What a form calls possible is what the case view calls legal; all else has a reason, and no field where it is not theirs."""
    opened = await door(procedure)
    case_id = await opened.start()
    await opened.stands(case_id)
    for who in opened.examples.PEOPLE:
        view = await _read(opened, who, case_id, "")
        if view.status_code == httpx.codes.NOT_FOUND:
            assert (await _read(opened, who, case_id, "/commands")).status_code == httpx.codes.NOT_FOUND
            continue
        forms = CommandForms.model_validate_json((await _read(opened, who, case_id, "/commands")).content)
        if forms.seq != view.json()["seq"]:
            continue  # it went on in between, as it may at any moment
        assert [each.command for each in forms.commands] == list(procedure.rules.commands)
        assert {each.command for each in forms.commands if each.possible} == set(view.json()["legal_commands"])
        for each in forms.commands:
            assert each.possible is (each.reason is None), each
            assert each.fields == [] or each.refusal not in {"not-your-role", "not-your-case"}
            theirs = each.possible or bool(each.fields)
            assert not theirs or [field.name for field in each.fields] == [
                *procedure.commands[each.command].model_fields
            ]


async def _read(opened: ApiDriver, who: str, case_id: str, part: str) -> httpx.Response:
    return await opened.api.get(f"/api/v1/cases/{case_id}{part}", headers=opened.headers(who))
