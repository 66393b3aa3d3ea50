"""GET /api/v1/cases/{case_id}/commands: every command of a case with its fields, and what may stand in each of them now.

What may be named comes from the command itself (`Command.allowed`), and what is possible from the table: a form, the API and the
case cannot disagree.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from schemas.clocks.calendar import TownDatetime
from schemas.kernel.case import CaseState, ruled_by
from schemas.kernel.procedure import Command, Procedure
from schemas.values.actor import Actor
from schemas.values.model import Model
from schemas.values.refusals import Refusal, RefusalCode, say
from schemas.words.field_words import FIELDS, VALUES, YES_NO, FieldWords, words_of
from starter.http.authentication import Caller, acting
from starter.http.command_bodies import CommandBody
from starter.http.documentation import SIGNED_IN, responses
from starter.intake.filing import Filing, FilingOf

router = APIRouter(prefix="/api/v1/cases", tags=["commands"])


class FieldKind(StrEnum):
    """How a field is filled in."""

    TEXT = "text"
    CODE = "code"
    NUMBER = "number"
    YES_NO = "yes_no"
    DOCUMENT = "document"
    OBJECT = "object"


class FormChoice(Model):
    """A value that may be named, with its words where it has any."""

    value: str | int | bool
    zh: str
    en: str


class FormField(Model):
    """A field of a command. `many`: it takes a list. `choices`: nothing else may be named now; None: nobody has a list.

    `at_least`, `at_most`: the bounds of a number or a month now, both included.
    """

    name: str
    zh: str
    en: str
    kind: FieldKind
    many: bool
    required: bool
    choices: list[FormChoice] | None = None
    at_least: int | str | None = None
    at_most: int | str | None = None


class CommandForm(Model):
    """A command. `refusal` and `reason` say why this caller cannot give it now; of what is not theirs no field is told."""

    command: str
    title: str
    description: str
    possible: bool
    refusal: RefusalCode | None = None
    reason: str | None = None
    fields: list[FormField]


class CommandForms(Model):
    """What may be done with a case: all its commands, in the order of its table."""

    case_id: str
    stage: str
    seq: int
    as_of: TownDatetime
    commands: list[CommandForm]


@router.get(
    "/{case_id}/commands",
    summary="可办事项 Every command, its fields, and what may stand in them now",
    responses=responses({200: CommandForms}, *SIGNED_IN, "unknown-case", "database-away"),
)
async def read_commands(case_id: str, caller: Caller, filing: FilingOf) -> CommandForms:
    """For forms: what can be given now, what not and why, which values may be named, within which numbers."""
    actor = acting(caller)
    return forms_of(filing, await filing.reader.state(case_id, actor), actor)


def form_of(filing: Filing, state: CaseState, actor: Actor, name: str) -> CommandForm:
    """One command of a case, for somebody who sees it. Raises KeyError: its procedure has no such command."""
    procedure = filing.town.procedures[state.procedure]
    return _form(filing, procedure, name, filing.town.doors[procedure.name][name], state, actor, filing.intake.now())


def forms_of(filing: Filing, state: CaseState, actor: Actor) -> CommandForms:
    """What somebody who sees a case may do with it."""
    now = filing.intake.now()
    procedure = filing.town.procedures[state.procedure]
    return CommandForms(
        case_id=state.case_id,
        stage=state.stage,
        seq=state.seq,
        as_of=now,
        commands=[
            _form(filing, procedure, name, filing.town.doors[procedure.name][name], state, actor, now)
            for name in procedure.rules.commands
        ],
    )


def _form(  # noqa: PLR0917 - a command, and who asks for it when
    filing: Filing, procedure: Procedure, name: str, door: CommandBody, state: CaseState, actor: Actor, now: datetime
) -> CommandForm:
    refusal = procedure.rules.check(state, name, actor, now) if state.seq else _not_yet(name)
    theirs = refusal is None or refusal.code not in {RefusalCode.NOT_YOUR_ROLE, RefusalCode.NOT_YOUR_CASE}
    return CommandForm(
        command=name,
        title=next(rule.title for rule in procedure.rules if rule.command == name and not rule.automatic),
        description=(door.command.__doc__ or "").strip(),
        possible=refusal is None,
        refusal=None if refusal is None else refusal.code,
        reason=None if refusal is None else refusal.detail,
        fields=[_field(filing, door, field, state) for field in door.command.model_fields] if theirs else [],
    )


def _not_yet(name: str) -> Refusal:
    """A case that was accepted and has not told of itself yet takes nothing."""
    return Refusal(code=RefusalCode.NOT_NOW, detail=say("案件尚在立案", "the case is being opened"), command=name)


def _field(filing: Filing, door: CommandBody, name: str, state: CaseState) -> FormField:
    words, shape = words_of(door.command, name) or FIELDS[name], _shapes(door.command)[name]
    least, most = _bounds(door.command, name, state, shape)
    return FormField(
        name=name,
        zh=words.zh,
        en=words.en,
        kind=FieldKind.TEXT if name in door.texts else _kind(shape),
        many=shape["many"],
        required=door.model.model_fields[name].is_required(),
        choices=_choices(filing, door.command, name, state, shape),
        at_least=least,
        at_most=most,
    )


def _choices(
    filing: Filing, command: type[Command], name: str, state: CaseState, shape: Mapping[str, Any]
) -> list[FormChoice] | None:
    """What the case says may be named; else what the town has a list of, else the codes of the field's own type."""
    values: Sequence[Any] | None = command.choices(name, state)
    if values is None:
        values = command.listed(filing.town.policies.get(ruled_by(state.case_id))).get(name)
    if values is None and "enum" not in shape:
        return None
    return [_choice(filing, shape, value) for value in (shape["enum"] if values is None else values)]


