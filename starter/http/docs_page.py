"""GET /docs: the description of the API to read, written out here. No script, nothing loaded from elsewhere, ever.

Programs take /openapi.json, which holds everything.
"""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from starter.http.middleware import PAGE_POLICY

METHODS = ("get", "post", "put", "patch", "delete")
router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def docs(request: Request) -> Response:
    """Every address with what it is for, what it takes and what it answers."""
    page = "".join(_page(request.app.openapi()))
    return Response(page, headers={"Content-Security-Policy": PAGE_POLICY}, media_type="text/html")


def _page(description: Mapping[str, Any]) -> Iterator[str]:
    info = description["info"]
    yield f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{escape(info["title"])}</title></head><body>'
    yield f"<h1>{escape(info['title'])}</h1><pre>{escape(info['description'])}</pre>"
    yield '<p><a href="/openapi.json">/openapi.json</a></p>'
    for path, operations in description["paths"].items():
        for method in METHODS:
            if method in operations:
                yield from _operation(method.upper(), path, operations[method])
    yield "</body></html>"


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    signed_in = "" if operation.get("security") else " · 无需登录 open"
    yield f"<h2>{method} {escape(path)}</h2><p><b>{escape(operation.get('summary', ''))}</b>{signed_in}</p>"
    yield f"<pre>{escape(operation.get('description', ''))}</pre>"
    if parameters := operation.get("parameters"):
        yield "<ul>"
        for each in parameters:
            needed = " · 必填 required" if each.get("required") else ""
            yield f"<li><code>{escape(each['name'])}</code> ({each['in']}){needed} {escape(each.get('description', ''))}</li>"
        yield "</ul>"
    if body := operation.get("requestBody"):
        yield f"<p>Body: {', '.join(_kinds(body))}</p>"
    yield "<ul>"
    for status, answer in operation["responses"].items():
        yield f"<li>{escape(status)}: {escape(answer.get('description', ''))} {', '.join(_kinds(answer))}</li>"
    yield "</ul>"


def _kinds(said: Mapping[str, Any]) -> Iterator[str]:
    """What a body may be: its type, and the names of its schemas."""
    for media_type, content in said.get("content", {}).items():
        schema = content.get("schema", {})
        names = [each["$ref"].rpartition("/")[2] for each in schema.get("anyOf", [schema]) if "$ref" in each]
        yield f"<code>{escape(media_type)}</code> {escape(' | '.join(names))}"
