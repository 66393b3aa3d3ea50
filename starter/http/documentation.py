"""What the OpenAPI description says beyond the code: bodies that are read by hand, and problems with examples."""

from collections.abc import Iterable, Mapping
from functools import cache
from types import UnionType
from typing import Any, get_args

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from engine.keys.token_errors import TokenRefused
from schemas.contracts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER
from schemas.kernel.procedure import Command
from schemas.values.model import Model
from starter.http.bodies import KEY_HEADER
from starter.http.command_bodies import command_body_of
from starter.http.problems import KINDS, MEDIA_TYPE, TOKEN_KIND, TYPE_PREFIX, ProblemBody, ProblemCode
from starter.http.samples import sample


def _token_codes(kind: type[TokenRefused]) -> set[str]:
    return {kind.code}.union(*(_token_codes(each) for each in kind.__subclasses__()))


_REF = "#/components/schemas/{model}"
_KEY_PARAMETER = {
    "name": KEY_HEADER,
    "in": "header",
    "required": True,
    "description": "1-255 visible characters; the same key and body again is the same request",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "example": "7f6a1c3e-0b5d-4c1e-9a55-2f0d3a1b9e77",
}
_IN_THE_DATABASE = ("/api/v1/", "/public/")
_WITHOUT_DATABASE = frozenset({"/api/v1/categories"})
_bodies: dict[str, type[BaseModel]] = {}

SIGNED_IN = tuple(sorted(_token_codes(TokenRefused)))
"""The problems of everything that asks for a token."""


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """What an operation says of its body and its key."""
    return _operation([model])


def open_body_of(*models: type[BaseModel]) -> dict[str, Any]:
    """What an operation says of its body, one of these, where keys stand inside it."""
    return {name: said for name, said in _operation(list(models)).items() if name != "parameters"}


def signed_body_of(*models: type[BaseModel]) -> dict[str, Any]:
    """What an operation says of a body that another system has signed, one of these."""
    headers = (
        (TIMESTAMP_HEADER, "Unix seconds at which it was signed", "1795338725"),
        (SIGNATURE_HEADER, "HMAC-SHA256 over that time and the body", "0" * 64),
    )
    parameters = [
        {
            "name": name,
            "in": "header",
            "required": True,
            "description": words,
            "schema": {"type": "string"},
            "example": it,
        }
        for name, words, it in headers
    ]
    return open_body_of(*models) | {"parameters": parameters}


def file_of(*types: str) -> dict[int | str, dict[str, Any]]:
    """An answer that is a file, in one of several types."""
    schema = {"schema": {"type": "string", "format": "binary"}}
    return {200: {"description": "A file", "content": dict.fromkeys(types, schema)}}


def any_body_of(commands: Iterable[type[Command]]) -> dict[str, Any]:
    """What a command's operation says: the bodies of all procedures that have this command."""
    return _operation([command_body_of(command).model for command in commands])


@cache
def _registered(model: type[BaseModel]) -> str:
    """Under which name a body stands: its own, counted where another procedure's of that name has other fields."""
    name, number = model.__name__, 1
    while name in _bodies and not _same_shape(_bodies[name], model):
        number += 1
        name = f"{model.__name__}{number}"
    _bodies[name] = model if name == model.__name__ else type(name, (model,), {"__doc__": model.__doc__})
    return name


def _same_shape(one: type[BaseModel], another: type[BaseModel]) -> bool:
    fields = [each.model_json_schema(ref_template=_REF) for each in (one, another)]
    return all(fields[0].get(part) == fields[1].get(part) for part in ("properties", "required", "$defs"))


def _operation(models: list[type[BaseModel]]) -> dict[str, Any]:
    names = dict.fromkeys(map(_registered, models))  # a command that several procedures share stands once
    references = [{"$ref": _REF.format(model=name)} for name in names]
    schema = references[0] if len(references) == 1 else {"anyOf": references}
    return {
        "parameters": [_KEY_PARAMETER],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
    }


