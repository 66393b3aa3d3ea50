"""Does a process still work? Exit code 0 when it has asked the database within the last minute.

`python deploy/check_notices.py [PROCESS]`: "jiceng notices" looks for notices every second; "jiceng archiver" is at it every ten.
"""  # noqa: INP001 - a script of the deployment

import asyncio
import sys
from datetime import timedelta

import asyncpg

from engine.runtime.settings import Settings

LATELY = timedelta(minutes=1)
ASKED = (
    "select exists (select from pg_stat_activity where application_name = $1 and state_change > now() - $2::interval)"
)


async def asked_lately(settings: Settings, process: str = "jiceng notices") -> bool:
    """Ask Postgres. All such processes have the same name, so it is one of them, not this one in particular."""
    connection = await asyncpg.connect(settings.database_url.get_secret_value(), timeout=10)
    try:
        return bool(await connection.fetchval(ASKED, process, LATELY))
    finally:
        await connection.close()


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(asked_lately(Settings(), *sys.argv[1:2])) else 1)
