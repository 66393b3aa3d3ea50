"""Numbers of cases in bodies: each names an object that whoever sends it must be allowed to see, or there is none.

Found by their type (schemas/values/case_number.py), so no procedure has to remember it.
"""

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from schemas.values.actor import Actor
from schemas.values.case_number import NamesACase
from schemas.values.refusals import Fault, say
from starter.cases.case_reading import CaseReader
from starter.http.problems import Problem, ProblemCode

Named = tuple[str, str, str | None]
"""(field, number, the procedure that its case must be of)."""


async def case_faults(reader: CaseReader, given: BaseModel, actor: Actor) -> list[Fault]:
    """One for each case that is not there, of another procedure, or not the caller's to see: nobody can tell which."""
    return [
        _no_such_case(field)
        for field, number, procedure in _named(type(given), given)
        if not await _is_seen(reader, number, procedure, actor)
    ]


async def _is_seen(reader: CaseReader, number: str, procedure: str | None, actor: Actor) -> bool:
    try:
        state = await reader.state(number, actor)
    except Problem as problem:
        if problem.code != ProblemCode.UNKNOWN_CASE:
            raise
        return False
    return procedure in {None, state.procedure}


def _named(kind: Any, value: Any, field: str = "") -> Iterator[Named]:
    """The numbers in a value of this declared kind."""
    if value is None:
        return
    if get_origin(kind) is Annotated:
        yield from ((field, value, each.procedure) for each in kind.__metadata__ if isinstance(each, NamesACase))
    for inner, part, name in _inside(kind, value):
        yield from _named(inner, part, f"{field}.{name}".strip("."))


def _inside(kind: Any, value: Any) -> Iterator[tuple[Any, Any, str]]:
    """What a value is made of: the kind of each part, the part, and its name or number."""
    origin, kinds = get_origin(kind), get_args(kind)
    if origin is Annotated:
        yield kinds[0], value, ""
    elif origin in (Union, UnionType):
        yield from ((each, value, "") for each in kinds)
    elif origin in (list, tuple, set, frozenset) and isinstance(value, list | tuple | set | frozenset):
        yield from ((kinds[0], each, str(number)) for number, each in enumerate(value))
    elif origin in (dict, Mapping) and isinstance(value, Mapping):
        yield from ((kinds[1], each, str(name)) for name, each in value.items())
    elif isinstance(kind, type) and isinstance(value, kind) and isinstance(value, BaseModel):
        hints = get_type_hints(type(value), include_extras=True)
        yield from ((hints[name], getattr(value, name), name) for name in type(value).model_fields)


def _no_such_case(field: str) -> Fault:
    return Fault(
        field=field,
        reason=say("没有此案件,或您无权查看", "is no such case, or none that you may see"),
        remedy=say("请填写您可查看的案件编号", "write the number of a case that you see"),
    )
