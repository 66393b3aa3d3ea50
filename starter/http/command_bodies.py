"""Doors: the shape of a command as people send it, made from the command as the case takes it.

Inside, texts are references into the vault; at the door they are texts. Everything else is the same, so a door is
derived and never written: it cannot disagree with its command.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, reduce
from operator import or_
from types import GenericAlias, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from schemas.kernel.procedure import Command
from schemas.values.free_text import FreeText
from schemas.values.references import TextReference, WrittenAs
from schemas.values.refusals import Fault
from starter.http.faults import faults_of

_BLANK_REFERENCE = "text:" + "0" * 26
"""Stands in for each text while a command's own rules are checked: before anything is kept."""

_OF_A_TEXT = get_args(TextReference)[1]
"""By this a type is one of references into the vault, whatever stands beside it."""

Texts = Mapping[str, str]
"""Texts of a command by the name of their field."""


@dataclass(frozen=True)
class CommandBody:
    """The way in for one command. `model` is what people send; `texts` are its fields that go into the vault."""

    command: type[Command]
    model: type[BaseModel]
    texts: frozenset[str]

    def texts_of(self, given: BaseModel) -> dict[str, str]:
        """The texts in a body, by field; fields that were left out are not in it."""
        return {name: text for name in sorted(self.texts) if (text := getattr(given, name)) is not None}

    def to_command(self, given: BaseModel, references: Mapping[str, TextReference]) -> Command:
        """The command with references in place of texts. Raises ValidationError where its own rules say no."""
        fields: dict[str, Any] = {name: getattr(given, name) for name in given.model_fields_set - self.texts}
        return self.command.model_validate(fields | dict(references))

    def faults(self, given: BaseModel) -> list[Fault]:
        """What the command's own rules find wrong with a body that has the right shape."""
        try:
            self.to_command(given, dict.fromkeys(self.texts_of(given), _BLANK_REFERENCE))
        except ValidationError as error:
            return faults_of(error.errors(include_url=False, include_input=False))
        return []


@cache
def command_body_of(command: type[Command]) -> CommandBody:
    """Make the door of a command, once in a process. Raises TypeError for a text hidden deeper than in a field of its own."""
    hints = get_type_hints(command, include_extras=True)
    fields: dict[str, Any] = {}
    texts = set()
    for name, field in command.model_fields.items():
        kind = _without_references(hints[name])
        if kind is not hints[name]:
            texts.add(name)
        elif _mentions_reference(hints[name]):
            raise TypeError(f"{command.__name__}.{name}: a text reference stands in a field of its own")
        else:
            kind = _as_sent(kind)
        required = field.is_required() or _must_be_sent(hints[name])
        fields[name] = (kind, ... if required else field.default)
    model = create_model(
        f"{command.__name__}Body",
        __config__=ConfigDict(frozen=True, extra="forbid"),
        __doc__=command.__doc__,
        **fields,
    )
    return CommandBody(command=command, model=model, texts=frozenset(texts))


def _without_references(kind: Any) -> Any:
    """What people write in place of a reference, alone or optional; the very same kind where there is none."""
    if (written := _written(kind)) is not None:
        return written
    if get_origin(kind) in (Union, UnionType) and any(_written(part) is not None for part in get_args(kind)):
        return reduce(or_, [_written(part) or part for part in get_args(kind)])
    return kind


def _written(kind: Any) -> Any | None:
    """What a reference says that people write there; a free text if it says nothing; None if it is no reference."""
    if get_origin(kind) is not Annotated or _OF_A_TEXT not in kind.__metadata__:
        return None
    return _said(kind) or FreeText


def _said(kind: Any) -> Any | None:
    return next((each.kind for each in kind.__metadata__ if isinstance(each, WrittenAs)), None)


def _as_sent(kind: Any) -> Any:
    """What a field is at the door where a command takes more than people may send: alone, optional, several, with its own words."""
    if get_origin(kind) in (Union, UnionType):
        return reduce(or_, [_as_sent(part) for part in get_args(kind)])
    if get_origin(kind) is Annotated:
        return _said(kind) or Annotated[_as_sent(get_args(kind)[0]), *kind.__metadata__]
    if get_origin(kind) is tuple:
        return GenericAlias(tuple, tuple(_as_sent(part) for part in get_args(kind)))
    return kind


def _must_be_sent(kind: Any) -> bool:
    """Whether people may not leave out what a command of an earlier day has left out."""
    return get_origin(kind) is Annotated and any(
        isinstance(said, WrittenAs) and said.required for said in kind.__metadata__
    )


def _mentions_reference(kind: Any) -> bool:
    if _written(kind) is not None:
        return True
    if get_origin(kind) is Annotated:
        return _mentions_reference(get_args(kind)[0])
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return any(_mentions_reference(hint) for hint in get_type_hints(kind, include_extras=True).values())
    return any(_mentions_reference(part) for part in get_args(kind))
