"""Pages for work with many cases: search, filters under a name, acting on many, the wall, indicators, similar cases."""

import csv
import io
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest

from console.forms.sheet import CHECKED, KEY
from console.sign_in.sessions import Sessions
from console.staff.common_form import _common_field, for_many
from console.staff.figures import BARS_AT_MOST, shown_table
from console.staff.saved_filters import name_of, query_of
from console.staff.search_page import _NUMBER, _OF_A_PERSON
from engine.keys.tokens import Principal
from schemas.contracts.department_policy import Name
from schemas.kernel.answers import AnswerTo
from schemas.kernel.procedure import Procedure
from schemas.values.actor import Role
from schemas.words.figure_words import FIGURES
from starter.cases.indicator_sheets import FigureTable, sheets_of
from starter.cases.procedure_indicators import SHEET
from starter.cases.views import IndicatorLine, ProcedureLine, StreetLine, SummonsLine
from starter.http.command_bodies import command_body_of
from starter.http.problems import Problem
from starter.intake.command_forms import FieldKind, FormChoice, FormField
from starter.intake.town_rules import TownRules
from tests.api_callers import REPORT, As, BuildApp
from tests.console_browser import Browser, Form, Forms, main_form, signed_in
from tests.every_procedure import EVERY_PROCEDURE
from workflows.registry import PROCEDURES

pytest_plugins = ("tests.api_fixture",)

URBAN = "urban-management"


async def somebody(http: httpx.AsyncClient, pool: asyncpg.Pool, role: Role, subject: str = "", **other: Any) -> Browser:
    """Somebody of a role who has signed in."""
    said = {"department": None, "area": None, "token_id": None, "expires_at": datetime.now(UTC) + timedelta(hours=1)}
    return await signed_in(http, Sessions(pool), Principal(subject=subject or f"{role}-1", role=role, **said | other))


async def incidents(as_: As, count: int) -> list[str]:
    """So many new incidents."""
    return [(await as_(Role.WINDOW_CLERK).report(REPORT)).json()["case_id"] for _ in range(count)]


def form_to(page: str, action: str) -> Form:
    """The form of a page that is sent to an address."""
    return next(form for form in Forms(page).found if form.action == action)


# ---- search ---------------------------------------------------------------------------------------------------------


async def test_a_search_leads_to_a_case_a_list_or_the_matters_that_fit(
    http: httpx.AsyncClient, as_: As, pool: asyncpg.Pool
) -> None:
    """By its whole number, by a part of it, by what people call the matter; the list that is led to shows the case."""
    [case_id] = await incidents(as_, 1)
    browser = await somebody(http, pool, Role.COORDINATOR)
    form = form_to((await browser.get("/search")).text, "/search")
    answers = {}
    for text in (f" {case_id} ", case_id[-6:], "垃圾"):
        form.fill({"text": [text]})
        answers[text] = await browser.send(form)
    matters = answers["垃圾"].text
    address = re.search(r'href="(/cases\?[^"]*category=[^"]*)"', matters)

    assert answers[f" {case_id} "].headers["location"] == f"/cases/{case_id}"
    assert answers[case_id[-6:]].headers["location"] == f"/cases?number={case_id[-6:]}"
    assert address is not None
    narrowed = f"{address[1].replace('&amp;', '&')}&number={case_id[-6:]}"  # of a town with many, more than a page
    assert case_id in (await browser.get(narrowed)).text


