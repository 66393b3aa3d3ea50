"""How rounds go: as their walks in words say (local/round_walks.py), and those on which proposals and a vote act on the way."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from local.round_walks import RIVAL, TEAMS
from local.stories.walks import walk
from schemas.proposal import PROPOSAL
from schemas.round import ROUND
from tests.api_driver import ApiDriver, Person, Step, Walk
from tests.examples.incident import a_photo
from tests.paper_votes import hold_vote
from tests.told_examples import told_examples

Body = Callable[[ApiDriver, str, str], Awaitable[Mapping[str, Any]]]

_told = told_examples(ROUND)
PEOPLE = {
    **_told.PEOPLE,
    "grid_worker_at_home": Person("grid-zhao", "resident"),
    "street_officer_at_home": Person("street-feng", "resident"),
}
REPORTER, REPORT = _told.REPORTER, _told.REPORT
NOBODY_ANSWERS, ASKS_OUTSIDE, EXPLAINED = _told.NOBODY_ANSWERS, _told.ASKS_OUTSIDE, _told.EXPLAINED
prepared = _told.prepared
SPEED = 250_000

MARKS = {"need": 22, "feasible": 17, "takes_part": 16, "cost": 12, "lasting": 8, "novel": 7}
EQUAL = {"boxes": [{"box": "hall", "votes": [40, 40], "papers": 84, "abstained": 2, "spoilt": 2}]}


async def paper(door: ApiDriver, case_id: str, by: str) -> Mapping[str, Any]:
    """A document of the giver's own, or one that they see, for those who may send none."""
    found: Mapping[str, Any] = (await a_photo(door, case_id, by))["document"]
    return found


async def held(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
    """A body of nothing, once the money of a round is reserved."""
    await door.passes(case_id, "round:unit:held")
    return {}


async def budget(door: ApiDriver, case_id: str, by: str) -> Mapping[str, Any]:
    """The document by which a round has its money, once that is reserved."""
    await door.passes(case_id, "round:unit:held")
    return {"budget": await paper(door, case_id, by)}


async def in_proposal(door: ApiDriver, proposal: str, *steps: Step) -> None:
    """Give commands in a proposal, once however often it is asked."""
    its = replace(door, procedure=PROPOSAL)
    for number, step in enumerate(steps):
        answer = await its.taken(proposal, step, key=f"{proposal}-{number}-{step.command}")
        assert answer.status_code in (200, 202, 409), answer.text


async def screened(door: ApiDriver, case_id: str, number: int) -> None:
    """Have its members say so, in the time that they have, and a proposal screened."""
    proposal = f"{case_id}.proposal-{number}"
    await door.comes(proposal)
    await in_proposal(door, proposal, *(Step("join", member) for member in TEAMS[number - 1]))
    await in_proposal(door, proposal, Step("screen", "committee", {"reason": "不在负面清单之列"}))


async def judged(door: ApiDriver, case_id: str, number: int) -> None:
    """Have a proposal judged when the round collects no more."""
    proposal = f"{case_id}.proposal-{number}"
    await door.passes(case_id, "round:collected")
    await door.hears(proposal, "proposal:judging")
    await in_proposal(door, proposal, *(Step("score", f"juror_{each}", MARKS) for each in range(1, 6)))


def after_judging(number: int, body: Mapping[str, Any]) -> Body:
    """A body that is given when so many proposals are judged."""

    async def given(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
        for each in range(1, number + 1):
            await screened(door, case_id, each)
        for each in range(1, number + 1):
            await judged(door, case_id, each)
        await door.hears(case_id, "round:shortlisted")
        return body

    return given


def after_vote(body: Mapping[str, Any]) -> Body:
    """A body that is given when the vote has been held."""

    async def given(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
        await hold_vote(door, case_id, EQUAL)
        return body

    return given


async def refused_and_reported(door: ApiDriver, case_id: str, by: str) -> Mapping[str, Any]:
    """The report on a round whose one proposal stood on the negative list."""
    proposal = f"{case_id}.proposal-1"
    await door.comes(proposal)
    await in_proposal(door, proposal, Step("refuse", "committee", {"ground": "private-cost", "reason": "应由车主承担"}))
    await door.passes(case_id, "round:all_answered")
    return {"report": "一件提案,初筛不通过,资金未用", "documents": [await paper(door, case_id, by)]}


BODIES: dict[str, Any] = {**_told.BODIES, "open_round": budget, "attach": a_photo}


def shape(command: str) -> Mapping[str, Any]:
    """The body of a command, before its documents are uploaded."""
    shaped: Mapping[str, Any] = _told.shape(command)
    return shaped


def _steps(way: str) -> tuple[Step, ...]:
    return tuple(Step(each.command, each.by) for each in walk("way", way, "").steps)


OPENED = _steps("street_officer open_round")
TWO = (*OPENED, Step("submit", "clerk"), Step("submit", "clerk", RIVAL))
CALLED = (*TWO, Step("call_vote", "committee", after_judging(2, _told.shape("call_vote"))))
MAIN = Walk("main", (*_steps("committee comment"), *OPENED, Step("submit", "clerk")), "collecting")
_in_words = {each.name: each for each in _told.WALKS}
WALKS = (
    MAIN,
    replace(_in_words["opened, and nothing handed in"], steps=OPENED, waits=False),
    replace(
        _in_words["called off"],
        steps=(Step("urge", "committee", held), *_in_words["called off"].steps[1:]),
    ),
    replace(
        _in_words["called off while it collects"],
        steps=(*OPENED, *_steps("clerk submit, street_officer cancel")),
        waits=False,
    ),
    Walk(
        "one alone needs no vote",
        (*OPENED, Step("submit", "clerk"), Step("comment", "committee", after_judging(1, {"text": "入围一件"}))),
        "running",
        waits=True,
    ),
    Walk("put to the vote", CALLED, "voting", waits=True),
    Walk(
        "equal after the vote, and a lot drawn",
        (
            *CALLED,
            Step("draw_lot", "committee", after_vote(_told.shape("draw_lot"))),
            Step("confirm_lot", "supervisor", {"right": False}),
            Step("draw_lot", "committee"),
            Step("confirm_lot", "street_officer"),
        ),
        "running",
        waits=True,
    ),
    Walk(
        "reported on",
        (*OPENED, Step("submit", "clerk"), Step("report_round", "street_officer", refused_and_reported)),
        "closed",
        waits=True,
    ),
)
