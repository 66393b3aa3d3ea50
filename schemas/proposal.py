"""proposal 社区提案, declared: one proposal of a round: screened, judged blind, ranked, posted, paid by proof, accounted for.

Source: domain (jury blind with recusal, five valid scores, money follows proof, unspent money back); every number is the town's
(policies/round.yaml: it goes by the policy of its round). What is more than a line stands in `workflows/proposal.py`.
"""

from datetime import datetime
from typing import Any

from schemas.kernel.acts import Act, Nothing, Step, Tells, WithReason, act, also, file_acts, step
from schemas.kernel.because import by_policy, nobody_acted
from schemas.kernel.case import Entry
from schemas.kernel.declaration import EndNotice, declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.explanation import Because
from schemas.kernel.parties import (
    CIVIL_AFFAIRS_OFFICER,
    COMMITTEE_OFFICER,
    COORDINATOR,
    GRID_WORKER,
    REPORTER,
    STREET_OFFICER,
    SUPERVISOR,
    THE_REPORTER,
    WINDOW_CLERK,
    desk_of,
    seated,
)
from schemas.kernel.people import Part
from schemas.kernel.reference_facts import Refers
from schemas.kernel.rules import Rule
from schemas.kernel.timers import duty, last_limit, window
from schemas.kernel.words import Promise
from schemas.parts.conditions import forbids
from schemas.parts.incoming import IncomingEntries, incoming_lines, incoming_timers
from schemas.parts.instalments import InstalmentEntries, Instalments, VerifyMilestone, instalment_timers
from schemas.parts.payments import (
    PayeeEntries,
    Paying,
    PaymentEntries,
    own_payments_are_settled,
    payment_timers,
    payments_are_settled,
)
from schemas.parts.postings import Posting, PostingEntries, Shown, posting_timers
from schemas.parts.recusal import RecusalEntries, recusal_line, relation_not_declared_yet
from schemas.parts.reservations import ReservationEntries
from schemas.proposal_carrier import (
    CARRIER,
    NEW_CARRIER,
    AcceptCarriage,
    ConfirmAuthority,
    DeclineCarriage,
    FindCarrierSilent,
    KeepCarriage,
    NameCarrierPerson,
    ReleaseCarriage,
    SignForCarrier,
    a_change_is_of_use,
    another_carrier_is_asked_for,
    authority_of_new_one_is_confirmed,
    carrier_has_not_declined,
    carrier_has_not_signed,
    change_is_their_own,
    more_time_is_still_of_use,
    new_carrier_has_signed,
    nothing_is_on_its_way,
    present_carrier_has_not_answered,
    present_carrier_has_released,
    present_carrier_is_asked,
    present_carrier_is_silent,
    what_goes_over_is_what_was_asked,
    word_is_still_open,
)
from schemas.proposal_commands import (
    AcceptInvoice,
    Account,
    AskChange,
    ConfirmJuror,
    ConfirmMilestone,
    DeclineContract,
    FileInvoice,
    GoOn,
    GrantChange,
    OfferContract,
    RefuseByList,
    RefuseChange,
    RefuseInvoice,
    Revise,
    Score,
    SeatJuror,
    SettleAccount,
    SignContract,
    Terminate,
)
from schemas.proposal_members import MEMBER, is_no_lead, member_is_asked
from schemas.proposal_state import (
    ANSWERING,
    BEFORE_AWARD,
    BEFORE_CONTRACT,
    BEFORE_JUDGING,
    CHANGING,
    CONTRACTED,
    JUROR_SEAT,
    OPEN,
    RESTING,
    SELECTED,
    WORKING,
    ProposalState,
    Stage,
)
from schemas.proposal_ties import ConfirmTie, NameTie, no_tie_waits
from schemas.recovery_parent import Recovering, RecoveryEntries
from schemas.values.actor import Actor, Role
from schemas.values.refusals import say

# ---- what else must hold ------------------------------------------------------------------------------------------------

not_returned_before = forbids(
    "not_returned_before",
    lambda state: state.returned,
    "已一次性告知,不得再次退回",
    "it was sent back once, with all that was wrong",
)
no_change_waits = forbids("no_change_waits", lambda state: state.change, "变更待审", "a change waits for an answer")

