"""The addresses of the API that are no procedure's, in the order in which they are described."""

from fastapi import APIRouter

from starter import inbox, indicators, public


def own_routers() -> tuple[APIRouter, ...]:
    """All of them. Before `cases.router`: its `/{case_id}` would take `/export` for a case."""
    return (inbox.router, indicators.router, public.router)
