"""Which facts refer to what: declared per kind of entry, and by the types of a state; nothing is one because it looks like one.

A path names a fact: `reason`, `document.reference`, `documents[].reference` (each of a list), `results.*` (each of a
mapping, whatever its names). The database goes by the same table (engine/store/fact_references.py).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from schemas.values.document import DocumentReference
from schemas.values.references import OPAQUE, PersonReference, TextReference


class Refers(StrEnum):
    """What a reference points to."""

    TEXT = "text"
    PERSON = "person"
    DOCUMENT = "document"


Facts = Mapping[str, Refers]
"""The facts of one kind of entry that hold references, by path."""

References = Mapping[str, Facts]
"""The same by kind. A kind that is not there holds none."""

_FORMS = {each: re.compile(rf"{each}:{OPAQUE}") for each in Refers}
_TYPES: tuple[tuple[Any, Refers], ...] = (
    (TextReference, Refers.TEXT),
    (PersonReference, Refers.PERSON),
    (DocumentReference, Refers.DOCUMENT),
)
_EACH, _ANY = "[]", "*"


@dataclass(frozen=True)
class Named:
    """A reference where it was declared. `fact` is the name of the fact that holds it, `path` its place there."""

    fact: str
    path: str
    reference: str
    refers: Refers


def named_in(value: Any, facts: Facts) -> Iterator[Named]:
    """The references in facts or in a state, where they are declared. A string of another form is none."""
    for path, refers in facts.items():
        fact = _steps(path)[0]
        for found in _at(value, _steps(path)):
            if isinstance(found, str) and _FORMS[refers].fullmatch(found):
                yield Named(fact=fact, path=path, reference=found, refers=refers)


def with_words(value: Any, facts: Facts, words: Mapping[str, object]) -> Any:
    """The facts with words where references were declared; what is declared nowhere stays the plain text that it is."""
    for path in facts:
        value = _replaced(value, _steps(path), words)
    return value


@cache
def declared_by(model: type[BaseModel]) -> Facts:
    """The places of a model whose type says that they hold a reference."""
    return dict(_declared(model, ()))


def _steps(path: str) -> list[str]:
    return path.replace(_EACH, f".{_EACH}").split(".")


def _at(value: Any, steps: list[str]) -> Iterator[Any]:
    if not steps:
        yield value
        return
    for each in _inside(value, steps[0]):
        yield from _at(each, steps[1:])


def _inside(value: Any, step: str) -> Iterator[Any]:
    if step == _EACH:
        yield from value if isinstance(value, list | tuple) else ()
    elif isinstance(value, Mapping):
        yield from value.values() if step == _ANY else ([value[step]] if step in value else ())


def _replaced(value: Any, steps: list[str], words: Mapping[str, object]) -> Any:
    if not steps:
        return words.get(value, value) if isinstance(value, str) else value
    step, rest = steps[0], steps[1:]
    if step == _EACH:
        return [_replaced(each, rest, words) for each in value] if isinstance(value, list | tuple) else value
    if not isinstance(value, Mapping):
        return value
    return {name: _replaced(each, rest, words) if step in {_ANY, name} else each for name, each in value.items()}


def _declared(kind: Any, at: tuple[str, ...]) -> Iterator[tuple[str, Refers]]:
    known = next((refers for declared, refers in _TYPES if _is(kind, declared)), None)
    if known is not None:
        yield ".".join(at).replace(f".{_EACH}", _EACH), known
        return
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        yield from _declared(parts[0], at)
    elif origin in (Union, UnionType):
        for part in parts:
            yield from _declared(part, at)
    elif origin in (list, tuple, set, frozenset):
        for part in parts:
            yield from _declared(part, (*at, _EACH))
    elif origin in (dict, Mapping):
        yield from _declared(parts[1], (*at, _ANY))
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        hints = get_type_hints(kind, include_extras=True)
        for name, field in kind.model_fields.items():
            yield from _declared(_of_this_kind(hints[name], field.annotation), (*at, name))


def _is(kind: Any, declared: Any) -> bool:
    """Whether it is that type, also where more is said of it, as its words: `Annotated[TextReference, FieldWords(...)]`."""
    if kind == declared:
        return True
    parts = get_args(declared)
    return get_origin(kind) is Annotated and get_args(kind)[: len(parts)] == parts


def _of_this_kind(hint: Any, resolved: Any) -> Any:
    """The type of a field; of a part's own, such as its orders, the one that this procedure has put in its place."""
    return resolved if isinstance(hint, TypeVar) or bool(getattr(hint, "__parameters__", None)) else hint
