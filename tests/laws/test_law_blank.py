"""Law: what looks empty is empty, and what looks the same is the same, at every opening and command of the registry."""

import itertools
import json
import unicodedata
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import asyncpg
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from engine.keys.keys import Keys
from engine.vault.vault import Vault
from schemas.contracts.department import read_callback
from schemas.kernel.procedure import Procedure
from schemas.parts.payments import Paying
from schemas.values.account import is_account_code
from schemas.values.actor import Actor, Role
from schemas.values.identity_number import check_character
from schemas.values.person_views import masked_name
from schemas.values.tidy_text import DIRECTIONS, is_blank, tidy
from schemas.welfare import WELFARE
from starter.http.command_bodies import command_body_of
from starter.http.faults import faults_of
from starter.intake.openings import opening_of
from tests.api_callers import REPORT, As
from tests.api_driver import ApiDriver, OpenDoor, path_of
from tests.body_leaves import Leaf, leaves
from tests.every_procedure import EVERY_PROCEDURE, PROCEDURE_LIST, who_starts
from tests.examples import welfare as applications
from tests.sampling import chosen

pytest_plugins = ("tests.api_fixture",)
pytestmark = pytest.mark.timeout(300)

INVISIBLE = (
    "\u200b", "\u200c", "\u200d", "\u200e", "\u2060", "\ufeff", "\u00ad", "\u061c", "\u115f", "\u1160", "\u17b4", "\u180b",
    "\u180e", "\u202e", "\u2066", "\u2800", "\u3164", "\ufe0f", "\uffa0", "\ufffc", "\U000e0041", "\U000e0100",
)  # fmt: skip
"""One of each kind that draws nothing."""

BLANKS = ("\u3000", "\u00a0\t\n", *INVISIBLE, "".join(INVISIBLE), f" {INVISIBLE[0]}\n{INVISIBLE[4]} ")

UNSTATED = {"reporter.name", "reporter.phone", "applicant.phone"}
"""What may be left out: when nothing of it can be seen it was not stated."""

CHOSEN = {
    "department": "the case knows its departments",
    "departments.0": "the same",
    "calendar.version": "an administrator's own name for a calendar",
    "calendar.office_hours.version": "the same for office hours",
}
"""Codes that the case itself judges, by a list that it has: no blank one is on it."""

WORDS = ("我没有银行卡,请发现金", "٦٢٢٢٠٢٠٠٠٠٠٠٠٠", "1234567", "9" * 33, "6222-0200-abcd", "text:" + "0" * 26, "\u200b")


def starter_of(procedure: Procedure) -> Role:
    return who_starts(opening_of(procedure).starters)


OPENED = [procedure for procedure in PROCEDURE_LIST if procedure.parent is None]
EVERY_OPENING = pytest.mark.parametrize("procedure", OPENED, ids=lambda procedure: procedure.name)


# ---- texts at the door ------------------------------------------------------------------------------------------------


@EVERY_OPENING
async def test_an_opening_takes_no_text_of_which_nothing_can_be_seen(
    procedure: Procedure, door: OpenDoor, as_: As
) -> None:
    """Whatever text of an opening is blank or invisible: 422 at its field, with reason and remedy; the unstated may be."""
    caller, model = as_(starter_of(procedure), f"blank-{procedure.name}"), opening_of(procedure).model
    found = {
        str(leaf): await _refusals(model, leaf, partial(_faults_at, caller, path_of(procedure), leaf))
        for leaf in leaves(model)
    }

    assert found
    assert {leaf for leaf, refused in found.items() if not any(refused)} <= UNSTATED
    assert {leaf for leaf, refused in found.items() if any(refused) and not all(refused)} == set()


