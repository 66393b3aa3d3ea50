"""What the API answers with."""

from typing import Any

from pydantic import Field

from schemas.clocks.calendar import TownDatetime
from schemas.clocks.clocks import ClockView
from schemas.contracts.department_policy import Name
from schemas.contracts.likeness import Likeness
from schemas.contracts.reconciliation import DifferenceKind, Recoveries, StatedRepayment
from schemas.kernel.case import Accepted
from schemas.values.actor import Channel, Role
from schemas.values.model import Model


class CaseRow(Model):
    """A case in a list. Times are town times; `due_at` is the earliest due time that still runs."""

    case_id: str = Field(examples=["incident-20261121-000017"])
    procedure: str
    stage: str
    holder: str
    area: str
    department: str | None
    opened_at: TownDatetime
    closed_at: TownDatetime | None
    ended: bool
    due_at: TownDatetime | None
    due_clock: str | None
    seq: int
    labels: dict[str, str]


class CaseView(CaseRow):
    """One case for this caller. `seq` 0: accepted, and not yet standing. `labels` are codes such as the category.

    `urges`: how often it was urged. `wanting`: what the person whose case it is still has to bring: kinds of documents,
    `consent:member-2`. `requests`: what waits for the word of another person, by the command that gives it: the numbers of which
    it names one.
    """

    title: str
    urges: int = 0
    wanting: tuple[str, ...] = ()
    requests: dict[str, tuple[int, ...]] = Field(default={}, examples=[{"confirm_account": [3]}])
    clocks: list[ClockView]
    legal_commands: tuple[str, ...]


class ReportAnswer(CaseView):
    """The case that a report became. `code`, with the number, lets the reporter follow it without an account."""

    code: str = Field(examples=["7HKQ3MXA"])


class ReportReceipt(Model):
    """The case that a report became, for whoever sent it and may not see it: it lies outside of their area."""

    case_id: str = Field(examples=["incident-20261121-000017"])
    code: str = Field(examples=["7HKQ3MXA"])
    procedure: str
    title: str
    stage: str
    opened_at: TownDatetime


class CommandAnswer(CaseView):
    """The case after a command, and the case's word for it; a repeat gets the word of the first time."""

    accepted: Accepted


class CasePage(Model):
    """A page of cases, newest first; the next one begins at `next_cursor`."""

    items: list[CaseRow]
    next_cursor: str | None


class InboxList(Model):
    """A list of an inbox: how many there are, and the first of them. The rest is at `list_url`, from `next_cursor` on."""

    count: int
    items: list[CaseRow]
    next_cursor: str | None
    list_url: str


class Inbox(Model):
    """What waits for the caller as `holder`. `due_soon`: the warning has come; `overdue`: the due time has."""

    as_of: TownDatetime
    holder: str
    mine: InboxList
    due_soon: InboxList
    overdue: InboxList


class Times(Model):
    """How long something took, in seconds of town time: half took no longer, and nine in ten."""

    median: int
    percentile_90: int


class IndicatorLine(Model):
    """The figures of one group, or of the whole. A rate is a share from 0 to 1; null where there was nothing to judge."""

    department: str | None = None
    category: str | None = None
    area: str | None = None
    month: str | None = Field(default=None, examples=["2026-11"])
    reported: int
    set_aside: int
    open: int
    response_rate: float | None
    resolution_rate: float | None
    satisfaction_rate: float | None
    finish_rate: float | None
    response_seconds: Times | None
    handling_seconds: Times | None
    response_judged: int
    responded_in_time: int
    finish_judged: int
    finished_in_time: int
    outcome_known: int
    solved: int
    partly_solved: int
    not_solved: int
    opinions: int
    satisfied: int
    basically_satisfied: int
    not_satisfied: int


class Indicators(Model):
    """Of the cases opened in the period. `whole` is all of them, `lines` are the groups; docs/indicators.md defines each."""

    as_of: TownDatetime
    opened_from: TownDatetime | None
    opened_before: TownDatetime | None
    by: tuple[str, ...]
    whole: IndicatorLine
    lines: list[IndicatorLine]


class StageCount(Model):
    """How many cases stand at a stage."""

    stage: str
    zh: str
    cases: int


class ProcedureLine(Model):
    """The cases of a procedure. `open`: those not closed; `closing_seconds`: how long the others took from their opening."""

    procedure: str
    title: str
    opened: int
    open: int
    closing_seconds: Times | None
    stages: list[StageCount]


class ProcedureIndicators(Model):
    """Of the cases opened in the period: a line for each procedure of the town."""

    as_of: TownDatetime
    opened_from: TownDatetime | None
    opened_before: TownDatetime | None
    procedures: list[ProcedureLine]


