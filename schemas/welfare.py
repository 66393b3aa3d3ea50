"""welfare 社会救助与补贴: the table of who may do what, when. The benefits themselves are data (policies/welfare.yaml).

Sources: the seed document (three documents, 初审 复审 公示 发放, older than 60 and disability by their own departments),
社会救助暂行办法 and 最低生活保障审核确认办法 (visits by two, posting for seven days, ten working days after it, thirty in all).
The diagram and the table in docs/procedures/welfare.md are made from `RULES`. Policy, pure rules, state, conditions and
commands stand beside it: `welfare_policy`, `welfare_rules`, `welfare_state`, `welfare_conditions`, `welfare_commands`,
`welfare_entitlement`.
"""

from schemas.actor import Role
from schemas.case_file import Attach, Comment, Replan, Urge, room_for_a_document
from schemas.procedure import Procedure
from schemas.rules import By, Rule, RulesTable, Scope
from schemas.welfare_audit import EXPLANATIONS, limits_under
from schemas.welfare_commands import (
    Accept,
    Appeal,
    AskAgain,
    AskCorrection,
    Confirm,
    CorrectFacts,
    Countersign,
    DecideAppeal,
    DeclareRelation,
    ExtendCase,
    HandIn,
    Investigate,
    Object,
    RecordCheck,
    RecordConsent,
    RecordVisit,
    Refuse,
    Review,
    SendBack,
    ServeNotice,
    WithdrawApplication,
)
from schemas.welfare_conditions import (
    a_payment_waits,
    appeal_is_open,
    checks_are_made,
    checks_are_open,
    consent_is_missing,
    did_not_refuse,
    has_not_visited,
    may_still_be_extended,
    not_related,
    not_the_applicant,
    not_the_confirmer,
    not_the_reviewer,
    notice_is_to_be_served,
    posting_is_up,
    relation_not_declared_yet,
    visits_are_made,
    was_suspended_by_a_person,
)
from schemas.welfare_entitlement import (
    ChangeAccount,
    EndEntitlement,
    PaymentReturned,
    Reassess,
    ReportChange,
    ResumePayment,
    RetryPayment,
    SettlePayment,
    SuspendPayment,
)
from schemas.welfare_entries import REFERENCES, TITLES
from schemas.welfare_policy import WelfarePolicy
from schemas.welfare_reservations import RESERVES
from schemas.welfare_state import BEFORE_REVIEW, LIVING, OPEN, UNDECIDED, Stage, WelfareState

_applicant = By(Role.RESIDENT, Scope.REPORTER)
_anybody = By(Role.RESIDENT, Scope.ANYBODY)
_grid_worker = By(Role.GRID_WORKER)
_clerk = By(Role.WINDOW_CLERK)
_street = By(Role.STREET_OFFICER)
_civil_affairs = By(Role.CIVIL_AFFAIRS_OFFICER)
_supervisor = By(Role.SUPERVISOR)
_admin = By(Role.ADMIN)
_engine = By(Role.ENGINE, Scope.ENGINE)
_bank = By(Role.ENGINE)  # its signed notice vouches for it; no token has this role
_everybody = (_applicant, _grid_worker, _clerk, _street, _civil_affairs, _supervisor)
_for_them = (_applicant, _clerk, _grid_worker)
_decides = (not_the_applicant, not_related)
_SEEN = (*OPEN, Stage.REFUSED)

