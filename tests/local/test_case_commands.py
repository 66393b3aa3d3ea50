"""`jiceng case …`: staff without a screen of their own read cases and act on them, through the API like everybody else."""

import asyncio
import io
import json
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner, Result

from cli import app as whole_app
from engine.keys.keys import Keys
from engine.keys.tokens import issue
from local.commands.case_commands import NO_ANSWER, REFUSED, case_app
from local.commands.case_screen import cases_table, plain
from local.town.town import Town, TownOptions, open_town
from local.town.town_processes import PROCESSES
from schemas.incident_report import IncidentReport
from schemas.values.actor import Role
from schemas.words.fact_words import FACT_WORDS
from starter.cases.views import CaseRow
from starter.client import TownClient, http_client
from tests.api_callers import REPORT
from tests.console_browser import SAME_ORIGIN, main_form
from tests.forked import forked

pytestmark = pytest.mark.timeout(400)

Run = Callable[..., Coroutine[None, None, Result]]
NOON = datetime(2026, 11, 23, 12, tzinfo=timezone(timedelta(hours=8)))
OFFICER = ("--as", "department_officer:li", "--department", "urban-management")


@pytest.fixture(scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """A town with worker and API in processes of their own; departments are at their desks."""
    ours = [process for process in forked(PROCESSES) if process.name in {"worker", "api"}]
    async with open_town(TownOptions(data=tmp_path_factory.mktemp("cases"), processes=ours, durable=False)) as opened:
        yield opened


@pytest.fixture
def run(town: Town) -> Run:
    """Run `jiceng case …` on the town; in a thread, since each command has a loop of its own."""

    async def invoke(*arguments: str) -> Result:
        data = ("--data", str(town.settings.data))
        return await asyncio.to_thread(lambda: CliRunner().invoke(case_app, [*arguments, *data]))

    return invoke


@pytest.fixture
async def case_id(town: Town) -> str:
    """A case that stands with urban-management."""
    keys = Keys.load(town.settings.key_folder)
    async with http_client() as http:
        client = TownClient(town.settings.api_url, lambda: issue(keys, subject="wang", role=Role.RESIDENT), http, 20.0)
        case = (await client.report(IncidentReport.model_validate(REPORT), str(uuid.uuid4()))).case
        return (await client.case(case.case_id, "stage:dispatched")).case_id


async def test_the_list_names_stage_holder_and_next_due(run: Run, case_id: str) -> None:
    """A line of the list says where a case stands, who has to act, and by when; filters narrow it; --json is the API's own."""
    listed, filtered = await run("list"), await run("list", "--stage", "closed", "--json")
    as_json = await run("list", "--json", "--limit", "1", "--open")

    assert listed.exit_code == filtered.exit_code == as_json.exit_code == 0
    for words in (case_id, "已派单 dispatched", "部门 urban-management", "签收 sign", "环境卫生"):
        assert words in listed.stdout
    assert json.loads(filtered.stdout) == {"items": []}
    assert [item["case_id"] for item in json.loads(as_json.stdout)["items"]] == [case_id]


async def test_a_command_is_given_as_somebody_and_stands_in_the_timeline(run: Run, case_id: str) -> None:
    """What an officer signs and finishes from the terminal is told in the case, with its words and its clocks."""
    signed = await run("command", case_id, "sign", *OFFICER)
    finished = await run("command", case_id, "finish", *OFFICER, "--field", "result=垃圾已清运", "--json")
    shown = await run("show", case_id)

    assert (signed.exit_code, finished.exit_code, shown.exit_code) == (0, 0, 0)
    assert "处置中 handling" in signed.stdout
    assert json.loads(finished.stdout)["stage"] == "verifying"
    for words in (
        "办理结果: 垃圾已清运",
        "部门经办人 department_officer urban-management",
        "核查 verify",
        "描述: 小区垃圾",
    ):
        assert words in shown.stdout
    assert shown.stdout.index("受理") < shown.stdout.index("办结  部门经办人")


async def test_a_refusal_says_why_and_what_is_legal(run: Run, case_id: str) -> None:
    """The wrong command at a stage is refused with its reason and the legal ones, exit code 1; with --json as JSON."""
    told = await run("command", case_id, "finish", *OFFICER, "--field", "result=x")
    as_json = await run("command", case_id, "finish", *OFFICER, "--field", "result=x", "--json")
    faulty = await run("command", case_id, "return_order", *OFFICER)

    assert (told.exit_code, as_json.exit_code, faulty.exit_code) == (REFUSED,) * 3
    assert told.stdout == ""
    for words in ("not-now", "已派单 dispatched", "现在可办 legal now", "签收 sign", "退单 return_order"):
        assert words in told.stderr
    refusal = json.loads(as_json.stdout)
    assert (refusal["refused"], "sign" in refusal["legal_commands"]) == ("not-now", True)
    assert "reason:" in faulty.stderr
    assert "legal_basis:" in faulty.stderr


async def test_the_same_key_is_the_same_act(run: Run, case_id: str) -> None:
    """A command sent again under its key is answered as the first time, and stands in the case once."""
    answers = [await run("command", case_id, "sign", *OFFICER, "--key", f"once-{case_id}", "--json") for _ in range(2)]
    timeline = json.loads((await run("show", case_id, "--json")).stdout)["timeline"]

    assert [answer.exit_code for answer in answers] == [0, 0]
    first, again = (json.loads(answer.stdout)["accepted"] for answer in answers)
    assert first == again
    assert [entry["kind"] for entry in timeline].count("incident:signed") == 1


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--as", "mayor"), "choose one of: resident"),
        (("--as", "engine"), "no role 'engine'"),
        (("--as", "department_officer:li"), "--department"),
        ((*OFFICER, "--body", "["), "not JSON"),
        ((*OFFICER, "--body", "[]"), "a JSON object"),
        ((*OFFICER, "--field", "result"), "not NAME=VALUE"),
        ((), "--as"),
    ],
)
async def test_a_wrong_command_line_is_told_before_anything_is_sent(
    run: Run, arguments: tuple[str, ...], named: str
) -> None:
    """A role, body or field that cannot be right ends with exit code 2 and says what would be."""
    result = await run("command", "incident-20261122-000001", "sign", *arguments)

    assert (result.exit_code, named in result.stderr) == (2, True)


