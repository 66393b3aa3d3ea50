"""The stories of rounds: those of their walks (local/round_walks.py), and two in which proposals and a vote go their ways.

Each proposal and the vote are cases of their own, with their people; the bank of the demonstration pays the carrier.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from local.round_walks import ENTRY, OPENED, PEOPLE, RIVAL, TEAMS, WALKS
from local.stories.scenes import SETTLE_SECONDS, NotAsTold, OnStage, Scene
from local.stories.story import LATE, NEVER, SPRING, ChildExpectation, OwnClock, Repertoire, Story, Title
from local.stories.walk_stories import ENDED, Goes, WalkStory, answering, repertoire_of, sent_by
from local.stories.walks import A_DOCUMENT, walk
from schemas.ballot import BALLOT
from schemas.kernel.procedure import Procedure
from schemas.proposal import PROPOSAL
from schemas.round import ROUND, Kind
from schemas.round_state import Stage

SPEED = 120_000
"""Forty-five seconds for the two months of a round; ten for the ten working days in which five people judge."""

PATIENCE_SECONDS, LOOK_SECONDS = 60.0, 0.2
ROLL = {"digest": "ab" * 32, "units": 120, "voters": 120}
SHEET = {"boxes": [{"box": "hall", "votes": [50, 30], "papers": 84, "abstained": 2, "spoilt": 2}]}
MARKS = {"need": 22, "feasible": 17, "takes_part": 16, "cost": 12, "lasting": 8, "novel": 7}
DEARER = {**RIVAL, "cost_fen": 150000}
SEEN = {"passed": True, "finding": "现场查看属实"}


async def gives(  # noqa: PLR0917 - who does what where
    stage: OnStage, procedure: Procedure, case_id: str, by: str, command: str, body: Mapping[str, Any], time: int = 1
) -> None:
    """Somebody acts in a case of the story as soon as it lets them, once."""
    client, key = stage.client(PEOPLE[by]), f"scene:{case_id}:{command}:{by}:{time}"
    for _ in range(int(PATIENCE_SECONDS / LOOK_SECONDS)):
        if command in (await client.case(case_id)).legal_commands:
            break
        await asyncio.sleep(LOOK_SECONDS)
    else:
        raise NotAsTold(f"{case_id} never lets {by} {command}")
    said = await answering(client, procedure, case_id, command, await sent_by(client, body, key))
    await client.command(case_id, command, dict(said), key, SETTLE_SECONDS)


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The one proposal stands on the negative list; the round is reported on."""

    async def play(self, stage: OnStage) -> None:
        """Refuse it, and report when it has its answer."""
        await stage.seen(Kind.STANDS)
        refused = {"ground": "duty-of-another", "reason": "路灯属物业维修责任"}
        await gives(stage, PROPOSAL, f"{stage.case_id}.proposal-1", "committee", "refuse", refused)
        await stage.seen(Kind.ALL_ANSWERED)
        await reports(stage)


@dataclass(frozen=True, kw_only=True)
class JudgedAndVotedOn:
    """The members of both say so, both are screened and judged blind; the neighbours vote on paper."""

    async def play(self, stage: OnStage) -> None:
        """Judge them when nothing more is handed in, and hold the vote to its end."""
        await stage.seen(Kind.STANDS, 2)
        both = [f"{stage.case_id}.proposal-{number}" for number in (1, 2)]
        for proposal, team in zip(both, TEAMS, strict=False):
            for member in team:
                await gives(stage, PROPOSAL, proposal, member, "join", {})
            await gives(stage, PROPOSAL, proposal, "committee", "screen", {"reason": "不在负面清单之列"})
        await stage.seen(Kind.CLOSED_FOR_PROPOSALS)
        for proposal in both:
            await stage.client(PEOPLE["committee"]).case(proposal, wait="stage:judging")
            jurors = (f"juror_{number}" for number in range(1, 6))
            await asyncio.gather(*(gives(stage, PROPOSAL, proposal, juror, "score", MARKS) for juror in jurors))
        await stage.seen(Kind.SHORTLISTED)
        await gives(stage, ROUND, stage.case_id, "committee", "call_vote", WALKS.bodies["call_vote"])
        await stage.seen(Kind.BALLOT_STANDS)
        await self.hold_vote(stage, f"{stage.case_id}.ballot-1")

    async def hold_vote(self, stage: OnStage, vote: str) -> None:
        """Its roll, a sealed box, and two tellers who find the same."""
        for by, command, body in (
            ("grid_worker", "post_roll", ROLL),
            ("clerk", "seal_box", {"box": "hall", "given": 84}),
            ("grid_worker", "count", SHEET),
            ("coordinator", "count", SHEET),
        ):
            if command == "seal_box":
                await stage.client(PEOPLE[by]).case(vote, wait="stage:open")
            await gives(stage, BALLOT, vote, by, command, body)
        await stage.seen(Kind.BALLOT_ENDED)


