"""round 社区提案大赛, declared: announced with its money and its jury, handed in, judged, voted on, ranked, done, accounted for.

Source: domain (yearly, a pool with its budget, jury and neighbours choose, results open); every number is the town's
(policies/round.yaml). Each proposal is a case of its own (schemas/proposal.py), the vote is one too (schemas/ballot.py). What
is more than a line stands in `workflows/round.py`.
"""

from datetime import datetime
from typing import Any

from schemas.kernel.acts import Tells, WithReason, act, file_acts, step
from schemas.kernel.because import by_policy, nobody_acted
from schemas.kernel.case import Entry
from schemas.kernel.declaration import EndNotice, declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.explanation import Because
from schemas.kernel.openings import Opens
from schemas.kernel.parties import (
    COMMITTEE_OFFICER,
    COORDINATOR,
    GRID_WORKER,
    NEIGHBOUR,
    STREET_OFFICER,
    SUPERVISOR,
    WINDOW_CLERK,
    desk_of,
)
from schemas.kernel.people import Part
from schemas.kernel.reference_facts import Refers
from schemas.kernel.timers import duty, last_limit, window
from schemas.parts.ballots import BallotEntries, ballot_lines, ballot_timers
from schemas.parts.conditions import forbids, while_open
from schemas.parts.reservations import ReservationEntries
from schemas.round_commands import Announce, CallVote, ConfirmLot, DrawLot, OpenRound, ReportRound, Submit
from schemas.round_policy import RoundPolicy
from schemas.round_state import BEFORE_VOTE, OPEN, RoundState, Stage
from schemas.values.actor import Actor, Role
from schemas.values.refusals import say

no_lot_waits = forbids("no_lot_waits", lambda state: state.lot, "抽签待见证", "a lot waits for its witness")


def each_is_answered(state: RoundState, _actor: Actor, _now: datetime) -> str | None:
    """每件提案均有答复: nobody is left without one."""
    left = len(state.living)
    return say(f"尚有{left}件提案未了结", f"{left} proposals have no answer yet") if left else None


def _why_ranked(entry: Entry, state: Any) -> Because:
    rules = state.terms.ranking
    jury = 100 - rules.public_weight
    return Because(
        rule="policies/round.yaml terms.ranking",
        says=say(
            f"评委{jury}%、公众{rules.public_weight}%,参与不足{rules.turnout_floor}%只计评委;同分依次看评委、公众、费用、抽签",
            f"{jury} % jury and {rules.public_weight} % public, under {rules.turnout_floor} % turnout the jury alone; among "
            "equals: jury, public, cheaper, lot",
        ),
        inputs={name: entry.facts.get(name) for name in ("ballots", "roll", "order", "left_fen")},
    )


class Kind(ReservationEntries, BallotEntries, EntryKinds, procedure="round"):
    """What the ledger says happened, beside what the parts say."""

    ANNOUNCED = entry("announced", "公告")
    OPENED = entry("opened", "开赛")
    SUBMITTED = entry("submitted", "收到提案")
    STANDS = entry("proposal:stands", "提案立案")
    CLOSED_FOR_PROPOSALS = entry(
        "collected",
        "征集截止",
        by_policy("round", "collect", "征集期{limit}已满", "proposals were collected for {limit}"),
    )
    REPORTED = entry("proposal:reported", "提案进展")
    SHORTLISTED = entry(
        "shortlisted",
        "入围",
        by_policy("round", "mark", "评委平均分不低于{limit}分", "a mean of {limit} by the jury at least"),
    )
    LOT_DRAWN = entry("lot:drawn", "抽签")
    LOT_WITNESSED = entry("lot:witnessed", "见证抽签")
    RANKED = entry("ranked", "排名", _why_ranked)
    OFFERED = entry("offered", "确定获奖")
    ALL_ANSWERED = entry("all_answered", "提案均有答复")
    CLOSED = entry("closed", "总结公布")
    CANCELLED = entry("cancelled", "取消", references={"reason": Refers.TEXT})
    UNRESOLVED = entry("unresolved", "逾期终结", nobody_acted("round"))


_committee, _street = desk_of(COMMITTEE_OFFICER), desk_of(STREET_OFFICER)
_office = (COMMITTEE_OFFICER, STREET_OFFICER)