no_seat_waits = forbids(
    "no_seat_waits", lambda state: state.seat, "增补评委待确认", "a juror who was named waits to be confirmed"
)
no_claim_waits = forbids(
    "no_claim_waits",
    lambda state: state.claims(),
    "尚有另行发放待确认",
    "what is said to be paid by hand waits to be confirmed",
)


def invoices_are_known(state: ProposalState, _actor: Actor, _now: datetime) -> str | None:
    """Of each invoice it is known whether it stands elsewhere, and whether another person accepts it."""
    waits = any(unit.standing == "asked" for unit in state.reserved_units) or state.unseen_invoices
    return say("尚有发票待核验", "an invoice is still to be looked at") if waits else None


# ---- what its entries say -----------------------------------------------------------------------------------------------


def _why_judged(entry: Entry, state: Any) -> Because:
    rules = state.terms.ranking
    return Because(
        rule="policies/round.yaml terms.ranking",
        says=say(
            f"至少{rules.valid_at_least}份有效评分,去掉最高和最低;相差超过{rules.spread_at_most}分先合议重评",
            f"{rules.valid_at_least} sheets at least, best and worst off; more than {rules.spread_at_most} apart, they talk first",
        ),
        inputs={name: entry.facts.get(name) for name in ("sheets", "mean_hundredths", "spread")},
    )


def _why_refused(entry: Entry, state: Any) -> Because:
    named = state.terms.negative_list.get(str(entry.facts.get("ground")))
    return Because(
        rule="policies/round.yaml terms.negative_list",
        says=say("负面清单" if named is None else named.zh, "the negative list" if named is None else named.en),
        inputs={"ground": entry.facts.get("ground")},
    )


class Kind(
    PostingEntries,
    InstalmentEntries,
    PaymentEntries,
    PayeeEntries,
    ReservationEntries,
    IncomingEntries,
    RecusalEntries,
    RecoveryEntries,
    EntryKinds,
    procedure="proposal",
):
    """What the ledger says happened, beside what the parts say."""

    SUBMITTED = entry(
        "submitted",
        "提案",
        references=dict.fromkeys(("need", "plan", "site", "carrier_name", "account"), Refers.TEXT),
    )
    SCREENED = entry("screened", "初筛通过")
    RETURNED = entry("returned", "退回补正")
    REVISED = entry("revised", "补正")
    REFUSED = entry("refused", "初筛不通过", _why_refused)
    NOT_REVISED = entry(
        "not_revised", "逾期未补正", by_policy("round", "revise", "{limit}内未补正", "nothing came within {limit}")
    )
    MEMBER_JOINED = entry("member:joined", "成员同意加入")
    MEMBER_DECLINED = entry("member:declined", "成员不参加")
    TOO_FEW = entry(
        "too_few",
        "同意加入的成员不足",
        by_policy(
            "round",
            "team_at_least",
            "负责人未同意或同意加入的不足{limit}人",
            "who speaks for it, or {limit} in all, never said so",
        ),
    )
    TEAM_STANDS = entry("team_stands", "团队确定")
    JUDGING = entry("judging", "开始评审")
    SCORED = entry("scored", "评分")
    JUROR_NAMED = entry("juror_named", "提名增补评委")
    JUROR_SEATED = entry("juror_seated", "增补评委")
    TIE_NAMED = entry("tie:named", "提请评委回避")
    TIE_DECIDED = entry("tie:decided", "确认评委回避")
    TALKED = entry("talked", "评分悬殊,合议重评", _why_judged)
    JUDGED = entry("judged", "评审结果", _why_judged)
    AWARDED = entry("awarded", "拟入选")
    RESERVED = entry("reserved", "列入候补")
    NOT_AWARDED = entry("not_awarded", "未入选", references={"legal_basis": Refers.TEXT})
    SELECTED = entry("selected", "入选")
    CONTRACT_OFFERED = entry(
        "contract:offered", "拟定协议", references={"carrier_name": Refers.TEXT, "account": Refers.TEXT}
    )
    CONTRACT_DECLINED = entry("contract:declined", "不同意协议")
    CONTRACT_SIGNED = entry("contract:signed", "签约")
    CARRIER_SIGNED = entry("contract:carrier_signed", "承接方签约")
    AUTHORITY_LOOKED_AT = entry("contract:authority", "核实授权")
    CARRIER_PERSON_NAMED = entry("contract:carrier_person_named", "更换承接方代表")
    LAPSED = entry(
        "lapsed", "逾期未签约", by_policy("round", "contract", "{limit}内未签约", "no contract within {limit}")
    )
    MILESTONE_VERIFIED = entry("milestone:verified", "验收,待复核")
    INVOICE_FILED = entry("invoice:filed", "登记发票")
    INVOICE_COUNTED = entry("invoice:counted", "发票有效")
    INVOICE_NOT_ACCEPTED = entry("invoice:not_accepted", "发票不予认可")
    INVOICE_REFUSED = entry("invoice:refused", "发票已在他处使用")
    CHANGE_ASKED = entry("change:asked", "申请变更")
    CHANGE_GRANTED = entry(
        "change:granted", "同意变更", references={"carrier_name": Refers.TEXT, "account": Refers.TEXT}
    )
    CARRIAGE_ACCEPTED = entry("change:carrier_agreed", "新承接方同意")
    CARRIAGE_DECLINED = entry("change:carrier_declined", "新承接方不同意")
    CARRIAGE_RELEASED = entry("change:released", "现承接方同意交出")
    CARRIAGE_KEPT = entry("change:kept", "现承接方不同意交出")
    CARRIER_FOUND_SILENT = entry("change:carrier_silent", "认定承接方失联")
    CHANGE_REFUSED = entry("change:refused", "不同意变更")
    CHANGE_TAKEN_BACK = entry("change:taken_back", "撤回变更申请")
    HALTED = entry("halted", "停拨")
    RESUMED = entry("resumed", "恢复")
    TERMINATED = entry("terminated", "终止", references={"reason": Refers.TEXT})
    REFUND_DUE = entry("refund_due", "应退结余", references={"reason": Refers.TEXT})
    ACCOUNT_HANDED_IN = entry("account:handed_in", "提交决算")
    ACCOUNT_SETTLED = entry("account:settled", "核定决算")
    ACCOUNT_REJECTED = entry("account:rejected", "决算退回", references={"finding": Refers.TEXT})
    CLOSED = entry("closed", "结项")
    WITHDRAWN = entry("withdrawn", "撤回")
    CANCELLED = entry("cancelled", "随大赛终止")
    UNRESOLVED = entry("unresolved", "逾期终结", nobody_acted("round"))


