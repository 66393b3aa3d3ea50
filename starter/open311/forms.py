"""How GeoReport v2 writes what it says: as JSON or as XML, whichever the address ends in; and its errors in the same way."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from xml.etree import ElementTree as ET

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from schemas.values.refusals import say
from starter.http.problems import Problem, ProblemCode

JSON, XML = "json", "xml"
MEDIA_TYPES = {XML: "text/xml; charset=utf-8", JSON: "application/json; charset=utf-8"}
_NOT_BELIEVED, _NOT_ALLOWED, _BAD_REQUEST, _UNPROCESSABLE = 401, 403, 400, 422

Row = Mapping[str, Any]


async def form_of(request: Request) -> str:
    """How this request is answered, and its problems too. Raises Problem for an ending that is neither."""
    form = str(request.path_params.get("form", JSON))
    request.state.shows_problem = errors_as(form if form in MEDIA_TYPES else JSON)
    if form not in MEDIA_TYPES:
        raise Problem(ProblemCode.NOT_FOUND, say("只提供 .json 和 .xml", "there is .json and .xml, and nothing else"))
    return form


Form = Annotated[str, Depends(form_of)]


def rows_in(form: str, rows: Sequence[Row], outer: str, inner: str, status: int = 200) -> Response:
    """A list: in JSON as it is, in XML each as an element of its own in one around them."""
    if form == JSON:
        return _json(rows, status)
    root = ET.Element(outer)
    for row in rows:
        _put(root, inner, row)
    return _xml(root, status)


def row_in(form: str, row: Row, name: str) -> Response:
    """One thing."""
    if form == JSON:
        return _json(row, 200)
    root = ET.Element(name)
    _fill(root, row)
    return _xml(root, 200)


def errors_as(form: str) -> Any:
    """A problem as GeoReport's errors: one for each fault, each with the field that its sender knows."""

    def show(_request: Request, problem: Problem) -> Response:
        status = problem.kind.status
        code = {_NOT_BELIEVED: _NOT_ALLOWED, _UNPROCESSABLE: _BAD_REQUEST}.get(status, status)
        said = [f"{each.field}: {each.reason}; {each.remedy}" for each in problem.faults or ()] or [problem.detail]
        response = rows_in(form, [{"code": code, "description": each} for each in said], "errors", "error", code)
        response.headers.update(problem.headers)
        return response

    return show


def _json(content: Any, status: int) -> Response:
    return Response(json.dumps(content, ensure_ascii=False).encode(), status, media_type=MEDIA_TYPES[JSON])


def _xml(root: ET.Element, status: int) -> Response:
    written = b'<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="utf-8", xml_declaration=False)
    return Response(written, status, media_type=MEDIA_TYPES[XML])


def _put(root: ET.Element, name: str, value: Any) -> None:
    element = ET.SubElement(root, name)
    if isinstance(value, Mapping):
        _fill(element, value)
    elif isinstance(value, list | tuple):
        for each in value:
            _put(element, name.removesuffix("s"), each)
    elif isinstance(value, bool):
        element.text = str(value).lower()
    elif value is not None:
        element.text = str(value)


def _fill(element: ET.Element, row: Row) -> None:
    for name, value in row.items():
        _put(element, name, value)
