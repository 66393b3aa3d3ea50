"""APIs in processes of their own, to be killed."""

import asyncio
from collections.abc import Mapping

from engine.runtime.settings import Settings
from starter.serve import run_api
from tests.forked import ForkedProcess, environment_of, take_over


class ApiProcess(ForkedProcess):
    """What `jiceng api` runs, on a port of its own."""

    def __init__(self, settings: Settings, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        super().__init__(
            _serve, environment_of(settings) | {"JICENG_API_PORT": str(port), "JICENG_LOCAL_ISSUER": "true"}
        )


def _serve(environment: Mapping[str, str]) -> None:
    asyncio.run(run_api(take_over(environment)))