_them = (REPORTER, WINDOW_CLERK, GRID_WORKER)
_office = (COMMITTEE_OFFICER, STREET_OFFICER)
_watchers = (STREET_OFFICER, SUPERVISOR)
_juror = seated(Role.SPECIALIST, JUROR_SEAT)
_street, _committee = desk_of(STREET_OFFICER), desk_of(COMMITTEE_OFFICER)
_own = (Part.APPLICANT, Part.ENTERED, Part.TEAM, Part.CARRIER, Part.RELATED)
"""Whose own it is, who gets its money, and who is tied to it."""
_OTHER_SIDE = (Part.ENTERED, Part.TEAM, Part.RELATED, Part.JUROR, Part.JUDGED, Part.SCREENED, Part.INVESTIGATED)
"""Who has had another side's word in it, and so speaks for no carrier."""
_sides = (Part.TEAM, Part.CARRIER, Part.RELATED)
_SHOWING = (*WORKING, Stage.HALTED, Stage.ACCOUNTING, Stage.SETTLING)
"""Where somebody looks at an invoice."""
_ENDS = (Stage.CLOSED, Stage.TERMINATED, Stage.UNRESOLVED)

POSTING = Posting(
    kinds=Kind,
    posted=Stage.POSTED,
    objected=Stage.OBJECTED,
    after=(Stage.CONTRACTING,),
    refused=Stage.NOT_AWARDED,
    by=_watchers,
    desk=_street,
    apart_from=(*_sides, Part.JUROR, Part.JUDGED, Part.SCREENED),
    shows=(
        Shown("number", "序号", lambda state: str(state.number)),
        Shown("budget_fen", "经费(元)", lambda state: state.budget_fen, money=True),
        Shown("mean_score", "评委平均分", lambda state: _hundredths(state.shown_mean)),
        Shown("votes", "公众票数", lambda state: state.shown_votes),
        Shown("points", "总分", lambda state: _hundredths(state.placed.points_hundredths if state.placed else None)),
        Shown("place", "名次", lambda state: str(state.placed.place if state.placed else "-")),
    ),
)
INSTALMENTS = Instalments(
    kinds=Kind,
    running=Stage.RUNNING,
    claimed=Stage.CLAIMED,
    after=(Stage.ACCOUNTING,),
    by=(GRID_WORKER, *_office),
    apart_from=(*_sides, Part.JUROR, Part.JUDGED, Part.SCREENED, Part.CONTRACTED, Part.INVESTIGATED),
)
PAYING = Paying(kinds=Kind, at=CONTRACTED, rests_at=RESTING, apart_from=(*_sides, Part.JUROR), payees=(CARRIER,))