async def test_a_person_is_found_on_the_page_and_in_no_address(
    http: httpx.AsyncClient, as_: As, pool: asyncpg.Pool
) -> None:
    """The cases stand in the answer to what was sent; a number that is typed into the other field leads nowhere."""
    phone = f"137{uuid.uuid4().int % 10**8:08d}"
    reported = await as_(Role.WINDOW_CLERK).report(REPORT | {"reporter": {"name": "钱一", "phone": phone}})
    case_id = reported.json()["case_id"]
    browser = await somebody(http, pool, Role.COORDINATOR, "searching-coordinator")
    by_matter, by_person = Forms((await browser.get("/search")).text).found[1:3]
    by_person.fill({"by": ["phone"], "person": [phone]})
    by_matter.fill({"text": [phone]})
    found, misplaced = await browser.send(by_person), await browser.send(by_matter)
    by_person.fill({"person": ["137****0001"]})
    masked = await browser.send(by_person)

    assert (found.status_code, f"/cases/{case_id}" in found.text) == (200, True)
    assert (misplaced.status_code, "location" in misplaced.headers) == (422, False)
    assert masked.status_code == 422
    assert by_person.options["by"] == {"phone"}
    reads = await pool.fetchval("select count(*) from vault_reads where who = 'searching-coordinator'")
    assert reads == 1


async def test_who_searches_for_nobody_has_no_field_for_it(http: httpx.AsyncClient, pool: asyncpg.Pool) -> None:
    """A supervisor reads no persons: the page has one form, and what is sent all the same is refused."""
    browser = await somebody(http, pool, Role.SUPERVISOR)
    forms = [form for form in Forms((await browser.get("/search")).text).found if form.action == "/search"]
    forms[0].texts |= {"by": ["phone"], "person": ["13800000000"]}

    assert len(forms) == 1
    assert (await browser.send(forms[0])).status_code == 403


@pytest.mark.parametrize("number", ["incident-20261121-000017", "20261121", "20261121-000017", "000017", "017"])
def test_a_part_of_a_case_number_may_stand_in_an_address(number: str) -> None:
    """And is not taken for the number of somebody."""
    assert _NUMBER.fullmatch(number)


@pytest.mark.parametrize(
    "number",
    [
        "13800000001",
        "+86 138-0000-0001",
        "025-83456789",
        "83456789",
        "320104199001011234",
        "32010419900101123X",
        "H12345678",
    ],
)
def test_what_may_be_somebody_s_number_stands_in_no_address(number: str) -> None:
    """Phones, identity numbers and documents are asked for where people are looked for."""
    assert not _NUMBER.fullmatch(number)
    assert _OF_A_PERSON.fullmatch(number)


# ---- filters --------------------------------------------------------------------------------------------------------


async def test_a_filter_is_kept_under_a_name_shared_and_deleted(http: httpx.AsyncClient, pool: asyncpg.Pool) -> None:
    """It stands in its owner's list; shared, in that of everybody of the role; only its owner deletes it."""
    name = f"逾期{uuid.uuid4().hex[:3]}x"
    owner, other = [await somebody(http, pool, Role.COORDINATOR, f"filter-{each}") for each in ("owner", "other")]
    stranger = await somebody(http, pool, Role.SUPERVISOR, "filter-stranger")
    form = form_to((await owner.get("/cases?overdue=true&number=17&sort=due")).text, "/filters")
    form.fill({"name": [f" {name} "], "shared": []})
    kept = await owner.send(form)
    alone = [name in (await each.get("/filters")).text for each in (owner, other, stranger)]
    form.fill({"shared": ["true"]})
    await owner.send(form)
    shared = [name in (await each.get("/cases")).text for each in (owner, other, stranger)]
    number = await pool.fetchval("select filter_id from saved_filters where name = $1", name)
    refused = await other.send(Form(f"/filters/{number}/delete"))
    deleted = await owner.send(Form(f"/filters/{number}/delete"))

    assert (kept.status_code, kept.headers["location"]) == (303, "/cases?overdue=true&sort=due")
    assert (alone, shared) == ([True, False, False], [True, True, False])
    assert (refused.status_code, deleted.status_code) == (404, 303)
    assert name not in (await owner.get("/filters")).text


