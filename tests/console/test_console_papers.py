"""Papers of a case in the town's words, forms to be filled in by hand, and PDF where it is installed."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from console.forms.controls import leaves_of
from console.forms.offers import opening_controls
from console.papers.papers import Papers
from console.papers.press import Press
from console.residents.blank_forms_page import BY_HAND
from console.sign_in.sessions import Sessions
from console.staff.opening_page import Openings
from engine.keys.tokens import Principal
from engine.policies.paper_policy import load_papers
from engine.policies.policies import PolicyFaults
from engine.runtime.settings import PROJECT, Settings
from schemas.values.actor import Role
from starter.http.dependencies import provided
from starter.http.problems import Problem
from starter.intake.filing import Filing
from tests.api_callers import REPORT, As, BuildApp
from tests.console_browser import Browser, signed_in

pytest_plugins = ("tests.api_fixture",)
POLICIES = PROJECT / "policies"
PDF = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b"as=pdf"}


async def somebody(http: httpx.AsyncClient, pool: asyncpg.Pool, role: Role, subject: str) -> Browser:
    """Somebody who has signed in."""
    ends_at = datetime.now(UTC) + timedelta(hours=1)
    who = Principal(subject=subject, role=role, department=None, area=None, token_id=None, expires_at=ends_at)
    return await signed_in(http, Sessions(pool), who)


async def test_a_paper_is_offered_where_the_case_has_what_it_says(
    http: httpx.AsyncClient, pool: asyncpg.Pool, as_: As
) -> None:
    """An open case has a receipt and no outcome, a closed one both; what stands in braces is the case's, and nobody else's."""
    resident = as_(Role.RESIDENT, "resident-papers")
    case_id = (await resident.report(REPORT)).json()["case_id"]
    clerk = await somebody(http, pool, Role.WINDOW_CLERK, "clerk-papers")
    stranger = await somebody(http, pool, Role.RESIDENT, "stranger-papers")
    paper = f"/cases/{case_id}/paper"
    before = await clerk.get(f"/cases/{case_id}")
    statuses = [(await who.get(f"{paper}/{kind}")).status_code for who, kind in (
        (clerk, "receipt"), (clerk, "outcome"), (clerk, "nothing"), (stranger, "receipt"),
    )]  # fmt: skip
    receipt = (await clerk.get(f"{paper}/receipt")).text
    await resident.command(case_id, "withdraw", {"reason": "已自行解决"})
    after = await clerk.get(f"/cases/{case_id}")
    outcome = (await clerk.get(f"{paper}/outcome")).text

    assert [f"{paper}/{kind}" in before.text for kind in ("receipt", "outcome", "wanting")] == [True, False, False]
    assert f"{paper}/outcome" in after.text
    assert statuses == [200, 404, 404, 404]
    assert f"编号{case_id}。" in receipt
    assert "幸福镇政务服务大厅(幸福路1号" in receipt
    assert "已撤回" in outcome
    assert "{" not in receipt.partition("<article")[2] + outcome.partition("<article")[2]
    assert REPORT["reporter"]["name"] not in receipt


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("{case_id}。", "{case_number}。", "paragraphs.0: {case_number} is no fact of a case"),
        ("{case_id}。", "{case_id。", "paragraphs.0: braces that do not match"),
        ("{case_id}。", "{case_id.__class__}。", "paragraphs.0: {case_id.__class__} is no fact"),
        ("title: {zh: 受理回执, en: Receipt}", "", "title: Field required"),
    ],
)
def test_what_a_paper_names_is_checked_before_it_is_printed(old: str, new: str, told: str, tmp_path: Path) -> None:
    """A slip of the pen in a town's words keeps a process from starting, with file and line; not a clerk from printing."""
    folder = shutil.copytree(POLICIES / "papers", tmp_path / "papers")
    text = (folder / "receipt.yaml").read_text(encoding="utf-8")
    assert old in text
    (folder / "receipt.yaml").write_text(text.replace(old, new), encoding="utf-8")

    with pytest.raises(PolicyFaults) as faults:
        load_papers(tmp_path)
    [fault] = faults.value.faults
    assert fault.startswith(f"{folder}/receipt.yaml:")
    assert told in fault


def test_a_town_without_papers_has_none(tmp_path: Path) -> None:
    """No folder is no fault: the pages are there, and offer nothing to print but themselves."""
    assert load_papers(tmp_path) == {}
    assert {"receipt", "outcome", "wanting"} <= load_papers(POLICIES).keys()


async def test_every_form_is_there_on_paper(build_app: BuildApp) -> None:
    """Each opening that a window takes in: every field by its words, a box for each option; no other has a paper."""
    app: FastAPI = build_app()
    filing, openings = provided(app, Filing), provided(app, Openings)
    lacking, shown = [], 0
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://town") as nobody:
        listed = (await nobody.get("/forms")).text
        for name, opening in openings.by_procedure.items():
            page = await nobody.get(f"/forms/{name}")
            if not opening.starters & {Role.RESIDENT, Role.WINDOW_CLERK}:
                assert (page.status_code, f"/forms/{name}" in listed) == (404, False)
                continue
            shown += f"/forms/{name}" in listed
            for control in leaves_of(opening_controls(filing, opening, BY_HAND)):
                few = control.choices if len(control.choices) < 10 else ()
                words = [control.zh, *(f"□ {choice.zh}" for choice in few)]
                lacking += [(name, word) for word in words if word not in page.text]
            assert "窗口填写" in page.text
            assert "<input" not in page.text.partition("<article")[2].partition("</article>")[0]

    assert shown >= 3
    assert lacking == []


async def test_without_the_extra_a_page_says_how_else_to_print(settings: Settings) -> None:
    """Nothing breaks where PDF is not installed: the page is there, and the way to a PDF is told."""
    papers, shown = replace(Papers.of(settings), press=Press(there=False)), Response("<p>x</p>")
    plain = Request(PDF | {"query_string": b""})
    with pytest.raises(Problem, match=r"浏览器.*jiceng\[pdf\]") as told:
        await papers.answer(Request(PDF), shown, "x")

    assert await papers.answer(plain, shown, "x") is shown
    assert told.value.kind.status == 404


@pytest.mark.skipif(find_spec("weasyprint") is None, reason="the extra pdf is not installed")
async def test_a_paper_is_a_file_too(http: httpx.AsyncClient, pool: asyncpg.Pool, as_: As) -> None:
    """As PDF, saved and not opened by a page of ours; with the number of the case in its name and nothing of a person."""
    case_id = (await as_(Role.WINDOW_CLERK).report(REPORT)).json()["case_id"]
    clerk = await somebody(http, pool, Role.WINDOW_CLERK, "clerk-pdf")
    made = await clerk.get(f"/cases/{case_id}/paper/receipt?as=pdf")

    assert (made.status_code, made.headers["content-type"]) == (200, "application/pdf")
    assert made.content.startswith(b"%PDF")
    assert made.headers["content-disposition"] == f'attachment; filename="{case_id}-receipt.pdf"'
    assert made.headers["cache-control"] == "no-store"
