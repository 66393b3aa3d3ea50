"""From what a browser sends to the body that the API would get, and back into the form: nothing that was typed is lost.

What cannot be read as what its field wants stays in the body as the text it is, so that the fault is the API's own.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from console.forms.controls import Choice, Control, ControlKind
from schemas.values.tidy_text import tidy

ROWS_AT_MOST = 100
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_DECIMAL = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,9})?")
_YUAN = re.compile(r"(-?)([0-9]{1,13})(?:\.([0-9]{1,2}))?")
_NOTHING = object()

Texts = Mapping[str, Sequence[str]]


def body_of(controls: Sequence[Control], texts: Texts) -> dict[str, Any]:
    """The body as the API takes it: fields that were left blank are not in it."""
    body: dict[str, Any] = {}
    for control in controls:
        value = _value(control, texts)
        if value is not _NOTHING:
            body[_name(control)] = value
    return body


def closed_up(controls: Sequence[Control], texts: Texts) -> dict[str, list[str]]:
    """The same texts without the rows that were left blank: so that the number of a row is its place in the body."""
    found = {name: list(values) for name, values in texts.items()}
    for rows in _rows_in(controls):
        kept = [number for number in _numbers(rows.place, found) if _is_filled(rows, number, found)]
        moved = {
            f"{rows.place}.{place}.{rest}": found.pop(f"{rows.place}.{number}.{rest}")
            for place, number in enumerate(kept)
            for rest in _rests(f"{rows.place}.{number}.", found)
        }
        for name in [name for name in found if name.startswith(f"{rows.place}.")]:
            del found[name]
        found |= moved
    return found


def rows_of(control: Control, texts: Texts) -> int:
    """How many rows somebody has filled in."""
    return len(_numbers(control.place, texts))


def _value(control: Control, texts: Texts) -> Any:
    match control.kind:
        case ControlKind.GROUP:
            inside = body_of(control.parts, texts)
            filled = inside if control.required or _has_text(control, texts) else None
            return _NOTHING if filled is None else filled
        case ControlKind.ROWS:
            numbers = [number for number in _numbers(control.place, texts) if _is_filled(control, number, texts)]
            rows = [body_of(control.at_row(number).parts, texts) for number in numbers]
            return rows or _NOTHING
        case ControlKind.TABLE:
            return _table(control, texts) or _NOTHING
        case _:
            given = [text for text in texts.get(control.place, ()) if text]
            return _several(control, given) if control.many else _single(control, given)


def _several(control: Control, given: Sequence[str]) -> Any:
    texts = given if control.kind in {ControlKind.CHECKBOXES, ControlKind.FILES} else "\n".join(given).splitlines()
    values = [_read(control, text) for text in texts if text.strip()]
    return values or _NOTHING


def _single(control: Control, given: Sequence[str]) -> Any:
    return _read(control, given[-1]) if given else _NOTHING


def _read(control: Control, text: str) -> Any:
    match control.kind:
        case ControlKind.NUMBER:
            plain = tidy(text)
            if control.decimal and _DECIMAL.fullmatch(plain):
                return float(plain)
            return int(plain) if _WHOLE.fullmatch(plain) else text
        case ControlKind.MONEY:
            return fen_of(text)
        case ControlKind.YES_NO:
            return {"true": True, "false": False}.get(text, text)
        case ControlKind.FILES | ControlKind.DATA:
            return _json(text)
        case _:
            return _chosen(control.choices, text)


def _chosen(choices: Sequence[Choice], text: str) -> Any:
    """The value that was chosen; what is none of them as it was written."""
    return next((choice.value for choice in choices if choice.written == text), text)


def fen_of(text: str) -> int | str:
    """120050 of `1200.50` or `1,200.5`; what is no amount of yuan as it was written."""
    plain = tidy(text).replace(",", "").replace(",", "").removeprefix("¥").strip()
    found = _YUAN.fullmatch(plain)
    if found is None:
        return text
    sign, yuan, rest = found.groups()
    fen = int(yuan) * 100 + int((rest or "").ljust(2, "0"))
    return -fen if sign else fen


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _table(control: Control, texts: Texts) -> dict[str, Any]:
    """Names with numbers: each row of the table is one."""
    found: dict[str, Any] = {}
    for number in _numbers(control.place, texts):
        name = next(iter(texts.get(f"{control.place}.{number}.name", ())), "").strip()
        said = next(iter(texts.get(f"{control.place}.{number}.number", ())), "")
        if name or said:
            found[name] = int(tidy(said)) if _WHOLE.fullmatch(tidy(said)) else said
    return found


def _rows_in(controls: Sequence[Control]) -> Iterator[Control]:
    for control in controls:
        if control.kind is ControlKind.ROWS:
            yield control
        elif control.kind is ControlKind.GROUP:
            yield from _rows_in(control.parts)


def _numbers(place: str, texts: Texts) -> list[int]:
    """The numbers of the rows that were sent."""
    beginning = f"{place}."
    found = {name.removeprefix(beginning).partition(".")[0] for name in texts if name.startswith(beginning)}
    return sorted(int(each) for each in found if each.isdecimal() and int(each) < ROWS_AT_MOST)


def _rests(beginning: str, texts: Texts) -> list[str]:
    return [name.removeprefix(beginning) for name in list(texts) if name.startswith(beginning)]


def _is_filled(rows: Control, number: int, texts: Texts) -> bool:
    return any(_has_text(part, texts) for part in rows.at_row(number).parts)


def _has_text(control: Control, texts: Texts) -> bool:
    """Whether somebody wrote or chose something in it, or in a part of it."""
    if control.parts:
        return any(_has_text(part, texts) for part in control.parts)
    return any(text.strip() for text in texts.get(control.place, ()))


def _name(control: Control) -> str:
    return control.place.rpartition(".")[2]
