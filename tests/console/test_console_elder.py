"""长辈版 and Chinese alone: a switch that needs no script, and forms that ask one question after the other and lose nothing."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
import pytest
from pydantic import BaseModel

from console.forms.controls import Control, ControlKind
from console.forms.faults import PlacedFault
from console.forms.questions import next_question
from console.forms.shapes import controls_of
from console.forms.sheet import AT, CHECKED, TO, Sheet, own
from console.http.forms import Posted
from console.http.languages import Language
from console.http.look import COOKIE, LOOK, Look
from console.sign_in.sessions import Sessions
from engine.keys.tokens import Principal
from engine.policies.policies import PolicyFaults
from engine.policies.site_policy import load_site_policy
from engine.runtime.settings import PROJECT
from schemas.kernel.procedure import Procedure
from schemas.values.actor import Role
from starter.http.command_bodies import command_body_of
from starter.http.samples import sample
from starter.intake.openings import opening_of
from tests.api_callers import REPORT, As
from tests.console_browser import SAME_ORIGIN, Browser, Forms, main_form, signed_in, written
from tests.every_procedure import EVERY_PROCEDURE

pytest_plugins = ("tests.api_fixture",)
ELDER = {"Cookie": f"{COOKIE}=elder"}


async def switched(http: httpx.AsyncClient, look: str, *, back: str = "/follow", cookie: str = "") -> httpx.Response:
    """Press a button of the switch."""
    answer = await http.post(
        LOOK, data={"look": look, "back": back}, headers=SAME_ORIGIN | {"Cookie": f"{COOKIE}={cookie}"}
    )
    http.cookies.clear()
    return answer


@pytest.mark.parametrize(
    ("before", "pressed", "after"),
    [("", "elder", "elder"), ("elder", "elder", '""'), ("elder", "zh", "elder.zh"), ("elder.zh", "elder", "zh"),
     ("zh", "nonsense", "zh"), ("zh", "en", "en"), ("en", "en", '""'), ("en.zh", "elder", "elder.en"),
     ("<x>.elder", "zh", "elder.zh")],
)  # fmt: skip
async def test_a_button_in_the_head_changes_one_thing(
    before: str, pressed: str, after: str, http: httpx.AsyncClient
) -> None:
    """Large type and one language alone are switched each for itself, kept for a year, and one comes back to where one was."""
    answer = await switched(http, pressed, cookie=before)

    assert (answer.status_code, answer.headers["location"]) == (303, "/follow")
    assert f"{COOKIE}={after};" in answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax", "Max-Age=31536000"} <= {
        each.strip() for each in answer.headers["set-cookie"].split(";")
    }


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example/", "/\\evil.example", ""])
async def test_the_switch_leads_nowhere_else(back: str, http: httpx.AsyncClient) -> None:
    """Whatever stands in the form, one stays on this site."""
    assert (await switched(http, "elder", back=back)).headers["location"] == "/"


async def test_every_page_has_the_switch_and_says_whose_it_is(http: httpx.AsyncClient) -> None:
    """In large type with the styles of it and the number of the hall; usually without either's weight."""
    usual, elder = await http.get("/follow?x=1"), await http.get("/", headers=ELDER)
    failed = await http.post("/sign-in/token", data={"token": "x"}, headers=SAME_ORIGIN)

    assert ("town-elder" in usual.text, "elder." in usual.text) == (False, False)
    assert ("town-elder" in elder.text, "/assets/elder." in elder.text) == (True, True)
    assert "不会用?请打电话" in elder.text
    assert 'href="tel:12345"' in elder.text
    for words in ("幸福镇人民政府", "投诉建议", "幸福镇政务服务大厅"):
        assert words in usual.text
    assert Forms(usual.text).found[-1].texts["back"] == ["/follow?x=1"]
    assert Forms(failed.text).found[-1].texts["back"] == ["/"]  # nobody can open what was sent


async def test_number_and_code_are_asked_one_after_the_other(http: httpx.AsyncClient, as_: As) -> None:
    """The code comes after the number; both wrong, the number is asked again and stays written."""
    reported = (await as_(Role.WINDOW_CLERK).report(REPORT)).json()
    browser = Browser(http)
    first = main_form((await http.get("/follow", headers=ELDER)).text)
    names = [set(first.names)]
    first.fill({"number": [reported["case_id"]]})
    second = main_form((await browser.send(first, None, **ELDER)).text)
    names.append(second.names)
    second.fill({"code": ["WRONGCOD"]})
    wrong = await browser.send(second, None, **ELDER)
    second.fill({"code": [reported["code"]]})
    found = await browser.send(second, None, **ELDER)

    assert names == [{"number"}, {"number", "code"}]
    assert (wrong.status_code, main_form(wrong.text).names) == (404, {"number"})
    assert (found.status_code, "承诺的时限" in found.text) == (200, True)


