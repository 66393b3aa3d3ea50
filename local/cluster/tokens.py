"""Tokens for Temporal that end while the town works, and are renewed as the docs say: nothing is restarted for it."""

import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import jwt

from engine.runtime.operator_error import OperatorError
from engine.runtime.settings import PROJECT
from local.town.private_file import write_private
from local.town.program import run_program

OURS = ("worker", "api")
FIRST_LAST = timedelta(seconds=100)
"""So long those last with which our processes begin: they end under load, and by then each must show the next one."""

_REFUSED = re.compile(
    r'^temporal_(?:long_)?request_failure\S*\{[^}]*status_code="(?:PERMISSION_DENIED|UNAUTHENTICATED)"[^}]*\} (\S+)$',
    re.MULTILINE,
)
_ASKED = re.compile(r"^temporal_long_request\S*\{", re.MULTILINE)


class TokensNotRenewed(OperatorError):
    """The script that a town renews its tokens with did not do it."""


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
    """As docs/production.md says. Raises TokensNotRenewed: the script did not make them."""
    code, said = await run_program(
        (sys.executable, "deploy/make_secrets.py", str(secrets), "--renew", *OURS), None, PROJECT
    )
    if code != 0:
        raise TokensNotRenewed(f"deploy/make_secrets.py --renew ended with {code}: {said}")


async def refused_calls(http: httpx.AsyncClient, addresses: Sequence[str]) -> list[str]:
    """The workers whose calls Temporal refused, by their own figures: they went on with a token that had ended.

    Raises:
        httpx.HTTPError: one shows no figures.
    """
    found = []
    for address in addresses:
        text = (await http.get(f"{address}/metrics")).raise_for_status().text
        refused = refused_in(text)
        if refused or not _ASKED.search(text):
            found.append(f"{address}: {refused:g} calls refused")
    return found


def refused_in(figures: str) -> float:
    """How many calls Temporal refused, by what a worker shows to Prometheus."""
    return sum(float(number) for number in _REFUSED.findall(figures))