async def test_departments_and_residents_share_with_no_others(http: httpx.AsyncClient, pool: asyncpg.Pool) -> None:
    """A department's filter is for its own officers; a resident's for nobody, whatever was sent."""
    officer = await somebody(http, pool, Role.DEPARTMENT_OFFICER, "officer-shares", department=URBAN)
    colleague = await somebody(http, pool, Role.DEPARTMENT_OFFICER, "officer-beside", department=URBAN)
    elsewhere = await somebody(http, pool, Role.DEPARTMENT_OFFICER, "officer-else", department="water-supply")
    resident = await somebody(http, pool, Role.RESIDENT, "resident-shares")
    neighbour = await somebody(http, pool, Role.RESIDENT, "resident-beside")
    for browser, name in ((officer, "本部门在办"), (resident, "我的在办")):
        sent = Form("/filters", {"name": [name], "query": ["ended=false"], "shared": ["true"]})
        assert (await browser.send(sent)).status_code == 303

    seen = ["本部门在办" in (await each.get("/filters")).text for each in (colleague, elsewhere)]
    assert (seen, "我的在办" in (await neighbour.get("/filters")).text) == ([True, False], False)


@pytest.mark.parametrize(
    "name",
    [
        "", "  ", "x" * 21, "电话13800000001", "a\u0007b", "138 0000 0001", "张138-0000-0001", "1380.0000.001",
        "E1234 5678",
    ],
)  # fmt: skip
def test_a_filter_has_a_short_name_without_anybody_s_number(name: str) -> None:
    """What stands there is read by others, and lies open."""
    with pytest.raises(Problem) as refused:
        name_of(name)
    assert [each.field for each in refused.value.faults or ()] == ["name"]


def test_a_filter_is_codes_and_days_alone(town: TownRules) -> None:
    """Words of people are no filter to keep; what finds one case is left out; nothing at all is no filter."""
    kept = [
        ("procedure", "incident"),
        ("holder", f"department:{URBAN}"),
        ("opened_from", "2026-11-01"),
        ("ended", "false"),
    ]

    assert query_of(town, [*kept, ("number", "王小明"), ("cursor", "x"), ("stage", "")]) == (
        f"procedure=incident&holder=department%3A{URBAN}&opened_from=2026-11-01&ended=false"
    )
    for wrong in (("category", "王小明"), ("holder", "王小明"), ("opened_from", "昨天"), ("ended", "1"), ("name", "x")):
        with pytest.raises(Problem):
            query_of(town, [*kept, wrong])
    with pytest.raises(Problem):
        query_of(town, [("number", "17"), ("sort", "due")])


@pytest.fixture
def town(build_app: BuildApp) -> TownRules:
    """The rules of the town."""
    rules = build_app().state.parts.town
    assert isinstance(rules, TownRules)
    return rules


# ---- many at once ---------------------------------------------------------------------------------------------------


async def ticked(browser: Browser, cases: list[str], command: str) -> httpx.Response:
    """Tick cases in the list and choose a command; the page that follows."""
    # Of this day alone: in the towns of other tests, which have this list too, years have passed.
    page = await browser.get(f"/cases?sort=opened&number={cases[0].rpartition('-')[0]}-")
    form = form_to(page.text, "/bulk")
    form.fill({"_case": cases})
    chosen = form_to((await browser.send(form)).text, "/bulk")
    chosen.action = f"/bulk/{command}"
    return await browser.send(chosen)


async def test_one_form_is_an_act_of_each_case(http: httpx.AsyncClient, as_: As, pool: asyncpg.Pool) -> None:
    """It is looked at once more, then each case has it once, however often the button is pressed; no text is in an address."""
    cases = await incidents(as_, 3)
    browser = await somebody(http, pool, Role.COORDINATOR, "bulk-coordinator")
    form = main_form((await ticked(browser, cases[:2], "comment")).text)
    form.texts["text"] = ["已统一电话告知"]
    check = await browser.send(form)
    once, twice = [await browser.send(main_form(check.text), (CHECKED, "1")) for _ in range(2)]
    said = [(await browser.get(f"/cases/{each}?texts=open")).text.count("已统一电话告知") for each in cases]

    assert (check.status_code, form.action) == (200, "/bulk/comment")
    assert all(each in check.text for each in cases[:2])
    for done in (once, twice):
        assert (done.status_code, done.text.count("✓"), done.text.count("✗")) == (200, 2, 0)
    assert said == [1, 1, 0]


