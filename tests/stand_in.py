"""A town whose own processes are small stand-ins: real programs that answer, work and end like those of Jiceng.

    python stand_in.py up '{"data": "…", "speed": 1}'   a town in this process; prints its addresses as one JSON line
    python stand_in.py api                              answers GET on JICENG_API_PORT

The worker is `stand_in_worker.py`.
"""

import asyncio
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


async def up(options: dict[str, Any]) -> int:
    """Run a town with stand-ins for worker and API."""
    import structlog  # noqa: PLC0415 - the small program needs none of this
    from pydantic import SecretStr  # noqa: PLC0415

    from local.town.probes import answers_http  # noqa: PLC0415
    from local.town.town import TownOptions, run_town  # noqa: PLC0415
    from local.town.town_processes import TownProcess, worker_polls  # noqa: PLC0415

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    worker = (sys.executable, f"{HERE}/stand_in_worker.py")
    api = (sys.executable, f"{HERE}/stand_in.py", "api")
    processes = (
        TownProcess("worker", worker, worker_polls),
        TownProcess("api", api, lambda our: answers_http(our.api_url)),
    )
    data = Path(options.pop("data"))
    if "database_url" in options:
        options["database_url"] = SecretStr(options["database_url"])
    town = TownOptions(data=data, durable=False, processes=processes, **options)
    return await run_town(town, lambda addresses: print(addresses.model_dump_json(), flush=True))  # noqa: T201


class Answer(BaseHTTPRequestHandler):
    """Answers everything with 200."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.end_headers()


def main() -> None:
    """Become what the first argument says."""
    match sys.argv[1]:
        case "up":
            try:
                sys.exit(asyncio.run(up(json.loads(sys.argv[2]))))
            except Exception as error:  # noqa: BLE001 - what the command line does with an error: say it, exit code 1
                sys.exit(f"{type(error).__name__}: {error}")
        case "api":
            ThreadingHTTPServer(("127.0.0.1", int(os.environ["JICENG_API_PORT"])), Answer).serve_forever()


if __name__ == "__main__":
    main()
