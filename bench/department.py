"""A department that takes every order and says nothing more: the same outside world for all contenders.

python -m bench.department PORT
"""

import sys
from datetime import UTC, datetime

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def take(request: Request) -> JSONResponse:
    """Take an order, whatever it is."""
    order = await request.json()
    receipt = {"receipt": f"R-{order['order_id']}"[:100], "accepted_at": datetime.now(UTC).isoformat()}
    return JSONResponse(receipt, 201)


app = Starlette(routes=[Route("/{code}/work-orders", take, methods=["POST"])])

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
