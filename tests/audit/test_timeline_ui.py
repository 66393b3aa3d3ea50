"""What supervisors read of a case in the Temporal UI: seen with a browser, where the machine has one."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from engine.execution.temporal import connect
from engine.keys.keys import Keys
from engine.keys.tokens import issue
from engine.runtime.local_names import CODEC_PATH
from engine.runtime.settings import Settings
from local.town.town import Town, TownOptions, open_town
from schemas.incident_report import IncidentReport
from schemas.kernel.screen_words import holder_words
from schemas.values.actor import Role
from starter.auditors.codec_server import SIGN_IN
from starter.client import TownClient, http_client
from tests.api_callers import REPORT
from tests.browsing import needs_browser, text_of
from tests.waiting import eventually
from workflows.registry import PROCEDURES, WORDS

GLOSSARY = Path(__file__).resolve().parents[2] / "docs" / "GLOSSARY.md"
pytest_plugins = ("tests.browser_fixture",)


@pytest.fixture(scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """A town with its UI, worker and API in processes of their own; departments are at their desks."""
    async with open_town(TownOptions(data=tmp_path_factory.mktemp("ui"), durable=False)) as opened:
        yield opened


async def _reported(settings: Settings) -> str:
    """The address of a new case in the UI, below the UI's own."""
    keys = Keys.load(settings.key_folder)
    async with http_client() as http:
        client = TownClient(settings.api_url, lambda: issue(keys, subject="wang", role=Role.RESIDENT), http, 20.0)
        case_id = (await client.report(IncidentReport.model_validate(REPORT), "seen-in-the-ui")).case.case_id
        await client.case(case_id, "stage:dispatched")
    described = await (await connect(settings, keys)).get_workflow_handle(case_id).describe()
    return f"/namespaces/{settings.temporal_namespace}/workflows/{case_id}/{described.run_id}"


@needs_browser
@pytest.mark.long
@pytest.mark.timeout(400)  # a town, a browser, and page after page of it
async def test_a_supervisor_reads_the_case_in_the_ui(town: Town, chromium: Browser) -> None:
    """Details, timeline and history of a case are open and in Chinese: stage, holder, next due, orders, entries, timers.

    Without the codec endpoint, with another origin, or with summaries left out, it is not to be read; nor before somebody
    has signed in to the console.
    """
    case = town.addresses.temporal_ui + await _reported(town.settings)
    pages = {
        "user-metadata": ["事件处置 · 环境卫生", "环节 stage: 已派单 dispatched", "责任方 holder: 部门 urban-management",
                          "最近到期 next due: 签收 sign", "政策版本 policy"],
        "timeline": ["签收预警 sign warning", "派单 order-1 → urban-management"],
        "history": ["台账 1-2 incident:reported, incident:dispatched"],
    }  # fmt: skip
    async with await chromium.new_context(viewport={"width": 1400, "height": 1400}) as context:
        page = await context.new_page()
        await page.goto(f"{case}/timeline")

        async def drawn() -> bool:
            return "order-1" in await text_of(page) or "incident" in await text_of(page)

        await eventually(drawn, within=30)
        assert "签收预警" not in await text_of(page)
        await _sign_in(page, town)
        for name, wanted in pages.items():
            await page.goto(f"{case}/{name}")
            for words in wanted:

                async def readable(words: str = words) -> bool:
                    return words in await text_of(page)

                await eventually(readable, within=30)


async def _sign_in(page: Page, town: Town) -> None:
    """Sign in to the console with a supervisor's token, and let the UI send the cookie along, as in its settings."""
    token = issue(Keys.load(town.settings.key_folder), subject="zhou", role=Role.SUPERVISOR)
    await page.goto(f"{town.addresses.api}{SIGN_IN}")

    async def shown() -> bool:
        return "Sign in" in await text_of(page)

    async def signed_in() -> bool:
        return "Inbox" in await text_of(page)

    await eventually(shown, within=30)
    await page.evaluate(
        f"document.querySelector('#token').value = '{token}'; document.querySelector('#token').form.submit()"
    )
    await eventually(signed_in, within=30)
    endpoint = f"{town.addresses.api}{CODEC_PATH}"
    await page.goto(town.addresses.temporal_ui)
    said = {"endpoint": endpoint, "includeCredentials": True, "overrideRemoteCodecConfiguration": True}
    for name, value in said.items():
        await page.evaluate(f"localStorage.setItem('{name}', {json.dumps(json.dumps(value))})")


def test_every_stage_has_its_word_of_the_glossary() -> None:
    """A screen calls a stage what the glossary calls it, in every procedure."""
    glossary = set(re.findall(r"^\| `(\w+)` \| (\S+) \|", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE))
    said = {
        (stage.value, case.procedure.words.stage(stage.value, case.procedure.name).partition(" ")[0])
        for case in PROCEDURES
        for stage in case.procedure.stages
    }

    assert said - glossary == set()


def test_every_clock_of_the_procedures_has_its_word() -> None:
    """A timer in the UI says what it waits for in Chinese: each clock that a procedure starts has a word."""
    text = "".join(file.read_text(encoding="utf-8") for file in (GLOSSARY.parent.parent / "workflows").rglob("*.py"))
    started = set(re.findall(r"(?:start_duty|start_clock|clocks\.start)\(\s*\"([a-z_]+)\"", text))

    assert {"sign", "accept"} <= started
    assert started - {clock for case in PROCEDURES for clock in case.procedure.clock_words} == set()


def test_a_code_without_a_word_is_shown_as_it_is() -> None:
    """Whoever adds a clock or a stage sees its code, never nothing; the number of a tier stays."""
    assert [WORDS.stage("handling"), WORDS.stage("dreaming")] == ["处置中 handling", "dreaming"]
    assert [WORDS.clock("finish"), WORDS.clock("objection")] == ["办结 finish", "objection"]
    assert WORDS.moment("finish", "tier:2") == "办结上报2 finish tier:2"
    assert WORDS.moment("objection", "breach") == "objection breach"
    assert WORDS.moment("reopen", "warning") == "重启期满 reopen warning"
    assert [holder_words(each) for each in ("department:x", "role:grid_worker", "reporter", "", "someone")] == [
        "部门 x", "网格员 grid_worker", "报事人 reporter", "-", "someone",
    ]  # fmt: skip
