"""welfare 社会救助与补贴, declared: who may do what, when. The benefits themselves are data (policies/welfare.yaml).

Sources: the seed document (three documents, 初审 复审 公示 发放, older than 60 and disability by their own departments),
社会救助暂行办法 and 最低生活保障审核确认办法 (visits by two, posting for seven days, ten working days after it, thirty in all).
Policy, pure rules, state, conditions and
commands stand beside it: `welfare_policy`, `welfare_rules`, `welfare_state`, `welfare_conditions`, `welfare_commands`,
`welfare_entitlement`.
"""

from schemas.clocks.limits import Limit
from schemas.kernel.acts import Tells, act, also, step
from schemas.kernel.case_file import Attach, Comment, Replan, Urge, room_for_a_document
from schemas.kernel.declaration import EndNotice, declare
from schemas.kernel.openings import Opens
from schemas.kernel.parties import (
    ADMIN,
    CIVIL_AFFAIRS_OFFICER,
    GRID_WORKER,
    REPORTER,
    STREET_OFFICER,
    SUPERVISOR,
    THE_REPORTER,
    WINDOW_CLERK,
    desk_of,
)
from schemas.kernel.people import Part
from schemas.kernel.timers import duty, last_limit, window
from schemas.parts.appeal import appeal_lines, appeal_timers, refusal_line
from schemas.parts.documents import correction_lines, correction_timers
from schemas.parts.extension import before_it_is_due, days_are_left
from schemas.parts.payments import Paying, payment_timers
from schemas.parts.postings import Posting, Shown, objections_are_settled, posting_timers
from schemas.parts.recusal import recusal_line
from schemas.parts.visits import visit_line, visit_timers
from schemas.recovery_parent import Recovering
from schemas.values.refusals import say
from schemas.welfare_application import APPLICANTS, APPLY, WelfareApplication
from schemas.welfare_audit import limits_under
from schemas.welfare_commands import (
    Accept,
    AskAgain,
    Confirm,
    ConfirmMember,
    CorrectFacts,
    Countersign,
    ExtendCase,
    Identify,
    RecordCheck,
    RecordConsent,
    RecordVisit,
    Review,
    SendBack,
    WithdrawApplication,
)
from schemas.welfare_conditions import (
    a_paper_is_to_be_seen,
    change_is_not_reviewed,
    change_is_to_be_confirmed,
    change_is_to_be_reviewed,
    change_waits,
    change_waits_for_signature,
    checks_are_made,
    checks_are_open,
    consent_is_missing,
    end_is_asked,
    identity_is_open,
    identity_is_sure,
    no_end_is_asked,
    nothing_was_advanced,
    visits_are_made,
    was_suspended_by_a_person,
)
from schemas.welfare_entitlement import (
    ConfirmChange,
    ConfirmEnd,
    CountersignChange,
    EndEntitlement,
    Reassess,
    RefuseChange,
    RefuseEnd,
    ReportChange,
    ResumePayment,
    ReviewChange,
    SuspendPayment,
)
from schemas.welfare_entries import Kind
from schemas.welfare_policy import WelfarePolicy, WelfareTerms
from schemas.welfare_reservations import RESERVES
from schemas.welfare_state import BEFORE_REVIEW, LIVING, OPEN, UNDECIDED, Stage, WelfareState

_clerk, _street, _civil = desk_of(WINDOW_CLERK), desk_of(STREET_OFFICER), desk_of(CIVIL_AFFAIRS_OFFICER)
_TOO_LATE = say("全程期限已过,不得延期", "the limit has passed: it is extended before, not after")
_everybody = (REPORTER, GRID_WORKER, WINDOW_CLERK, STREET_OFFICER, CIVIL_AFFAIRS_OFFICER, SUPERVISOR)
_parties = (Part.APPLICANT, Part.ENTERED)
_decides = (*_parties, Part.RELATED)
_wrote = (Part.CORRECTED, Part.CHECKED)
_opened = (Part.INVESTIGATED, Part.APPEAL_DECIDED)
_SEEN = (*OPEN, Stage.REFUSED)
_NOT_GRANTED = (*UNDECIDED, Stage.APPEALED)


def _reassessed_within(_terms: WelfareTerms, state: WelfareState) -> Limit:
    return state.rules.reassess if state.income_stable else state.rules.reassess_unstable


