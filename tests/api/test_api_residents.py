"""A resident follows the own case by number and code, without an account."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import httpx
import pytest

from engine.keys.keys import Keys
from schemas.incident import INCIDENT
from schemas.words.titles import words_for_residents
from starter.cases.resident_codes import ALPHABET, ResidentCodes
from starter.http.senders import FREE, LONGEST_PAUSE
from tests.api_callers import REPORT, As, BuildApp, OwnTown, api_of, callers
from workflows.registry import PROCEDURES

pytest_plugins = ("tests.api_fixture",)

RESULT = {"result": "垃圾已清运,地面已冲洗"}


async def follow(http: httpx.AsyncClient, case_id: str, code: str) -> httpx.Response:
    """Ask without any account."""
    return await http.get(f"/public/cases/{case_id}", params={"code": code})


At = Callable[[str], httpx.AsyncClient]


@pytest.fixture(scope="module")
async def at(build_app: BuildApp, worker: None) -> AsyncIterator[At]:
    """The town's API as it is reached from an address: codes are counted by where they come from."""
    app = build_app()
    async with api_of(app):
        yield lambda address: httpx.AsyncClient(
            transport=httpx.ASGITransport(app, client=(address, 1)), base_url="http://town", timeout=60
        )


@pytest.fixture
async def reported(as_: As) -> dict[str, Any]:
    """The answer to a report."""
    answer: dict[str, Any] = (await as_().report()).json()
    return answer


async def test_number_and_code_show_where_the_case_stands(http: httpx.AsyncClient, reported: dict[str, Any]) -> None:
    """Stage in words of both languages, what was promised and by when; the next due time is one of the promises."""
    answer = await follow(http, reported["case_id"], reported["code"])
    shown = answer.json()

    assert answer.status_code == 200, answer.text
    assert (shown["stage"], shown["stage_zh"]) == ("dispatched", INCIDENT.stage_words["dispatched"].zh)
    clocks = {clock["name"]: clock["due_at"] for clock in reported["clocks"]}
    assert {each["clock"]: each["due_at"] for each in shown["promised"]} == {
        name: clocks[name] for name in ("respond", "finish")
    }
    assert shown["next_due"] == min(clocks["respond"], clocks["finish"])
    assert (shown["answers"], shown["follows"]) == ([], None)


async def test_a_resident_reads_the_answer_and_the_reading_is_recorded(
    as_: As, http: httpx.AsyncClient, reported: dict[str, Any], pool: asyncpg.Pool
) -> None:
    """The department's result is shown to who reported; the vault has who read it, and why."""
    officer = as_("department_officer", department="urban-management")
    await officer.command(reported["case_id"], "sign")
    await officer.command(reported["case_id"], "finish", RESULT)
    shown = (await follow(http, reported["case_id"], reported["code"])).json()
    reads = await pool.fetch("select * from vault_reads where case_id = $1", reported["case_id"])

    assert shown["answers"] == [{"department": "urban-management", "text": RESULT["result"]}]
    assert [(read["who"], read["purpose"]) for read in reads] == [
        (f"code:{reported['case_id']}", "show-answer-by-code")
    ]
    assert [each["kept"] for each in shown["promised"] if each["clock"] == "finish"] == [True]


async def test_nothing_of_a_person_is_shown(http: httpx.AsyncClient, reported: dict[str, Any]) -> None:
    """Neither what was reported nor by whom nor where: whoever finds the slip of paper learns none of it."""
    shown = json.dumps((await follow(http, reported["case_id"], reported["code"])).json(), ensure_ascii=False)

    for told in (REPORT["description"], REPORT["location"]["address"], *REPORT["reporter"].values(), "resident-1"):
        assert told not in shown


async def test_a_case_that_staff_found_has_no_answers_to_anybody(as_: As, http: httpx.AsyncClient) -> None:
    """Where no resident reported, the code shows the stage and no text."""
    report = {name: value for name, value in REPORT.items() if name != "reporter"} | {"channel": "grid"}
    told = (await as_("grid_worker").report(report)).json()
    officer = as_("department_officer", department="urban-management")
    await officer.command(told["case_id"], "sign")
    await officer.command(told["case_id"], "finish", RESULT)
    shown = (await follow(http, told["case_id"], told["code"])).json()

    assert (shown["stage"], shown["answers"]) == ("verifying", [])


