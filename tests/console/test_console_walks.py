"""Every procedure through the pages alone: a case is opened by its form, and goes its main walk by the forms of its commands."""

import re
import uuid
from collections.abc import Callable

import asyncpg
import httpx
import pytest

from console.forms.sheet import CHECKED
from console.sign_in.sessions import Sessions
from engine.keys.keys import Keys
from schemas.contest import CONTEST
from schemas.kernel.procedure import Procedure
from schemas.welfare import WELFARE
from tests.api_driver import token_of
from tests.console_browser import Browser, main_form, written
from tests.console_driver import ConsoleDriver, asked_for
from tests.every_procedure import EVERY_PROCEDURE
from tests.examples.welfare import PATH

pytest_plugins = ("tests.api_fixture",)
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def town_of(http: httpx.AsyncClient, keys: Keys, pool: asyncpg.Pool) -> Callable[[Procedure], ConsoleDriver]:
    """The people of a procedure's examples, each with a browser."""
    token = token_of(keys)

    return lambda procedure: ConsoleDriver(http, token, procedure, sessions=Sessions(pool))


async def walked(town: ConsoleDriver) -> str:
    """A case that went its main walk by forms."""
    if town.procedure.parent is None:
        case_id = await town.open_case(town.examples.REPORTER)
    else:
        case_id = await town.start(key=str(uuid.uuid4()))
    await town.stands(case_id)
    await town.go(case_id, town.examples.MAIN.steps)
    return case_id


@EVERY_PROCEDURE
async def test_a_main_walk_goes_through_the_forms(
    procedure: Procedure, town_of: Callable[[Procedure], ConsoleDriver]
) -> None:
    """Opened, acted on and brought to where its walk ends by people who have a browser without scripts and nothing else."""
    town = town_of(procedure)
    case_id, stage = await walked(town), town.examples.MAIN.stage
    shown = await (await town.browser("auditor")).get(f"/cases/{case_id}?texts=open")

    assert (await town.case(case_id))["stage"] == stage
    assert procedure.words.stage(stage, procedure.name) in shown.text


async def test_who_tries_by_a_form_what_is_in_the_way_is_on_record(
    town_of: Callable[[Procedure], ConsoleDriver], pool: asyncpg.Pool
) -> None:
    """An application tells a clerk whether somebody has that benefit already; each such question is kept, as at the API."""
    town = town_of(WELFARE)
    by_her, key = await town.examples.prepared(town, None, "applicant", str(uuid.uuid4())), str(uuid.uuid4())
    stands = await town.api.post(PATH, json=by_her, headers=town.headers("applicant", key, by_her))
    by_clerk = await town.examples.prepared(town, None, "clerk", str(uuid.uuid4()))
    asked = asked_for(by_clerk | {"applicant": by_her["applicant"]})
    browser, who = await town.browser("clerk"), town.examples.PEOPLE["clerk"].subject
    on_record = "select count(*) from refusals where code = 'already-held' and command = 'apply' and subject = $1"
    before = await pool.fetchval(on_record, who)
    form = await browser.filled(await browser.form("/new/welfare", 1), written(asked))
    checked = await browser.send(form)
    answer = await browser.send(main_form(checked.text), (CHECKED, "1"))

    assert (stands.status_code, checked.status_code, answer.status_code) == (201, 200, 409)
    assert await pool.fetchval(on_record, who) == before + 1


async def test_anybody_objects_to_what_is_posted_by_a_form(
    http: httpx.AsyncClient, town_of: Callable[[Procedure], ConsoleDriver]
) -> None:
    """Without an account: what is missing is said beside its field, what was typed stays, and the notice comes down."""
    town = town_of(CONTEST)
    case_id = await walked(town)
    notices = (await http.get("/notices")).text
    addresses: list[str] = re.findall(r'href="(/notices/[^"]+/object)"', notices)
    anybody = Browser(http)
    form = await anybody.form(addresses[-1])
    form.fill({"reason": ["施工影响通行</textarea>"]})
    wrong = await anybody.send(form)
    again = main_form(wrong.text)
    again.fill({"contact": ["3号楼李先生 13700000000"]})
    taken = await anybody.send(again)

    assert (wrong.status_code, taken.status_code) == (422, 202)
    assert again.texts["reason"] == ["施工影响通行</textarea>"]
    assert "何*" in notices
    assert "何志远" not in notices
    assert (await town.case(case_id))["stage"] == "objected"
    assert (await anybody.get(addresses[-1])).status_code == 404
