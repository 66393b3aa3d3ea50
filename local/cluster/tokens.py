"""Tokens for Temporal that end while the town works, and are renewed as the docs say: nothing is restarted for it."""

import asyncio
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import jwt

from engine.runtime.settings import PROJECT
from local.town.private_file import write_private
from local.town.program import run_program

OURS = ("worker", "api")
SHORT = timedelta(seconds=30)
"""So long those last that our processes are given under load: they end before the first worker and the first API are killed."""
RENEWED_AFTER_SECONDS = 20.0
LOOK_SECONDS = 2.0
"""How often the processes of a rehearsal look at the file: twice within what is left then."""
NEVER_KILLED = ("worker-2", "api-2")
"""Who lives through it all: what they show, they have not read at a start."""
RENEWED_DAYS = 300.0
_DAYS = re.compile(r"^jiceng_temporal_token_days\S* (\S+)$", re.MULTILINE)


def token_file(secrets: Path, name: str) -> Path:
    """Where make_secrets.py puts the token of the worker or of the API."""
    return secrets / f"temporal-token-{name}" / "token"


def shorten_tokens(secrets: Path) -> None:
    """Let the tokens of our processes end soon; they say what they said."""
    key = (secrets / "temporal-signing-key.pem").read_bytes()
    for name in OURS:
        file = token_file(secrets, name)
        token = file.read_text(encoding="ascii")
        claims = jwt.decode(token, options={"verify_signature": False}) | {"exp": datetime.now(UTC) + SHORT}
        header = {"kid": jwt.get_unverified_header(token)["kid"]}
        write_private(file, jwt.encode(claims, key, algorithm="ES256", headers=header))


async def renew_late(secrets: Path, amiss: list[str]) -> None:
    """Give all short ones, and new ones shortly before those end, as docs/production.md says; note in `amiss` if it fails."""
    await asyncio.to_thread(shorten_tokens, secrets)
    await asyncio.sleep(RENEWED_AFTER_SECONDS)
    script = (sys.executable, "deploy/make_secrets.py", str(secrets), "--renew", *OURS)
    code, said = await run_program(script, None, PROJECT)
    if code != 0:
        amiss.append(f"make_secrets.py --renew ended with {code}: {said}")


async def not_renewed(
    http: httpx.AsyncClient, logs: Path, figures: Mapping[str, str], token: str, alive: Sequence[str] = NEVER_KILLED
) -> list[str]:
    """Who does not show the last token, by its own figures; of those that were never killed, who has taken none.

    An API connects at its first call, and may begin with the short one: it takes one, where a worker takes both.

    `figures`: by process, where they are; `token`: of whoever watches the town.
    """
    faults = []
    for name, url in figures.items():
        text = (await http.get(url, headers={"authorization": f"Bearer {token}"})).text
        days = [float(each) for each in _DAYS.findall(text)]
        if not days or min(days) < RENEWED_DAYS:
            faults.append(f"{name} says that its token for Temporal lasts {days} days: it was renewed for a year")
    taken = {name: await asyncio.to_thread(_times_renewed, logs, name) for name in alive}
    return faults + [
        f"{name} was never killed, and took no token in the middle of its work"
        for name, times in taken.items()
        if not times
    ]


def _times_renewed(logs: Path, name: str) -> int:
    said = (file.read_text(encoding="utf-8", errors="replace") for file in logs.glob(f"{name}.log*"))
    return sum(text.count("temporal_token_renewed") for text in said)