async def test_a_wrong_code_and_an_unknown_case_are_the_same_answer(at: At, reported: dict[str, Any]) -> None:
    """Nobody learns from an answer whether there is such a case: all but the address asked for is equal."""
    http = at("198.51.100.1")
    wrong = await follow(http, reported["case_id"], "AAAAAAAA")
    unknown = await follow(http, "incident-19990101-000001", "AAAAAAAA")
    no_number = await follow(http, "nonsense", "AAAAAAAA")
    told = [
        {name: value for name, value in answer.json().items() if name not in {"instance", "request_id"}}
        for answer in (wrong, unknown, no_number)
    ]

    assert [answer.status_code for answer in (wrong, unknown, no_number)] == [404] * 3
    assert told[0] == told[1] == told[2]


async def test_the_code_of_one_case_opens_no_other(as_: As, at: At) -> None:
    """Each case has a code of its own."""
    http = at("198.51.100.2")
    one, other = [(await as_().report()).json() for _ in range(2)]

    assert one["code"] != other["code"]
    assert (await follow(http, one["case_id"], other["code"])).status_code == 404


WIDE = {chr(narrow): chr(narrow + 0xFEE0) for narrow in range(0x21, 0x7F)}


@pytest.mark.parametrize(
    "written",
    [
        lambda code: f" {code[:4].lower()}-{code[4:].lower()} ",
        lambda code: "".join(WIDE[each] for each in code),
        *(lambda code, dash=dash: f"{code[:4]}{dash}{code[4:]}" for dash in "－—‑−‐–"),
        lambda code: f"\u200b{code[:2]}\u00ad{code[2:]}\ufeff",
        "　".join,
    ],
)
async def test_a_code_is_read_as_people_write_it(
    http: httpx.AsyncClient, reported: dict[str, Any], written: Callable[[str], str]
) -> None:
    """Small letters, full width, blanks and dashes of any kind are no reason to send somebody away."""
    number = "".join(WIDE[each] for each in reported["case_id"].upper())

    assert (await follow(http, reported["case_id"].upper(), written(reported["code"]))).status_code == 200
    assert (await follow(http, number, written(reported["code"]))).status_code == 200


async def test_a_code_has_no_characters_to_mistake(reported: dict[str, Any], keys: Keys, pool: asyncpg.Pool) -> None:
    """Eight characters, none that looks or sounds like another; all of the alphabet are used about equally often."""
    codes = ResidentCodes(keys, pool)
    letters = "".join(codes.code_of(f"incident-20260101-{number:06d}") for number in range(2000))

    assert len(reported["code"]) == 8
    assert not set(letters) & set("01258BILOSZ")
    counts = [letters.count(letter) for letter in ALPHABET]
    assert 0.75 * 640 < min(counts) <= max(counts) < 1.25 * 640


async def test_the_same_report_gets_the_same_code(as_: As) -> None:
    """A repeat of a report, under its key, is told the very same code."""
    first, again = [(await as_().report(key="same-code")).json() for _ in range(2)]

    assert first["code"] == again["code"]


async def test_who_guesses_is_stopped_and_learns_nothing(at: At, reported: dict[str, Any]) -> None:
    """After ten wrong codes a sender waits, with the right one too; a number that does not exist is treated alike."""
    guesser, another = at("198.51.100.7"), at("198.51.100.8")
    unknown = "incident-19990102-000002"
    real = [(await follow(guesser, reported["case_id"], "AAAAAAAA")) for _ in range(FREE + 1)]
    invented = [(await follow(another, unknown, "AAAAAAAA")) for _ in range(FREE + 1)]
    right = await follow(guesser, reported["case_id"], reported["code"])

    assert [answer.status_code for answer in real] == [404] * FREE + [429]
    assert [answer.status_code for answer in invented] == [answer.status_code for answer in real]
    assert (right.status_code, right.json()["code"]) == (429, "too-many-attempts")
    assert 0 < int(right.headers["retry-after"]) <= LONGEST_PAUSE.total_seconds()


async def test_who_guesses_shuts_nobody_else_out(at: At, reported: dict[str, Any]) -> None:
    """While a sender is stopped the right code works at once from another address, and for who shows an account."""
    guesser, elsewhere = at("198.51.100.9"), at("198.51.100.10")
    for _ in range(FREE + 3):
        await follow(guesser, reported["case_id"], "AAAAAAAA")

    assert (await follow(guesser, reported["case_id"], reported["code"])).status_code == 429
    assert (await follow(elsewhere, reported["case_id"], reported["code"])).status_code == 200