class SummonsLine(Model):
    """How a department answers whistles of a type, or all departments. A rate is a share from 0 to 1; null of nothing."""

    department: str | None = None
    type: str | None = None
    summoned: int
    released: int
    cancelled: int
    absent: int
    response_rate: float | None
    arrival_rate: float | None
    finish_rate: float | None
    response_judged: int
    responded_in_time: int
    arrival_judged: int
    arrived_in_time: int
    finish_judged: int
    finished_in_time: int
    scored: int
    mean_score: float | None
    response_seconds: Times | None
    arrival_seconds: Times | None


class StreetLine(Model):
    """How often a street blows whistles, beside the incidents that were reported there."""

    street: str
    whistles: int
    open: int
    closed: int
    whistles_cancelled: int
    unresolved: int
    born_of_incidents: int
    incidents: int
    per_thousand_incidents: float | None


class WhistleIndicators(Model):
    """Of the whistles of a period: `whole` is all summonses, `departments` by department and type, `streets` by area."""

    as_of: TownDatetime
    opened_from: TownDatetime | None
    opened_before: TownDatetime | None
    whole: SummonsLine
    departments: list[SummonsLine]
    streets: list[StreetLine]


class TimelineActor(Model):
    """Who it was, by role: accounts stay in the ledger."""

    role: Role
    department: str | None
    channel: Channel


class TimelineEntry(Model):
    """One entry, readable. Texts that the caller may not read are withheld; erased ones say since when."""

    seq: int
    at: TownDatetime
    actor: TimelineActor
    kind: str
    title: str
    facts: dict[str, Any]
    hash: str


class Timeline(Model):
    """The entries of a case, in order; the next page begins after `next_cursor`."""

    case_id: str
    items: list[TimelineEntry]
    next_cursor: str | None


class Promise(Model):
    """What was promised to the resident, and by when. `kept`: null while that is open."""

    clock: str
    zh: str
    en: str
    due_at: TownDatetime
    done_at: TownDatetime | None
    kept: bool | None


class PublicStage(Model):
    """Where a case stands, in words. `next_due` is the earliest promise that is still open."""

    case_id: str
    procedure: str
    title: str
    stage: str
    stage_zh: str
    stage_en: str
    closed_at: TownDatetime | None
    next_due: TownDatetime | None
    promised: list[Promise]


class Answer(Model):
    """What a department reported as done, in its words."""

    department: str
    text: str


class PublicCase(PublicStage):
    """A case for the resident who has its number and code: nothing of any person. `follows`: it was merged into that one."""

    opened_at: TownDatetime
    answers: list[Answer]
    follows: PublicStage | None


class SimilarCase(CaseRow):
    """A case that may be the same matter: near, or of the same reporter in the same words. No distance without coordinates."""

    distance_metres: int | None
    apart_seconds: int


class SimilarCases(Model):
    """Open cases of the same category, within so many metres and hours, the nearest first; then what one person sent again."""

    case_id: str
    within_metres: int
    within_hours: int
    items: list[SimilarCase]


class AlikeItem(Model):
    """What other living cases have of this one. `cases`: those that the reader sees; `others`: how many more there are."""

    kind: Likeness
    name: Name
    cases: list[str]
    others: int


class AlikeCases(Model):
    """What other living cases have of this one, by what it is."""

    case_id: str
    items: list[AlikeItem]


class CategoryFound(Model):
    """A line of the responsibility list. `because`: where the words were found; the higher the score, the better."""

    category: str
    department: str
    department_zh: str
    department_en: str
    urgency: str
    legal_basis: str
    score: int
    because: list[str]


class Categories(Model):
    """The lines that fit, the best first. What fits none is reported all the same, and goes to `otherwise`."""

    items: list[CategoryFound]
    otherwise: str


class OperatorView(Model):
    """Whoever may do something about what is stuck, as the token says it."""

    subject: str
    role: Role


class DifferenceView(Model):
    """One person's benefit of a month that is not as it should be: what stands on each side, what is the matter, in words."""

    entitlement: str
    kinds: tuple[DifferenceKind, ...]
    words: list[str]
    case_ids: tuple[str, ...]
    payment_keys: tuple[str, ...]
    bank_references: tuple[str, ...]
    ours_fen: int
    bank_fen: int


class ReconciliationView(Model):
    """A month reconciled: payments and money that stand in our books and in the bank's, and each difference."""

    as_of: TownDatetime
    month: str
    ours: int
    ours_fen: int
    bank: int
    bank_fen: int
    even: bool
    differences: list[DifferenceView]
    recoveries: Recoveries
    repayments: tuple[StatedRepayment, ...]
    by_hand: int = 0
    by_hand_fen: int = 0
    by_hand_not_proved_fen: int = 0