async def _refusals(model: type[BaseModel], leaf: Leaf, ask: Callable[[str], Awaitable[bool]]) -> list[bool]:
    """Whether each blank is refused at its field. What the shape of the body refuses goes through the door twice, by the seed.

    Where the shape lets one through, the door is asked about all of them: the town or the case may still say no.
    """
    by_shape = [_refused_by_shape(model, leaf, text) for text in BLANKS]
    asked = chosen(BLANKS, 2, f"{model.__name__} {leaf}") if all(by_shape) else BLANKS
    return [await ask(text) for text in asked]


def _refused_by_shape(model: type[BaseModel], leaf: Leaf, text: str) -> bool:
    try:
        model.model_validate(leaf.body(text))
    except ValidationError as error:
        return str(leaf) in {each.field for each in faults_of(error.errors())}
    return False


async def _faults_at(caller: Any, path: str, leaf: Leaf, text: str) -> bool:
    answer = await caller.post(path, leaf.body(text))
    assert answer.status_code < 500, answer.text
    faults = [each for each in answer.json().get("faults", ()) if each["field"] == str(leaf)]
    assert all(each["reason"] and each["remedy"] for each in faults)
    return bool(faults) and answer.status_code == 422


@EVERY_PROCEDURE
async def test_no_command_takes_a_text_of_which_nothing_can_be_seen(
    procedure: Procedure, door: OpenDoor, as_: As
) -> None:
    """Whatever text of a command is blank or invisible, a reason as well as a comment: 422 at its field, before it is judged."""
    case_id = await _case_of(procedure, door)
    caller, found = as_(Role.AUDITOR), {}
    for name, command in procedure.commands.items():
        model, path = command_body_of(command).model, f"/api/v1/cases/{case_id}/commands/{name}"
        for leaf in leaves(model):
            found[name, str(leaf)] = await _refusals(model, leaf, partial(_faults_at, caller, path, leaf))

    assert {leaf for (_, leaf), refused in found.items() if not any(refused)} <= CHOSEN.keys()
    assert {place for place, refused in found.items() if any(refused) and not all(refused)} == set()
    assert ("comment", "text") in found


async def _case_of(procedure: Procedure, door: OpenDoor) -> str:
    opened: ApiDriver = await door(procedure)
    case_id = await opened.start()
    await opened.stands(case_id)
    return case_id


async def test_a_reporter_of_whom_nothing_can_be_seen_was_not_stated(as_: As) -> None:
    """An invisible name and number are no name and no number; what can be seen of others is kept in one form."""
    clerk = as_(Role.WINDOW_CLERK)
    nobody = await clerk.report(REPORT | {"reporter": {"name": "\u200b\u3164", "phone": "\u2060"}})
    somebody = await clerk.report(
        REPORT | {"reporter": {"name": " \u202e王\u200b小明\ufeff ", "phone": "０２５－８３１１\u200b２２３３"}}
    )

    assert (nobody.status_code, somebody.status_code) == (201, 201)
    assert (await _opening(as_, nobody)).get("reporter") is None
    assert (await _opening(as_, somebody))["reporter"] == {"name": "王小明", "phone": "025-83112233"}


async def _opening(as_: As, started: Any) -> dict[str, Any]:
    answer = await as_(Role.COORDINATOR).get(f"/api/v1/cases/{started.json()['case_id']}/timeline")
    return dict(answer.json()["items"][0]["facts"])


@pytest.mark.parametrize(
    "text",
    [
        "👨‍👩‍👧 家门口",
        "𠮷野家门前",
        "葛\U000e0100先生说",
        "བཀྲ་ཤིས་བདེ་ལེགས།",
        "ئۇيغۇر تىلى",
        "ᠨᠢᠭᠡ᠎ᠠ",
        "می‌خواهم",
        "a\u202eb",
        "❤\ufe0f",
        "٣",
    ],
)
async def test_what_can_be_seen_comes_back_as_it_was_written(text: str, as_: As) -> None:
    """Free text of any script, with its joiners and marks, is judged and never rewritten."""
    started = await as_(Role.WINDOW_CLERK).report(REPORT | {"description": text})

    assert started.status_code == 201
    assert (await _opening(as_, started))["description"] == text


