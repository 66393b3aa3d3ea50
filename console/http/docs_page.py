"""GET /docs: the description of the API to read, written out here. No script, nothing loaded from elsewhere, ever.

Programs take /openapi.json, which holds everything.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from console.http.languages import Language
from console.http.look import look_of
from console.http.pages import AS_PAGES, page, part_of_page
from starter.http.dependencies import provided

METHODS = ("get", "post", "put", "patch", "delete")
router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])


@dataclass(frozen=True)
class Operation:
    """One thing that an address does. `takes` and `answers`: media type and the names of its schemas."""

    method: str
    path: str
    summary: str
    open: bool
    description: str
    parameters: Sequence[Mapping[str, Any]]
    takes: Sequence[tuple[str, str]]
    answers: Sequence[tuple[str, str, Sequence[tuple[str, str]]]]


@dataclass(frozen=True)
class WrittenOut:
    """What an API is described as, by the language of the page: it does not change while the API runs, and is long to write.

    Kept, so that nobody who asks again and again, which needs no account, takes the API's time from those who work with it.
    """

    _operations: dict[Language, Markup] = field(default_factory=dict)

    def of(self, description: Mapping[str, Any], language: Language) -> Markup:
        """Every address of the description."""
        if language not in self._operations:
            operations = list(_operations(description["paths"]))
            self._operations[language] = part_of_page("docs_operations.html", language, operations=operations)
        return self._operations[language]


@router.get("/docs")
async def docs(request: Request) -> Response:
    """Every address with what it is for, what it takes and what it answers."""
    description = request.app.openapi()
    written = provided(request.app, WrittenOut).of(description, look_of(request).language)
    return page(request, "docs.html", info=description["info"], operations=written)


def _operations(paths: Mapping[str, Any]) -> Iterator[Operation]:
    for path, operations in paths.items():
        for method in METHODS:
            if method in operations:
                yield _operation(method.upper(), path, operations[method])


def _operation(method: str, path: str, said: Mapping[str, Any]) -> Operation:
    return Operation(
        method=method,
        path=path,
        summary=said.get("summary", ""),
        open=not said.get("security"),
        description=said.get("description", ""),
        parameters=said.get("parameters", ()),
        takes=list(_kinds(said.get("requestBody", {}))),
        answers=[
            (status, answer.get("description", ""), list(_kinds(answer)))
            for status, answer in said["responses"].items()
        ],
    )


def _kinds(said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a body may be: its type, and the names of its schemas."""
    for media_type, content in said.get("content", {}).items():
        schema = content.get("schema", {})
        names = [each["$ref"].rpartition("/")[2] for each in schema.get("anyOf", [schema]) if "$ref" in each]
        yield media_type, " | ".join(names)
