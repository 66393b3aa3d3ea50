"""Departments that take every order and sources that know nothing bad of anybody: the same outside world for all contenders.

python -m bench.outside PORT
"""

import sys
from datetime import UTC, datetime

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from engine.policies.source_policy import load_sources
from engine.runtime.settings import PROJECT

FACTS = {each.code: dict.fromkeys(each.facts, 0) for each in load_sources(PROJECT / "policies/sources.yaml").sources}


async def take(request: Request) -> JSONResponse:
    """Take an order, whatever it is."""
    order = await request.json()
    receipt = {"receipt": f"R-{order['order_id']}"[:100], "accepted_at": datetime.now(UTC).isoformat()}
    return JSONResponse(receipt, 201)


async def answer(request: Request) -> JSONResponse:
    """Say at once that there is nothing on anybody."""
    check = await request.json()
    said = {
        "receipt": f"R-{check['check_id']}"[:100],
        "status": "clear",
        "facts": FACTS[request.path_params["code"]],
        "answered_at": datetime.now(UTC).isoformat(),
    }
    return JSONResponse(said)


app = Starlette(
    routes=[Route("/{code}/work-orders", take, methods=["POST"]), Route("/{code}/checks", answer, methods=["POST"])]
)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