async def test_what_is_wrong_comes_back_with_what_was_typed(
    http: httpx.AsyncClient, as_: As, pool: asyncpg.Pool
) -> None:
    """Faults stand at their fields, and the cases stay ticked; the check page can be left for the form."""
    cases = await incidents(as_, 2)
    browser = await somebody(http, pool, Role.COORDINATOR, "bulk-mends")
    form = main_form((await ticked(browser, cases, "comment")).text)
    blank = main_form((await browser.send(form)).text)
    blank.texts["text"] = ["第一行\n第二行"]
    back = main_form((await browser.send(main_form((await browser.send(blank)).text), ("_back", "1"))).text)

    assert (blank.texts[KEY], blank.texts["_case"]) == (form.texts[KEY], form.texts["_case"])
    assert (back.texts["text"], back.texts["_case"]) == (["第一行\n第二行"], form.texts["_case"])


async def test_a_case_that_has_gone_on_is_left_to_be_looked_at(
    http: httpx.AsyncClient, as_: As, pool: asyncpg.Pool
) -> None:
    """What others did to one since the form was drawn is told of that case; the others are done."""
    cases = await incidents(as_, 2)
    browser = await somebody(http, pool, Role.COORDINATOR, "bulk-late")
    form = main_form((await ticked(browser, cases, "comment")).text)
    form.texts["text"] = ["批量备注"]
    check = main_form((await browser.send(form)).text)
    assert (await as_(Role.SUPERVISOR).command(cases[0], "comment", {"text": "先到"})).status_code == 200
    done = await browser.send(check, (CHECKED, "1"))
    rows = dict(re.findall(r"href=\"/cases/(incident-[^\"]+)\">.*?</td>\s*<td[^>]*>(✓|✗)", done.text, re.DOTALL))

    assert rows == {cases[0]: "✗", cases[1]: "✓"}
    assert "您打开表单之后本案有了变化" in done.text


async def test_only_what_can_be_done_with_all_is_offered(http: httpx.AsyncClient, as_: As, pool: asyncpg.Pool) -> None:
    """Two cases at different stages offer what both allow; what needs a file is offered for no two; nothing ticked is a fault."""
    cases = await incidents(as_, 2)
    officer = as_(Role.DEPARTMENT_OFFICER, "bulk-officer", department=URBAN)
    browser = await somebody(http, pool, Role.DEPARTMENT_OFFICER, "bulk-officer", department=URBAN)
    both = await offered(browser, cases)
    assert (await officer.command(cases[0], "sign")).status_code == 200
    mixed = await offered(browser, cases)
    sent = await browser.send(Form("/bulk/sign", {"_case": cases}))
    nothing = await browser.send(Form("/bulk"))

    assert {"sign", "comment"} <= both
    assert "sign" not in mixed
    assert "comment" in mixed
    assert "attach" not in both | mixed
    assert (sent.status_code, nothing.status_code) == (404, 422)


async def offered(browser: Browser, cases: list[str]) -> set[str]:
    """The commands that can be given to all of these."""
    page = await browser.send(Form("/bulk", {"_case": cases}))
    assert page.status_code == 200, page.text
    return set(re.findall(r'formaction="/bulk/([a-z_]+)"', page.text))


