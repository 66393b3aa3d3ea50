"""Tokens for Temporal that end while the town works, and are renewed as the docs say: nothing is restarted for it."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt

from engine.runtime.settings import PROJECT
from local.town.private_file import write_private
from local.town.program import run_program

OURS = ("worker", "api")
FIRST_LAST = timedelta(seconds=100)
"""So long those last with which our processes begin: they end under load, and by then each must show the next one."""


def shorten_tokens(secrets: Path) -> None:
    """Let the tokens of our processes end soon; they say what they said."""
    key = (secrets / "temporal-signing-key.pem").read_bytes()
    for name in OURS:
        file = secrets / f"temporal_token_{name}"
        token = file.read_text(encoding="ascii")
        claims = jwt.decode(token, options={"verify_signature": False}) | {"exp": datetime.now(UTC) + FIRST_LAST}
        header = {"kid": jwt.get_unverified_header(token)["kid"]}
        write_private(file, jwt.encode(claims, key, algorithm="ES256", headers=header))


async def renew_tokens(secrets: Path) -> None:
    """Delete them and have the script make new ones, as docs/production.md says."""
    for name in OURS:
        (secrets / f"temporal_token_{name}").unlink()
    await run_program((sys.executable, "deploy/make_secrets.py", str(secrets)), None, PROJECT)
