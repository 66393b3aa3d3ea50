"""ballot 表决: one vote, declared. A child of the case that called it, by whose terms it goes (schemas/parts/ballots.py).

Sources: 村民委员会组织法 14, 21, 22, 26, 28, 城市居民委员会组织法 9, 民法典 278, 物业管理条例 12;
days and fractions are the town's (`ballot` in the terms of whoever calls it). The vote itself is never here: who may vote takes a
ballot outside (docs/ballot-box.md), and this case has the digest of the roll, totals and the root over the votes. What is more
than a line stands in `workflows/ballot.py`.
"""

from typing import Any

from schemas.ballot_commands import (
    ConfirmStrike,
    CorrectRoll,
    Count,
    NameProxy,
    PostRoll,
    RevokeProxy,
    Rule,
    SealBox,
    StrikeUnit,
)
from schemas.ballot_state import ALIVE, BEFORE_OPENING, RESULT, SHOWN, BallotState, OnlineBox, Stage
from schemas.clocks.limits import Limit
from schemas.kernel.acts import Nothing, WithReason, act, file_acts, step
from schemas.kernel.case import Entry
from schemas.kernel.declaration import EndNotice, declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.explanation import Because
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
from schemas.parts.conditions import forbids, needs, while_open
from schemas.parts.shown_votes import ShownVotes
from schemas.values.refusals import say

COMMITTEE = (COMMITTEE_OFFICER, GRID_WORKER, WINDOW_CLERK)
"""Who keeps the roll and holds the vote: the committee's people (村组法 5), never the street."""
TELLERS = (*COMMITTEE, STREET_OFFICER, COORDINATOR)
HOST = desk_of(GRID_WORKER)


def _why_declared(entry: Entry, state: Any) -> Because:
    rule, base = state.rule, state.asked.base
    passed = ("不计", "no share") if rule.passed is None else (rule.passed.chinese, rule.passed.english)
    return Because(
        rule=f"terms.ballot.classes.{state.asked.quorum_class}",
        says=say(
            f"参与须{rule.turnout[base].chinese};到场同意须{passed[0]}",
            f"{rule.turnout[base].english} take part, and of those {passed[1]} is for it",
        ),
        inputs={name: entry.facts.get(name) for name in ("took_part", "of_how_many", "quorum", "passed")},
    )


def _why_ruled(entry: Entry, state: Any) -> Because:  # noqa: ARG001 - the entry says all of it
    return Because(
        rule="terms.ballot.rule",
        says=say("存疑单元达到足以改变结果的数量,则表决无效", "void where the doubtful units could turn the result"),
        inputs={name: entry.facts.get(name) for name in ("doubtful_units", "margin", "void")},
    )


class Kind(EntryKinds, procedure="ballot"):
    """What the ledger says happened."""

    PREPARED = entry("prepared", "准备表决", references={"question": Refers.TEXT})
    ROLL_POSTED = entry("roll:posted", "公示名册")
    ROLL_OBJECTED = entry("roll:objected", "名册异议")
    ROLL_KEPT = entry("roll:kept", "名册维持")
    ROLL_CORRECTED = entry("roll:corrected", "更正名册")
    STRIKE_ASKED = entry("unit:strike_asked", "申请除名")
    STRIKE_REFUSED = entry("unit:strike_refused", "不予除名")
    UNIT_STRUCK = entry("unit:struck", "空户除名")
    UNIT_UNKNOWN = entry("unit:unknown", "名册无此户,仍计入基数")
    UNIT_BARRED = entry("unit:barred", "线上票箱停发该户选票")
    UNIT_TOOK_BALLOT = entry("unit:took_ballot", "该户已领票,仍计入基数")
    PROXY_NAMED = entry("proxy:named", "委托")
    PROXY_REVOKED = entry("proxy:revoked", "撤销委托")
    OPENED = entry("opened", "开始投票")
    BOX_OPENED = entry("box:opened", "线上票箱开启")
    BOX_REFUSED = entry("box:refused", "线上票箱未开启,仅用纸票")
    EXTENDED = entry("extended", "人数不足,延长投票")
    BOX_SEALED = entry("box:sealed", "封箱")
    CLOSED = entry("closed", "投票截止")
    BOX_TALLIED = entry("box:tallied", "线上票箱计票")
    BOX_LOST = entry("box:lost", "线上票箱无法计票")
    COUNTED = entry("counted", "一名计票人交表")
    SHEETS_DIFFER = entry("sheets:differ", "两表不符,重计")
    SHEETS_AGREE = entry("sheets:agree", "两表相符")
    RECOUNT_ORDERED = entry("recount_ordered", "决定重计")
    DECLARED = entry("declared", "公布结果", _why_declared)
    CHALLENGED = entry("challenged", "质疑结果")
    RULED = entry("ruled", "裁定", _why_ruled)
    CERTIFIED = entry("certified", "确认结果", _why_declared)
    VOID = entry("void", "表决无效")