@dataclass(frozen=True, kw_only=True)
class DoneAndAccountedFor:
    """The winner is posted, signs, reaches three milestones and is paid by the bank; its account is settled."""

    async def play(self, stage: OnStage) -> None:
        """Do it, and report on the round when both have their answer."""
        await stage.seen(Kind.OFFERED)
        winner = f"{stage.case_id}.proposal-1"
        way: tuple[tuple[str, str, Mapping[str, Any]], ...] = (
            ("committee", "offer_contract", {"text": "三期拨付,凭证据验收,逾期停拨", "document": A_DOCUMENT}),
            ("applicant", "sign_contract", {}),
            ("partner", "sign_for_carrier", {"document": A_DOCUMENT}),
            ("street_officer", "confirm_authority", {"right": True, "finding": "已向该单位负责人当面核实"}),
            *(("applicant", "claim_milestone", {"result": "按计划完成", "documents": [A_DOCUMENT]}),
              ("grid_worker", "verify_milestone", SEEN),
              ("supervisor", "confirm_milestone", SEEN)) * 3,
            ("applicant", "file_invoice", {"invoice": invoice_of(winner), "amount_fen": 100000, "document": A_DOCUMENT}),
            ("street_officer", "accept_invoice", {}),
            ("applicant", "account", {"result": "六盏路灯全部点亮", "documents": [A_DOCUMENT]}),
            ("civil", "settle_account", {"accepted": True, "finding": "票据与现场相符"}),
        )  # fmt: skip
        for number, (by, command, body) in enumerate(way):
            await gives(stage, PROPOSAL, winner, by, command, body, number)
        await stage.seen(Kind.ALL_ANSWERED)
        await reports(stage)


def invoice_of(case_id: str) -> str:
    """The number of an invoice of this case alone."""
    return "".join(each for each in case_id if each.isdecimal()).zfill(20)[-20:]


async def reports(stage: OnStage) -> None:
    """The street reports on the round."""
    await gives(stage, ROUND, stage.case_id, "street_officer", "report_round", WALKS.bodies["report_round"])


def _told(  # noqa: PLR0917 - a story and what it is judged by
    name: str,
    title: Title,
    way: str,
    entries: tuple[Mapping[str, Any], ...],
    scenes: tuple[Scene, ...],
    counts: Mapping[Any, int],
    children: Mapping[str, ChildExpectation],
    *,
    asked_for: bool = False,
) -> Story:
    """A round that goes to its report."""
    gone = walk(name, way, Stage.COLLECTING, submit=entries)
    return WalkStory(
        name=f"round-{name.replace(' ', '-')}",
        title=title,
        procedure=ROUND,
        opening=WALKS.opening,
        path=(Stage.CLOSED,),
        counts={Kind.SUBMITTED: len(entries), Kind.CLOSED: 1, **counts},
        never=(NEVER - LATE) | {Kind.CANCELLED},
        scenes=(Goes(procedure=ROUND, walks=replace(WALKS, speed=SPEED), walk=gone), *scenes),
        children=children,
        ends_with=ENDED,
        clock=OwnClock(SPRING, SPEED),
        reporter=PEOPLE[WALKS.starter],
        asked_for=asked_for,
    )


_of_walks = repertoire_of(ROUND, WALKS)
REPERTOIRE: Repertoire = replace(
    _of_walks,
    stories=(
        *_of_walks.stories,
        _told(
            "answered and reported on",
            Title(zh="提案初筛不通过,书面答复,大赛总结", en="refused by the negative list, answered, reported on"),
            f"{OPENED}, clerk submit",
            (ENTRY,),
            (Refused(),),
            {Kind.ALL_ANSWERED: 1},
            {"proposal-1": ChildExpectation(("proposal:submitted", "proposal:refused"))},
        ),
        _told(
            "voted on and done",
            Title(zh="评审、公众投票、签约、三期拨付、结项", en="judged, voted on, signed, paid by three milestones, closed"),
            f"{OPENED}, clerk submit, clerk submit",
            (ENTRY, DEARER),
            (JudgedAndVotedOn(), DoneAndAccountedFor()),
            {Kind.RANKED: 1, Kind.OFFERED: 1, Kind.BALLOT_ENDED: 1},
            {
                "proposal-1": ChildExpectation(
                    ("proposal:judged", "proposal:selected", *("proposal:payment:paid",) * 3, "proposal:closed")
                ),
                "proposal-2": ChildExpectation(("proposal:judged", "proposal:reserved", "proposal:not_awarded")),
                "ballot-1": ChildExpectation(("ballot:sheets:agree", "ballot:declared", "ballot:certified")),
            },
            asked_for=True,
        ),
    ),
    starts={Kind.STANDS: "proposal", Kind.BALLOT_STANDS: "ballot"},
)  # fmt: skip
