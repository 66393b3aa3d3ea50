"""Prepare a production town before its processes start: keys, the database's password file, migrations.

`python deploy/prepare_town.py PASSWORD_FILE`, configured by JICENG_* and PGPASSFILE. Can be run again: keys that exist
stay, migrations that were applied too.
"""  # noqa: INP001 - a script of the deployment

import asyncio
import os
import sys
from pathlib import Path

from engine.keys.keys import ensure_keys, vault_outside
from engine.outside.founding import found_keys_of_others
from engine.runtime.metrics_token import ensure_metrics_token
from engine.runtime.settings import Settings
from engine.runtime.unfinished_restore import require_restored
from engine.store.migrations import migrate
from local.town.data_folder import DataFolder
from local.town.database_tools import write_password_file
from starter.care_platforms import found_platform_keys
from starter.incident_gauge_keys import found_gauge_keys
from starter.warning_issuers import found_issuer_keys


def main(password_file: Path) -> None:
    """Do all of it. Raises what keys, policies and migrations say when they cannot be used; RestoreUnfinished."""
    settings = Settings()
    require_restored(settings.data)
    ensure_keys(settings.key_folder, vault_outside(settings))
    ensure_metrics_token(settings)
    found_keys_of_others(settings)
    found_platform_keys(settings)
    if settings.speed != 1:
        DataFolder(settings.data).found(settings.speed)  # a rehearsal: all its processes read the clock that begins now
    write_password_file(settings.database_url, password_file, Path(os.environ["PGPASSFILE"]))
    found_issuer_keys(settings)
    found_gauge_keys(settings)
    asyncio.run(migrate(settings.database_url))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