async def test_without_a_town_it_says_how_to_start_one(tmp_path: Path) -> None:
    """No town on the folder: exit code 3 and the command that starts one, not a stack of frames."""
    result = await asyncio.to_thread(lambda: CliRunner().invoke(case_app, ["list", "--data", str(tmp_path)]))

    assert (result.exit_code, "jiceng up" in result.stderr) == (NO_ANSWER, True)


async def test_a_login_prints_a_link_that_opens_the_console(town: Town) -> None:
    """Printed on the machine of the town, opened in a browser, pressed once: the account works at its inbox."""
    arguments = (
        "login",
        "--role",
        "department_officer",
        "--department",
        "urban-management",
        "--data",
        str(town.settings.data),
    )
    printed = await asyncio.to_thread(lambda: CliRunner().invoke(whole_app(), arguments))
    async with http_client() as http:
        form = main_form((await http.get(printed.stdout.strip())).text)
        entered = await http.post(town.addresses.api + form.action, data=form.texts, headers=SAME_ORIGIN)
        inbox = await http.get(town.addresses.api + entered.headers["location"])

    assert (printed.exit_code, entered.status_code, inbox.status_code) == (0, 303, 200)
    assert "部门经办人 department_officer-1" in inbox.text


async def test_a_login_that_no_token_could_be_is_refused(town: Town) -> None:
    """An officer of no department has no token, and no link either."""
    arguments = ("login", "--role", "department_officer", "--data", str(town.settings.data))
    printed = await asyncio.to_thread(lambda: CliRunner().invoke(whole_app(), arguments))

    assert (printed.exit_code, "say which" in printed.stderr) == (2, True)


def test_every_fact_is_called_by_a_chinese_word() -> None:
    """The words of facts are Chinese; a fact that has none is shown under its code."""
    assert [code for code, word in FACT_WORDS.items() if word.isascii()] == []


@pytest.mark.parametrize(("minutes", "late"), [(-1, True), (1, False)])
def test_what_is_overdue_is_marked(minutes: int, *, late: bool) -> None:
    """A case whose next due time has passed by the town's clock says so in the list."""
    row: dict[str, Any] = {
        "case_id": "incident-20261122-000001", "procedure": "incident", "stage": "handling", "holder": "department:x",
        "area": "a", "department": "x", "opened_at": NOON, "closed_at": None, "ended": False,
        "due_at": NOON + timedelta(minutes=minutes), "due_clock": "finish", "seq": 1, "labels": {},
    }  # fmt: skip
    output = io.StringIO()
    Console(file=output, width=170).print(cases_table([CaseRow.model_validate(row)], NOON))

    assert ("逾期" in output.getvalue()) is late


@given(text=st.text())
def test_no_text_steers_the_terminal(text: str) -> None:
    """Control characters and changes of direction in a text are shown as such; Chinese, spaces and lines stay."""
    shown = plain(text)

    assert len(shown) == len(text)
    assert not any(letter in shown for letter in "\x1b\x07\r\t\x9b\u202e\u2066\u2028")
    assert plain("描述: 一 二\u3000三\n四🏠") == "描述: 一 二\u3000三\n四🏠"