def responses(answers: Mapping[int, type[Model] | UnionType], *codes: str) -> dict[int | str, dict[str, Any]]:
    """Answers by status, and the problems by status, each with an example."""
    said: dict[int | str, dict[str, Any]] = {
        status: {"model": model, "description": _description(model)} for status, model in answers.items()
    }
    for code in codes:
        kind = KINDS.get(code, TOKEN_KIND)
        problem = said.setdefault(
            kind.status,
            {
                "description": kind.title,
                "content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="ProblemBody")}, "examples": {}}},
            },
        )
        problem["content"][MEDIA_TYPE]["examples"][code] = {"value": _example(code)}
    return said


def _description(model: type[Model] | UnionType) -> str:
    kinds = get_args(model) or (model,)
    return " Or: ".join((kind.__doc__ or "").strip() for kind in kinds)


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description, with the schemas of what is read by hand, and examples and problems of every operation."""
    if app.openapi_schema is None:
        description = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
        )
        models = [(model, "validation") for model in [*_bodies.values(), ProblemBody]]
        _, schemas = models_json_schema(models, ref_template=_REF)  # type: ignore[arg-type]
        known = description.setdefault("components", {}).setdefault("schemas", {})
        known.update(schemas["$defs"])
        for path, operations in description["paths"].items():
            for operation in operations.values():
                _add_problems(path, operation)
                _add_examples(operation, known)
        app.openapi_schema = description
    return app.openapi_schema


def add_description(app: FastAPI) -> None:
    """GET /openapi.json, written once for each app: it is a megabyte that does not change, and nobody needs an account to ask."""
    written = cache(lambda: JSONResponse(app.openapi()).body)

    async def openapi(_request: Request) -> Response:
        return Response(written(), media_type=JSONResponse.media_type)

    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    app.add_route("/openapi.json", openapi, include_in_schema=False)


def _add_problems(path: str, operation: dict[str, Any]) -> None:
    """What every operation of its kind may answer, so that no route has to remember it."""
    answers = operation["responses"]
    codes: list[str] = [ProblemCode.INTERNAL, ProblemCode.TOO_MANY_REQUESTS]
    if operation.get("security"):
        codes += [*SIGNED_IN, ProblemCode.ISSUER_AWAY]
    if path.startswith(_IN_THE_DATABASE) and path not in _WITHOUT_DATABASE:
        codes.append(ProblemCode.DATABASE_AWAY)
    if "HTTPValidationError" in str(answers.get("422")):
        # The framework's own form, which nobody is ever sent.
        del answers["422"]
        codes.append(ProblemCode.BAD_REQUEST)
    if operation.get("requestBody"):
        codes.append(ProblemCode.BODY_TOO_SLOW)
    for status, problem in responses({}, *codes).items():
        told = answers.setdefault(str(status), problem)
        kind = told.setdefault("content", {}).setdefault(MEDIA_TYPE, problem["content"][MEDIA_TYPE])
        kind["examples"] = kind["examples"] | problem["content"][MEDIA_TYPE]["examples"]


def _add_examples(operation: dict[str, Any], schemas: Mapping[str, Any]) -> None:
    """One of each body and of each answer, made from its schema."""
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
    for body in bodies:
        said = body.get("content", {}).get("application/json")
        if said and said.get("schema") and not {"example", "examples"} & set(said):
            several = [each["$ref"] for each in said["schema"].get("anyOf", ()) if "$ref" in each]
            if several:  # a command that procedures take in different bodies: one example of each
                said["examples"] = {
                    one.rpartition("/")[2]: {"value": sample({"$ref": one}, schemas)} for one in several
                }
            else:
                said["example"] = sample(said["schema"], schemas)


def _example(code: str) -> dict[str, Any]:
    kind = KINDS.get(code, TOKEN_KIND)
    return {
        "type": f"{TYPE_PREFIX}{code}",
        "title": kind.title,
        "status": kind.status,
        "detail": "…",
        "instance": "/api/v1/…",
        "code": code,
        "request_id": "4f2c…",
    }