ROUND = declare(
    "round",
    "社区提案大赛",
    policy=RoundPolicy,
    state=RoundState,
    stages=Stage,
    entries=Kind,
    opens=Opens(
        Announce, "announce", "公告大赛", "announce a round",
        frozenset({Role.COMMITTEE_OFFICER, Role.STREET_OFFICER}), "rounds",
        starts=("open_round",), holder=_street, tells=Tells(_street, "round_announced"),
    ),
    opened=Kind.ANNOUNCED,
    keep_years=10,
    timers={
        "open_round": duty("开赛", "opening of the round", "open_round"),
        "collect": window("征集", "collection of proposals", "collect", warns=True, warned=_committee),
        "call_vote": duty("提请公众投票", "the public vote", "call_vote"),
        **ballot_timers(),
        "draw_lot": duty("抽签", "lot among equals", "draw_lot"),
        "report_round": duty("总结公布", "report on the round", "report_round"),
        "final": last_limit("unresolved_after"),
    },
    lines=(
        act(
            OpenRound, "开赛", by=_office, at=Stage.ANNOUNCED, to=Stage.COLLECTING,
            apart_from=(Part.ENTERED, Part.JUROR), stops=["open_round"], starts=["collect"], holder="", entry=Kind.OPENED,
            tells=Tells(_committee, "round_opened"),
        ),
        act(
            Submit, "提交提案", by=(NEIGHBOUR, COMMITTEE_OFFICER, WINDOW_CLERK, GRID_WORKER), at=Stage.COLLECTING,
            when=while_open("is_collecting", "collect", "征集期已过", "proposals are not collected any more"),
            apart_from=(Part.JUROR,), entry=Kind.SUBMITTED,
        ),
        step(
            "close_collecting", "征集截止", at=Stage.COLLECTING,
            to=(Stage.JUDGING, Stage.SHORTLISTED, Stage.RUNNING, Stage.CANCELLED), entry=Kind.CLOSED_FOR_PROPOSALS, clock="collect",
        ),
        step("hear_proposals", "评审结果", at=Stage.JUDGING, to=(Stage.SHORTLISTED, Stage.RUNNING), entry=Kind.SHORTLISTED),
        act(
            CallVote, "提请公众投票", by=COMMITTEE_OFFICER, at=Stage.SHORTLISTED, to=Stage.VOTING, apart_from=(Part.JUROR,),
            stops=["call_vote"], holder="",
        ),
        *ballot_lines(Kind, at=Stage.VOTING, to=(Stage.RUNNING, Stage.DRAWING)),
        act(
            DrawLot, "抽签", by=_office, at=Stage.DRAWING, when=no_lot_waits, apart_from=(Part.JUROR,),
            part=Part.LOT_DRAWN, entry=Kind.LOT_DRAWN,
        ),
        act(
            ConfirmLot, "见证抽签", by=(STREET_OFFICER, SUPERVISOR), at=Stage.DRAWING, to=(Stage.DRAWING, Stage.RUNNING),
            apart_from=(Part.JUROR, Part.LOT_DRAWN), answers=(Part.LOT_DRAWN,), entry=Kind.LOT_WITNESSED,
        ),
        step("find_no_equals", "不再同分", at=Stage.DRAWING, to=Stage.RUNNING, entry=Kind.RANKED),
        act(
            ReportRound, "总结公布", by=(STREET_OFFICER, SUPERVISOR), at=Stage.RUNNING, to=Stage.CLOSED, when=each_is_answered,
            apart_from=(Part.JUROR,), entry=Kind.CLOSED,
        ),
        act(
            WithReason, "取消", name="cancel", meaning="before the public votes it is called off, and each proposal hears it.",
            by=STREET_OFFICER, at=BEFORE_VOTE, to=Stage.CANCELLED, apart_from=(Part.JUROR,), entry=Kind.CANCELLED,
        ),
        step("find_no_money", "年度资金不足", at=(Stage.ANNOUNCED, Stage.COLLECTING), to=Stage.CANCELLED, entry=Kind.CANCELLED),
        step("expire", "逾期终结", at=OPEN, to=Stage.UNRESOLVED, entry=Kind.UNRESOLVED, clock="final"),
        *file_acts(
            Kind,
            by=(COMMITTEE_OFFICER, WINDOW_CLERK, GRID_WORKER, STREET_OFFICER, COORDINATOR, SUPERVISOR),
            at=OPEN,
            urged_by=(COMMITTEE_OFFICER, SUPERVISOR),
        ),
    ),
    end_notice=EndNotice(_committee),
)  # fmt: skip
