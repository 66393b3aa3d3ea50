"""Faults of the API beside the fields of a form: each is linked to the control where it is mended."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from console.forms.controls import Control, ControlKind
from schemas.values.both import shown, together
from schemas.values.refusals import Fault, in_both, say
from starter.http.problems import Problem

_OF_MONEY = say("请填写金额,单位为元,例如 1200.50", "write an amount in yuan, such as 1200.50")
_IN_FEN = "120050"
"""The API asks for whole fen; a form asks for yuan."""


@dataclass(frozen=True)
class PlacedFault:
    """A fault where a person finds it. `place`: of the control, blank where it is of none; `label`: what that is called."""

    place: str
    label: str
    reason: str
    remedy: str


def placed(faults: Sequence[Fault], controls: Sequence[Control]) -> list[PlacedFault]:
    """Every fault, in order, at the control whose place it names or lies in."""
    return [_placed(fault, controls) for fault in faults]


def said(problem: Problem, controls: Sequence[Control] = ()) -> list[PlacedFault]:
    """What a refusal says, at the fields that it names, else above all."""
    if problem.faults:
        return placed(problem.faults, controls)
    return [PlacedFault("", "", in_both(problem.kind.title), in_both(problem.detail))]


def _placed(fault: Fault, controls: Sequence[Control]) -> PlacedFault:
    way = list(_way(fault.field.split("."), controls))
    if not way:
        return PlacedFault("", fault.field, in_both(fault.reason), in_both(fault.remedy))
    at = way[-1]
    remedy = _OF_MONEY if at.kind is ControlKind.MONEY and _IN_FEN in fault.remedy else fault.remedy
    return PlacedFault(at.place, together(" ", (shown(each) for each in way)), in_both(fault.reason), in_both(remedy))


def _way(parts: Sequence[str], controls: Sequence[Control]) -> Iterator[Control]:
    """The controls from the outermost to the one that a field names."""
    for control in controls:
        name = control.place.rpartition(".")[2]
        if not parts or name != parts[0]:
            continue
        rest = parts[1:]
        yield control
        if control.kind is ControlKind.ROWS and rest and rest[0].isdecimal():
            yield from _way(rest[1:], control.at_row(int(rest[0])).parts)
        elif control.parts:
            yield from _way(rest, control.parts)
        return
