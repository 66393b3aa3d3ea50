"""Every place in a body at which something is written: for laws about all fields of all openings and commands."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from starter.http.samples import sample


@dataclass(frozen=True)
class Leaf:
    """A text, a number or a choice in a body: by which way it is reached, and the schema of the body."""

    path: tuple[str | int, ...]
    schema: Mapping[str, Any]

    def __str__(self) -> str:
        return ".".join(map(str, self.path))

    def body(self, text: Any) -> dict[str, Any]:
        """A body as the documentation has it, with this text in its place."""
        whole = _sample(self.schema, self.schema)
        place, schema = whole, self.schema
        for step in self.path[:-1]:
            schema = _below(schema, step, self.schema)
            missing = step not in place if isinstance(place, dict) else len(place) <= int(step)
            if missing and isinstance(place, dict):
                place[str(step)] = _sample(schema, self.schema)
            elif missing:
                place.append(_sample(schema, self.schema))
            place = place[step]
        if isinstance(place, list) and not place:
            place.append(text)
        place[self.path[-1]] = text
        return dict(whole)


def is_text(schema: Mapping[str, Any]) -> bool:
    """A text that people write; enumerations, times and days are none."""
    return schema.get("type") == "string" and not {"enum", "const", "format"} & schema.keys()


def leaves(model: type[BaseModel], wanted: Callable[[Mapping[str, Any]], bool] = is_text) -> list[Leaf]:
    """Every place in a body that holds what is wanted, by its schema: every text, unless something else is said."""
    schema = _plain(model.model_json_schema(ref_template="#/components/schemas/{model}"))
    return [Leaf(path, schema) for path in dict.fromkeys(_places(schema, schema, (), wanted))]


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(json.dumps(schema)))


def _places(
    schema: Mapping[str, Any],
    root: Mapping[str, Any],
    path: tuple[str | int, ...],
    wanted: Callable[[Mapping[str, Any]], bool],
) -> Iterator[tuple[str | int, ...]]:
    schema = _seen(schema, root)
    for choice in schema.get("anyOf", ()):
        yield from _places(choice, root, path, wanted)
    if schema.get("type") == "object":
        for name, below in schema.get("properties", {}).items():
            yield from _places(below, root, (*path, name), wanted)
    elif schema.get("type") == "array" and "items" in schema:
        yield from _places(schema["items"], root, (*path, 0), wanted)
    elif wanted(schema):
        yield path


def _seen(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def _below(schema: Mapping[str, Any], step: str | int, root: Mapping[str, Any]) -> Mapping[str, Any]:
    schema = _seen(schema, root)
    for choice in schema.get("anyOf", ()):
        if _seen(choice, root).get("type") in ("object", "array"):
            schema = _seen(choice, root)
    return dict(schema["items"] if isinstance(step, int) else schema["properties"][step])


def _sample(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    return sample(schema, root.get("$defs", {}))