def _hundredths(points: int | None) -> str:
    return "-" if points is None else "{}.{:02}".format(*divmod(points, 100))


def _screening() -> tuple[Act | Rule | Step, ...]:
    return (
        act(
            Nothing, "同意加入团队", name="join", meaning="whoever is named in the team is of it, by their own word.",
            by=MEMBER, at=BEFORE_JUDGING, when=member_is_asked, entry=Kind.MEMBER_JOINED,
        ),
        act(
            Nothing, "不参加团队", name="decline_membership", meaning="whoever is named in the team is not of it.",
            by=MEMBER, at=BEFORE_JUDGING, when=is_no_lead, entry=Kind.MEMBER_DECLINED,
            tells=Tells(THE_REPORTER, "proposal_member_declined"),
        ),
        act(
            WithReason, "通过初筛", name="screen", meaning="nothing of the negative list: it may be judged.",
            by=_office, at=Stage.SUBMITTED, to=(Stage.SCREENED, Stage.JUDGING, Stage.REFUSED), apart_from=(*_own, Part.JUROR),
            part=Part.SCREENED, entry=Kind.SCREENED,
        ),
        act(
            WithReason, "退回补正", name="return_plan", meaning="all that is wrong with the plan is said, once.",
            by=_office, at=Stage.SUBMITTED, to=Stage.CORRECTING, when=not_returned_before, apart_from=(*_own, Part.JUROR),
            stops=["screen"], starts=["revise"], holder=THE_REPORTER, entry=Kind.RETURNED,
            tells=Tells(THE_REPORTER, "proposal_returned"),
        ),
        act(
            Revise, "补正", by=_them, at=Stage.CORRECTING, to=Stage.SUBMITTED, stops=["revise"], starts=["screen"],
            holder=_committee, entry=Kind.REVISED,
        ),
        act(
            RefuseByList, "初筛不通过", name="refuse", by=_office, at=Stage.SUBMITTED, to=Stage.REFUSED,
            apart_from=(*_own, Part.JUROR), entry=Kind.REFUSED,
        ),
        step("give_up_revising", "逾期未补正", at=Stage.CORRECTING, to=Stage.REFUSED, entry=Kind.NOT_REVISED, clock="revise"),
    )  # fmt: skip