async def test_guesses_at_the_same_time_are_counted_too(at: At) -> None:
    """Thirty at once get ten judgements, as thirty one after the other would."""
    guesser = at("198.51.100.11")
    answers = await asyncio.gather(*(follow(guesser, "incident-19990103-000003", "AAAAAAAA") for _ in range(30)))

    assert sorted(answer.status_code for answer in answers) == [404] * FREE + [429] * 20


async def test_the_right_code_counts_for_nothing(at: At, reported: dict[str, Any]) -> None:
    """Who looks often with the right code is never stopped; and a right code of one's own buys no guesses."""
    reader = at("198.51.100.12")
    answers = [await follow(reader, reported["case_id"], reported["code"]) for _ in range(FREE + 5)]
    guesses = []
    for _ in range(FREE + 1):
        guesses.append(await follow(reader, "incident-19990104-000004", "AAAAAAAA"))
        await follow(reader, reported["case_id"], reported["code"])

    assert {answer.status_code for answer in answers} == {200}
    assert guesses[-1].status_code == 429


async def test_a_hall_full_of_people_with_right_codes_is_never_stopped(at: At, reported: dict[str, Any]) -> None:
    """Right codes at the same time from one address count for nothing either, beside a wrong one too; which stays counted."""
    hall = at("198.51.100.13")
    statuses = []
    for _ in range(2 * FREE):
        codes = [reported["code"]] * (FREE // 2)
        answers = await asyncio.gather(*(follow(hall, reported["case_id"], code) for code in codes))
        statuses += [answer.status_code for answer in answers]
    together = [follow(hall, reported["case_id"], code) for code in ("AAAAAAAA", *[reported["code"]] * (FREE // 2))]
    beside = [answer.status_code for answer in await asyncio.gather(*together)]
    guesses = [(await follow(hall, reported["case_id"], "AAAAAAAA")).status_code for _ in range(FREE)]

    assert set(statuses) == {200}
    assert sorted(beside) == [200] * (FREE // 2) + [404]
    assert guesses == [404] * (FREE - 1) + [429]


async def test_a_report_that_is_still_on_its_way_has_its_code_already(own_town: OwnTown, keys: Keys) -> None:
    """With nobody to run the case the answer is 202 with number and code, and the code shows that it was received."""
    async with api_of(own_town.build()) as http:
        answer = await callers(http, keys)().report()
        shown = await follow(http, answer.json()["case_id"], answer.json()["code"])
        followed = await callers(http, keys)().get(answer.json()["status_url"])

    assert (answer.status_code, shown.status_code) == (202, 200)
    assert shown.json()["stage"] == "reported"
    assert followed.json()["code"] == answer.json()["code"]


def test_every_stage_has_words_for_residents() -> None:
    """No resident is shown a bare code, whatever the procedure."""
    bare = [
        f"{case.procedure.name}: {stage}"
        for case in PROCEDURES
        for stage in case.procedure.stages
        if (words := words_for_residents(stage.value, case.procedure)).zh == stage.value or not words.en
    ]

    assert bare == []


async def test_who_reported_a_merged_case_follows_the_other_one(as_: As, http: httpx.AsyncClient) -> None:
    """The code of a merged case shows where the case stands into which it was merged; its answers stay with its reporter."""
    merged, into = [(await as_(subject=subject).report()).json() for subject in ("merged-1", "merged-2")]
    answer = await as_("coordinator").command(merged["case_id"], "merge", {"into": into["case_id"]})
    assert answer.status_code == 200, answer.text
    await as_("coordinator").get(f"/api/v1/cases/{merged['case_id']}", wait="stage:merged", timeout=30)
    officer = as_("department_officer", department="urban-management")
    await officer.command(into["case_id"], "sign")
    await officer.command(into["case_id"], "finish", RESULT)
    shown = (await follow(http, merged["case_id"], merged["code"])).json()

    assert (shown["stage"], shown["answers"]) == ("merged", [])
    assert (shown["follows"]["case_id"], shown["follows"]["stage"]) == (into["case_id"], "verifying")
    assert RESULT["result"] not in json.dumps(shown, ensure_ascii=False)
