"""A disk that takes longer than this machine's: Postgres waits before each flush of its log (`commit_delay`)."""

from pathlib import Path

import asyncpg

from local.town.postgres import passwords_of
from local.town.town import Town

DISKS = (("as it is", 0), ("0.1 s slower", 100_000))
"""Name, and the microseconds that a commit takes longer. A tenth of a second is the most that Postgres takes."""


async def commits_take(town: Town, folder: Path, microseconds: int) -> None:
    """From now on each commit of the town's own Postgres takes so much longer. `folder`: that of the town's data."""
    url = town.settings.database_url.get_secret_value()
    upkeep = await asyncpg.connect(url, user="postgres", password=passwords_of(folder / "postgres")["postgres"])
    try:
        await upkeep.execute(f"alter system set commit_delay = {microseconds}")
        await upkeep.execute("alter system set commit_siblings = 0")
        await upkeep.execute("select pg_reload_conf()")
    finally:
        await upkeep.close()
