"""`jiceng api`: the API, and the pages beside it, in one process; or what `JICENG_SERVE` asks for of them."""

from console.pages import console_pages
from engine.runtime.settings import Settings
from starter.serve import run_api


async def run_served(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT. Raises as `run_api`."""
    await run_api(settings, console_pages)
