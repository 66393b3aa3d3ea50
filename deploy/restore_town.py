"""Restore a production town from its backup, before anything else has run on its folder and database.

`python deploy/restore_town.py PASSWORD_FILE BACKUP`, configured by JICENG_* and PGPASSFILE: the database's password goes from
its secret into the file that Postgres clients read, and then `jiceng restore` has all that it needs (docs/production.md).
"""  # noqa: INP001 - a script of the deployment

import os
import sys
from pathlib import Path

from engine.runtime.settings import Settings
from local.town.database_tools import write_password_file


def main(password_file: Path, backup: Path) -> None:
    """Write the password file and become `jiceng restore`."""
    settings = Settings()
    write_password_file(settings.database_url, password_file, Path(os.environ["PGPASSFILE"]))
    command = (sys.executable, "-P", "-m", "cli", "restore", str(backup), "--data", str(settings.data))
    os.execv(sys.executable, command)  # noqa: S606 - our own program, and no shell


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