async def test_a_case_is_opened_question_by_question(http: httpx.AsyncClient, pool: asyncpg.Pool) -> None:
    """What is wrong is said at its question, one can go back, and at the end the whole is looked at once more and sent."""
    ends_at = datetime.now(UTC) + timedelta(hours=1)
    who = Principal(
        subject="clerk-elder", role=Role.WINDOW_CLERK, department=None, area=None, token_id=None, expires_at=ends_at
    )
    clerk = await signed_in(http, Sessions(pool), who)
    answers = {"category": "环境卫生", "description": "第一行\n第二行", "location.address": "幸福小区3号楼"}
    page, asked, refused = await http.get("/new/incident", headers=_both(clerk)), list[int](), 0
    while AT in (form := main_form(page.text)).names:
        asked.append(int(form.texts[AT][0]))
        theirs = {
            name: [text] for name, text in answers.items() if name in form.names and not form.texts.get(name, [""])[0]
        }
        if theirs and not refused:
            page = await clerk.send(form, None, **_both(clerk))
            refused += page.status_code == 422
            form = main_form(page.text)
        form.fill(theirs)
        page = await clerk.send(form, None, **_both(clerk))
    sent = await clerk.send(main_form(page.text), (CHECKED, "1"))

    assert asked == list(range(len(asked)))
    assert len(asked) >= 3
    assert refused == 1
    assert "提交前请核对" in page.text
    assert (sent.status_code, "/submissions/" in sent.headers["location"]) == (303, True)


def _both(browser: Browser) -> dict[str, str]:
    """The cookies of somebody who is signed in and wants large type."""
    return {"Cookie": f"{browser._headers()['Cookie']}; {COOKIE}=elder"}  # noqa: SLF001 - a tool of the tests


def everything_sent(procedure: Procedure) -> Iterator[tuple[str, type[BaseModel], tuple[Control, ...]]]:
    """Whatever people send of a procedure, with its controls."""
    for name, command in procedure.commands.items():
        door = command_body_of(command)
        yield name, door.model, controls_of(door.model, command, {})
    if procedure.parent is None:
        model = opening_of(procedure).model
        yield "opening", model, controls_of(model, model, {})


def texts_of(model: type[BaseModel]) -> dict[str, list[str]]:
    """Something in each field."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    made = {
        name: sample({**each, "default": None}, schema.get("$defs", {}), name)
        for name, each in schema["properties"].items()
    }
    return written(json.loads(json.dumps(made)))


@EVERY_PROCEDURE
def test_question_by_question_nothing_is_lost(procedure: Procedure) -> None:
    """Every form of every procedure: what was written arrives whole, in as many pages as there are questions."""
    for name, model, controls in everything_sent(procedure):
        texts, blank = texts_of(model), Sheet(name, name, "", "/", "/", name, controls, at=0)
        if len(controls) < 2:
            continue
        sheet, pages = blank, 0
        while True:
            pages += 1
            shown = {each for each in texts if sheet.question_at(each) == sheet.at}
            posted = Posted({**_by_name(sheet), **{each: texts[each] for each in shown}, AT: [str(sheet.at)]})
            following = next_question(replace(sheet, texts=own(posted)), posted, ())
            if following is None:
                break
            sheet = following

        assert own(posted) == texts, name
        assert pages == len(blank.questions), name


def _by_name(sheet: Sheet) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, text in sheet.answered_elsewhere():
        found.setdefault(name, []).append(text)
    return found


def test_a_question_is_asked_until_it_is_right() -> None:
    """What is wrong with the one that was asked keeps it there; what is wrong with others waits; back asks nothing."""
    controls = tuple(Control(each, ControlKind.LINE, each, each, given="vorher") for each in ("a", "ab", "c"))
    sheet = Sheet("t", "t", "", "/", "/", "t", controls, texts={"a": ["1"]}, at=1)
    posted = Posted({AT: ["1"]})
    wrong = [PlacedFault(each, "", "", "") for each in ("ab.0", "c", "")]
    here, on = next_question(sheet, posted, wrong), next_question(sheet, posted, wrong[1:])
    back = next_question(sheet, Posted({AT: ["1"], TO: ["0"]}), wrong)
    assert here is not None
    assert on is not None
    assert back is not None

    assert (here.at, [each.place for each in here.faults]) == (1, ["ab.0"])
    assert (on.at, list(on.faults)) == (2, [])
    assert (back.at, list(back.faults)) == (0, [])
    assert (on.text(controls[2]), replace(on, at=None).text(controls[2])) == ("vorher", "")
    for said in ("3", "-1", "x", "", "²"):
        assert next_question(sheet, Posted({AT: [said]}), wrong) is None
    assert next_question(replace(sheet, at=2), Posted({AT: ["2"]}), ()) is None


def test_a_look_is_written_as_it_is_read() -> None:
    """The words of the cookie, in one order; nothing for the usual one."""
    assert [Look().written, Look(elder=True).written, Look(elder=True, language=Language.CHINESE).written] == [
        "",
        "elder",
        "elder.zh",
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [('phone: "12345"', 'phone: "call us"', "hall.phone"), ("host: {zh: 幸福镇人民政府, en: the town of Xingfu}", "", "host"),
     ('# identifier: "3201040001"', 'identifier: "32"', "identifier"), ("# icp: 苏ICP备12345678号-1", "icp: none", "icp")],
)  # fmt: skip
def test_what_the_foot_says_is_checked(old: str, new: str, told: str, tmp_path: Path) -> None:
    """A number that nobody can ring, a code that is none: told with its line before a page is served."""
    text = (PROJECT / "policies" / "site.yaml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "site.yaml").write_text(text.replace(old, new), encoding="utf-8")

    with pytest.raises(PolicyFaults) as faults:
        load_site_policy(tmp_path)
    assert f": {told}: " in str(faults.value.faults)
