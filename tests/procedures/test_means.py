"""What becomes of every answer that a source of means can give, and that nobody's name stays on the way."""

import ast
import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from temporalio.exceptions import ApplicationError

from activities.means import PENDING, UNAVAILABLE
from local.simulation.directions import Manner, StagedFact, UnreadableDirection, facts_in, read_directions, word_for
from local.simulation.source_server import WORDS
from schemas.contracts.means import PEOPLE_MAX, CheckBody, CheckRequest, CheckStatus, SourceAnswer
from tests.department_town import NOON, serving
from tests.outside_town import CASE, days_after, outside_town, person, town_over
from tests.waiting import eventually

PATIENT = 20.0
"""Seconds for a call to a source that answers: on a busy machine too it is made once."""

PROJECT = Path(__file__).resolve().parents[2]
PAGE = (PROJECT / "docs" / "means.md").read_text(encoding="utf-8")
ANSWER: dict[str, Any] = {
    "receipt": "TAX-1",
    "status": "found",
    "facts": {"monthly_income_fen": 120_000},
    "answered_at": "2026-11-23T12:00:02+08:00",
}


async def test_what_a_source_knows_stands_in_the_answer(tmp_path: Path) -> None:
    """Facts come back as numbers by name; who has nothing is clear, with every fact at 0."""
    async with outside_town(tmp_path, timeout_seconds=PATIENT) as town:
        town.people.live("A", "王小明〔剧本:monthly_income_fen=120000〕")
        town.people.live("B")
        found, clear = await town.ask(town.check()), await town.ask(town.check(who="B", number=2))

    assert (found.status, found.facts, found.receipt) == (
        CheckStatus.FOUND,
        {"monthly_income_fen": 120_000},
        f"tax:{CASE}.check-tax-1",
    )
    assert (clear.status, clear.facts, clear.answered) == (CheckStatus.CLEAR, {"monthly_income_fen": 0}, True)
    assert "王小明" not in found.model_dump_json()


async def test_the_whole_household_is_asked_about_at_once(tmp_path: Path) -> None:
    """The others of the household are named to the source, which answers for all of them; each reading has its purpose."""
    async with outside_town(tmp_path, timeout_seconds=PATIENT) as town:
        town.people.live("A", "王小明〔剧本:properties=1〕")
        town.people.live("B", "李小红〔剧本:properties=2〕")
        answer = await town.ask(town.check("property", others=[person("B")]))

    assert answer.facts == {"properties": 3}
    assert town.people.readings == [(person(who), "check-property", CASE) for who in "AB"]


@pytest.mark.parametrize(
    ("word", "errors", "timeout_seconds"),
    [
        ("按时", [], PATIENT),
        ("时断时续", [UNAVAILABLE, UNAVAILABLE], 3.0),  # its silence lasts as long
        ("乱答", [UNAVAILABLE, UNAVAILABLE], PATIENT),
    ],
)
async def test_asked_again_a_source_answers_in_the_end(
    tmp_path: Path, word: str, errors: list[str], timeout_seconds: float
) -> None:
    """5xx, silence and answers of a wrong shape are tried again under the same key, until there is an answer."""
    async with outside_town(tmp_path, timeout_seconds=timeout_seconds) as town:
        town.people.live("A", f"王小明〔剧本:monthly_income_fen=1;tax {word}〕")
        answer, went_wrong = await town.ask_until_answered(town.check())
        again = await town.ask(town.check(as_of=days_after(NOON, 3)))
        asked = await town.asked()

    assert went_wrong == errors
    assert answer.facts == {"monthly_income_fen": 1}
    assert again == answer  # asked on a later day, the question is the same one
    assert [(each["answered"], each["requests"]) for each in asked] == [(True, len(errors) + 2)]