@pytest.mark.parametrize("text", BLANKS)
def test_a_department_reports_nothing_that_cannot_be_seen(text: str) -> None:
    """The results and reasons that departments' systems send are texts like any other."""
    known = {
        "callback_id": "c1",
        "order_id": "o",
        "case_id": "c",
        "by": "officer-1",
        "as_of": "2026-11-21T09:30:00+08:00",
    }
    for body in (
        {"act": "finished", "result": text},
        {"act": "returned", "reason": text, "legal_basis": "《条例》第三条"},
        {"act": "returned", "reason": "非本部门", "legal_basis": text},
    ):
        with pytest.raises(ValidationError):
            read_callback(json.dumps(known | body).encode())


@given(st.text(st.sampled_from(sorted({*"".join(BLANKS), "\x00", "\x1a", "\r"}))))
def test_nothing_put_together_of_nothing_is_a_text(text: str) -> None:
    """However many and in whatever order, blanks, controls and invisible characters are blank; one sign among them is not."""
    assert is_blank(text)
    assert not is_blank(f"{text}字{text}")


# ---- names ------------------------------------------------------------------------------------------------------------


@given(st.text())
def test_a_mask_is_at_most_one_letter_or_number(name: str) -> None:
    """Whatever stands in the vault as a name, its mask begins with what can be read, and turns nothing around it."""
    mask = masked_name(name)

    assert mask[-1] == "*"
    assert len(mask) <= 2
    assert all(unicodedata.category(each)[0] in "LN" and not is_blank(each) for each in mask[:-1])


@pytest.mark.parametrize("unseen", INVISIBLE, ids=ascii)
def test_a_mask_begins_with_what_can_be_seen(unseen: str) -> None:
    """Some signs that draw nothing are letters to Unicode: none of them stands for a name."""
    assert masked_name(f"{unseen}王小明") == "王*"
    assert masked_name(unseen) == "*"


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("王\u200d小明", "王小明"),
        ("王\u200c小明", "王小明"),
        ("\u200d王", "王"),
        ("\ufe0f王", "王"),
        ("\U000e0100王", "王"),
        ("王\u180b", "王"),
        ("王\u200d", "王"),
        ("علی\u200c", "علی"),
        ("ᠨ\u180bᠢ\u180b\u180b", "ᠨ\u180bᠢ\u180b"),
        ("\u200d", ""),
    ],
    ids=ascii,
)
def test_joiners_and_variants_stay_only_where_they_are_spelling(written: str, form: str) -> None:
    """Between letters of scripts that join, and behind what has a variant; elsewhere two names that look the same are one."""
    assert tidy(written) == form


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("  urban-management ", "urban-management"),
        ("a  b", "a b"),
        ("a\tb\r\n", "a b"),
        ("a\x1cb", "a\x1cb"),
        ("", ""),
        (" ", ""),
    ],
    ids=ascii,
)
def test_a_code_of_plain_letters_has_single_blanks_and_keeps_its_controls(written: str, form: str) -> None:
    """What needs no Unicode to be read has the same form as the rest: controls stay, for who checks to refuse."""
    assert tidy(written) == form


@given(st.text())
def test_what_is_tidy_stays_so(name: str) -> None:
    """The form of a name is its own form, has no direction in it, and is blank only if the name was."""
    form = tidy(name)

    assert tidy(form) == form
    assert not DIRECTIONS & set(form)
    assert is_blank(form) == is_blank(name)


@pytest.mark.parametrize(
    "name",
    [
        "买买提·吐尔逊",
        "买买提・吐尔逊",
        "𠮷野",
        "葛\U000e0100",
        "بەختىيار",
        "བཀྲ་ཤིས",
        "ᠨᠢᠭᠡ᠎ᠠ",
        "علی‌رضا",
        "欧阳 娜娜",
        "〇一",
    ],
)
def test_a_name_of_any_people_is_tidy(name: str) -> None:
    """Middle dots, rare characters, variants, joiners of whole scripts: a right name is not changed."""
    assert tidy(name) == name


