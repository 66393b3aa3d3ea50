"""`jiceng notices`: the process that tells people and other systems what happened."""

import asyncio
from collections.abc import Iterable

from engine.outside.notices import build_notices
from engine.outside.webhooks import build_webhooks
from engine.runtime.guarded_http import outward_client
from engine.runtime.logging import configure_logging
from engine.runtime.settings import Settings
from engine.store.database import open_pool
from schemas.kernel.procedure import Procedure


async def run_notices(settings: Settings, procedures: Iterable[Procedure]) -> None:
    """Bring notices to people and events to subscribers until cancelled. Raises as `build_notices` and `build_webhooks`."""
    everyone = tuple(procedures)
    with configure_logging("notices", settings.log_level):
        async with await open_pool(settings, process="jiceng notices") as pool, outward_client() as client:
            notices, webhooks = (
                build_notices(pool, settings, everyone),
                build_webhooks(pool, settings, everyone, client),
            )
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(notices.run(), name="notices")
                tasks.create_task(webhooks.run(), name="webhooks")