@pytest.mark.parametrize(("word", "error", "hours"), [("拖延", PENDING, 2), ("中断", UNAVAILABLE, 72)])
async def test_a_source_may_need_hours_or_be_down_for_days(tmp_path: Path, word: str, error: str, hours: int) -> None:
    """202 and 503 are tried again after the pause that was asked for, and town time brings the answer."""
    in_a_second = 3600.0 * hours
    async with outside_town(tmp_path, speed=in_a_second, timeout_seconds=PATIENT) as town:
        town.people.live("A", f"王小明〔剧本:tax {word}〕")
        with pytest.raises(ApplicationError) as first:
            await town.ask(town.check())
        answer, _ = await town.ask_until_answered(town.check(), attempts=200)

    assert (first.value.type, first.value.non_retryable) == (error, False)
    assert first.value.next_retry_delay is not None
    assert answer.status is CheckStatus.CLEAR


async def test_a_refusal_is_a_fact_and_asked_once(tmp_path: Path) -> None:
    """What a source will never answer comes back with its bare code."""
    async with outside_town(tmp_path, timeout_seconds=PATIENT) as town:
        town.people.live("A", "王小明〔剧本:tax 拒收〕")
        answer = await town.ask(town.check())

    assert (answer.status, answer.code, answer.facts) == (CheckStatus.REFUSED, "no-consent-on-record", {})


async def test_another_question_under_the_same_number_is_refused(tmp_path: Path) -> None:
    """The number says which question it is: with other facts it would be another one."""
    async with outside_town(tmp_path, timeout_seconds=PATIENT) as town:
        town.people.live("A")
        await town.ask(town.check())
        other = await town.ask(town.check(facts={"household_size": 2}))

    assert (other.status, other.code) == (CheckStatus.REFUSED, "another-check-under-this-key")


async def test_who_cannot_be_told_from_others_is_asked_about_nowhere(tmp_path: Path) -> None:
    """Without an identity number, or once erased, no source is called: the check is refused and says why."""
    async with outside_town(tmp_path) as town:
        town.people.live("A", number=None)
        town.people.live("B")
        town.people.erase("B")
        answers = [await town.ask(town.check(who=who)) for who in "AB"]
        asked = await town.asked()

    assert [answer.code for answer in answers] == ["no-identity-number", "person-erased"]
    assert asked == []


@pytest.mark.parametrize(
    "answer",
    [
        JSONResponse(ANSWER | {"facts": {}}),
        JSONResponse(ANSWER | {"facts": {"monthly_income_fen": -1}}),
        JSONResponse(ANSWER | {"facts": {"monthly_income_fen": 12.5}}),
        JSONResponse(ANSWER | {"facts": {"monthly_income_fen": "120000"}}),
        JSONResponse(ANSWER | {"status": "clear"}),
        JSONResponse(ANSWER | {"facts": {"monthly_income_fen": 0}}),
        JSONResponse(ANSWER | {"status": "refused"}),
        JSONResponse(ANSWER | {"receipt": "王小明 查无"}),
        PlainTextResponse("王小明"),
    ],
    ids=range(9),
)
async def test_an_answer_that_is_none_is_no_knowledge(tmp_path: Path, answer: Response) -> None:
    """Facts that are missing, negative, fractions or words, and an answer against its own facts, are asked for again."""

    async def odd(_: Request) -> Response:
        return answer

    app = Starlette(routes=[Route("/{path:path}", odd, methods=["POST"])])
    async with serving(app) as url, town_over(tmp_path, url, None) as town:
        town.people.live("A")
        with pytest.raises(ApplicationError) as unavailable:
            await town.ask(town.check())

    assert unavailable.value.type == UNAVAILABLE
    assert "王小明" not in str(unavailable.value)


async def test_facts_that_nobody_asked_for_are_left_out(tmp_path: Path) -> None:
    """A source may add facts; only those of policies/sources.yaml reach the case."""

    async def talkative(_: Request) -> Response:
        return JSONResponse(ANSWER | {"facts": {**ANSWER["facts"], "shoe_size": 42}, "note": "…"})

    app = Starlette(routes=[Route("/{path:path}", talkative, methods=["POST"])])
    async with serving(app) as url, town_over(tmp_path, url, None, timeout_seconds=PATIENT) as town:
        town.people.live("A")
        answer = await town.ask(town.check())

    assert answer.facts == {"monthly_income_fen": 120_000}


