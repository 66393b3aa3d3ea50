"""Walks in words: what they say is what is done, and what says nothing is refused."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from local.stories.walk_stories import repertoire_of
from local.stories.walks import A_DOCUMENT, made_body, walk, walks_of, with_documents
from schemas.contest import CONTEST
from schemas.incident import INCIDENT
from starter.http.command_bodies import command_body_of
from tests.api_driver import examples


def test_a_walk_says_who_does_what_after_which_entry() -> None:
    """Brackets wait for an entry, each time for the next one of its kind; a body goes with each step of its command."""
    way = walk("paid", "a claim, (paid), a claim, b look, (paid), a account", "closed", claim={"result": "x"})

    assert [(step.by, step.command, step.after) for step in way.steps] == [
        ("a", "claim", None),
        ("a", "claim", ("paid", 1)),
        ("b", "look", None),
        ("a", "account", ("paid", 2)),
    ]
    assert [step.body for step in way.steps] == [{"result": "x"}, {"result": "x"}, None, None]


@pytest.mark.parametrize("way", ["applicant", "a claim, (paid)", "a claim b", "a "])
def test_what_is_no_walk_is_refused(way: str) -> None:
    """A step without a command, or a wait after which nobody acts."""
    with pytest.raises(ValueError, match=r"nobody|neither"):
        walk("wrong", way, "closed")


@pytest.mark.parametrize("command", CONTEST.commands)
async def test_a_body_that_is_made_is_a_right_one(command: str) -> None:
    """What nobody writes is made of the command's shape; a document stands where whoever gives it uploads one."""

    async def send() -> Mapping[str, Any]:
        return {"reference": f"document:{'0' * 26}", "sha256": "0" * 64, "size_bytes": 1, "media_type": "image/png"}

    body = await with_documents(made_body(CONTEST, command), send)
    number = {"request": 1} if "request" in CONTEST.commands[command].model_fields else {}

    command_body_of(CONTEST.commands[command]).model.model_validate_json(json.dumps({**body, **number}))
    assert A_DOCUMENT not in [body.get("document"), *body.get("documents", ())]


def test_the_main_walk_waits_for_nothing() -> None:
    """It is gone in real time too; walks that wait are marked, and those that a bank pays are for the demo alone."""
    told = examples(CONTEST)
    walks = walks_of(CONTEST)
    assert walks is not None

    assert not told.MAIN.waits
    assert {each.name for each in told.WALKS if each.waits} >= {"paid and closed", "called off while it runs"}
    assert {each.name for each in walks.walks} - {each.name for each in told.WALKS} == {"paid by the bank"}


def test_a_story_is_judged_by_what_its_walk_says() -> None:
    """Its path is the last stage, and each command of the walk has its entry as often as it is given."""
    walks = walks_of(CONTEST)
    assert walks is not None
    paid = next(each for each in repertoire_of(CONTEST, walks).stories if each.name == "contest-paid-by-the-bank")

    assert paid.path == ("closed",)
    assert (paid.counts["contest:milestone:claimed"], paid.counts["contest:closed"]) == (2, 1)
    assert walks_of(INCIDENT) is None
