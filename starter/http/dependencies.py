"""What is built once for an app, for its routes to ask for: each thing by its kind, so a route names what it uses and no more."""

from typing import Any, TypeVar

from fastapi import Depends, FastAPI
from starlette.requests import Request

T = TypeVar("T")


def provide(app: FastAPI, *things: object) -> None:
    """Keep these for the routes of an app. Of each kind there is one: a later one takes the place of an earlier one."""
    app.state.provided = getattr(app.state, "provided", {}) | {type(thing): thing for thing in things}


def provided(app: Any, kind: type[T]) -> T:
    """The one of this kind. Raises KeyError: `create_app` builds none, a fault of ours."""
    found = app.state.provided[kind]
    if not isinstance(found, kind):
        raise TypeError(f"{kind.__name__} was expected")
    return found


def dependency(kind: type[T]) -> Any:
    """For the annotation of a route's parameter: `Annotated[Guard, dependency(Guard)]`."""

    async def find(request: Request) -> T:
        return provided(request.app, kind)

    return Depends(find)
