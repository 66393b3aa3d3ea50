"""council 居民议事 · 村民议事, declared: a motion is proposed, talked over, voted on, posted, done and judged.

Sources: 城市居民委员会组织法 9, 10, 村民委员会组织法 21, 27, 30, 36, 民法典 278, 002 of the seeds (提议、协商、表决、公示), 000
of the seeds (whoever speaks is answered). The votes are cases of their own (`schemas/ballot.py`); what is more than a line stands
in `workflows/council.py`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from schemas.clocks.clocks import due_at
from schemas.contracts.payment import Fen
from schemas.council_commands import (
    AcceptTask,
    Admit,
    Amend,
    Annul,
    Answer,
    AssignTask,
    Attend,
    CallBallot,
    Conclude,
    EnterSignatures,
    Evaluate,
    FileRuling,
    Invite,
    LegalReview,
    Merge,
    OrderCorrection,
    PassOn,
    RecordRound,
    ReportTask,
    VouchTask,
)
from schemas.council_entries import Kind
from schemas.council_policy import CouncilPolicy, Joined, Topic
from schemas.council_stages import BEFORE_VOTE, IN_FORCE, OPEN, PUBLICITY, TALKED_OVER, Stage
from schemas.council_state import CouncilState
from schemas.kernel.acts import Act, Nothing, Step, Tells, WithReason, act, file_acts, step
from schemas.kernel.declaration import EndNotice, declare
from schemas.kernel.openings import OpeningBody, Opens
from schemas.kernel.parties import (
    COMMITTEE_OFFICER,
    COORDINATOR,
    GRID_WORKER,
    NEIGHBOUR,
    REPORTER,
    STREET_OFFICER,
    SUPERVISOR,
    THE_REPORTER,
    WINDOW_CLERK,
    desk_of,
)
from schemas.kernel.people import Part
from schemas.kernel.timers import duty, last_limit, window
from schemas.kernel.words import Promise
from schemas.parts.ballots import ballot_lines, ballot_timers
from schemas.parts.departments import known_departments
from schemas.parts.duties import DUTY, duty_lines, duty_timers
from schemas.parts.opinions import opinion_lines, opinion_timers, opinions_are_answered
from schemas.parts.postings import Posting, Shown, posting_timers
from schemas.values.actor import Actor, Role
from schemas.values.references import TextReference
from schemas.values.refusals import say
from schemas.words.field_words import VALUES


class ProposeMotion(OpeningBody):
    """提议: what is to be decided, what it is about, who joins in it, and what it may cost."""

    motion: TextReference
    topic: Topic = Topic.OTHER
    joined: Joined = Joined.RESIDENTS
    cost_fen: Fen | None = None

    def begins_with(self, policy: Any) -> Mapping[str, Any]:
        """Of how many people a share admits it: those of the community, where the town says how many they are."""
        communities: Mapping[str, Mapping[Joined, int]] = policy.terms.communities
        here = (people for area, people in communities.items() if f"{self.area}.".startswith(f"{area}."))
        return {"base": next(here, {}).get(self.joined), **known_departments(policy)}


# ---- what else must hold ----------------------------------------------------------------------------------------------


def enough_rounds(state: CouncilState, _actor: Actor, _now: datetime) -> str | None:
    """It was talked over often enough, in its present words."""
    wanted = max(state.rounds_wanted, state.terms.rounds_at_least)
    if state.rounds >= wanted:
        return None
    return say(f"须议事{wanted}轮,已有{state.rounds}轮", f"{wanted} rounds are held before; so far {state.rounds}")


def lawful(state: CouncilState, _actor: Actor, _now: datetime) -> str | None:
    """What the law asks a look at was looked at, and nothing that did not pass is voted on."""
    if state.review_passed is False:
        return say("合法性审查未通过,须先修改", "the legal review did not pass it: it is amended first")
    if state.needs_review and state.review_passed is None:
        return say("该类事项须先作合法性审查", "its legality is looked at first")
    return None


def votable_again(state: CouncilState, _actor: Actor, now: datetime) -> str | None:
    """What was not passed is not voted on again at once."""
    again = state.votable_again_at()
    if again is None or now >= again:
        return None
    after = state.terms.revote_after
    return say(
        f"未通过的事项{after.chinese}后方可再次表决", f"what was not passed is voted on again {after.english} later"
    )


def not_prolonged(state: CouncilState, _actor: Actor, _now: datetime) -> str | None:
    """Once."""
    return say("已延长一次", "it was prolonged once") if state.prolonged else None


def room_for_an_invitation(state: CouncilState, _actor: Actor, _now: datetime) -> str | None:
    """A hall has so many chairs."""
    most = state.terms.documents_at_most
    return say(f"邀请已达{most}人", f"{most} were invited, the most") if len(state.invitations) >= most else None


def proposer_speaks(state: CouncilState, actor: Actor, _now: datetime) -> str | None:
    """Staff speak for a proposer who has no account, and for no other."""
    if actor.role is Role.RESIDENT or state.reporter_subject is None:
        return None
    return say("提议人有账户,由其自行认可", "whoever proposed it has an account, and says so themselves")


def is_to_be_filed(state: CouncilState, _actor: Actor, _now: datetime) -> str | None:
    """公约, once."""
    if state.must_be_filed and not state.filed:
        return None
    return say("无须备案或已备案", "nothing is to be put on file, or it is")


def tasks_are_settled(state: CouncilState, _actor: Actor, _now: datetime) -> str | None:
    """What was to be done is accepted, or nobody asks for it any more; and what must be on file is."""
    if not state.duties_settled:
        return say("尚有任务未验收", "a task is not accepted yet")
    return say("尚未备案", "it is put on file first") if state.must_be_filed and not state.filed else None


def can_be_annulled(state: CouncilState, _actor: Actor, now: datetime) -> str | None:
    """For so long after it was done."""
    clock = state.clocks.get("annul")
    due = None if clock is None or state.stage != Stage.CLOSED else due_at(clock, state.charter.calendar)
    return None if due is None or now < due else say("已过撤销期限", "the time for it is over")


# ---- the declaration --------------------------------------------------------------------------------------------------

_committee = desk_of(COMMITTEE_OFFICER)
_them = (NEIGHBOUR, WINDOW_CLERK, GRID_WORKER)
_watchers = (STREET_OFFICER, SUPERVISOR)
_not_theirs = (Part.DUTY_PROVED, Part.TASK_HELD)

POSTING = Posting(
    kinds=Kind,
    posted=Stage.POSTED,
    objected=Stage.OBJECTED,
    after=(Stage.EXECUTING,),
    refused=Stage.DELIBERATING,
    by=(COMMITTEE_OFFICER, STREET_OFFICER),
    desk=_committee,
    apart_from=(Part.LEGALLY_REVIEWED,),
    shows=(
        Shown("topic_zh", "事项", lambda state: VALUES["Topic"][state.topic].zh),
        Shown("votes_for", "同意", lambda state: state.votes_for),
        Shown("took_part", "参与表决", lambda state: state.votes_cast),
        Shown("text_digest", "文本摘要", lambda state: state.text_digest, on_page=False),
    ),
)


def _task_lines() -> tuple[Act | Step, ...]:
    """Those of dated duties, but for their acceptance: the proposer's side sees it first, and a watcher accepts it then."""
    lines = duty_lines(
        Kind,
        at=Stage.EXECUTING,
        proved_by=(COMMITTEE_OFFICER, GRID_WORKER, STREET_OFFICER),
        accepted_by=_watchers,
        waived_by=(SUPERVISOR,),
        apart_from=(Part.TASK_HELD,),
    )
    return (
        act(
            AssignTask, "派任务", by=COMMITTEE_OFFICER, at=Stage.EXECUTING, stops=["assign"], part=Part.TASK_HELD,
        ),
        act(
            ReportTask, "报进展", by=(COMMITTEE_OFFICER, GRID_WORKER, STREET_OFFICER), at=Stage.EXECUTING,
            entry=Kind.TASK_REPORTED,
        ),
        act(
            VouchTask, "提议人认可", by=(REPORTER, WINDOW_CLERK, GRID_WORKER), at=Stage.EXECUTING, when=proposer_speaks,
            apart_from=(Part.TASK_PROVED, Part.TASK_HELD), part=Part.TASK_VOUCHED, answers=(Part.TASK_PROVED,),
            entry=Kind.TASK_VOUCHED,
        ),
        *(line for line in lines if line.rule.command != "accept_duty"),
        act(
            AcceptTask, "验收", name="accept_duty", by=_watchers, at=Stage.EXECUTING,
            apart_from=(*_not_theirs, Part.TASK_VOUCHED, Part.INVESTIGATED), answers=(Part.TASK_VOUCHED,), entry=Kind.DUTY_ACCEPTED,
        ),
    )  # fmt: skip