async def test_a_source_that_hangs_holds_up_no_other(tmp_path: Path) -> None:
    """Calls to one source wait in its own lane: while it hangs, another answers at once."""
    async with outside_town(tmp_path, timeout_seconds=PATIENT, concurrent_calls=1) as town:
        town.people.live("A", "王小明〔剧本:tax 时断时续〕")
        with pytest.raises(ApplicationError):
            await town.ask(town.check())
        hanging = asyncio.create_task(town.ask(town.check()))

        async def hangs() -> bool:
            return [each["requests"] for each in await town.asked()] == [2]

        await eventually(hangs)
        answer = await town.ask(town.check("property"))
        went_on_hanging = not hanging.done()
        hanging.cancel()
        await asyncio.gather(hanging, return_exceptions=True)

    assert (answer.answered, went_on_hanging) == (True, True)


def test_at_most_so_many_people_are_asked_about() -> None:
    """Forty people of one household are refused when the question is made, not by the source."""
    others = [person(f"{number}") for number in range(PEOPLE_MAX)]

    with pytest.raises(ValidationError, match="at most 19 items"):
        CheckRequest.model_validate(
            {"case_id": CASE, "check": "tax", "number": 1, "person": person("A"), "others": others, "as_of": NOON}
        )


def test_stage_directions_are_read_to_the_letter() -> None:
    """Facts hold for everybody or from a day on, words for one reader or a month; anything else is told, not guessed."""
    name = "王小明〔剧本:properties=2; death_registered=1@2027-06-10;tax 中断;重付@2027-03〕"

    assert read_directions(name) == [
        StagedFact("properties", 2, None),
        StagedFact("death_registered", 1, "2027-06-10"),
        Manner("tax", "中断", None),
        Manner(None, "重付", "2027-03"),
    ]
    assert facts_in(name, "2027-06-09") == {"properties": 2}
    assert facts_in(name, "2027-06-10") == {"properties": 2, "death_registered": 1}
    assert (word_for("tax", name), word_for("vehicles", name)) == ("中断", None)
    assert (word_for("bank", name, "2027-03"), word_for("bank", name, "2027-04")) == ("重付", None)
    assert read_directions("王小明") == []
    with pytest.raises(UnreadableDirection):
        read_directions("王小明〔剧本:tax=〕")


def _example(name: str) -> str:
    found = re.search(rf"<!-- example: {name} -->\n```json\n(.*?)```", PAGE, re.DOTALL)
    assert found, name
    return found[1]


def test_the_page_says_what_the_code_does() -> None:
    """The examples of docs/means.md are read by the models; every word of the simulated sources stands in its table."""
    assert CheckBody.model_validate_json(_example("check")).check == "tax"
    assert SourceAnswer.model_validate_json(_example("answer")).facts == {"monthly_income_fen": 120_000}
    assert [word for word in WORDS if word not in PAGE] == []


@pytest.mark.parametrize(
    "module",
    ["directions", "source_book", "source_server", "bank_book", "bank_characters", "bank_server", "signed_server"],
)
def test_simulated_counterparts_know_the_wire_only(module: str) -> None:
    """Of our own code they import the published contract and each other, so that they prove it and nothing else."""
    allowed = {
        "schemas.contracts.department",
        "schemas.contracts.incoming",
        "schemas.contracts.means",
        "schemas.contracts.payment",
        "schemas.contracts.signature",
    }
    ours = {"activities", "audit", "engine", "schemas", "starter", "workflows", "worker", "cli"}
    tree = ast.parse((PROJECT / "local" / "simulation" / f"{module}.py").read_text(encoding="utf-8"))
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert {name for name in imported if name.partition(".")[0] in ours} <= allowed