async def test_public_pages_turn_nothing(door: OpenDoor, as_: As, http: httpx.AsyncClient) -> None:
    """A name with directions in it is posted by its first letter, and no public answer has a control of direction in it."""
    town = await door(WELFARE)
    body = applications.SUBSISTENCE | {
        "applicant": {
            "name": "\u202e\u2067嬲明王\u200f",
            "identity_number": applications.identity_number("19770303", 71),
        }
    }
    case_id = await town.start(body=body)
    await town.go(case_id, applications.POSTED)
    pages = [await http.get("/public/notices", headers={"Accept": kind}) for kind in ("application/json", "text/html")]
    report = await as_(Role.WINDOW_CLERK).report()
    number, code = report.json()["case_id"], report.json()["code"]
    holder = as_(Role.DEPARTMENT_OFFICER, department=report.json()["department"])
    for command, said in (("sign", {}), ("finish", {"result": "已\u202e处理\u2066完毕"})):
        assert (await holder.command(number, command, said)).status_code == 200
    followed = await town.api.get(f"/public/cases/{number}", params={"code": code})

    assert "嬲*" in {each["name"] for each in pages[0].json()["items"]}
    assert "<bdi>嬲*</bdi>" in pages[1].text
    assert [each["text"] for each in followed.json()["answers"]] == ["已处理完毕"]
    for page in (*pages, followed):
        assert not DIRECTIONS & set(json.dumps(page.json(), ensure_ascii=False) if page is not pages[1] else page.text)


# ---- accounts of banks ------------------------------------------------------------------------------------------------


def _accounts(procedure: Procedure) -> list[tuple[str, Leaf]]:
    """Every text of a command that is an account of a bank, by its name; one to sign in with is a code."""
    return [
        (name, leaf)
        for name, command in procedure.commands.items()
        for leaf in leaves(command_body_of(command).model)
        if "account" in str(leaf.path[-1]) and procedure.part_or_none(Paying) is not None
    ]


@EVERY_PROCEDURE
async def test_an_account_is_digits_at_every_door(procedure: Procedure, door: OpenDoor, as_: As) -> None:
    """Words, digits of other scripts, too few, too many: 422 wherever a command takes an account, before the vault has it."""
    accounts = _accounts(procedure)
    if not accounts:
        assert procedure is not WELFARE
        return
    case_id = await _case_of(procedure, door)
    for (name, leaf), text in itertools.product(accounts, WORDS):
        path = f"/api/v1/cases/{case_id}/commands/{name}"
        assert await _faults_at(as_(Role.AUDITOR), path, leaf, text), (name, text)
        assert not await _faults_at(as_(Role.AUDITOR), path, leaf, "６２２２ 0200-0000 0000 017\u200b"), name


async def test_an_account_as_people_write_it_is_the_same_account(
    door: OpenDoor, keys: Keys, pool: asyncpg.Pool
) -> None:
    """Full width, groups, hyphens: an application sent again in another spelling is the same one, and the vault has digits."""
    town = await door(WELFARE)
    key = str(uuid.uuid4())
    body = await applications.prepared(
        town, applications.OLD_AGE | {"account": " ６２２２０２０００００００００００１７"}, "applicant", key
    )
    answers = [
        await town.api.post(applications.PATH, json=body | {"account": account}, headers=town.headers("applicant", key))
        for account in (body["account"], "6222 0200-0000 0000 017", "6222020000000000017")
    ]
    case_id = answers[0].json()["case_id"]
    reference = await pool.fetchval("select snapshot ->> 'account' from cases where case_id = $1", case_id)
    reader = Actor(subject="auditor-1", role=Role.AUDITOR)
    async with pool.acquire() as connection:
        kept = await Vault(keys).read_texts(connection, [reference], reader, "test", case_id)

    assert [answer.status_code for answer in answers] == [201, 200, 200]
    assert {answer.json()["case_id"] for answer in answers} == {case_id}
    assert kept[reference] == "6222020000000000017"