POSTING = Posting(
    kinds=Kind,
    posted=Stage.PUBLICISED,
    objected=Stage.OBJECTED,
    after=(Stage.CONFIRMING,),
    refused=Stage.REFUSED,
    by=(STREET_OFFICER, CIVIL_AFFAIRS_OFFICER),
    desk=desk_of(STREET_OFFICER),
    apart_from=(Part.RELATED, *_wrote, Part.REVIEWED),
    settled_at=(Stage.CONFIRMING,),
    shows=(
        Shown("benefit", "救助项目代码", lambda state: state.benefit, on_page=False),
        Shown("benefit_zh", "救助项目", lambda state: state.rules.name.zh),
        Shown("amount_fen", "金额(元)", lambda state: state.posted_amount_fen, money=True),
    ),
)

PAYING = Paying(
    kinds=Kind,
    at=OPEN,
    seen_at=(Stage.REFUSED,),
    ends_at=(Stage.ENDED,),
    desk=desk_of(CIVIL_AFFAIRS_OFFICER),
    apart_from=(Part.RELATED,),
    advances_at=UNDECIDED,
)

WELFARE = declare(
    "welfare",
    "社会救助",
    policy=WelfarePolicy,
    state=WelfareState,
    stages=Stage,
    entries=Kind,
    opens=Opens(
        WelfareApplication, APPLY, "申请社会救助", "apply for a benefit", APPLICANTS, "welfare-applications"
    ),
    opened=Kind.APPLIED,
    reserves=RESERVES,
    parts=(POSTING, PAYING, Recovering(kinds=Kind)),
    limits=limits_under,
    timers={
        "accept": duty("受理", "acceptance", "accept"),
        **correction_timers(),
        "check": duty("核对", "check", "check"),
        **visit_timers(),
        "review": duty("初审", "review", "review"),
        **posting_timers(publicity=lambda _terms, state: state.rules.publicity),
        "confirm": duty("确认", "confirmation", "confirm"),
        "countersign": duty("双签", "countersignature", "countersign"),
        "whole": duty("全程", "whole procedure", "whole"),
        **appeal_timers(),
        "review_change": duty("调整初审", "review of a change", "review_change", warned=_street, beside=True),
        "confirm_change": duty("调整确认", "confirmation of a change", "confirm_change", warned=_civil, beside=True),
        "countersign_change": duty("调整双签", "second signature under a change", "countersign", warned=_civil, beside=True),
        **payment_timers(pay=None),
        "confirm_end": duty("终止确认", "confirmation of an end", "confirm_end", warned=_civil, beside=True),
        "identify": duty("核验身份", "seeing the card of the applicant", "identify", warned=_street),
        "consent": duty("补交授权书", "consent of the household", "consent", warned=_clerk, beside=True),
        "reassess": duty("定期复核", "reassessment", _reassessed_within),
        "ask_again": window("再次核对", "asking again", "ask_again"),
        "payday": window("发放日", "payday", None),
        "suspended": window("停发", "suspension of payment", "suspended_at_most"),
        "final": last_limit("unresolved_after"),
    },
    lines=(
        *correction_lines(
            Kind,
            at=BEFORE_REVIEW, during=Stage.CORRECTING, found_at=Stage.APPLIED,
            asked_by=(WINDOW_CLERK, STREET_OFFICER), brought_by=(REPORTER, WINDOW_CLERK, GRID_WORKER),
        ),
        act(
            Accept, "受理",
            by=(WINDOW_CLERK, STREET_OFFICER), at=Stage.APPLIED, to=Stage.CHECKING, moves_money=True,
            apart_from=_decides, answers=(Part.ENTERED,), entry=Kind.ACCEPTED,
        ),
        act(
            Identify, "核验身份",
            by=(WINDOW_CLERK, GRID_WORKER, STREET_OFFICER, CIVIL_AFFAIRS_OFFICER),
            at=(*BEFORE_REVIEW, Stage.CORRECTING), to=Stage.SURVEYED, when=identity_is_open, moves_money=True,
            apart_from=(*_decides, Part.CARD_SEEN), part=Part.CARD_SEEN,
            answers=(Part.ENTERED,), entry=Kind.IDENTIFIED,
        ),
        act(
            WithdrawApplication, "撤回申请",
            by=REPORTER, at=UNDECIDED, to=Stage.WITHDRAWN, entry=Kind.WITHDRAWN,
        ),
        also(
            "withdraw_application", "撤回申请",
            by=WINDOW_CLERK, at=UNDECIDED, to=Stage.WITHDRAWN, when=nothing_was_advanced,
        ),
        also(
            "withdraw_application", "撤回申请",
            by=WINDOW_CLERK, at=UNDECIDED, to=Stage.WITHDRAWN, apart_from=(Part.ENTERED,),
        ),
        act(
            AskAgain, "再次核对",
            by=(STREET_OFFICER, CIVIL_AFFAIRS_OFFICER), at=Stage.CHECKING,
            when=(identity_is_sure, checks_are_open),
        ),
        act(
            RecordCheck, "人工核对",
            by=(STREET_OFFICER, CIVIL_AFFAIRS_OFFICER), at=Stage.CHECKING, to=Stage.SURVEYED,
            when=(identity_is_sure, checks_are_made), apart_from=_decides,
            part=Part.CHECKED, entry=Kind.CHECK_RECORDED,
        ),
        act(
            CorrectFacts, "更正信息",
            by=(WINDOW_CLERK, GRID_WORKER, STREET_OFFICER), at=(Stage.CHECKING, Stage.SURVEYED),
            to=(Stage.CHECKING, Stage.SURVEYED), apart_from=(Part.APPLICANT,), part=Part.CORRECTED,
            entry=Kind.FACTS_CORRECTED,
        ),
        visit_line(
            Kind, model=RecordVisit,
            by=(GRID_WORKER, STREET_OFFICER, CIVIL_AFFAIRS_OFFICER), at=Stage.CHECKING, to=Stage.SURVEYED,
            when=visits_are_made, moves_money=True, answers=(Part.ENTERED,),
        ),
        act(
            RecordConsent, "登记同意",
            by=(REPORTER, WINDOW_CLERK, GRID_WORKER), at=(*BEFORE_REVIEW, Stage.CORRECTING),
            to=(Stage.CHECKING, Stage.SURVEYED), when=consent_is_missing, part=Part.CONSENT_RECORDED,
            entry=Kind.CONSENT_RECORDED,
        ),
        also(
            "record_consent", "登记同意",
            by=(REPORTER, WINDOW_CLERK, GRID_WORKER), at=LIVING, when=consent_is_missing,
            part=Part.CONSENT_RECORDED,
        ),
        act(
            ConfirmMember, "查验成员材料",
            by=(WINDOW_CLERK, GRID_WORKER, STREET_OFFICER, CIVIL_AFFAIRS_OFFICER),
            at=(*BEFORE_REVIEW, Stage.CORRECTING), to=(Stage.CHECKING, Stage.SURVEYED), when=a_paper_is_to_be_seen,
            apart_from=(*_decides, Part.CONSENT_RECORDED),
            answers=(Part.ENTERED,), entry=Kind.MEMBER_CONFIRMED,
        ),
        also(
            "confirm_member", "查验成员材料",
            by=(WINDOW_CLERK, GRID_WORKER, STREET_OFFICER, CIVIL_AFFAIRS_OFFICER), at=LIVING,
            when=a_paper_is_to_be_seen,
            apart_from=(*_decides, Part.CONSENT_RECORDED),
            answers=(Part.ENTERED,),
        ),
        step("complete_survey", "调查核对完成", at=Stage.CHECKING, to=Stage.SURVEYED),
        recusal_line(Kind, by=(GRID_WORKER, STREET_OFFICER, CIVIL_AFFAIRS_OFFICER), at=UNDECIDED),
        act(
            Review, "初审",
            by=STREET_OFFICER, at=Stage.SURVEYED, to=(Stage.PUBLICISED, Stage.CONFIRMING, Stage.REFUSED),
            apart_from=(*_decides, *_wrote, Part.REFUSED, Part.APPEAL_DECIDED),
            part=Part.REVIEWED,
        ),
        *POSTING.lines(),
        act(
            Confirm, "审核确认",
            by=CIVIL_AFFAIRS_OFFICER, at=Stage.CONFIRMING, to=(Stage.CONFIRMED, Stage.PAYING),
            when=objections_are_settled, moves_money=True,
            apart_from=(*_decides, *_wrote, *_opened, Part.REVIEWED, Part.REFUSED),
            part=Part.CONFIRMED, answers=(Part.REVIEWED,), entry=Kind.CONFIRMED,
        ),
        refusal_line(
            Kind,
            by=CIVIL_AFFAIRS_OFFICER, at=Stage.CONFIRMING, refused=Stage.REFUSED, apart_from=(*_decides, Part.REVIEWED),
            stops=("confirm",), tells=Tells(THE_REPORTER, "welfare_refused"),
        ),
        act(
            Countersign, "双签",
            by=(CIVIL_AFFAIRS_OFFICER, SUPERVISOR), at=Stage.CONFIRMED, to=Stage.PAYING, moves_money=True,
            apart_from=(*_decides, *_wrote, *_opened, Part.REVIEWED, Part.CONFIRMED),
            answers=(Part.CONFIRMED,), entry=Kind.COUNTERSIGNED,
        ),
        act(
            SendBack, "双签退回",
            by=(CIVIL_AFFAIRS_OFFICER, SUPERVISOR), at=Stage.CONFIRMED, to=Stage.CONFIRMING,
            apart_from=(*_decides, Part.REVIEWED, Part.CONFIRMED),
            entry=Kind.SENT_BACK,
        ),
        act(
            ExtendCase, "延期",
            by=SUPERVISOR, at=UNDECIDED, when=(days_are_left, before_it_is_due("whole", _TOO_LATE)), entry=Kind.EXTENDED,
        ),
        *appeal_lines(
            Kind,
            refused=Stage.REFUSED, appealed=Stage.APPEALED, goes_on_at=(Stage.SURVEYED, Stage.CONFIRMING),
            served_by=(WINDOW_CLERK, STREET_OFFICER, CIVIL_AFFAIRS_OFFICER), made_by=(REPORTER, WINDOW_CLERK),
            decided_by=(CIVIL_AFFAIRS_OFFICER, SUPERVISOR),
            apart_from=(*_decides, *_wrote, Part.REVIEWED, Part.INVESTIGATED),
        ),
        step("pay_month", "按月发放", at=Stage.PAYING, moves_money=True),
        *PAYING.lines(),
        act(
            ReportChange, "报告变化",
            by=(REPORTER, WINDOW_CLERK, GRID_WORKER, STREET_OFFICER, CIVIL_AFFAIRS_OFFICER), at=LIVING,
            part=Part.CHANGE_ASKED, entry=Kind.CHANGE_REPORTED,
        ),
        also(
            "report_change", "报告变化",
            by=(REPORTER, WINDOW_CLERK, GRID_WORKER, STREET_OFFICER, CIVIL_AFFAIRS_OFFICER), at=LIVING,
            to=(Stage.PAYMENT_SUSPENDED, Stage.ENDED), part=Part.END_REPORTED,
        ),
        act(
            ConfirmEnd, "确认终止",
            by=(STREET_OFFICER, CIVIL_AFFAIRS_OFFICER, SUPERVISOR), at=LIVING, to=Stage.ENDED, when=end_is_asked,
            apart_from=(Part.APPLICANT, Part.RELATED, Part.END_REPORTED), answers=(Part.END_REPORTED,),
            entry=Kind.END_CONFIRMED,
        ),
        act(
            RefuseEnd, "不予终止",
            by=(STREET_OFFICER, CIVIL_AFFAIRS_OFFICER, SUPERVISOR), at=LIVING, to=LIVING, when=end_is_asked,
            moves_money=True, apart_from=(*_decides, Part.END_REPORTED),
            answers=(Part.END_REPORTED,), entry=Kind.END_REFUSED,
        ),
        also(
            "ask_again", "再次核对",
            by=(STREET_OFFICER, CIVIL_AFFAIRS_OFFICER), at=LIVING, when=(change_waits, checks_are_open),
        ),
        also(
            "record_check", "人工核对",
            by=(STREET_OFFICER, CIVIL_AFFAIRS_OFFICER), at=LIVING,
            when=(change_waits, checks_are_made, change_is_not_reviewed),
            apart_from=(*_decides, Part.CHANGE_ASKED), part=Part.CHANGE_CHECKED,
        ),
        act(
            ReviewChange, "调整初审",
            by=(STREET_OFFICER, CIVIL_AFFAIRS_OFFICER), at=Stage.PAYING, when=change_is_to_be_reviewed,
            apart_from=(*_decides, Part.CHANGE_ASKED, Part.CHANGE_CHECKED),
            part=Part.CHANGE_REVIEWED, answers=(Part.CHANGE_ASKED,), entry=Kind.CHANGE_REVIEWED,
        ),
        act(
            ConfirmChange, "确认调整",
            by=CIVIL_AFFAIRS_OFFICER, at=Stage.PAYING, to=(Stage.PAYING, Stage.ENDED),
            when=change_is_to_be_confirmed, moves_money=True,
            apart_from=(*_decides, Part.CHANGE_ASKED, Part.CHANGE_CHECKED, Part.CHANGE_REVIEWED),
            part=Part.CHANGE_CONFIRMED, answers=(Part.CHANGE_ASKED,), entry=Kind.CHANGE_CONFIRMED,
        ),
        act(
            CountersignChange, "双签调整",
            by=(CIVIL_AFFAIRS_OFFICER, SUPERVISOR), at=Stage.PAYING, to=(Stage.PAYING, Stage.ENDED),
            when=change_waits_for_signature, moves_money=True,
            apart_from=(*_decides, Part.CHANGE_ASKED, Part.CHANGE_CHECKED, Part.CHANGE_REVIEWED, Part.CHANGE_CONFIRMED),
            answers=(Part.CHANGE_ASKED, Part.CHANGE_CONFIRMED), entry=Kind.CHANGE_COUNTERSIGNED,
        ),
        act(
            RefuseChange, "不予调整",
            by=(STREET_OFFICER, CIVIL_AFFAIRS_OFFICER, SUPERVISOR), at=LIVING, when=change_waits,
            apart_from=_decides, entry=Kind.CHANGE_REFUSED,
        ),
        act(
            SuspendPayment, "暂停发放",
            by=(CIVIL_AFFAIRS_OFFICER, SUPERVISOR), at=Stage.PAYING, to=Stage.PAYMENT_SUSPENDED,
            apart_from=(Part.APPLICANT,), entry=Kind.SUSPENDED,
        ),
        step("suspend_overdue", "逾期未复核停发", at=Stage.PAYING, to=Stage.PAYMENT_SUSPENDED, clock="reassess"),
        act(
            ResumePayment, "恢复发放",
            by=(CIVIL_AFFAIRS_OFFICER, SUPERVISOR), at=Stage.PAYMENT_SUSPENDED, to=Stage.PAYING,
            when=(was_suspended_by_a_person, no_end_is_asked), moves_money=True,
            apart_from=_decides, part=Part.CHANGE_ASKED, entry=Kind.RESUMED,
        ),
        act(
            Reassess, "定期复核",
            by=(STREET_OFFICER, CIVIL_AFFAIRS_OFFICER), at=LIVING, to=(Stage.PAYING, Stage.ENDED),
            when=no_end_is_asked, moves_money=True, apart_from=_decides,
            part=Part.CHANGE_ASKED, entry=Kind.REASSESSED,
        ),
        act(
            EndEntitlement, "终止救助",
            by=CIVIL_AFFAIRS_OFFICER, at=LIVING, to=Stage.ENDED, apart_from=(Part.APPLICANT,), entry=Kind.ENDED,
        ),
        step("end_paid", "发放完毕", at=LIVING, to=Stage.ENDED),
        step("expire", "逾期终结", at=_NOT_GRANTED, to=Stage.UNRESOLVED, entry=Kind.UNRESOLVED, clock="final"),
        act(
            Urge, "催办",
            by=(REPORTER, GRID_WORKER, SUPERVISOR), at=OPEN, entry=Kind.URGED,
        ),
        act(
            Comment, "备注",
            by=_everybody,
            at=_SEEN, entry=Kind.COMMENTED,
        ),
        act(
            Attach, "附件",
            by=_everybody,
            at=_SEEN, when=room_for_a_document, entry=Kind.ATTACHED,
        ),
        act(
            Replan, "重排期限",
            by=ADMIN, at=_SEEN,
        ),
    ),
    end_notice=EndNotice(THE_REPORTER, stages=(Stage.UNRESOLVED,)),
)  # fmt: skip