async def test_a_command_without_fields_is_looked_at_and_given(
    http: httpx.AsyncClient, as_: As, pool: asyncpg.Pool
) -> None:
    """Each case says what came of it: the one that was signed meanwhile by somebody else is not done again."""
    cases = await incidents(as_, 3)
    browser = await somebody(http, pool, Role.DEPARTMENT_OFFICER, "bulk-signs", department=URBAN)
    check = main_form((await ticked(browser, cases, "sign")).text)
    done = await browser.send(check, (CHECKED, "1"))
    stages = [(await as_(Role.AUDITOR).get(f"/api/v1/cases/{each}")).json()["stage"] for each in cases]

    assert (done.text.count("✓"), set(stages)) == (3, {"handling"})


@EVERY_PROCEDURE
def test_money_and_answers_are_given_one_by_one(procedure: Procedure) -> None:
    """Whatever moves money, and whatever is the word of a second person, is looked at in its case."""
    doors = {name: command_body_of(command) for name, command in procedure.commands.items()}
    many = {name for name, door in doors.items() if for_many(procedure, name, door)}

    assert not many & {rule.command for rule in procedure.rules if rule.moves_money}
    assert not many & {name for name, command in procedure.commands.items() if issubclass(command, AnswerTo)}
    assert "comment" in many


def field(*values: int, least: int | None, most: int | None) -> FormField:
    """A field of a form that offers these."""
    choices = [FormChoice(value=value, zh=str(value), en=str(value)) for value in values]
    return FormField(
        name="x", zh="x", en="x", kind=FieldKind.NUMBER, many=False, required=True, choices=choices, at_least=least, at_most=most
    )  # fmt: skip


def test_a_common_field_offers_what_every_case_does() -> None:
    """In the order of the first, within the narrowest bounds; where nobody has a list there is none."""
    common = _common_field(
        (field(3, 1, 2, least=1, most=9), field(2, 3, least=None, most=5), field(3, 2, 4, least=2, most=None))
    )
    free = _common_field((field(least=None, most=None).model_copy(update={"choices": None}),) * 2)

    assert [each.value for each in common.choices or ()] == [3, 2]
    assert (common.at_least, common.at_most) == (2, 5)
    assert free.choices is None


# ---- wall and indicators --------------------------------------------------------------------------------------------


async def test_a_wall_loads_itself_again_until_it_is_told_not_to(http: httpx.AsyncClient, pool: asyncpg.Pool) -> None:
    """Each half minute, without script; who reads slowly stops it."""
    browser = await somebody(http, pool, Role.SUPERVISOR)
    moving, still = await browser.get("/wall"), await browser.get("/wall?still=true")

    assert moving.headers["Refresh"] == "30"
    assert "Refresh" not in still.headers
    assert "▲▲▲" in moving.text
    assert "已上报二级以上" in moving.text


