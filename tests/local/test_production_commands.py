"""Every command where nobody ran `jiceng up`: it takes the JICENG_* variables of a town's processes, and its issuer's tokens."""

import asyncio
import json
import os
import stat
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr
from typer.main import get_command
from typer.testing import CliRunner, Result

from cli import app as whole_app
from local.backup.production import DUMP
from local.town.database_tools import dump_database
from local.town.ports import LOOPBACK, hold_ports
from local.town.town import Town, TownOptions, open_town
from local.town.town_processes import PROCESSES, environment_of
from schemas.incident_report import IncidentReport
from schemas.values.actor import Role
from starter.client import TownClient, http_client
from tests.api_callers import REPORT
from tests.forked import forked
from tests.own_databases import Cluster

pytestmark = pytest.mark.timeout(400)

ISSUER, KEY_ID = "https://login.example", "k1"
KEY = Ed25519PrivateKey.generate()
POLICIES = Path(__file__).parents[2] / "policies"
CASE, FOLDER, SUBMISSION = "{case}", "{folder}", "00000000-0000-4000-8000-000000000000"

HERE_ONLY = {
    "up": "it is what runs a town here",
    "demo": "it opens a town of its own",
    "token": "a town with an issuer believes no other tokens",
    "replies": "it plays them in a town of its own",
    "restore": "test_a_backup_is_put_into_another_database_and_goes_on_there",
    "keys": "it reads and writes files alone (tests/engine/test_key_rotation.py)",
}
"""Commands, or groups of them, that do not look for a town of somebody else's, and why."""


@dataclass(frozen=True)
class Told:
    """A command, the exit code with which it ends, what it then says, and as whom it calls the API where it does."""

    command: str
    arguments: tuple[str, ...] = ()
    exit_code: int = 0
    says: str = ""
    role: Role | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    """Claims beside the role."""


OFFICER = {"department": "urban-management"}
NO_BOX = "no ballot box is connected"
COMMANDS = (
    Told("audit verify", (), 0, "0 个有问题"),
    Told("audit replay", ("--open",), 0, "0 个有问题"),
    Told("audit replay", ("--processes", "2"), 0, "0 个有问题"),
    Told("audit rebuild", ("--check",), 0, "0 个有问题"),
    Told("audit show", (CASE,), 0, CASE),
    Told("audit explain", (CASE, "1")),
    Told("audit what-if", ("--policy", str(POLICIES))),
    Told("audit archive", (CASE,), 0, "events, SHA-256"),
    Told("audit seal", (), 0, "leaves"),
    Told("audit keys", (), 0, '"seals"'),
    Told("audit months", (), 0, "ledger_first"),
    Told("audit detach", ("2020-01",), 1, "没有此分区"),
    Told("audit export", (CASE, "--out", f"{FOLDER}/case.zip"), 0, "jiceng audit check"),
    Told("archiver", ("--once", "--data", FOLDER), 0, "0 could not be"),
    Told("case list", ("--json",), 0, CASE, Role.COORDINATOR),
    Told("case show", (CASE,), 0, "已派单", Role.COORDINATOR),
    Told("case command", (CASE, "sign"), 0, "处置中", Role.DEPARTMENT_OFFICER, OFFICER),
    Told("import", (f"{FOLDER}/messages.csv", "--json"), 0, '"started": 1', Role.WINDOW_CLERK),
    Told("payments reconcile", ("2026-11",), 1, "bank", Role.AUDITOR),
    Told("stuck", ("--json",), 0, "[]"),
    Told("stuck retry", (CASE, "--reason", "线路已恢复"), 0, "没有等待重试", Role.SUPERVISOR),
    Told("stuck again", (SUBMISSION, "--reason", "已修复"), 1, "没有此项可办", Role.SUPERVISOR),
    Told("stuck set-aside", (SUBMISSION, "--reason", "已核对"), 1, "没有此项可办", Role.SUPERVISOR),
    Told("notices show", ("--json",), 0, "["),
    Told("webhooks", ("--json",), 0, "["),
    Told("webhooks show", ("nobody", "--json"), 0, "[]"),
    Told("webhooks again", ("nobody",), 1, "没有可重发的事件"),
    Told("webhooks resume", ("nobody",), 1, "没有因对方停收而结束的订阅"),
    Told("privacy log", (), 0, "chain"),
    Told("privacy due", ()),
    Told("learn", ("--list",)),
    Told("where", ("api",), 0, "http://127.0.0.1"),
    Told("login", (), 0, "/sign-in"),
    Told("ballot-roll", (f"{FOLDER}/roll.csv", "--ballot", "council-20261123-000017.ballot-1"), 1, NO_BOX),
    Told("ballot-mark", ("council-20261123-000017.ballot-1", "3-2-501"), 1, NO_BOX),
    Told("ballot-voters", (f"{FOLDER}/voters.csv", "council-20261123-000017.ballot-1"), 0, "1"),
    Told("ballot-slips", (f"{FOLDER}/roll.csv", "council-20261123-000017.ballot-1", f"{FOLDER}/slips.csv"), 0, "1"),
    Told("restored", (), 1, "no department was asked"),
)
UNTRIED = {
    "privacy export": "needs a person of the vault (tests/engine/test_privacy.py), and finds its town as `privacy log` does",
    "privacy erase": "the same",
    "backup": "test_a_backup_is_put_into_another_database_and_goes_on_there",
}
"""Commands that the table above does not call, and why."""


