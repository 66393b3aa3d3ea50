"""Who is the same person, and who took which part in a case: the one place that compares people by their accounts.

A part is data of the table (schemas/kernel/rules.py): what giving a command makes of somebody, and from whom another
command is kept.

An account is what its issuer writes into `sub`, and never gives to anybody else. Who acts through a department's own system
acts as `department:CODE/ACCOUNT`, with the account that the department names in `by`: the same person as `ACCOUNT` at a desk.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from schemas.values.refusals import say
from schemas.values.tidy_text import tidy

_GATEWAY = "department:"


def account_of(subject: str) -> str:
    """The bare account of a subject: `li` of `department:urban-management/li`."""
    account = tidy(subject)
    while account.startswith(_GATEWAY) and "/" in account:
        account = account.partition("/")[2].strip()
    return account


def same_person(one: str | None, another: str | None) -> bool:
    """Whether two subjects are one person, by whatever way they act. Nobody (None) is no person.

    For what must *not* be one person: where it grants something, `same_account` asks for the very account.
    """
    return one is not None and another is not None and account_of(one) == account_of(another)


def among(one: str | None, people: Iterable[str | None]) -> bool:
    """Whether somebody is one of these people."""
    return any(same_person(one, each) for each in people)


def how_many(people: Iterable[str]) -> int:
    """How many different people these are."""
    return len({account_of(each) for each in people})


def same_account(one: str | None, another: str | None) -> bool:
    """Whether two subjects are the very same account: whoever has it may do and see what is its own."""
    return one is not None and one == another


def account_among(one: str | None, accounts: Iterable[str | None]) -> bool:
    """Whether a subject is the very account of one of these."""
    return any(same_account(one, each) for each in accounts)


class Part(StrEnum):
    """What somebody did in a case that keeps them from what another person has to do."""

    ENTERED = "entered"
    APPLICANT = "applicant"
    DEBTOR = "debtor"
    KEPT_FROM_IT = "kept_from_it"
    RELATED = "related"
    VISITED = "visited"
    CORRECTED = "corrected"
    CHECKED = "checked"
    REVIEWED = "reviewed"
    INVESTIGATED = "investigated"
    OBJECTED = "objected"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    APPEAL_DECIDED = "appeal_decided"
    CHANGE_ASKED = "change_asked"
    CHANGE_CHECKED = "change_checked"
    CHANGE_REVIEWED = "change_reviewed"
    CHANGE_CONFIRMED = "change_confirmed"
    ACCOUNT_ASKED = "account_asked"
    SETTLEMENT_CLAIMED = "settlement_claimed"
    END_REPORTED = "end_reported"
    REPAYMENT_CLAIMED = "repayment_claimed"
    WRITE_OFF_PROPOSED = "write_off_proposed"
    CARD_SEEN = "card_seen"
    CONSENT_RECORDED = "consent_recorded"
    REPAYMENT_SEEN = "repayment_seen"
    WRITE_OFF_AGREED = "write_off_agreed"
    JUDGED = "judged"
    RECUSED = "recused"
    MILESTONE_CLAIMED = "milestone_claimed"
    DUTY_PROVED = "duty_proved"
    COUNTER_DUTY_PROVED = "counter_duty_proved"
    WAIVER_ASKED = "waiver_asked"
    FIGURE_STATED = "figure_stated"
    VETTED = "vetted"
    AGREEMENT_PROPOSED = "agreement_proposed"
    BREACH_PROPOSED = "breach_proposed"
    RENEWAL_PROPOSED = "renewal_proposed"
    HANDED_BACK = "handed_back"
    FINISHED = "finished"
    OPINED = "opined"
    SUPPORTED = "supported"
    TASK_PROVED = "task_proved"
    TASK_VOUCHED = "task_vouched"
    TASK_HELD = "task_held"
    EVALUATED = "evaluated"
    LEGALLY_REVIEWED = "legally_reviewed"
    COUNTED = "counted"
    TELLER = "teller"
    SEATED = "seated"
    MEDIATED = "mediated"
    PROPOSED = "proposed"
    STRIKE_ASKED = "strike_asked"
    RULING_FILED = "ruling_filed"
    CHALLENGED = "challenged"
    TEAM = "team"
    CARRIER = "carrier"
    JUROR = "juror"
    SCREENED = "screened"
    CONTRACTED = "contracted"
    HALTED = "halted"
    ACCOUNTED = "accounted"
    LOT_DRAWN = "lot_drawn"
    INVOICE_FILED = "invoice_filed"
    JUROR_NAMED = "juror_named"
    TIE_NAMED = "tie_named"
    TIE_DECIDED = "tie_decided"
    CARRIAGE_RELEASED = "carriage_released"
    AUTHORITY_SHOWN = "authority_shown"
    AUTHORITY_CONFIRMED = "authority_confirmed"
    CARRIAGE_VOUCHED = "carriage_vouched"
    MILESTONE_VERIFIED = "milestone_verified"
    HANDOVER_ASKED = "handover_asked"
    LOWERING_ASKED = "lowering_asked"
    ABSENCE_ASKED = "absence_asked"
    END_ASKED = "end_asked"
    RULING_OUT_ASKED = "ruling_out_asked"
    HELP_SENT = "help_sent"
    DEATH_SAID = "death_said"
    DISMISSAL_ASKED = "dismissal_asked"
    ALL_CLEAR_ASKED = "all_clear_asked"
    CANCEL_ASKED = "cancel_asked"
    AT_THE_DOORS = "at_the_doors"


PARTIES = (Part.ENTERED, Part.APPLICANT, Part.DEBTOR)
"""Whose own matter a case is: who applied or owes, and who entered it for them."""

KEPT_FROM: Mapping[Part, str] = {
    Part.ENTERED: say("录入本案的人员须由他人办理", "who entered the case leaves this to somebody else"),
    Part.APPLICANT: say("不得办理本人的申请", "nobody acts on the own application"),
    Part.DEBTOR: say("不得办理本人的案件", "nobody decides on what they owe"),
    Part.KEPT_FROM_IT: say(
        "您在原案中须回避,追回亦须由他人办理", "you were kept from the money of that case: this is somebody else's too"
    ),
    Part.RELATED: say("已备案近亲属关系,应当回避", "you declared a relation to this household: somebody else decides"),
    Part.VISITED: say("您已入户,须由另一人调查", "you have visited: the second visit is somebody else's"),
    Part.CORRECTED: say(
        "更正信息的人员须由他人审批", "who corrected the facts leaves the decision on them to somebody else"
    ),
    Part.CHECKED: say("人工核对的经办人不得审批", "who took down an answer by hand does not decide on it"),
    Part.REVIEWED: say("初审人应当回避", "who reviewed it leaves this to somebody else"),
    Part.OBJECTED: say("提出异议的人不得调查", "who objected does not look into it"),
    Part.INVESTIGATED: say("异议调查人不得审核确认", "who looked into an objection does not confirm it"),
    Part.CONFIRMED: say("第二签须由另一人", "the second signature is another person's"),
    Part.REFUSED: say("原决定人应当回避", "who refused it before does not decide again"),
    Part.APPEAL_DECIDED: say("申诉决定人应当回避", "who decided on the appeal leaves this to somebody else"),
    Part.CHANGE_ASKED: say("提出调整的人不得审批", "who asked for the change does not decide on it"),
    Part.CHANGE_CHECKED: say(
        "人工核对的经办人不得审批调整", "who took down an answer by hand does not decide on the change"
    ),
    Part.CHANGE_REVIEWED: say("调整的初审人不得审核确认", "who reviewed the change does not confirm it"),
    Part.CHANGE_CONFIRMED: say("调整的第二签须由另一人", "the second signature under the change is another person's"),
    Part.ACCOUNT_ASKED: say(
        "账户变更须由另一人确认", "another account is confirmed by another person than who asked for it"
    ),
    Part.SETTLEMENT_CLAIMED: say(
        "登记已另行发放的人不得确认", "who says that it was paid otherwise does not confirm it"
    ),
    Part.END_REPORTED: say("报告终止事由的人不得确认", "who reported it does not decide on it"),
    Part.REPAYMENT_CLAIMED: say("登记退款的人不得确认到账", "who recorded a repayment does not confirm it"),
    Part.WRITE_OFF_PROPOSED: say("须由另一人决定", "the second person is another one"),
    Part.CARD_SEEN: say(
        "您已核验身份,须由另一人核验", "you have seen the identity card: the second look is another person's"
    ),
    Part.CONSENT_RECORDED: say("登记授权书的人不得查验", "who recorded a consent does not confirm it"),
    Part.REPAYMENT_SEEN: say("您已确认,须再由另一人确认", "you have confirmed it: the other word is another person's"),
    Part.DUTY_PROVED: say("举证履行的人不得自行认可", "who proved it leaves accepting it to somebody else"),
    Part.OPINED: say("不得答复本人的意见", "nobody answers the own opinion"),
    Part.SUPPORTED: say("您已附议,每人一次", "you support it already: each does so once"),
    Part.TASK_PROVED: say("举证的人不得自行认可", "who proved it leaves this to somebody else"),
    Part.TASK_VOUCHED: say(
        "提议人一方已认可的,须由监督人另行验收", "who vouched for it leaves accepting it to a watcher"
    ),
    Part.TASK_HELD: say("承办人不得验收本人的任务", "whoever holds a task does not accept it"),
    Part.EVALUATED: say("您已评议,每人一次", "you have evaluated it: each does so once"),
    Part.LEGALLY_REVIEWED: say(
        "合法性审查人不得裁断异议", "who reviewed its legality does not rule on objections to it"
    ),
    Part.COUNTER_DUTY_PROVED: say("举证履行的人不得自行认可", "who proved it leaves accepting it to somebody else"),
    Part.WAIVER_ASKED: say("申请免除的人不得批准", "who asked to waive it does not grant that"),
    Part.FIGURE_STATED: say("申报数据的人不得核对", "who stated the figure does not check it"),
    Part.VETTED: say("资格审核人不得复核", "who vetted it leaves the second word to somebody else"),
    Part.AGREEMENT_PROPOSED: say("协议须由对方同意", "who proposed the agreement does not agree for the other side"),
    Part.BREACH_PROPOSED: say("提出认定违约的人不得认定", "who proposed the breach does not declare it"),
    Part.RENEWAL_PROPOSED: say("续约须由对方同意", "who proposed to renew does not agree for the other side"),
    Part.HANDED_BACK: say("登记交还的人不得确认", "who handed back does not confirm it"),
    Part.FINISHED: say("不得核查自己办结的事项", "nobody verifies what they finished themselves"),
    Part.SEATED: say("您是本案当事人或其代理人", "you are of one of the sides"),
    Part.PROPOSED: say("提出的人不代各方同意", "who put it to the sides agrees for none of them"),
    Part.MEDIATED: say("调解员不得办理此事", "who mediated leaves this to somebody else"),
    Part.WRITE_OFF_AGREED: say("您已同意,须再由另一人同意", "you have agreed: the other word is another person's"),
    Part.JUDGED: say("您已评审,每人一次", "you have judged already: each does so once"),
    Part.RECUSED: say("您已回避", "you have recused yourself"),
    Part.COUNTED: say("您已计票,须由另一人", "you have counted: this is another person's"),
    Part.CHALLENGED: say(
        "您已质疑,每人一次,由他人裁定", "you have challenged it: each does so once, and somebody else rules"
    ),
    Part.TELLER: say("计票人不得裁定计票结果", "who counted does not rule on the count"),
    Part.RULING_FILED: say(
        "登记裁判的人不得据以撤销", "who filed the ruling leaves it to somebody else to annul by it"
    ),
    Part.STRIKE_ASKED: say("申请除名的人不得复核", "who asked to strike a unit does not confirm it"),
    Part.HANDOVER_ASKED: say("移交人不得自行接收", "who hands over does not accept for the other one"),
    Part.LOWERING_ASKED: say("提出减少走访的人不得批准", "who asked for fewer visits does not grant that"),
    Part.ABSENCE_ASKED: say("登记长期暂离的人不得批准", "who says that somebody is away for long does not grant that"),
    Part.END_ASKED: say("提出销档的人不得确认", "who asked to end the file does not confirm it"),
    Part.RULING_OUT_ASKED: say("申请排除的人不得确认", "who asks to rule a call out does not confirm it"),
    Part.HELP_SENT: say("派人的人不得报告现场情况", "who sent help leaves it to somebody else to say what was found"),
    Part.DEATH_SAID: say("报告去世的人不得确认", "who says that somebody died does not confirm it"),
    Part.ALL_CLEAR_ASKED: say("提请解除的人不得决定", "who asked for the all clear does not decide that"),
    Part.DISMISSAL_ASKED: say("提请不予发布的人不得决定", "who asked to give no warning does not decide that"),
    Part.CANCEL_ASKED: say("提请取消的人不得决定", "who asked to cancel it does not decide that"),
    Part.AT_THE_DOORS: say("复核须由队外人员", "somebody who is not of the team sees it again"),
    Part.MILESTONE_CLAIMED: say("申报完成的人不得验收", "who claimed a milestone does not verify it"),
    Part.TEAM: say("您是本提案团队成员,须由他人办理", "you are of the team: this is somebody else's"),
    Part.CARRIER: say(
        "您代表承接方,须由他人办理", "you speak for the organisation that is paid: this is somebody else's"
    ),
    Part.JUROR: say("评委不得办理所评提案的此事", "who is of its jury leaves this to somebody else"),
    Part.SCREENED: say("初筛人不得验收", "who screened it leaves accepting it to somebody else"),
    Part.CONTRACTED: say("签约经办人不得验收", "who made the contract leaves accepting it to somebody else"),
    Part.HALTED: say("停拨的人不得决定后续", "who halted it leaves what follows to somebody else"),
    Part.ACCOUNTED: say("提交决算的人不得核定", "who handed in the account does not settle it"),
    Part.LOT_DRAWN: say("抽签的人不得见证", "who drew the lot does not witness it"),
    Part.MILESTONE_VERIFIED: say(
        "验收人不得复核,亦不得核定决算", "who verified a milestone leaves this to somebody else"
    ),
    Part.JUROR_NAMED: say("提名评委的人不得确认", "who names a juror does not confirm it"),
    Part.TIE_NAMED: say("提请回避的人不得确认", "who names a tie does not confirm it"),
    Part.TIE_DECIDED: say(
        "提请或确认评委回避的人不得增补评委", "who put a juror out neither names nor confirms another one"
    ),
    Part.CARRIAGE_RELEASED: say(
        "认定承接方失联的人不得同意变更", "who found the carrier silent leaves granting the change to somebody else"
    ),
    Part.AUTHORITY_SHOWN: say("出示授权的人不得核实", "who shows an authority does not confirm it"),
    Part.AUTHORITY_CONFIRMED: say(
        "核实授权的人不得同意变更", "who confirmed the authority leaves granting the change to somebody else"
    ),
    Part.CARRIAGE_VOUCHED: say(
        "认定承接方失联与核实新代表授权须由不同的人办理",
        "who found the carrier silent, and who confirmed the authority of another one, are two people",
    ),
    Part.INVOICE_FILED: say("登记发票的人不得核验", "who filed an invoice does not accept it"),
}
"""Why somebody who took a part is kept from another act, in words."""