def _judging() -> tuple[Act | Rule | Step, ...]:
    return (
        step("lack_members", "成员不足", at=BEFORE_JUDGING, to=Stage.REFUSED, entry=Kind.TOO_FEW),
        step(
            "end_joining", "成员确认期满", at=BEFORE_JUDGING, to=(Stage.JUDGING, Stage.REFUSED), entry=Kind.TEAM_STANDS,
            clock="members",
        ),
        step("begin_judging", "开始评审", at=Stage.SCREENED, to=Stage.JUDGING, entry=Kind.JUDGING),
        act(
            Score, "评分", by=_juror, at=Stage.JUDGING, to=(Stage.JUDGING, Stage.JUDGED),
            apart_from=(*_own, Part.JUDGED), part=Part.JUDGED, entry=Kind.SCORED,
        ),
        act(
            SeatJuror, "增补评委", by=(*_office, COORDINATOR, SUPERVISOR), at=Stage.JUDGING, when=no_seat_waits,
            apart_from=(*_own, Part.JUROR, Part.TIE_DECIDED),
            part=Part.JUROR_NAMED, entry=Kind.JUROR_NAMED, tells=Tells(_street, "proposal_juror_to_confirm"),
        ),
        act(
            ConfirmJuror, "确认增补评委", by=(*_office, SUPERVISOR), at=Stage.JUDGING,
            apart_from=(*_own, Part.JUROR, Part.JUROR_NAMED, Part.TIE_DECIDED), answers=(Part.JUROR_NAMED,),
            entry=Kind.JUROR_SEATED,
        ),
        step("conclude_judging", "评审结果", at=Stage.JUDGING, to=Stage.JUDGED, entry=Kind.JUDGED, clock="judge"),
        recusal_line(Kind, by=(GRID_WORKER, *_office, COORDINATOR, SUPERVISOR, CIVIL_AFFAIRS_OFFICER), at=OPEN),
        also(
            "declare_relation", "回避", by=_juror, at=Stage.JUDGING, to=(Stage.JUDGING, Stage.JUDGED),
            when=relation_not_declared_yet, part=Part.RELATED,
        ),
        act(
            NameTie, "提请评委回避", by=_office, at=Stage.JUDGING, when=no_tie_waits, apart_from=(*_own, Part.JUROR),
            part=Part.TIE_NAMED, entry=Kind.TIE_NAMED, tells=Tells(_street, "proposal_tie_to_confirm"),
        ),
        act(
            ConfirmTie, "确认评委回避", by=(*_office, SUPERVISOR), at=Stage.JUDGING, to=(Stage.JUDGING, Stage.JUDGED),
            apart_from=(*_own, Part.JUROR, Part.TIE_NAMED), answers=(Part.TIE_NAMED,), entry=Kind.TIE_DECIDED,
        ),
        # what its round says
        step("take_award", "拟入选", at=(Stage.JUDGED, Stage.RESERVE), to=Stage.AWARDED, entry=Kind.AWARDED),
        step("wait_in_reserve", "列入候补", at=Stage.JUDGED, to=Stage.RESERVE, entry=Kind.RESERVED),
        step(
            "take_no", "未入选", at=(Stage.JUDGED, Stage.RESERVE, Stage.AWARDED), to=Stage.NOT_AWARDED, entry=Kind.NOT_AWARDED,
        ),
        step("be_posted", "公示", at=Stage.AWARDED, to=Stage.POSTED, entry=Kind.PUBLICISED),
        step("end_with_round", "随大赛终止", at=BEFORE_CONTRACT, to=Stage.CANCELLED, entry=Kind.CANCELLED),
    )  # fmt: skip


def _contract() -> tuple[Act | Rule | Step, ...]:
    return (
        act(
            OfferContract, "拟定协议", by=COMMITTEE_OFFICER, at=Stage.CONTRACTING, to=Stage.SIGNING,
            apart_from=(*_own, Part.JUROR), part=Part.AGREEMENT_PROPOSED, stops=["offer_contract"], holder=THE_REPORTER,
            entry=Kind.CONTRACT_OFFERED,
            tells=Tells(THE_REPORTER, "proposal_contract_offered"),
        ),
        act(
            SignContract, "签约", by=REPORTER, at=Stage.SIGNING, to=(Stage.SIGNING, Stage.RUNNING), when=word_is_still_open,
            apart_from=(Part.AGREEMENT_PROPOSED, Part.CARRIER), answers=(Part.AGREEMENT_PROPOSED,), entry=Kind.CONTRACT_SIGNED,
        ),
        act(
            SignForCarrier, "承接方签约", by=CARRIER, at=Stage.SIGNING, to=(Stage.SIGNING, Stage.RUNNING),
            when=word_is_still_open, apart_from=(Part.AGREEMENT_PROPOSED, *_OTHER_SIDE),
            answers=(Part.AGREEMENT_PROPOSED,), entry=Kind.CARRIER_SIGNED, tells=Tells(_street, "proposal_authority_to_confirm"),
        ),
        act(
            ConfirmAuthority, "核实授权", by=_watchers, at=Stage.SIGNING, to=(Stage.SIGNING, Stage.RUNNING),
            apart_from=(*_own, Part.JUROR, Part.AGREEMENT_PROPOSED, Part.AUTHORITY_SHOWN), answers=(Part.AUTHORITY_SHOWN,),
            entry=Kind.AUTHORITY_LOOKED_AT,
        ),
        also(
            "confirm_authority", "核实授权", by=_watchers, at=CONTRACTED, part=Part.AUTHORITY_CONFIRMED,
            apart_from=(*_own, Part.JUROR, Part.CHANGE_ASKED, Part.CARRIAGE_VOUCHED, Part.AUTHORITY_SHOWN),
            answers=(Part.AUTHORITY_SHOWN,),
        ),
        act(
            DeclineContract, "不同意协议", by=(REPORTER, CARRIER), at=Stage.SIGNING, to=Stage.CONTRACTING,
            when=word_is_still_open, apart_from=(Part.AGREEMENT_PROPOSED,), answers=(Part.AGREEMENT_PROPOSED,),
            starts=["offer_contract"], holder=_committee,
            entry=Kind.CONTRACT_DECLINED, tells=Tells(_committee, "proposal_contract_declined"),
        ),
        act(
            NameCarrierPerson, "更换承接方代表", by=(REPORTER, CARRIER), at=SELECTED,
            when=(carrier_has_not_signed, carrier_has_not_declined), entry=Kind.CARRIER_PERSON_NAMED,
            tells=Tells(_street, "proposal_carrier_person_named"),
        ),
        step("lapse", "逾期未签约", at=Stage.SIGNING, to=Stage.LAPSED, entry=Kind.LAPSED, clock="contract"),
    )  # fmt: skip