async def test_picture_table_and_file_have_the_same_numbers(
    http: httpx.AsyncClient, as_: As, pool: asyncpg.Pool
) -> None:
    """Of the period and the groups in the address; a picture has its lengths as attributes, and no style of its own."""
    await incidents(as_, 1)
    browser = await somebody(http, pool, Role.SUPERVISOR)
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    page = await browser.get(f"/indicators/incidents?opened_from={today[:8]}01&opened_to=&by=category")
    assert f"opened: {today[:8]}01 00:00 –" in page.text
    link = re.search(r'href="(/indicators/incidents/1\.csv[^"]*)"', page.text)
    assert link is not None
    file = await browser.get(link[1].replace("&amp;", "&"))
    rows = list(csv.reader(io.StringIO(file.text.removeprefix("\ufeff"))))
    body = page.text.partition("<tbody")[2]
    shown = [re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", row) for row in re.findall(r"<tr.*?</tr>", body)]

    assert [["" if cell == "-" else cell for cell in row] for row in shown] == rows[1:]
    assert rows[1][0] == "全部"
    assert "环境卫生" in {row[0] for row in rows}
    assert page.text.count("<svg") == 4
    assert "style=" not in page.text
    rates = {row[rows[0].index("响应率")] for row in rows[1:]}
    assert all(f">{rate or '-'}</text>" in page.text for rate in rates)
    assert file.headers["content-type"].startswith("text/csv")


def test_a_bar_is_as_long_as_its_figure(town: TownRules) -> None:
    """A share of the whole, a count of the largest; nothing to judge has no length, and the first lines alone are drawn."""
    lines = [{"department": name, "response_rate": rate, "reported": count}
             for name, rate, count in ((None, 0.5, 8), (URBAN, None, 6), ("", 1.0, 2), *[("x", 0.0, 0)] * 30)]  # fmt: skip
    table = FigureTable(Name(zh="表", en="table"), ("department",), ("response_rate", "reported"), lines)
    rates, counts = shown_table(town, table).pictures

    assert [bar.share for bar in rates.bars[:3]] == [500, 0, 1000]
    assert [bar.share for bar in counts.bars[:3]] == [1000, 750, 250]
    assert [(bar.label, bar.said) for bar in rates.bars[:3]] == [("全部", "50.0%"), ("城管局", "-"), ("未分", "100.0%")]
    assert len(rates.bars) == BARS_AT_MOST


async def test_every_sheet_of_the_town_has_a_page(http: httpx.AsyncClient, as_: As, pool: asyncpg.Pool) -> None:
    """By its name and its groups; another name, another group and another table are no pages; residents get none."""
    await incidents(as_, 1)
    browser = await somebody(http, pool, Role.AUDITOR)
    resident = await somebody(http, pool, Role.RESIDENT)
    sheets = sheets_of([each.procedure.name for each in PROCEDURES], SHEET)
    listed = (await browser.get("/indicators")).text
    for name, sheet in sheets.items():
        assert f'href="/indicators/{name}"' in listed
        for by in ("", *sheet.groups):
            assert (await browser.get(f"/indicators/{name}?by={by}")).status_code == 200, (name, by)
    asked = (
        "/indicators/none",
        "/indicators/incidents?by=none",
        "/indicators/incidents/9.csv",
        "/indicators/cases?opened_from=x",
    )

    assert {"cases", "incidents", "whistles"} <= set(sheets)
    assert [(await browser.get(each)).status_code for each in asked] == [404, 422, 404, 422]
    assert [(await resident.get(each)).status_code for each in ("/indicators", "/indicators/cases", "/wall")] == [
        403
    ] * 3


@pytest.mark.parametrize("model", [IndicatorLine, SummonsLine, StreetLine, ProcedureLine])
def test_every_figure_has_its_words(model: type[Any]) -> None:
    """A figure without words would be a page that fails when somebody opens it."""
    assert set(model.model_fields) - {"procedure", "stages"} <= FIGURES.keys()


# ---- similar cases --------------------------------------------------------------------------------------------------


async def test_similar_cases_stand_beside_who_had_such_before(
    http: httpx.AsyncClient, as_: As, pool: asyncpg.Pool
) -> None:
    """What was reported of the same place, with a link; how many each department had; a case that is not theirs is not there."""
    place = REPORT["location"] | {"lat": 33.0 + uuid.uuid4().int % 10**6 / 10**6, "lon": 119.0}
    one, other = [
        (await as_(Role.WINDOW_CLERK).report(REPORT | {"location": place})).json()["case_id"] for _ in range(2)
    ]
    coordinator = await somebody(http, pool, Role.COORDINATOR)
    elsewhere = await somebody(http, pool, Role.COORDINATOR, area="320104.00")
    page = await coordinator.get(f"/cases/{one}/similar")

    assert (page.status_code, f'href="/cases/{other}"' in page.text) == (200, True)
    assert "城管局" in page.text.partition("此类事项以前由谁承办")[2]
    assert f"/cases/{one}/similar" in (await coordinator.get(f"/cases/{one}")).text
    assert (await elsewhere.get(f"/cases/{one}/similar")).status_code == 404
