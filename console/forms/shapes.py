"""From the shape of a body to the controls of a form: no form is written for a command, and none for a procedure.

The shape is the JSON schema of the door, by which the API judges the same body; what may be named just now, and within which
numbers, is what `GET /api/v1/cases/{case_id}/commands` says. So a form cannot offer what the API would refuse by its shape.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from pydantic import BaseModel

from console.forms.controls import NOTHING_MORE, Choice, Control, ControlKind, Offered
from schemas.words.field_words import FIELDS, VALUES, FieldWords, words_of

LINE_CHARACTERS_MAX = 1000
"""What may be longer than this is written in a field of several lines."""

RADIOS_AT_MOST = 7
SELECT_AT_MOST = 400
_DOCUMENT = "Document"
_MONEY = "_fen"
_AS_DATA = frozenset({"Calendar"})
"""Models of which nobody fills in a form: they come out of a file."""


def controls_of(
    model: type[BaseModel],
    words_from: type[BaseModel],
    offered: Mapping[str, Offered],
    hidden: frozenset[str] = frozenset(),
) -> tuple[Control, ...]:
    """The controls of a body. `words_from`: the command that says what its fields are called; `hidden` fields have none.

    `offered` by place. Raises LookupError: a field has no words (tests/laws/test_law_forms.py holds that each has some).
    """
    return tuple(_shown(_controls(model, words_from), offered, hidden))


def _shown(controls: Sequence[Control], offered: Mapping[str, Offered], hidden: frozenset[str]) -> Iterator[Control]:
    for control in controls:
        if control.place not in hidden:
            yield _offering(replace(control, parts=tuple(_shown(control.parts, {}, hidden))), offered)


@cache
def _controls(model: type[BaseModel], words_from: type[BaseModel]) -> tuple[Control, ...]:
    schema = model.model_json_schema()
    return tuple(_Mapper(schema.get("$defs", {})).parts(schema, "", words_from))


def _offering(control: Control, offered: Mapping[str, Offered]) -> Control:
    more = offered.get(control.place, NOTHING_MORE)
    changed = replace(
        control,
        choices=control.choices if more.choices is None else more.choices,
        at_least=control.at_least if more.at_least is None else more.at_least,
        at_most=control.at_most if more.at_most is None else more.at_most,
        suggested=more.suggested,
        parts=tuple(_offering(part, offered) for part in control.parts),
    )
    if more.choices is None or control.kind is ControlKind.YES_NO:
        return changed
    return replace(changed, kind=_kind_of_choices(changed))


def _kind_of_choices(control: Control) -> ControlKind:
    if control.many:
        return ControlKind.CHECKBOXES
    if len(control.choices) > SELECT_AT_MOST or not control.choices:
        return ControlKind.LINE
    # Where nothing may be chosen too there is no radio: once one is pressed, none of them is no choice any more.
    few = len(control.choices) <= RADIOS_AT_MOST and control.required and "." not in control.place
    return ControlKind.RADIOS if few else ControlKind.SELECT


class _Mapper:
    """Reads a JSON schema. `defined` are its named parts."""

    def __init__(self, defined: Mapping[str, Any]) -> None:
        self._defined = defined

    def parts(self, schema: Mapping[str, Any], place: str, words_from: type[BaseModel] | None) -> Iterator[Control]:
        """One control for each field of an object."""
        for name, each in schema["properties"].items():
            words = _words(words_from, str(schema.get("title", "")), name)
            at = f"{place}.{name}".removeprefix(".")
            yield self.control(each, at, words, required=name in schema.get("required", ()))

    def control(self, schema: Mapping[str, Any], place: str, words: FieldWords, *, required: bool) -> Control:
        """The control of a field."""
        whole, many = self._plain(schema), False
        if whole.get("type") == "array":
            whole, many = self._plain(whole["items"]), True
        base = Control(place, ControlKind.LINE, words.zh, words.en, required=required, many=many)
        if whole.get("title") == _DOCUMENT:
            return replace(base, kind=ControlKind.FILES)
        if whole.get("type") == "object":
            return self._object(base, whole)
        return self._value(base, whole, schema.get("default"))

    def _object(self, base: Control, schema: Mapping[str, Any]) -> Control:
        if "properties" not in schema:
            return replace(base, kind=ControlKind.TABLE)
        if schema.get("title") in _AS_DATA:
            return replace(base, kind=ControlKind.DATA)
        place = f"{base.place}.*" if base.many else base.place
        kind = ControlKind.ROWS if base.many else ControlKind.GROUP
        return replace(base, kind=kind, parts=tuple(self.parts(schema, place, None)))

    def _value(self, base: Control, schema: Mapping[str, Any], default: Any) -> Control:
        if "enum" in schema:
            named = VALUES[schema["title"]]
            choices = tuple(Choice(value, named[value].zh, named[value].en) for value in schema["enum"])
            chosen = replace(base, choices=choices, given="" if default is None else str(default))
            return replace(chosen, kind=_kind_of_choices(chosen))
        kind = schema.get("type")
        if kind == "boolean":
            given = str(default).lower() if isinstance(default, bool) else ""
            return replace(base, kind=ControlKind.YES_NO, given=given)
        if kind in {"integer", "number"}:
            money = base.place.endswith(_MONEY)
            return replace(
                _in_yuan(base) if money else base,
                kind=ControlKind.MONEY if money else ControlKind.NUMBER,
                at_least=schema["exclusiveMinimum"] + 1 if "exclusiveMinimum" in schema else schema.get("minimum"),
                at_most=schema.get("maximum"),
                decimal=kind == "number",
            )
        if schema.get("format") == "date":
            return replace(base, kind=ControlKind.DATE)
        longest = schema.get("maxLength")
        long = longest is None or longest > LINE_CHARACTERS_MAX or base.many
        return replace(
            base,
            kind=ControlKind.LINES if (long and "pattern" not in schema) or base.many else ControlKind.LINE,
            longest=longest,
        )

    def _plain(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """What stands behind references, and beside nothing at all."""
        if "$ref" in schema:
            return self._plain(self._defined[schema["$ref"].rpartition("/")[2]])
        if "anyOf" in schema:
            return self._plain(next(each for each in schema["anyOf"] if each.get("type") != "null"))
        return schema


def _in_yuan(control: Control) -> Control:
    return replace(control, zh=control.zh.replace("(分)", "(元)"), en=control.en.replace("in fen", "in yuan"))


def _words(model: type[BaseModel] | None, inside: str, name: str) -> FieldWords:
    """What a field is called: by the command itself, by the model in which it stands, else by its name."""
    words = words_of(model, name) if model is not None else FIELDS.get(f"{inside}.{name}", FIELDS.get(name))
    if words is None:
        raise LookupError(f"schemas/words/field_words.py has no words for the field {name}")
    return words