def _work() -> tuple[Act | Rule | Step, ...]:
    return (
        INSTALMENTS.lines()[0],
        act(
            VerifyMilestone, "验收", by=INSTALMENTS.by, at=Stage.CLAIMED, to=WORKING,
            apart_from=(Part.APPLICANT, Part.ENTERED, *INSTALMENTS.apart_from, Part.MILESTONE_CLAIMED),
            answers=(Part.MILESTONE_CLAIMED,), part=Part.MILESTONE_VERIFIED, entry=Kind.MILESTONE_VERIFIED,
            tells=Tells(_street, "proposal_milestone_to_confirm"),
        ),
        act(
            ConfirmMilestone, "复核验收", by=_watchers, at=Stage.CLAIMED, to=(Stage.RUNNING, Stage.ACCOUNTING), moves_money=True,
            apart_from=(*_own, *INSTALMENTS.apart_from, Part.MILESTONE_CLAIMED, Part.MILESTONE_VERIFIED),
            answers=(Part.MILESTONE_VERIFIED,), entry=Kind.MILESTONE_ACCEPTED,
        ),
        act(
            FileInvoice, "登记发票", by=(*_them, CARRIER), at=(*WORKING, Stage.ACCOUNTING), part=Part.INVOICE_FILED,
            entry=Kind.INVOICE_FILED,
        ),
        act(
            AcceptInvoice, "认可发票", by=(CIVIL_AFFAIRS_OFFICER, *_office), at=_SHOWING,
            apart_from=(*_own, Part.JUROR, Part.INVOICE_FILED), answers=(Part.INVOICE_FILED,), entry=Kind.INVOICE_COUNTED,
        ),
        act(
            RefuseInvoice, "不予认可发票", by=(CIVIL_AFFAIRS_OFFICER, *_office), at=_SHOWING,
            apart_from=(*_own, Part.JUROR, Part.INVOICE_FILED), answers=(Part.INVOICE_FILED,), entry=Kind.INVOICE_NOT_ACCEPTED,
            tells=Tells(THE_REPORTER, "proposal_invoice_not_accepted"),
        ),
        act(
            AskChange, "申请变更", by=(REPORTER, COMMITTEE_OFFICER), at=CHANGING,
            when=(no_change_waits, a_change_is_of_use),
            part=Part.CHANGE_ASKED, starts=["grant_change"], entry=Kind.CHANGE_ASKED, tells=Tells(_street, "proposal_change_asked"),
        ),
        act(
            AcceptCarriage, "同意承接", by=NEW_CARRIER, at=CHANGING, when=another_carrier_is_asked_for,
            apart_from=(*_OTHER_SIDE, Part.CONTRACTED, Part.MILESTONE_VERIFIED, Part.CARRIAGE_RELEASED, Part.CHANGE_ASKED),
            answers=(Part.CHANGE_ASKED,), entry=Kind.CARRIAGE_ACCEPTED, tells=Tells(_street, "proposal_change_asked"),
        ),
        act(
            DeclineCarriage, "不同意承接", by=NEW_CARRIER, at=ANSWERING, when=another_carrier_is_asked_for,
            answers=(Part.CHANGE_ASKED,), stops=["grant_change"], entry=Kind.CARRIAGE_DECLINED,
            tells=Tells(THE_REPORTER, "proposal_carriage_declined"),
        ),
        act(
            ReleaseCarriage, "同意交出承接", by=CARRIER, at=ANSWERING, when=present_carrier_is_asked,
            apart_from=(Part.ENTERED, Part.TEAM, Part.RELATED, Part.JUROR, Part.CHANGE_ASKED), answers=(Part.CHANGE_ASKED,),
            entry=Kind.CARRIAGE_RELEASED, tells=Tells(_street, "proposal_change_asked"),
        ),
        act(
            KeepCarriage, "不同意交出承接", by=CARRIER, at=ANSWERING, when=present_carrier_has_not_answered,
            answers=(Part.CHANGE_ASKED,), entry=Kind.CARRIAGE_KEPT, tells=Tells(_street, "proposal_carriage_kept"),
        ),
        act(
            FindCarrierSilent, "认定承接方失联", by=_watchers, at=CHANGING, when=present_carrier_is_silent,
            apart_from=(*_own, Part.JUROR, Part.CHANGE_ASKED, Part.CARRIAGE_VOUCHED),
            answers=(Part.CHANGE_ASKED,), part=Part.CARRIAGE_RELEASED,
            entry=Kind.CARRIER_FOUND_SILENT, tells=Tells(_street, "proposal_change_asked"),
        ),
        act(
            GrantChange, "同意变更", by=_watchers, at=CHANGING,
            when=(
                more_time_is_still_of_use, nothing_is_on_its_way, what_goes_over_is_what_was_asked,
                new_carrier_has_signed, authority_of_new_one_is_confirmed, present_carrier_has_released,
            ),
            moves_money=True,
            apart_from=(*_own, Part.JUROR, Part.CHANGE_ASKED, Part.CARRIAGE_RELEASED, Part.AUTHORITY_CONFIRMED),
            answers=(Part.CHANGE_ASKED,),
            stops=["grant_change"],
            entry=Kind.CHANGE_GRANTED,
        ),
        act(
            RefuseChange, "不同意变更", by=_watchers, at=ANSWERING, apart_from=(*_own, Part.CHANGE_ASKED),
            answers=(Part.CHANGE_ASKED,), stops=["grant_change"], entry=Kind.CHANGE_REFUSED,
        ),
        act(
            WithReason, "撤回变更申请", name="take_back_change", meaning="whoever asked for it does not want it any more.",
            by=(REPORTER, COMMITTEE_OFFICER), at=ANSWERING, when=change_is_their_own, stops=["grant_change"],
            entry=Kind.CHANGE_TAKEN_BACK, tells=Tells(_street, "proposal_change_taken_back"),
        ),
        act(
            WithReason, "停拨", name="halt", meaning="late, a false proof, or nobody there: no more is paid for now.",
            by=_office, at=WORKING, to=Stage.HALTED, apart_from=_own, part=Part.HALTED, starts=["halted"], holder=_street,
            entry=Kind.HALTED,
            tells=Tells(THE_REPORTER, "proposal_halted"),
        ),
        act(
            GoOn, "恢复", by=_watchers, at=Stage.HALTED, to=WORKING, moves_money=True, apart_from=(*_own, Part.HALTED),
            answers=(Part.HALTED,), entry=Kind.RESUMED,
        ),
        act(
            Terminate, "终止", by=_watchers, at=Stage.HALTED, to=(Stage.REFUNDING, Stage.TERMINATED),
            when=(no_claim_waits, invoices_are_known), apart_from=(*_own, Part.HALTED), answers=(Part.HALTED,),
            entry=Kind.TERMINATED,
        ),
        step(
            "end_halted", "停拨期满,终止", at=Stage.HALTED, to=(Stage.REFUNDING, Stage.TERMINATED), entry=Kind.TERMINATED,
            clock="halted",
        ),
    )  # fmt: skip


