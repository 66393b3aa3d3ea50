"""Rounds on a bench: opened, with proposals handed in, screened, judged and voted on, as tests of both procedures need them."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from local.round_walks import ENTRY, PEOPLE, TEAMS, WALKS
from schemas.ballot import BALLOT
from schemas.kernel.procedure import Procedure
from schemas.proposal import PROPOSAL
from schemas.proposal_state import ProposalState
from schemas.round import ROUND
from schemas.round_state import RoundState
from tests.api_driver import ApiDriver, Step, examples
from tests.bench_api import bench_door
from tests.case_bench import CaseBench
from tests.examples.round import MARKS
from tests.paper_votes import ROLL
from tests.waiting import eventually

JURY = range(1, 6)


class RoundBench:
    """One round and its people."""

    def __init__(self, bench: CaseBench) -> None:
        self.bench = bench
        self.case = ""

    def door(self, procedure: Procedure) -> ApiDriver:
        """The door of a procedure."""
        return bench_door(self.bench, procedure)

    @property
    def round(self) -> RoundState:
        """The round as it last told of itself."""
        return cast("RoundState", self.bench.state(self.case))

    def proposal(self, number: int) -> ProposalState:
        """A proposal of it, likewise."""
        return cast("ProposalState", self.bench.state(self.number(number)))

    def number(self, number: int) -> str:
        """The number of a proposal's case."""
        return f"{self.case}.proposal-{number}"

    def facts(self, case: str, kind: str) -> list[Mapping[str, Any]]:
        """What the entries of a kind say, in order."""
        chain = zip(self.bench.tables.kinds(case), self.bench.tables.facts(case), strict=True)
        return [said for each, said in chain if each == kind]

    async def told(self, case: str, kind: str, times: int = 1) -> None:
        """Wait until a case has told an entry that it makes by itself; no time passes for it."""
        await eventually(lambda: case in self.bench.tables.rows and self.bench.tables.kinds(case).count(kind) >= times)

    async def opened(self, *entries: Mapping[str, Any], **opening: Any) -> None:
        """Announce and open a round; hand in proposals, each of a team of its own unless it says."""
        door = self.door(ROUND)
        self.case = await door.start(body={**WALKS.opening, **opening})
        await door.go(self.case, [Step("open_round", "street_officer")])
        for number, entry in enumerate(entries, start=1):
            given = {**ENTRY, "team": [PEOPLE[name].subject for name in TEAMS[number - 1]], **entry}
            await door.go(self.case, [Step("submit", "clerk", given)])
            await self.told(self.number(number), "proposal:submitted")
            await self.told(self.case, "round:proposal:stands", number)

    async def screened(self, *numbers: int) -> None:
        """Have all who are named join, screen proposals, and let the time for handing in pass."""
        for number in numbers:
            await self.joined(number)
            await self.in_proposal(number, Step("screen", "committee"))
        await self.bench.until_told(self.case, "round:collected")
        for number in numbers:
            await self.told(self.number(number), "proposal:judging")

    async def joined(self, number: int) -> None:
        """Everybody who is named in a proposal, and has not said so, says that they are of the team."""
        people = examples(PROPOSAL).PEOPLE
        names = {person.subject: name for name, person in people.items() if person.role == "resident"}
        await self.in_proposal(number, *(Step("join", names[each]) for each in self.proposal(number).silent))

    async def judged(self, *marks: Mapping[str, int]) -> None:
        """Have all proposals screened, and judged: each by its marks, of all jurors alike."""
        numbers = range(1, len(marks) + 1)
        await self.screened(*numbers)
        for number, given in zip(numbers, marks, strict=True):
            jurors = [each for each in JURY if f"juror-{each}" in self.proposal(number).jurors]
            await self.in_proposal(number, *(Step("score", f"juror_{each}", {**MARKS, **given}) for each in jurors))
        await self.told(self.case, "round:shortlisted")

    async def in_proposal(self, number: int, *steps: Step) -> None:
        """Give commands in a proposal that are taken."""
        await self.door(PROPOSAL).go(self.number(number), steps)

    async def voted(self, votes: Sequence[int], papers: int = 84) -> None:
        """Put the shortlist to the vote, and hold that on paper."""
        await self.door(ROUND).go(self.case, [Step("call_vote", "committee", WALKS.bodies["call_vote"])])
        ballot, door = f"{self.case}.ballot-1", self.door(BALLOT)
        sheet = {"boxes": [{"box": "hall", "votes": list(votes), "papers": papers}]}
        await self.told(ballot, "ballot:prepared")
        await door.go(ballot, [Step("post_roll", "grid_worker", ROLL)])
        await self.bench.until_told(ballot, "ballot:opened")
        await door.go(ballot, [Step("seal_box", "clerk", {"box": "hall", "given": papers})])
        await self.bench.until_told(ballot, "ballot:closed")
        await door.go(ballot, [Step("count", "grid_worker", sheet), Step("count", "coordinator", sheet)])
        await self.bench.until_told(ballot, "ballot:certified")
        await self.told(self.case, "round:ballot:ended")

    async def refused(self, case: str, procedure: Procedure, step: Step) -> str:
        """Why a command is refused; nothing has changed by it."""
        before = self.bench.tables.kinds(case)
        answer = await self.door(procedure).taken(case, step)
        assert answer.status_code in {403, 404, 409, 422}, answer.text
        assert self.bench.tables.kinds(case) == before
        said = answer.json()
        return " ".join([said["code"], said.get("detail", ""), *(each["reason"] for each in said.get("faults", ()))])