RULES = RulesTable(
    (
        # ---- application, documents, acceptance
        Rule("name_missing", "材料不全", (_engine,), (Stage.APPLIED,), (Stage.CORRECTING,)),
        Rule(
            "ask_correction",
            "通知补正",
            (_clerk, _street),
            BEFORE_REVIEW,
            (Stage.CORRECTING,),
            (not_the_applicant,),
        ),
        Rule("hand_in", "补交材料", _for_them, (Stage.CORRECTING,), BEFORE_REVIEW),
        Rule("accept", "受理", (_clerk, _street), (Stage.APPLIED,), (Stage.CHECKING,), (not_the_applicant,)),
        Rule("withdraw_application", "撤回申请", (_applicant, _clerk), UNDECIDED, (Stage.WITHDRAWN,)),
        # ---- checks and visits
        Rule("ask_again", "再次核对", (_street, _civil_affairs), (Stage.CHECKING,), conditions=(checks_are_open,)),
        Rule(
            "record_check",
            "人工核对",
            (_street, _civil_affairs),
            (Stage.CHECKING,),
            (Stage.SURVEYED,),
            (checks_are_made, *_decides),
        ),
        Rule(
            "correct_facts",
            "更正信息",
            (_clerk, _grid_worker, _street),
            (Stage.CHECKING, Stage.SURVEYED),
            (Stage.CHECKING, Stage.SURVEYED),
            (not_the_applicant,),
        ),
        Rule(
            "record_visit",
            "入户调查",
            (_grid_worker, _street, _civil_affairs),
            (Stage.CHECKING,),
            (Stage.SURVEYED,),
            (visits_are_made, has_not_visited, *_decides),
        ),
        Rule(
            "record_consent",
            "登记同意",
            _for_them,
            (*BEFORE_REVIEW, Stage.CORRECTING),
            (Stage.CHECKING, Stage.SURVEYED),
            (consent_is_missing,),
        ),
        Rule("complete_survey", "调查核对完成", (_engine,), (Stage.CHECKING,), (Stage.SURVEYED,)),
        Rule(
            "declare_relation",
            "近亲属备案",
            (_grid_worker, _street, _civil_affairs),
            UNDECIDED,
            conditions=(relation_not_declared_yet,),
        ),
        # ---- review and publicity
        Rule(
            "review",
            "初审",
            (_street,),
            (Stage.SURVEYED,),
            (Stage.PUBLICISED, Stage.CONFIRMING, Stage.REFUSED),
            (*_decides, did_not_refuse),
        ),
        Rule(
            "object",
            "公示异议",
            (_anybody, _clerk, _grid_worker),
            (Stage.PUBLICISED,),
            (Stage.OBJECTED,),
            (not_the_applicant, posting_is_up),
        ),
        Rule(
            "investigate",
            "异议调查",
            (_street, _civil_affairs),
            (Stage.OBJECTED,),
            (Stage.PUBLICISED, Stage.REFUSED),
            _decides,
        ),
        Rule("end_publicity", "公示期满", (_engine,), (Stage.PUBLICISED,), (Stage.CONFIRMING,)),
        # ---- decision
        Rule(
            "confirm",
            "审核确认",
            (_civil_affairs,),
            (Stage.CONFIRMING,),
            (Stage.CONFIRMED, Stage.PAYING),
            (*_decides, not_the_reviewer, did_not_refuse),
        ),
        Rule(
            "refuse",
            "不予确认",
            (_civil_affairs,),
            (Stage.CONFIRMING,),
            (Stage.REFUSED,),
            (*_decides, not_the_reviewer, did_not_refuse),
        ),
        Rule(
            "countersign",
            "双签",
            (_civil_affairs, _supervisor),
            (Stage.CONFIRMED,),
            (Stage.PAYING,),
            (*_decides, not_the_reviewer, not_the_confirmer),
        ),
        Rule(
            "send_back",
            "双签退回",
            (_civil_affairs, _supervisor),
            (Stage.CONFIRMED,),
            (Stage.CONFIRMING,),
            (*_decides, not_the_reviewer, not_the_confirmer),
        ),
        Rule("extend_case", "延期", (_supervisor,), UNDECIDED, conditions=(may_still_be_extended,)),
        # ---- refusal and appeal
        Rule(
            "serve_notice",
            "书面告知",
            (_clerk, _street, _civil_affairs),
            (Stage.REFUSED,),
            conditions=(notice_is_to_be_served,),
        ),
        Rule("appeal", "申诉", (_applicant, _clerk), (Stage.REFUSED,), (Stage.APPEALED,), (appeal_is_open,)),
        Rule(
            "decide_appeal",
            "申诉决定",
            (_civil_affairs, _supervisor),
            (Stage.APPEALED,),
            (Stage.REFUSED, Stage.SURVEYED, Stage.CONFIRMING),
            (*_decides, not_the_reviewer, did_not_refuse),
        ),
        # ---- the entitlement
        Rule("retry_payment", "重新发放", (_civil_affairs,), OPEN, conditions=(a_payment_waits,)),
        Rule(
            "settle_payment",
            "发放人工处理",
            (_civil_affairs,),
            OPEN,
            (Stage.ENDED,),
            (not_the_applicant, a_payment_waits),
        ),
        Rule("payment_returned", "银行退回", (_bank,), _SEEN),
        Rule("change_account", "变更账户", (_applicant, _clerk), OPEN),
        Rule(
            "report_change",
            "报告变化",
            (*_for_them, _street, _civil_affairs),
            LIVING,
            (Stage.ENDED,),
        ),
        Rule(
            "suspend_payment",
            "暂停发放",
            (_civil_affairs, _supervisor),
            (Stage.PAYING,),
            (Stage.PAYMENT_SUSPENDED,),
            (not_the_applicant,),
        ),
        Rule("suspend_overdue", "逾期未复核停发", (_engine,), (Stage.PAYING,), (Stage.PAYMENT_SUSPENDED,)),
        Rule(
            "resume_payment",
            "恢复发放",
            (_civil_affairs, _supervisor),
            (Stage.PAYMENT_SUSPENDED,),
            (Stage.PAYING,),
            (not_the_applicant, was_suspended_by_a_person),
        ),
        Rule("reassess", "定期复核", (_street, _civil_affairs), LIVING, (Stage.PAYING, Stage.ENDED), _decides),
        Rule("end_entitlement", "终止救助", (_civil_affairs,), LIVING, (Stage.ENDED,), (not_the_applicant,)),
        Rule("end_paid", "发放完毕", (_engine,), LIVING, (Stage.ENDED,)),
        Rule("expire", "逾期终结", (_engine,), (*UNDECIDED, Stage.APPEALED), (Stage.UNRESOLVED,)),
        # ---- the file
        Rule("urge", "催办", (_applicant, _grid_worker, _supervisor), OPEN),
        Rule("comment", "备注", _everybody, _SEEN),
        Rule("attach", "附件", _everybody, _SEEN, conditions=(room_for_a_document,)),
        Rule("replan", "重排期限", (_admin,), _SEEN),
    )
)

