"""Prepare a production town before its processes start: keys, the database's password file, migrations.

`python deploy/prepare_town.py PASSWORD_FILE`, configured by JICENG_* and PGPASSFILE. Can be run again: keys that exist
stay, migrations that were applied too.
"""  # noqa: INP001 - a script of the deployment

import asyncio
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from engine.keys.keys import ensure_keys, vault_outside
from engine.outside.founding import found_keys_of_others
from engine.runtime.metrics_token import ensure_metrics_token
from engine.runtime.settings import Settings
from engine.store.migrations import migrate
from local.town.data_folder import DataFolder
from starter.care_platforms import found_platform_keys


def main(password_file: Path) -> None:
    """Do all of it. Raises what keys, policies and migrations say when they cannot be used."""
    settings = Settings()
    ensure_keys(settings.key_folder, vault_outside(settings))
    ensure_metrics_token(settings)
    found_keys_of_others(settings)
    found_platform_keys(settings)
    if settings.speed != 1:
        DataFolder(settings.data).found(settings.speed)  # a rehearsal: all its processes read the clock that begins now
    write_password_file(settings, password_file, Path(os.environ["PGPASSFILE"]))
    asyncio.run(migrate(settings.database_url))


def write_password_file(settings: Settings, password_file: Path, to: Path) -> None:
    """Postgres clients take a password file only when nobody else can read it, which a mounted secret does not promise."""
    url = urlsplit(settings.database_url.get_secret_value())
    password = password_file.read_text(encoding="utf-8").strip().replace("\\", "\\\\").replace(":", "\\:")
    to.unlink(missing_ok=True)
    to.touch(mode=0o600)
    to.write_text(f"{url.hostname}:{url.port}:{url.path.strip('/')}:{url.username}:{password}\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