COUNCIL = declare(
    "council",
    "居民议事",
    policy=CouncilPolicy,
    state=CouncilState,
    stages=Stage,
    entries=Kind,
    parts=(POSTING,),
    opens=Opens(
        ProposeMotion, "propose_motion", "提出议案", "propose a motion",
        frozenset({Role.RESIDENT, Role.GRID_WORKER, Role.WINDOW_CLERK, Role.COMMITTEE_OFFICER}), "motions",
        starts=("screen",), holder=_committee, tells=Tells(THE_REPORTER, "council_proposed"),
    ),
    opened=Kind.PROPOSED,
    keep_years=30,
    alike=("topic",),
    timers={
        "screen": window("立项", "admission", "screen", warns=True, warned=_committee),
        "start_rounds": duty("召开议事", "the first round", "start_rounds", promise=Promise("首轮议事", "the first talk")),
        "deliberate": duty("协商", "deliberation", "deliberate", promise=Promise("提请表决", "the vote")),
        **opinion_timers(_committee),
        **ballot_timers(),
        **posting_timers(),
        "file": duty("备案", "putting on file", "file", warned=_committee, beside=True),
        "assign": duty("派任务", "assigning of tasks", "assign"),
        **duty_timers(owed_by=_committee, accepted_by=desk_of(STREET_OFFICER), silence_accepts=False),
        DUTY: duty("任务", "task", None, "task_tiers", warned=_committee, beside=True),
        "report": duty("报进展", "monthly report on a task", "report", warned=_committee, beside=True),
        "evaluate": window("评议", "evaluation", None),
        "annul": window("可撤销", "time to have it annulled", "annul"),
        "final": last_limit("unresolved_after"),
    },
    lines=(
        # onto the agenda
        act(
            Nothing, "附议", name="support", meaning="somebody joins in the motion.",
            by=NEIGHBOUR, at=Stage.PROPOSED, to=(Stage.PROPOSED, Stage.ADMITTED),
            apart_from=(Part.APPLICANT, Part.SUPPORTED), entry=Kind.SUPPORTED,
        ),
        act(
            EnterSignatures, "录入联名", by=(WINDOW_CLERK, GRID_WORKER, COMMITTEE_OFFICER), at=Stage.PROPOSED,
            to=(Stage.PROPOSED, Stage.ADMITTED), entry=Kind.SIGNED,
        ),
        act(Admit, "立项", by=COMMITTEE_OFFICER, at=Stage.PROPOSED, to=Stage.ADMITTED, apart_from=(Part.ENTERED,)),
        step("admit_by_itself", "逾期视为立项", at=Stage.PROPOSED, to=Stage.ADMITTED, clock="screen"),
        act(
            Answer, "答复", by=COMMITTEE_OFFICER, at=BEFORE_VOTE, to=Stage.ANSWERED, when=opinions_are_answered,
            apart_from=(Part.ENTERED,), entry=Kind.ANSWERED,
        ),
        act(
            Merge, "合并", by=COMMITTEE_OFFICER, at=(Stage.PROPOSED, Stage.ADMITTED), to=Stage.MERGED,
            when=opinions_are_answered, apart_from=(Part.ENTERED,), entry=Kind.MERGED,
        ),
        act(
            PassOn, "转办", by=COMMITTEE_OFFICER, at=Stage.PROPOSED, to=Stage.PASSED_ON, apart_from=(Part.ENTERED,),
            entry=Kind.PASSED_ON,
        ),
        act(
            WithReason, "撤回", name="withdraw", meaning="whoever proposed it does not want it any more.",
            by=REPORTER, at=BEFORE_VOTE, to=Stage.WITHDRAWN, entry=Kind.WITHDRAWN,
        ),
        # talked over
        act(
            Invite, "邀请", by=(COMMITTEE_OFFICER, WINDOW_CLERK), at=TALKED_OVER, when=room_for_an_invitation,
            entry=Kind.INVITED,
        ),
        act(Attend, "登记到会", by=(COMMITTEE_OFFICER, WINDOW_CLERK), at=TALKED_OVER, entry=Kind.ATTENDED),
        act(
            RecordRound, "登记议事", by=COMMITTEE_OFFICER, at=TALKED_OVER, to=Stage.DELIBERATING, stops=["start_rounds"],
            holder=_committee, entry=Kind.ROUND,
        ),
        *opinion_lines(Kind, at=TALKED_OVER, by=_them, answered_by=(COMMITTEE_OFFICER,)),
        act(
            LegalReview, "合法性审查", by=STREET_OFFICER, at=TALKED_OVER, apart_from=(Part.APPLICANT, Part.ENTERED),
            part=Part.LEGALLY_REVIEWED, entry=Kind.REVIEWED,
        ),
        act(Amend, "修改", by=(REPORTER, COMMITTEE_OFFICER), at=Stage.DELIBERATING, entry=Kind.AMENDED),
        act(
            WithReason, "延长协商", name="prolong", meaning="there is more to be said; once.",
            by=COMMITTEE_OFFICER, at=Stage.DELIBERATING, when=not_prolonged, starts=["deliberate"], entry=Kind.PROLONGED,
        ),
        # put to the vote
        act(
            CallBallot, "提请表决", by=COMMITTEE_OFFICER, at=Stage.DELIBERATING, to=Stage.VOTING,
            when=(opinions_are_answered, enough_rounds, lawful, votable_again), stops=["deliberate"], holder="",
        ),
        *ballot_lines(Kind, at=Stage.VOTING, to=(Stage.POSTED, Stage.DELIBERATING)),
        # posted, filed, corrected
        *POSTING.lines(),
        act(
            Nothing, "备案", name="file", meaning="the convention is put on file with the street.",
            by=COMMITTEE_OFFICER, at=(Stage.POSTED, Stage.EXECUTING), when=is_to_be_filed, stops=["file"],
            entry=Kind.FILED,
        ),
        act(
            OrderCorrection, "责令改正", by=STREET_OFFICER, at=(Stage.VOTING, *PUBLICITY, Stage.EXECUTING), to=Stage.DELIBERATING,
            entry=Kind.CORRECTION_ORDERED,
        ),
        # done, and judged
        *_task_lines(),
        act(
            Conclude, "执行完毕", by=COMMITTEE_OFFICER, at=Stage.EXECUTING, to=Stage.EVALUATING, when=tasks_are_settled,
            stops=["assign"], holder="", entry=Kind.CONCLUDED,
        ),
        act(
            Evaluate, "评议", by=NEIGHBOUR, at=Stage.EVALUATING, apart_from=(Part.EVALUATED,),
            entry=Kind.EVALUATED,
        ),
        step("close", "评议期满,办结", at=Stage.EVALUATING, to=Stage.CLOSED, entry=Kind.CLOSED, clock="evaluate"),
        act(
            FileRuling, "登记裁判或决定", by=(STREET_OFFICER, WINDOW_CLERK), at=IN_FORCE, when=can_be_annulled,
            part=Part.RULING_FILED, entry=Kind.RULING_FILED,
        ),
        act(
            Annul, "撤销决定", by=(STREET_OFFICER, SUPERVISOR), at=IN_FORCE, to=Stage.ANNULLED, when=can_be_annulled,
            apart_from=(Part.RULING_FILED, Part.APPLICANT, Part.ENTERED), answers=(Part.RULING_FILED,), entry=Kind.ANNULLED,
        ),
        step("archive", "归档", at=Stage.CLOSED, to=Stage.ARCHIVED, entry=Kind.ARCHIVED, clock="annul"),
        step("expire", "逾期终结", at=OPEN, to=Stage.UNRESOLVED, entry=Kind.UNRESOLVED, clock="final"),
        *file_acts(
            Kind,
            by=(REPORTER, WINDOW_CLERK, GRID_WORKER, COMMITTEE_OFFICER, STREET_OFFICER, COORDINATOR, SUPERVISOR),
            at=OPEN,
            urged_by=(REPORTER, SUPERVISOR),
        ),
    ),
    end_notice=EndNotice(
        THE_REPORTER,
        {Stage.PASSED_ON: ("department",), Stage.MERGED: ("into",)},
        stages=(
            Stage.ANSWERED, Stage.MERGED, Stage.PASSED_ON, Stage.WITHDRAWN, Stage.ANNULLED, Stage.UNRESOLVED,
        ),
    ),
)  # fmt: skip