WELFARE = Procedure(
    name="welfare",
    title="社会救助",
    state=WelfareState,
    policy=WelfarePolicy,
    titles=TITLES,
    references=REFERENCES,
    stages=Stage,
    rules=RULES,
    reserves=RESERVES,
    explanations=EXPLANATIONS,
    limits=limits_under,
    commands={
        "ask_correction": AskCorrection,
        "hand_in": HandIn,
        "accept": Accept,
        "withdraw_application": WithdrawApplication,
        "ask_again": AskAgain,
        "record_check": RecordCheck,
        "correct_facts": CorrectFacts,
        "record_consent": RecordConsent,
        "record_visit": RecordVisit,
        "declare_relation": DeclareRelation,
        "review": Review,
        "object": Object,
        "investigate": Investigate,
        "confirm": Confirm,
        "refuse": Refuse,
        "countersign": Countersign,
        "send_back": SendBack,
        "extend_case": ExtendCase,
        "serve_notice": ServeNotice,
        "appeal": Appeal,
        "decide_appeal": DecideAppeal,
        "retry_payment": RetryPayment,
        "settle_payment": SettlePayment,
        "payment_returned": PaymentReturned,
        "change_account": ChangeAccount,
        "report_change": ReportChange,
        "suspend_payment": SuspendPayment,
        "resume_payment": ResumePayment,
        "reassess": Reassess,
        "end_entitlement": EndEntitlement,
        "urge": Urge,
        "comment": Comment,
        "attach": Attach,
        "replan": Replan,
    },
)
