"""One way to write a value down, so that its hash means the same on every machine and in every year.

Sorted keys, no spaces, UTF-8 and no floats: money is integer fen, a coordinate integer micro-degrees, a speed integer
thousandths. Dates and times are ISO 8601 strings as pydantic writes them.
"""

import hashlib
import json
from typing import Any

from pydantic import BaseModel


class NotCanonical(TypeError):
    """A value has no canonical form: floats and unknown types are refused."""


def canonical_json(value: BaseModel | dict[str, Any] | list[Any] | str | int | None) -> bytes:
    """Write a model or a plain JSON value in its only canonical form. Raises NotCanonical for floats."""
    plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    _refuse_floats(plain, "$")
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(value: BaseModel | dict[str, Any] | list[Any] | str | int | None) -> str:
    """SHA-256 of the canonical form, as 64 hex digits."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def _refuse_floats(value: Any, path: str) -> None:
    if isinstance(value, str | int | None):
        return
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise NotCanonical(f"{path}: the key {key!r} is not a string")
            _refuse_floats(item, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _refuse_floats(item, f"{path}[{index}]")
    else:
        raise NotCanonical(f"{path}: {type(value).__name__} has no canonical form; use integers in a smaller unit")