def _ending() -> tuple[Act | Rule | Step, ...]:
    return (
        act(
            Account, "提交决算", by=_them, at=Stage.ACCOUNTING, to=Stage.SETTLING, when=own_payments_are_settled,
            part=Part.ACCOUNTED, stops=["account"], starts=["settle_account"], holder=desk_of(CIVIL_AFFAIRS_OFFICER),
            entry=Kind.ACCOUNT_HANDED_IN, tells=Tells(desk_of(CIVIL_AFFAIRS_OFFICER), "proposal_to_settle"),
        ),
        act(
            SettleAccount, "核定决算", by=(CIVIL_AFFAIRS_OFFICER, STREET_OFFICER), at=Stage.SETTLING,
            when=(payments_are_settled, invoices_are_known),
            to=(Stage.ACCOUNTING, Stage.REFUNDING, Stage.CLOSED),
            apart_from=(*_own, Part.JUROR, Part.ACCOUNTED, Part.MILESTONE_VERIFIED),
            answers=(Part.ACCOUNTED,), entry=Kind.ACCOUNT_SETTLED,
        ),
        *incoming_lines(Kind, by=(*_them, CIVIL_AFFAIRS_OFFICER), at=(Stage.REFUNDING,)),
        step("be_refunded", "结余已退回", at=Stage.REFUNDING, to=_ENDS, entry=Kind.CLOSED),
        step("ask_back", "逾期未退,追回", at=Stage.REFUNDING, to=_ENDS, entry=Kind.RECOVERY_ASKED, clock="money"),
        act(
            WithReason, "撤回", name="withdraw", meaning="the team does not want it any more.",
            by=REPORTER, at=(*BEFORE_AWARD, Stage.POSTED, *SELECTED), to=Stage.WITHDRAWN, entry=Kind.WITHDRAWN,
        ),
        step("expire", "逾期终结", at=OPEN, to=(Stage.UNRESOLVED, Stage.REFUNDING), entry=Kind.UNRESOLVED, clock="final"),
    )  # fmt: skip


