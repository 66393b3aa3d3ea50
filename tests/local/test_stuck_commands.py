"""`jiceng stuck retry`, `again` and `set-aside`: a supervisor of the whole town is known before anything is done."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli import app as whole_app
from engine.keys.keys import Keys
from engine.keys.tokens import issue
from local.town.ports import LOOPBACK, hold_ports
from local.town.town_processes import environment_of
from schemas.values.actor import Role
from schemas.values.refusals import Refusal, RefusalCode
from tests.api_callers import OwnTown, api_of, callers
from tests.served_api import listening
from tests.waiting import eventually

pytest_plugins = ("tests.api_fixture",)

ROW = "select status, looked_at is null as unseen from intake where submission = $1"
REASON = ("--reason", "程序修复前不再办理")


@dataclass(frozen=True)
class Waiting:
    """A town where no worker runs, with a command that waits, and the variables by which its processes run."""

    town: OwnTown
    case_id: str
    submission: str
    variables: dict[str, str]

    async def run(self, *arguments: str, **instead: str) -> Result:
        """Run a command where all that is known of the town are its variables; in a thread, for it has a loop of its own."""
        variables = {name: value for name, value in (self.variables | instead).items() if value}
        return await asyncio.to_thread(CliRunner(env=variables).invoke, whole_app(), arguments)

    async def row(self) -> tuple[Any, ...]:
        """How the command that waits stands."""
        return tuple(await self.town.pool.fetchrow(ROW, self.submission) or ())

    async def notes(self) -> list[str]:
        """Who put words into the case, in their order."""
        asked = "select subject from intake where case_id = $1 and command = 'comment' order by intake_id"
        return [str(each["subject"]) for each in await self.town.pool.fetch(asked, self.case_id)]


@pytest.fixture
async def waiting(own_town: OwnTown, keys: Keys, tmp_path: Path) -> AsyncIterator[Waiting]:
    """A command of a citizen's that nobody has taken up."""
    app = own_town.build()
    async with api_of(app) as http:
        as_ = callers(http, keys)
        case_id = str((await as_(Role.RESIDENT).report()).json()["case_id"])
        sent = await as_(Role.RESIDENT).command(case_id, "comment", {"text": "请尽快"})
        assert sent.status_code == 202, sent.text
    async with listening(own_town.build(), own_town.settings, keys) as served:
        over = {
            "data": tmp_path / "elsewhere",
            "keys": own_town.settings.key_folder,
            "api_url": f"http://127.0.0.1:{served.port}",
            "local_issuer": False,
        }
        variables = environment_of(own_town.settings.model_copy(update=over))
        yield Waiting(own_town, case_id, sent.headers["location"].rpartition("/")[2], variables)


def held(folder: Path, token: str) -> str:
    """A file with a token, as JICENG_API_TOKEN_FILE names it."""
    (folder / "token").write_text(token, encoding="ascii")
    return str(folder / "token")


async def test_nothing_is_set_aside_before_somebody_is_known(waiting: Waiting, keys: Keys, tmp_path: Path) -> None:
    """Without a token, with one of somebody else, of a supervisor of one area, or while nobody answers, the row still waits."""
    before = await waiting.row()
    command = ("stuck", "set-aside", waiting.submission, *REASON)
    nobody = await waiting.run(*command)
    roles: tuple[tuple[Role, dict[str, Any]], ...] = (
        (Role.RESIDENT, {}),
        (Role.WINDOW_CLERK, {}),
        (Role.ADMIN, {}),
        (Role.DEPARTMENT_OFFICER, {"department": "urban-management"}),
        (Role.SUPERVISOR, {"area": "320104.003"}),
    )
    tokens = [issue(keys, subject="somebody", role=role, **claims) for role, claims in roles]
    others = [await waiting.run(*command, JICENG_API_TOKEN_FILE=held(tmp_path, each)) for each in tokens]
    supervisors = held(tmp_path, issue(keys, subject="supervisor-7", role=Role.SUPERVISOR))
    with hold_ports(["nobody"], None, {}) as ports:
        away = await waiting.run(
            *command, JICENG_API_TOKEN_FILE=supervisors, JICENG_API_URL=f"http://{LOOPBACK}:{ports['nobody']}"
        )

    assert before == ("waiting", True)
    assert await waiting.row() == before
    assert len(await waiting.notes()) == 1
    assert {each.exit_code for each in (nobody, *others, away)} == {1}
    assert "JICENG_API_TOKEN_FILE" in nobody.stderr
    assert all("nothing was done" in " ".join(each.stderr.split()) for each in others), [each.stderr for each in others]
    assert "未办理" in away.stdout


@pytest.mark.parametrize("command", ["again", "set-aside", "retry"])
async def test_a_claimed_account_or_a_blank_reason_is_refused(
    waiting: Waiting, keys: Keys, tmp_path: Path, command: str
) -> None:
    """`--as` beside an issuer's token claims what the token does not; a reason without words explains nothing."""
    supervisors = held(tmp_path, issue(keys, subject="supervisor-7", role=Role.SUPERVISOR))
    target = waiting.case_id if command == "retry" else waiting.submission
    claimed = await waiting.run("stuck", command, target, *REASON, "--as", "boss", JICENG_API_TOKEN_FILE=supervisors)
    blank = await waiting.run("stuck", command, target, "--reason", " ", JICENG_API_TOKEN_FILE=supervisors)

    assert [(each.exit_code, "nothing was done" in each.stderr) for each in (claimed, blank)] == [(2, False)] * 2
    assert ("--as" in claimed.stderr, "--reason" in blank.stderr) == (True, True)
    assert await waiting.row() == ("waiting", True)
    assert len(await waiting.notes()) == 1


async def test_a_command_is_set_aside_all_the_same_where_the_case_takes_no_reason(
    waiting: Waiting, keys: Keys, tmp_path: Path
) -> None:
    """What is in the way may be what keeps the reason out: it is said that the one is done and the other is not."""
    supervisors = held(tmp_path, issue(keys, subject="supervisor-7", role=Role.SUPERVISOR))
    command = ("stuck", "set-aside", waiting.submission, *REASON)
    running = asyncio.create_task(waiting.run(*command, JICENG_API_TOKEN_FILE=supervisors))

    async def reason_is_kept() -> bool:
        if running.done():
            pytest.fail(f"it ended before the reason was kept: {running.result().output}")
        return len(await waiting.notes()) == 2

    await eventually(reason_is_kept, within=60)
    no = Refusal(code=RefusalCode.NOT_NOW, detail="案件已办结", command="comment").model_dump(mode="json")
    await waiting.town.pool.execute(
        "update intake set status = 'refused', settled_at = now(), answer = $2, attempts = attempts + 1"
        " where case_id = $1 and subject = 'supervisor-7'",
        waiting.case_id,
        no,
    )
    done = await running

    assert await waiting.row() == ("set_aside", False)
    assert (await waiting.notes())[1:] == ["supervisor-7"]
    assert (done.exit_code, "已暂存,理由未入案" in done.stderr) == (1, True), done.stdout + done.stderr