async def test_an_application_with_an_account_that_is_none_is_refused(as_: As) -> None:
    """Words and digits that no bank takes are told at the account, with everything else that is wrong."""
    for text in WORDS:
        answer = await as_(Role.WINDOW_CLERK).post(
            applications.PATH, applications.OLD_AGE | {"account": text, "consent": False}
        )
        assert answer.status_code == 422
        assert {"account", "consent"} <= {fault["field"] for fault in answer.json()["faults"]}, text


# ---- accounts of people -----------------------------------------------------------------------------------------------

_DIGITS = st.text("0123456789", min_size=9, max_size=9)


@st.composite
def numbers_of_people(draw: st.DrawFn) -> str:
    """A mobile, a landline, an identity number of either length, a passport, a card; with signs between, as people write."""
    rest, kind = draw(_DIGITS), draw(st.integers(0, 5))
    born = draw(st.sampled_from(["19480307", "20031231"]))
    seventeen = f"320104{born}{rest[:3]}"
    number = (
        f"1{draw(st.sampled_from('3456789'))}{rest}",
        f"0{draw(st.sampled_from(['25', '10', '512']))}8{rest[:7]}"[:12],
        seventeen + check_character(seventeen),
        f"320104{born[2:]}{rest[:3]}",
        f"{draw(st.sampled_from('EG'))}{rest[:8]}",
        f"6222{rest}{rest[: draw(st.integers(3, 6))]}",
    )[kind]
    ahead = draw(st.sampled_from(["", "+86", "86", "0086", "+86-", "86 "])) if kind == 0 else ""
    between = draw(st.sampled_from(["", "-", " ", ".", "/"]))
    cuts = sorted(draw(st.sets(st.integers(1, len(number) - 1), max_size=3)))
    parts = [number[first:last] for first, last in itertools.pairwise([0, *cuts, len(number)])]
    spelled = ahead + between.join(parts)
    return spelled.lower() if draw(st.booleans()) else spelled


@given(numbers_of_people())
def test_no_number_of_a_person_is_an_account(number: str) -> None:
    """However it is grouped, prefixed or spelled: what calls or identifies somebody never stands in the open."""
    assert not is_account_code(number)
    assert not is_account_code(number.translate({48 + n: 0xFF10 + n for n in range(10)}))


@given(st.uuids().map(str) | st.from_regex(r"\A(resident|user|A)-?[a-z]{0,6}[0-9]{1,8}\Z"))
def test_codes_of_accounts_are_taken(code: str) -> None:
    """What issuers really write stays an account."""
    assert is_account_code(code)


@EVERY_OPENING
async def test_an_opening_refuses_a_number_as_an_account(procedure: Procedure, as_: As) -> None:
    """Whoever enters a case for somebody else under their number hears why that is no account; a code is taken as one."""
    path = path_of(procedure)
    of_accounts = [leaf for leaf in leaves(opening_of(procedure).model) if str(leaf) == "on_behalf_of"]
    for leaf in of_accounts:
        for number in (
            "+8613912345678",
            "139-1234-5678",
            "320104480307731",
            "320104-19480307-7313",
            "025-83123456",
            "138 1234 5678",
        ):
            answer = await as_(starter_of(procedure)).post(path, leaf.body(number))
            (fault,) = [each for each in answer.json()["faults"] if each["field"] == "on_behalf_of"]
            assert (answer.status_code, fault["reason"][:4]) == (422, "是个人号")
            assert number not in answer.text
    assert of_accounts or procedure.name == "whistle"
