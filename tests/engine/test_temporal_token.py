"""The token that our processes show to Temporal: read again while they run, how long it lasts, and what is said of a bad one."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from engine.execution.temporal import connect
from engine.execution.temporal_token import NotLetIn, TemporalAway, days_left, follow
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from local.town.ports import LOOPBACK, hold_ports
from tests.api_callers import watching
from tests.waiting import eventually

pytest_plugins = ("tests.api_fixture",)
KEY = ec.generate_private_key(ec.SECP256R1())


def token(**claims: object) -> str:
    """A token as deploy/make_secrets.py makes them."""
    return jwt.encode({"sub": "jiceng-worker", **claims}, KEY, algorithm="ES256")


async def test_a_renewed_token_is_shown_without_a_restart(settings: Settings, keys: Keys, tmp_path: Path) -> None:
    """Whoever replaces the file changes what running clients show; one that is gone or blank meanwhile changes nothing."""
    file = tmp_path / "token"
    file.write_text("first\n", encoding="ascii")
    with_token = settings.model_copy(update={"temporal_token_file": file})
    client = await connect(with_token, keys)
    follow(client, with_token, every_seconds=0.02)

    async def shows_the_second() -> bool:
        return client.rpc_metadata == {"authorization": "Bearer second"}

    assert client.rpc_metadata == {"authorization": "Bearer first"}
    file.unlink()
    file.write_text("second\n", encoding="ascii")
    await eventually(shows_the_second)
    assert await client.service_client.check_health()


@pytest.mark.parametrize(
    ("text", "days"),
    [
        (lambda now: token(exp=now + timedelta(days=40)), 40.0),
        (lambda now: token(exp=now - timedelta(days=2)), -2.0),
        (lambda _now: token(), math.inf),
        (lambda _now: "of another kind", math.inf),
    ],
    ids=["lasts", "ended", "without an end", "no JWT"],
)
def test_how_long_a_token_lasts_is_read_from_it(tmp_path: Path, text: Callable[[datetime], str], days: float) -> None:
    """What the claim says, in days; what says nothing lasts for ever, as Temporal takes it."""
    file = tmp_path / "token"
    file.write_text(text(datetime.now(UTC)) + "\n", encoding="ascii")

    assert days_left(Settings(temporal_token_file=file)) == pytest.approx(days, abs=0.01)


def test_no_token_never_ends_and_one_that_cannot_be_read_has_ended(tmp_path: Path) -> None:
    """The alert is for a town that shows tokens: it is silent where there is none, and rings where the file has gone."""
    assert days_left(Settings()) == math.inf
    assert days_left(Settings(temporal_token_file=tmp_path / "none")) == 0.0


async def test_the_api_shows_how_long_it_lasts(http: httpx.AsyncClient, settings: Settings) -> None:
    """At /metrics, for the alert; in a town without tokens it is infinite, and no alert rings."""
    text = (await http.get("/metrics", headers=watching(settings))).text

    assert re.findall(r"^jiceng_temporal_token_days (.+)$", text, re.MULTILINE) == ["+Inf"]


async def test_a_file_that_cannot_be_read_is_named(settings: Settings, keys: Keys, tmp_path: Path) -> None:
    """A process without its token says which file, and by which variable it was named."""
    missing = settings.model_copy(update={"temporal_token_file": tmp_path / "none"})

    with pytest.raises(NotLetIn, match=r"none \(JICENG_TEMPORAL_TOKEN_FILE\) cannot be read: FileNotFoundError"):
        await connect(missing, keys)


async def test_where_nothing_answers_address_and_variable_are_named(settings: Settings, keys: Keys) -> None:
    """A wrong address is no stack of frames: whoever set it reads which one, and by which variable."""
    with hold_ports(["nobody"], None, {}) as ports:
        nowhere = settings.model_copy(update={"temporal_address": f"{LOOPBACK}:{ports['nobody']}"})
        with pytest.raises(TemporalAway, match=rf"{nowhere.temporal_address} does not answer.*JICENG_TEMPORAL_ADDRESS"):
            await connect(nowhere, keys)