PROPOSAL = declare(
    "proposal",
    "社区提案",
    parent="round",
    state=ProposalState,
    stages=Stage,
    entries=Kind,
    parts=(POSTING, INSTALMENTS, PAYING, Recovering(kinds=Kind)),
    opened=Kind.SUBMITTED,
    timers={
        "screen": duty("初筛", "screening", "screen", promise=Promise("初筛答复", "an answer whether it may be judged")),
        "revise": window("补正", "amending", "revise", warns=True, warned=THE_REPORTER),
        "members": window(
            "成员确认", "members saying so", lambda terms, _state: terms.members, warns=True, warned=THE_REPORTER
        ),
        "judge": duty("评审", "judging", "judge", warned=_committee),
        **posting_timers(),
        "offer_contract": duty("拟定协议", "drawing up the contract", "offer_contract", warned=_committee),
        "contract": window("签约", "contract", "contract", warns=True, warned=_committee),
        **instalment_timers(),
        **payment_timers(),
        # while money of theirs waits the team's own time rests: this is the duty that climbs then, and at last ends it
        "pay": duty("发放", "payment", "pay", warned=desk_of(CIVIL_AFFAIRS_OFFICER)),
        "confirm_authority": duty("核实授权", "look at an authority", "grant_change", warned=_street, beside=True),
        "grant_change": duty("变更审批", "answer on a change", "grant_change", warned=_street, beside=True),
        "accept_invoice": duty("发票核验", "look at an invoice", "accept_invoice", warned=_street, beside=True),
        "halted": window("停拨处理", "halt", "halted", warns=True, warned=_street),
        "account": duty("决算", "final account", "account"),
        "settle_account": duty("决算核定", "settling of the account", "settle_account"),
        **incoming_timers(warned=THE_REPORTER),
        "final": last_limit("unresolved_after"),
    },
    lines=(
        *_screening(),
        *_judging(),
        *POSTING.lines(),
        *_contract(),
        *_work(),
        *PAYING.lines(),
        *_ending(),
        *file_acts(
            Kind,
            by=(*_them, CARRIER, *_office, COORDINATOR, CIVIL_AFFAIRS_OFFICER, SUPERVISOR),
            at=OPEN,
            urged_by=(REPORTER, SUPERVISOR),
        ),
    ),
    end_notice=EndNotice(THE_REPORTER),
)  # fmt: skip