def token(role: Role, **claims: Any) -> str:
    """What the town's issuer says of somebody."""
    now = datetime.now(UTC)
    said = {"iss": ISSUER, "aud": "jiceng", "sub": f"{role}-of-issuer", "role": role, "iat": now,
            "exp": now + timedelta(hours=1), **claims}  # fmt: skip
    return jwt.encode(said, KEY, algorithm="EdDSA", headers={"kid": KEY_ID})


@contextmanager
def variables(given: Mapping[str, str]) -> Iterator[None]:
    """These variables, for as long as the block."""
    before = dict(os.environ)
    os.environ.update(given)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """A town that believes an issuer of its own."""
    folder = tmp_path_factory.mktemp("issued")
    public = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(KEY.public_key())) | {"kid": KEY_ID, "use": "sig"}
    (folder / "jwks.json").write_text(json.dumps({"keys": [public]}), encoding="utf-8")
    ours = [process for process in forked(PROCESSES) if process.name in {"worker", "api"}]
    issued = {"JICENG_TOKEN_JWKS": str(folder / "jwks.json"), "JICENG_TOKEN_ISSUER": ISSUER}
    with variables(issued):
        async with open_town(TownOptions(data=folder / "town", processes=ours, durable=False)) as opened:
            yield opened


@pytest.fixture(scope="module")
def elsewhere(town: Town, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A folder on which no town runs, and the variables by which the town's processes run: all that production has."""
    folder = tmp_path_factory.mktemp("elsewhere")
    settings = town.settings.model_copy(update={"data": folder, "keys": town.settings.key_folder})
    (folder / "messages.csv").write_text("message_id,text,category\nm-1,路灯不亮,环境卫生\n", encoding="utf-8")
    (folder / "roll.csv").write_text("unit,owner,area\n3-2-501,o-1,86.37\n", encoding="utf-8")
    (folder / "voters.csv").write_text("unit,account\n3-2-501,zhang-3\n", encoding="utf-8")
    return folder, environment_of(settings)


@pytest.fixture(scope="module")
async def case_id(town: Town) -> str:
    """A case that stands with urban-management."""
    async with http_client() as http:
        client = TownClient(town.settings.api_url, lambda: token(Role.RESIDENT, sub="wang"), http, 20.0)
        case = (await client.report(IncidentReport.model_validate(REPORT), str(uuid.uuid4()))).case
        return (await client.case(case.case_id, "stage:dispatched")).case_id


Run = Callable[..., Any]


@pytest.fixture
def run(elsewhere: tuple[Path, dict[str, str]], tmp_path: Path) -> Run:
    """Run a command with the variables of the town's processes; in a thread, since each has a loop of its own."""
    _, environment = elsewhere

    async def invoke(
        *arguments: str,
        as_whom: str | None = None,
        without: tuple[str, ...] = (),
        instead: Mapping[str, str] | None = None,
    ) -> Result:
        given = {name: value for name, value in environment.items() if name not in without} | dict(instead or {})
        if as_whom is not None:
            (tmp_path / "token").write_text(as_whom + "\n", encoding="ascii")
            given["JICENG_API_TOKEN_FILE"] = str(tmp_path / "token")

        def called() -> Result:
            with variables(given):
                return CliRunner().invoke(whole_app(), arguments)

        return await asyncio.to_thread(called)

    return invoke


@pytest.mark.parametrize("told", COMMANDS, ids=lambda told: " ".join((told.command, *told.arguments[:1])))
async def test_a_command_finds_the_town_of_its_variables(
    run: Run, elsewhere: tuple[Path, dict[str, str]], case_id: str, told: Told
) -> None:
    """With the settings of the town's processes and no folder of `jiceng up` the command does what it is for."""
    folder, _ = elsewhere

    def filled(text: str) -> str:
        return text.replace(CASE, case_id).replace(FOLDER, str(folder))

    as_whom = token(told.role, **told.more) if told.role else None
    ended = await run(*told.command.split(), *map(filled, told.arguments), as_whom=as_whom)

    said = ended.stdout + ended.stderr
    assert (ended.exit_code, filled(told.says) in said) == (told.exit_code, True), said
    assert "jiceng up" not in said


def test_no_command_is_forgotten() -> None:
    """Whatever takes a town's folder is called above, or it is said why not."""

    def takers(command: Any, path: tuple[str, ...]) -> Iterator[str]:
        if any("--data" in each.opts for each in command.params):
            yield " ".join(path)
        for name, below in getattr(command, "commands", {}).items():
            yield from takers(below, (*path, name))

    known = {told.command for told in COMMANDS} | set(UNTRIED)
    assert {name for name in takers(get_command(whole_app()), ()) if name.split()[0] not in HERE_ONLY} - known == set()


@pytest.mark.parametrize(
    "command",
    [("case", "list"), ("import", "{folder}/messages.csv"), ("payments", "reconcile", "2026-11")],
    ids=" ".join,
)
async def test_without_the_issuers_token_a_caller_is_told_where_to_get_one(
    run: Run, elsewhere: tuple[Path, dict[str, str]], command: tuple[str, ...]
) -> None:
    """The town's own keys open nothing where its issuer says who somebody is: a sentence names issuer and variable."""
    ended = await run(*(each.replace(FOLDER, str(elsewhere[0])) for each in command))

    assert ended.exit_code not in {0, 2}
    said = " ".join(ended.stderr.split())
    assert (ISSUER in said, "JICENG_API_TOKEN_FILE" in said, "Traceback" in said) == (True, True, False), said


@pytest.mark.parametrize(
    ("variable", "command"),
    [("JICENG_DATABASE_URL", ("notices", "show")), ("JICENG_TEMPORAL_ADDRESS", ("audit", "verify"))],
    ids=["database", "Temporal"],
)
async def test_what_does_not_answer_is_named_in_a_sentence(run: Run, variable: str, command: tuple[str, ...]) -> None:
    """A wrong address ends a command with the variable that holds it, and no password and no stack of frames."""
    with hold_ports(["nobody"], None, {}) as ports:
        wrong = f"{LOOPBACK}:{ports['nobody']}"
        value = f"postgresql://jiceng:s3cret@{wrong}/jiceng" if variable == "JICENG_DATABASE_URL" else wrong
        ended = await run(*command, instead={variable: value})

    said = "".join(ended.stderr.split())
    assert (ended.exit_code, wrong in said, variable in said, "s3cret" in said) == (1, True, True, False), said
    assert "Traceback" not in said


async def test_who_acts_is_what_the_token_says(run: Run, case_id: str) -> None:
    """`--as` beside an issuer's token would claim what the token does not: it is refused before anything is sent."""
    ended = await run("case", "show", case_id, "--as", "supervisor", as_whom=token(Role.RESIDENT))

    assert (ended.exit_code, "JICENG_API_TOKEN_FILE" in ended.stderr) == (2, True)


STUCK_SET_ASIDE = ("stuck", "set-aside", SUBMISSION, "--reason", "已核对")


@pytest.mark.parametrize(
    ("command", "needed"),
    [
        (("audit", "verify"), ("JICENG_DATABASE_URL",)),
        (("audit", "verify"), ("JICENG_TEMPORAL_ADDRESS",)),
        (("audit", "show", "incident-20261123-000001"), ("JICENG_TEMPORAL_ADDRESS",)),
        (("audit", "archive", "incident-20261123-000001"), ("JICENG_TEMPORAL_ADDRESS",)),
        (("archiver", "--once"), ("JICENG_TEMPORAL_ADDRESS",)),
        (("stuck",), ("JICENG_DATABASE_URL", "JICENG_TEMPORAL_ADDRESS")),
        (STUCK_SET_ASIDE, ("JICENG_API_URL", "JICENG_DATABASE_URL", "JICENG_TEMPORAL_ADDRESS")),
        (("stuck", "again", *STUCK_SET_ASIDE[2:]), ("JICENG_API_URL", "JICENG_DATABASE_URL")),
        (("stuck", "retry", "incident-20261123-000001", "--reason", "x"), ("JICENG_API_URL", "JICENG_TEMPORAL_ADDRESS")),
        (("case", "list"), ("JICENG_API_URL",)),
        (("import", "{folder}/messages.csv"), ("JICENG_API_URL",)),
        (("payments", "reconcile", "2026-11"), ("JICENG_API_URL",)),
        (("login",), ("JICENG_API_URL",)),
    ],
    ids=str,
)  # fmt: skip
async def test_where_no_variable_leads_to_a_town_nothing_is_asked(
    run: Run, elsewhere: tuple[Path, dict[str, str]], command: tuple[str, ...], needed: tuple[str, ...]
) -> None:
    """The default of an address is somebody else's port: a command that was given none says which it lacks, all at once."""
    given = (each.replace(FOLDER, str(elsewhere[0])) for each in command)
    ended = await run(*given, as_whom=token(Role.SUPERVISOR), without=needed)

    said = "".join(ended.stderr.split())
    assert (ended.exit_code != 0, f"{','.join(needed)}ismissing" in said, "jicengup" in said) == (True, True, True), (
        said
    )


async def test_an_address_that_nobody_told_is_blank(run: Run) -> None:
    """`where` prints no default of ours as if the town were there."""
    ended = await run("where", "api", without=("JICENG_API_URL",))

    assert (ended.exit_code, ended.stdout.strip()) == (0, "")


@pytest.mark.parametrize(
    ("command", "variable", "value"),
    [
        (("audit", "verify"), "JICENG_DATABASE_URL", "postgresql://jiceng:s3cret@db.example/jiceng"),
        (("case", "list", "--as", "supervisor"), "JICENG_API_URL", "https://jiceng.example"),
        (STUCK_SET_ASIDE, "JICENG_API_URL", "https://jiceng.example"),
        (("backup", "{folder}/refused"), "JICENG_DATABASE_URL", "postgresql://jiceng:s3cret@db.example/jiceng"),
    ],
    ids=str,
)
async def test_of_two_towns_none_is_chosen_in_silence(
    run: Run, town: Town, elsewhere: tuple[Path, dict[str, str]], command: tuple[str, ...], variable: str, value: str
) -> None:
    """Where a town runs on the folder and a variable leads to another one, the command says so and asks neither."""
    given = (each.replace(FOLDER, str(elsewhere[0])) for each in command)
    ended = await run(*given, instead={"JICENG_DATA": str(town.settings.data), variable: value})

    said = "".join(ended.stderr.split())
    assert ended.exit_code not in {0, 2}
    assert ("leadstoanotherone" in said, variable in said, str(town.settings.data) in said) == (True, True, True), said
    assert ("s3cret" in said, (elsewhere[0] / "refused").exists()) == (False, False)


async def test_variables_that_lead_to_the_town_that_runs_here_are_no_second_one(run: Run, town: Town) -> None:
    """Processes that `jiceng up` has started have all of them in their environment."""
    ended = await run("notices", "show", "--json", instead={"JICENG_DATA": str(town.settings.data)})

    assert ended.exit_code == 0, ended.stderr


async def test_a_backup_is_put_into_another_database_and_goes_on_there(
    run: Run, town: Town, elsewhere: tuple[Path, dict[str, str]], case_id: str, tmp_path: Path
) -> None:
    """Database and files are copied after Temporal's; put into a new database and folder, every case verifies and replays."""
    begun, backup, data = datetime.now(UTC).isoformat(), str(tmp_path / "backup"), str(tmp_path / "restored")
    made = await run("backup", backup, "--histories-at", begun)
    async with Cluster(town.settings).another(empty=True) as url:
        new = {
            "JICENG_DATABASE_URL": url.get_secret_value(),
            "JICENG_DATA": data,
            "JICENG_KEYS": f"{data}/keys",
        }
        restored = await run("restore", backup, "--data", data, instead=new)
        verified = await run("audit", "verify", case_id, instead=new)
        replayed = await run("audit", "replay", case_id, instead=new)
        again = await run("restore", backup, "--data", f"{data}-2", instead=new)

    for each in (made, restored, verified, replayed):
        assert each.exit_code == 0, each.stdout + each.stderr
    assert (again.exit_code, "isnotempty" in "".join(again.stderr.split())) == (1, True)


async def test_a_backup_is_for_its_owner_only_from_its_first_byte(town: Town, run: Run, tmp_path: Path) -> None:
    """A folder that was there for everybody becomes its owner's, and the dump is never anybody else's to read."""
    target, dump = tmp_path / "backup", tmp_path / "dump"
    target.mkdir(mode=0o755)
    target.chmod(0o755)
    made = await run("backup", str(target), "--histories-at", datetime.now(UTC).isoformat())
    failed = await dump_database(SecretStr("postgresql://jiceng@127.0.0.1:1/jiceng"), dump)

    assert made.exit_code == 0, made.stderr
    assert [stat.S_IMODE(each.stat().st_mode) for each in (target, target / DUMP, dump)] == [0o700, 0o600, 0o600]
    assert failed  # and before it knew whether there is a database, its file was nobody else's


@pytest.mark.parametrize(
    "place", ["{data}", "{data}/backup", "{keys}/backup", "{file}/backup", "{data}/../{name}/backup"]
)
async def test_a_backup_goes_nowhere_where_it_cannot_stay(
    run: Run, town: Town, elsewhere: tuple[Path, dict[str, str]], tmp_path: Path, place: str
) -> None:
    """In the town's own folders it would copy itself, and be lost with them; what cannot be written is told in a sentence."""
    (tmp_path / "file").write_text("x", encoding="ascii")
    data = elsewhere[0]
    target = place.format(data=data, keys=town.settings.key_folder, file=tmp_path / "file", name=data.name)
    ended = await run("backup", target, "--histories-at", datetime.now(UTC).isoformat())

    said = " ".join(ended.stderr.split())
    assert (ended.exit_code, "command_died" in said) == (1, False), said
    assert ("uid" if "file" in place else "own folder") in said
    assert not (Path(target) / "files").exists()


async def test_a_restore_that_broke_off_leaves_no_town_that_runs(
    run: Run, town: Town, case_id: str, tmp_path: Path
) -> None:
    """Between the files and what puts the database right no process runs there; done again into an empty database, all do."""
    backup, data = str(tmp_path / "backup"), tmp_path / "restored"
    made = await run("backup", backup, "--histories-at", datetime.now(UTC).isoformat())
    data.mkdir()
    (data / "pgpass").write_text("x", encoding="ascii")
    async with Cluster(town.settings).another(empty=True) as url:
        new = {"JICENG_DATABASE_URL": url.get_secret_value(), "JICENG_DATA": str(data), "JICENG_KEYS": f"{data}/keys"}
        connection = await asyncpg.connect(url.get_secret_value())
        await connection.execute("create view cases as select 1")  # in the way of the load, and no table
        broken = await run("restore", backup, "--data", str(data), instead=new)
        copied = (data / "keys").exists()
        refused = [
            await run(*each, instead=new)
            for each in (("notices", "show"), ("audit", "verify", case_id), ("archiver", "--once"))
        ]
        await connection.execute("drop view cases")
        await connection.close()
        restored = await run("restore", backup, "--data", str(data), instead=new)
        verified = await run("audit", "verify", case_id, instead=new)

    assert made.exit_code == 0, made.stderr
    assert (broken.exit_code, "could not be put back" in broken.stderr, copied) == (1, True, True), broken.stderr
    assert [(each.exit_code, "is under way or broke off" in " ".join(each.stderr.split())) for each in refused] == [
        (1, True)
    ] * 3
    for each in (restored, verified):
        assert each.exit_code == 0, each.stdout + each.stderr
    assert (data / "pgpass").read_text(encoding="ascii") == "x"


async def test_a_database_that_does_not_answer_is_named_before_anything_is_copied(run: Run, tmp_path: Path) -> None:
    """A restore with a wrong address says so as every command does, and leaves no half of a town."""
    backup, data = str(tmp_path / "backup"), tmp_path / "restored"
    made = await run("backup", backup, "--histories-at", datetime.now(UTC).isoformat())
    with hold_ports(["nobody"], None, {}) as ports:
        away = f"postgresql://jiceng:s3cret@{LOOPBACK}:{ports['nobody']}/jiceng"
        ended = await run("restore", backup, "--data", str(data), instead={"JICENG_DATABASE_URL": away})

    assert made.exit_code == 0, made.stderr
    said = "".join(ended.stderr.split())
    assert (ended.exit_code, "JICENG_DATABASE_URL" in said, "s3cret" in said) == (1, True, False), said
    assert not data.exists()


@pytest.mark.parametrize(
    "given", [(), ("--histories-at", "2026-11-28T02:00"), ("--histories-at", "2999-01-01T00:00+08:00")]
)
async def test_a_backup_wants_to_know_when_the_histories_were_copied(
    run: Run, tmp_path: Path, given: tuple[str, ...]
) -> None:
    """Without the time, without its offset, or with one to come nothing is copied: the ledger could be behind the histories."""
    ended = await run("backup", str(tmp_path / "backup"), *given)

    assert ended.exit_code in {1, 2}
    assert ("histories-at" in ended.stderr or "first" in ended.stderr, (tmp_path / "backup").exists()) == (True, False)