def _choice(filing: Filing, shape: Mapping[str, Any], value: Any) -> FormChoice:
    if isinstance(value, bool):
        words = YES_NO[value]
    elif "enum" in shape:
        words = VALUES[shape["title"]][value]
    else:
        named = filing.town.names.get(str(value))
        words = FieldWords(str(value), str(value)) if named is None else FieldWords(named.zh, named.en)
    return FormChoice(value=value, zh=words.zh, en=words.en)


def _bounds(
    command: type[Command], name: str, state: CaseState, shape: Mapping[str, Any]
) -> tuple[int | str | None, int | str | None]:
    """The narrower of what the field's type takes and what the case allows."""
    least, most = shape.get("minimum"), shape.get("maximum")
    if "exclusiveMinimum" in shape:
        least = shape["exclusiveMinimum"] + 1
    if (allowed := command.bounds(name, state)) is None:
        return least, most
    lower, upper = ([each for each in pair if each is not None] for pair in ((least, allowed[0]), (most, allowed[1])))
    return max(lower, default=None), min(upper, default=None)


def _kind(shape: Mapping[str, Any]) -> FieldKind:
    if shape.get("title") == "Document":
        return FieldKind.DOCUMENT
    kinds = {"boolean": FieldKind.YES_NO, "integer": FieldKind.NUMBER, "string": FieldKind.CODE}
    return kinds.get(shape.get("type", ""), FieldKind.OBJECT)


@cache
def _shapes(model: type[BaseModel]) -> Mapping[str, Mapping[str, Any]]:
    """Of each field the schema of what is named in it, `many` where it is a list of that."""
    schema = model.model_json_schema()
    return {name: _shape(each, schema.get("$defs", {})) for name, each in schema["properties"].items()}


def _shape(schema: Mapping[str, Any], defined: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in schema:
        return _shape(defined[schema["$ref"].rpartition("/")[2]], defined)
    if "anyOf" in schema:
        return _shape(next(each for each in schema["anyOf"] if each.get("type") != "null"), defined)
    if schema.get("type") == "array":
        return {**_shape(schema["items"], defined), "many": True}
    return {"many": False, **schema}