def _window(terms: Any, state: Any) -> Limit:
    limit: Limit = state.asked.window or terms.ballot.window
    return limit


_roll_stands_still = needs(
    "_roll_stands_still",
    lambda state: state.objections,
    "没有待答复的名册异议",
    "nobody has objected to the roll",
)
_few_objections = forbids(
    "_few_objections",
    lambda state: state.objections >= state.rules.objections_at_once,
    "异议较多,请待答复后再提",
    "many objections wait for an answer already",
)
_box_is_lost = needs(
    "_box_is_lost", lambda state: state.online is OnlineBox.LOST, "线上票箱没有失联", "the box outside is not lost"
)
_boxes_sealed = needs("_boxes_sealed", lambda state: state.boxes, "没有已封的票箱", "no box was sealed")
_papers_not_counted = forbids(
    "_papers_not_counted", lambda state: state.paper_cast is not None, "纸票已计完", "the papers are counted"
)
_no_count_before = forbids(
    "_no_count_before", lambda state: state.counts, "已计过票,不得再封票箱", "papers were counted: no box comes to them"
)
_none_counted = forbids("_none_counted", lambda state: state.sheets, "计票已开始", "the count has begun")

BALLOT = declare(
    "ballot",
    "表决",
    parent="council",
    state=BallotState,
    stages=Stage,
    entries=Kind,
    opened=Kind.PREPARED,
    timers={
        "post_roll": duty("公示名册", "posting the roll", "ballot.post_roll"),
        "roll": window("名册公示", "posting of the roll", "ballot.roll"),
        "answer_objection": duty("答复名册异议", "answer on the roll", "ballot.answer_objection"),
        "window": window("投票", "vote", _window),
        "extension": window("延长投票", "extension of the vote", "ballot.extension"),
        "count": duty("计票", "count", "ballot.count"),
        "challenge": window("质疑", "challenge", "ballot.challenge"),
        "rule": duty("裁定", "ruling", "ballot.rule"),
        "final": last_limit("unresolved_after"),
    },
    lines=(
        act(
            PostRoll, "公示名册", by=COMMITTEE, at=Stage.PREPARING, to=Stage.ROLL_POSTED,
            stops=["post_roll"], starts=["roll"], holder="", entry=Kind.ROLL_POSTED,
        ),
        act(
            WithReason, "名册异议", name="object_to_roll", meaning="somebody is missing from the roll, or should not be on it.",
            by=(NEIGHBOUR, *COMMITTEE), at=Stage.ROLL_POSTED,
            when=(while_open("_roll_is_posted", "roll", "公示期已过", "its time is over"), _few_objections),
            starts=["answer_objection"], holder=HOST, entry=Kind.ROLL_OBJECTED,
        ),
        act(
            WithReason, "名册维持", name="keep_roll", meaning="what was objected to the roll is answered: it is right.",
            by=COMMITTEE, at=Stage.ROLL_POSTED, to=(Stage.ROLL_POSTED, Stage.OPEN), when=_roll_stands_still,
            stops=["answer_objection"], entry=Kind.ROLL_KEPT,
        ),
        act(
            CorrectRoll, "更正名册", by=COMMITTEE, at=Stage.ROLL_POSTED, to=Stage.ROLL_POSTED,
            stops=["answer_objection"], starts=["roll"], holder="", entry=Kind.ROLL_CORRECTED,
        ),
        step("open_vote", "开始投票", at=Stage.ROLL_POSTED, to=Stage.OPEN, entry=Kind.OPENED, clock="roll"),
        act(
            StrikeUnit, "空户除名", by=COMMITTEE, at=(Stage.ROLL_POSTED, Stage.OPEN), part=Part.STRIKE_ASKED,
            entry=Kind.STRIKE_ASKED,
        ),
        act(
            ConfirmStrike, "复核除名", by=(*COMMITTEE, STREET_OFFICER), at=(Stage.ROLL_POSTED, Stage.OPEN),
            apart_from=(Part.STRIKE_ASKED,), answers=(Part.STRIKE_ASKED,), entry=Kind.UNIT_STRUCK,
        ),
        act(NameProxy, "委托", by=COMMITTEE, at=(Stage.ROLL_POSTED, Stage.OPEN), entry=Kind.PROXY_NAMED),
        act(RevokeProxy, "撤销委托", by=COMMITTEE, at=(Stage.ROLL_POSTED, Stage.OPEN), entry=Kind.PROXY_REVOKED),
        act(
            SealBox, "封箱", by=TELLERS, at=(Stage.OPEN, Stage.COUNTING), when=(_none_counted, _no_count_before),
            entry=Kind.BOX_SEALED,
        ),
        step("close_vote", "投票截止", at=Stage.OPEN, to=(Stage.OPEN, Stage.COUNTING), entry=Kind.CLOSED, clock="window"),
        step(
            "close_extended_vote", "延长期满", at=Stage.OPEN, to=(Stage.OPEN, Stage.COUNTING), entry=Kind.CLOSED,
            clock="extension",
        ),
        step(
            "take_tally", "线上票箱计票", at=(Stage.OPEN, Stage.COUNTING),
            to=(Stage.OPEN, Stage.COUNTING, Stage.DECLARED, Stage.CHALLENGED, Stage.VOID), entry=Kind.BOX_TALLIED,
        ),
        act(
            Count, "计票", by=TELLERS, at=Stage.COUNTING,
            to=(Stage.COUNTING, Stage.DECLARED, Stage.CHALLENGED, Stage.VOID),
            when=(_boxes_sealed, _papers_not_counted),
            apart_from=(Part.COUNTED,), part=Part.TELLER, entry=Kind.COUNTED,
        ),
        act(
            Nothing, "再查线上票箱", name="ask_box", meaning="the box outside is asked for its tally once more.",
            by=(*COMMITTEE, STREET_OFFICER), at=Stage.COUNTING, when=_box_is_lost,
        ),
        act(
            WithReason, "线上票箱失效", name="give_up_box", meaning="the box outside cannot be counted any more: the vote is void.",
            by=STREET_OFFICER, at=Stage.COUNTING, to=Stage.VOID, when=_box_is_lost, entry=Kind.VOID,
        ),
        act(
            WithReason, "重计", name="recount", meaning="the papers are counted again, by two tellers apart.",
            by=STREET_OFFICER, at=RESULT, to=Stage.COUNTING, when=_boxes_sealed,
            apart_from=(Part.CHALLENGED, Part.TELLER), entry=Kind.RECOUNT_ORDERED,
        ),
        act(
            WithReason, "质疑结果", name="challenge", meaning="somebody doubts the result, and says why.",
            by=(NEIGHBOUR, *COMMITTEE, SUPERVISOR), at=RESULT, to=Stage.CHALLENGED,
            when=while_open("_may_be_challenged", "challenge", "质疑期已过", "its time is over"),
            apart_from=(Part.CHALLENGED,), part=Part.CHALLENGED, holder=desk_of(STREET_OFFICER), entry=Kind.CHALLENGED,
        ),
        act(
            Rule, "裁定", by=STREET_OFFICER, at=Stage.CHALLENGED, to=(Stage.DECLARED, Stage.CERTIFIED, Stage.VOID),
            apart_from=(Part.CHALLENGED, Part.TELLER), stops=["rule"], entry=Kind.RULED,
        ),
        step("certify", "确认结果", at=Stage.DECLARED, to=Stage.CERTIFIED, entry=Kind.CERTIFIED, clock="challenge"),
        act(
            WithReason, "撤销表决", name="call_off", meaning="before it opens, whoever holds it gives it up.",
            by=COMMITTEE, at=BEFORE_OPENING, to=Stage.VOID, entry=Kind.VOID,
        ),
        step("end_with_parent", "撤销表决", at=ALIVE, to=Stage.VOID, entry=Kind.VOID),
        step("expire", "逾期终结", at=ALIVE, to=Stage.VOID, entry=Kind.VOID, clock="final"),
        *file_acts(
            Kind,
            by=(*TELLERS, SUPERVISOR),
            at=ALIVE,
            urged_by=(STREET_OFFICER, COORDINATOR, SUPERVISOR),
        ),
    ),
    parts=(ShownVotes(at=SHOWN, clocks=("roll", "window", "extension", "challenge"), shows=BallotState.shown),),
    end_notice=EndNotice(HOST),
)  # fmt: skip
