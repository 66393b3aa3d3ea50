"""The token that our processes show to Temporal: read again while they run, how long it lasts, and what is said of a bad one."""

import asyncio
import math
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import jwt
import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric import ec
from temporalio.client import Client

from audit.archive.archiving import run_archiver
from engine.execution.temporal import connect
from engine.execution.temporal_token import NotLetIn, TemporalAway, days_left
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from local.town.ports import LOOPBACK, hold_ports
from tests.api_callers import watching
from tests.guarded_temporal import NAMESPACE, Guarded, guarded_temporal, server_program
from tests.guarded_temporal import token as issued
from tests.waiting import eventually

pytest_plugins = ("tests.api_fixture",)
KEY = ec.generate_private_key(ec.SECP256R1())


def token(**claims: object) -> str:
    """A token as deploy/make_secrets.py makes them."""
    return jwt.encode({"sub": "jiceng-worker", **claims}, KEY, algorithm="ES256")


def write(file: Path, text: str) -> None:
    """As whoever renews a token does: what was there is gone."""
    file.unlink(missing_ok=True)
    file.write_text(text, encoding="ascii")


def shows(client: Client, word: str) -> bool:
    """Whether this is what it shows now."""
    return client.rpc_metadata == {"authorization": f"Bearer {word}"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file of a token that a process is given."""
    return tmp_path / "token"


@pytest.fixture
def with_token(settings: Settings, file: Path) -> Settings:
    """A process that looks at that file all the time."""
    return settings.model_copy(update={"temporal_token_file": file, "temporal_token_seconds": 0.02})


async def test_a_renewed_token_is_shown_without_a_restart(with_token: Settings, keys: Keys, file: Path) -> None:
    """Whoever replaces the file changes what running clients show; one that is gone or blank meanwhile changes nothing."""
    write(file, "first\n")
    client = await connect(with_token, keys)

    assert shows(client, "first")
    write(file, "second\n")
    await eventually(lambda: shows(client, "second"))
    assert await client.service_client.check_health()


@pytest.mark.parametrize("text", ["", "two words", "a\nsecond line", "a\x00b", "a\x0bb"])
async def test_what_is_no_token_is_said_and_not_shown(with_token: Settings, keys: Keys, file: Path, text: str) -> None:
    """A file with a second line ended the one who looks, without a word, and no later token was ever shown."""
    write(file, f"first.{text}" if text else text)
    with pytest.raises(NotLetIn, match="is no token"):
        await connect(with_token, keys)
    write(file, "first")
    client = await connect(with_token, keys)
    with structlog.testing.capture_logs() as said:
        write(file, text)
        await eventually(lambda: any(line["event"] == "temporal_token_not_good" for line in said))
    assert (shows(client, "first"), days_left(with_token)) == (True, 0.0)

    write(file, "second")
    await eventually(lambda: shows(client, "second"))
    assert days_left(with_token) == math.inf


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Guarded]:
    """A Temporal that asks for tokens."""
    if (program := server_program()) is None:
        pytest.skip("no Temporal server here: `make cluster` builds one, or TEMPORAL_SERVER names one")
    async with guarded_temporal(program, tmp_path) as opened:
        yield opened


WRITES, READS = f"{NAMESPACE}:write", f"{NAMESPACE}:read"


async def test_what_temporal_refuses_is_not_shown(
    with_token: Settings, keys: Keys, file: Path, guarded: Guarded
) -> None:
    """Of another key, or with fewer rights: what was shown is shown still, the figure is 0, and a good one is taken at once."""
    ours = with_token.model_copy(update={"temporal_address": guarded.address, "temporal_namespace": NAMESPACE})
    first, last = issued(WRITES, READS), issued(WRITES, READS, lasts=timedelta(days=50))
    write(file, first)
    client = await connect(ours, keys)
    for refused in (issued(READS), issued("other:write"), issued(WRITES, key=KEY)):
        write(file, refused)
        await eventually(lambda: days_left(ours) == 0.0)
        assert shows(client, first)
        with pytest.raises(NotLetIn, match=rf"allow to write in the namespace {NAMESPACE}"):
            await connect(ours, keys)
        write(file, first)
        await eventually(lambda: days_left(ours) > 300)

    write(file, last)
    await eventually(lambda: shows(client, last))
    assert days_left(ours) == pytest.approx(50, abs=0.1)


async def test_a_token_that_is_not_taken_any_more_is_found_out(
    with_token: Settings, keys: Keys, file: Path, guarded: Guarded
) -> None:
    """The key was replaced, and the token is the one that it was: the process asks from time to time, and the figure is 0."""
    ours = with_token.model_copy(update={"temporal_address": guarded.address, "temporal_namespace": NAMESPACE})
    write(file, issued(WRITES, READS))
    client = await connect(ours, keys)
    assert days_left(ours) > 300

    guarded.believe(KEY)
    await eventually(lambda: days_left(ours) == 0.0)
    renewed = issued(WRITES, READS, key=KEY)
    write(file, renewed)
    await eventually(lambda: shows(client, renewed))


async def test_who_has_not_connected_yet_gets_in_with_the_renewed_one(
    with_token: Settings, keys: Keys, file: Path, guarded: Guarded
) -> None:
    """The archiver connects when it first asks; with a token that had ended it never could, whatever the file held later."""
    ours = with_token.model_copy(update={"temporal_address": guarded.address, "temporal_namespace": NAMESPACE})
    write(file, issued(WRITES, READS, lasts=timedelta(hours=-1)))
    client = await connect(ours, keys, lazy=True)
    await eventually(lambda: days_left(ours) == 0.0)

    write(file, issued(WRITES, READS))
    await eventually(lambda: days_left(ours) > 300)
    assert await client.count_workflows() is not None


async def test_who_is_refused_while_it_connects_has_no_days_left(
    with_token: Settings, keys: Keys, file: Path, guarded: Guarded
) -> None:
    """An API that starts with it accepts and cannot deliver: its figure must not say that all is well for a year."""
    ours = with_token.model_copy(update={"temporal_address": guarded.address, "temporal_namespace": NAMESPACE})
    for refused in (issued(READS), issued(WRITES, key=KEY)):
        write(file, refused)
        with pytest.raises(NotLetIn, match="refuses the token"):
            await connect(ours, keys)
        assert days_left(ours) == 0.0
        write(file, issued(WRITES, READS))
        await connect(ours, keys)
        assert days_left(ours) > 300


async def test_the_archiver_shows_how_long_its_token_lasts(with_token: Settings, file: Path) -> None:
    """It has a token too, and nobody else would say that it ends. A figure does not stand still when the next has no end."""
    write(file, token(exp=datetime.now(UTC) + timedelta(days=40)))
    with hold_ports(["figures"], None, {}) as ports:
        address = f"{LOOPBACK}:{ports['figures']}"
        archiving = asyncio.create_task(run_archiver(with_token.model_copy(update={"archiver_metrics": address})))
        async with httpx.AsyncClient(trust_env=False) as prometheus:

            async def shown(wanted: float) -> bool:
                try:
                    text = (await prometheus.get(f"http://{address}/metrics")).text
                except httpx.TransportError:
                    return False
                days = re.findall(r"^jiceng_temporal_token_days\S* (.+)$", text, re.MULTILINE)
                return [float(each) for each in days] == [pytest.approx(wanted, abs=0.1)]

            try:
                await eventually(lambda: shown(40))
                write(file, "no token")
                await eventually(lambda: shown(0))
                write(file, token())
                await eventually(lambda: shown(math.inf))
            finally:
                archiving.cancel()
                await asyncio.gather(archiving, return_exceptions=True)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        (lambda now: token(exp=now + timedelta(days=40)), 40.0),
        (lambda now: token(exp=now - timedelta(days=2)), -2.0),
        (lambda _now: token(), math.inf),
        (lambda _now: "of-another-kind", math.inf),
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
