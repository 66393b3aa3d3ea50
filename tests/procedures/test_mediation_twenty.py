"""A dispute of twenty sides: each consents, agrees and is heard for itself, and none reads what another has said apart."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from schemas.kernel.participants import hears
from schemas.mediation import MEDIATION
from schemas.mediation_state import MediationState, Stage
from schemas.values.actor import Actor, Role
from tests.api_driver import ApiDriver, Person, Step, examples
from tests.bench_api import BenchApi, token
from tests.case_bench import CaseBench, case_bench

pytestmark = pytest.mark.timeout(300)

RESPONDENTS = tuple(f"b{number}" for number in range(1, 20))
SIDES = ("a", *RESPONDENTS)
ACCOUNTS = {side: f"resident-{side}" for side in SIDES}
REPORT = {
    **examples(MEDIATION).REPORT, "matter": "楼道堆物", "claim": "共同清理楼道,费用分摊", "category": "noise",
    "respondents": [{"account": ACCOUNTS[side]} for side in RESPONDENTS],
}  # fmt: skip
SHARE_FEN = 10_000
SHARES = [
    {"code": f"share-{side}", "debtor": side, "creditor": "a", "days_after": 10, "amount_fen": SHARE_FEN}
    for side in RESPONDENTS
]
DRAFT = {
    "text": "每户一百元,十日内付清",
    "clauses": SHARES,
    "total_fen": SHARE_FEN * len(SHARES),
    "acceleration": False,
}


class Everybody(ApiDriver):
    """The door, for the usual people and an account on each side."""

    @property
    def examples(self) -> Any:
        told = examples(self.procedure)
        sides = {side: Person(account, "resident") for side, account in ACCOUNTS.items()}
        return SimpleNamespace(**{**vars(told), "PEOPLE": {**told.PEOPLE, **sides}, "REPORTER": "a"})


@dataclass(frozen=True)
class Played:
    """The dispute, when it had come to its end. `apart`: what each side has said apart, and is told apart, by its entries."""

    bench: CaseBench
    door: ApiDriver
    case_id: str
    state: MediationState

    def entries(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Kind and facts, in order."""
        return list(zip(self.bench.tables.kinds(self.case_id), self.bench.tables.facts(self.case_id), strict=True))

    def heard_by(self, side: str) -> list[int]:
        """The numbers of the entries with words that a side hears."""
        actor = Actor(subject=ACCOUNTS[side], role=Role.RESIDENT)
        return [
            number
            for number, (_, facts) in enumerate(self.entries())
            if "audience" in facts and hears(facts["audience"], actor, self.state.participants)
        ]


@pytest.fixture(scope="module")
async def played(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Played]:
    """It is opened, everybody consents, speaks, signs and pays; somebody who did not mediate asks back."""
    folder: Path = tmp_path_factory.mktemp("twenty")
    async with case_bench(folder, sandbox=False) as bench:
        door = Everybody(BenchApi(bench).client(), token, MEDIATION, let_time_pass=bench.until_told)
        case_id = await door.start(body=REPORT)
        await door.go(case_id, [Step("accept", "committee")])
        await door.go(case_id, [Step("consent", side) for side in RESPONDENTS[:-1]])
        state: Any = bench.state(case_id)
        assert state.stage == Stage.CONSULTING
        await door.go(case_id, [Step("consent", RESPONDENTS[-1]), *(Step("choose_mediator", side) for side in SIDES)])
        for number, side in enumerate(SIDES, start=1):
            apart = {"at": "2040-01-01T09:00:00+08:00", "joint": False, "sides": [side]}
            await door.go(
                case_id,
                [
                    Step("comment", side, {"text": f"{side}的底线"}),
                    Step("call_session", "mediator", apart),
                    Step("record_session", "mediator", {"session": number, "minutes": f"与{side}单独谈"}),
                ],
            )
        short = await door.give(case_id, Step("draft_agreement", "mediator", {**DRAFT, "total_fen": SHARE_FEN}))
        assert (short.status_code, short.json()["faults"][0]["field"]) == (422, "total_fen")
        await door.go(case_id, [Step("draft_agreement", "mediator", DRAFT), *(Step("sign", side) for side in SIDES)])
        state = bench.state(case_id)
        assert state.stage == Stage.SIGNING
        await door.go(case_id, [Step("sign", "mediator"), Step("sign", "committee")])
        paper = (await door.examples.BODIES["prove_duty"](door, case_id, "b1"))["documents"]
        for side in RESPONDENTS:
            paid = {"duty": f"share-{side}", "proof": f"{side}转账", "documents": paper}
            await door.go(case_id, [Step("prove_duty", side, paid), Step("accept_duty", "a")])
        await door.go(case_id, [Step("follow_up", "grid_worker"), Step("follow_up", "grid_worker")])
        await bench.until_ended(case_id)
        last = bench.state(case_id)
        assert isinstance(last, MediationState)
        yield Played(bench, door, case_id, last)


async def test_it_comes_into_force_with_the_last_of_twenty_and_ends_kept(played: Played) -> None:
    """Opened with nineteen others, in force when all have signed, closed when all have paid; chain and replay hold."""
    kinds = played.bench.tables.kinds(played.case_id)

    assert played.state.stage == Stage.CLOSED
    assert (kinds.count("mediation:consented"), kinds.count("mediation:in_force")) == (len(RESPONDENTS), 1)
    assert kinds.index("mediation:in_force") > max(
        number for number, kind in enumerate(kinds) if kind == "mediation:signed"
    )
    assert kinds.count("mediation:duty:accepted") == len(SHARES)
    assert await played.bench.faults(played.case_id) == []


@pytest.mark.parametrize("kind", ["mediation:commented", "mediation:session:recorded"])
def test_what_a_side_says_apart_is_heard_by_none_of_the_nineteen_others(played: Played, kind: str) -> None:
    """The table of sight, for every pair: a comment of a side, and what was written down of a session with it alone."""
    apart = [number for number, (told, _) in enumerate(played.entries()) if told == kind]
    heard = {side: [number for number in played.heard_by(side) if number in apart] for side in SIDES}

    assert len(apart) == len(SIDES)
    assert heard == {side: [number] for side, number in zip(SIDES, apart, strict=True)}


def test_each_side_has_said_it_under_its_own_account(played: Played) -> None:
    """Who consented, named a mediator and signed: every account once, and the two who stand between and beside them."""
    bodies = [json.loads(entry["body"]) for entry in played.bench.tables.chain(played.case_id)]

    def who(kind: str) -> list[str]:
        return sorted(each["actor"]["subject"] for each in bodies if each["kind"] == f"mediation:{kind}")

    assert who("consented") == sorted(ACCOUNTS[side] for side in RESPONDENTS)
    assert who("mediator:chosen") == sorted(ACCOUNTS.values())
    assert who("signed") == sorted([*ACCOUNTS.values(), "mediator-chen", "committee-ma"])
