"""policies/welfare.yaml as data: the town's terms for welfare, and each benefit with its documents, checks and amounts.

A benefit is nothing but its entry: no benefit has code of its own.
"""

from collections.abc import Container, Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from schemas.clocks.clock_schedule import BREACH, tier_name
from schemas.clocks.clocks import Limit, Tier, Unit
from schemas.contracts.department import Code
from schemas.contracts.department_policy import Name
from schemas.contracts.means import FactName
from schemas.kernel.policy import NOT_A_DEPARTMENT, Duty, OnCall
from schemas.parts.documents import NamesDocuments
from schemas.values.identity_document import DocumentKind
from schemas.values.model import Model
from schemas.values.tidy_text import is_blank

Money = Annotated[int, Field(strict=True, ge=0, le=10**10)]
"""Whole fen."""


class Fact(StrEnum):
    """What an application says that may be put right later; a check names those that its answer depends on."""

    HOUSEHOLD = "household_size"
    INCOME = "monthly_income_fen"
    DISABILITY = "disability_level"


class When(Model):
    """For whom a check is made; all that is said must hold. Nothing said: for everybody."""

    older_than: int | None = Field(default=None, ge=0, le=120)
    disabled: bool | None = None


class Check(Model):
    """One source that is asked, by its code in policies/sources.yaml.

    `inputs`: the stated facts its answer depends on. `most`: the facts of its answer that must not be higher. `income`: those
    that are income together. `confirms`: the stated fact that must be as the source knows it.
    """

    source: Code
    when: When = When()
    inputs: tuple[Fact, ...] = ()
    most: dict[FactName, int] = {}
    income: tuple[FactName, ...] = ()
    confirms: Fact | None = None


class Shortfall(Model):
    """差额: standard less income per head, for each head."""

    rule: Literal["shortfall"]
    standard_fen: Money


class PerHead(Model):
    """按人: so much for each head of the household."""

    rule: Literal["per_head"]
    each_fen: Money


class Band(Model):
    """From this age, or at this level, so much."""

    at: int = Field(ge=0, le=200)
    amount_fen: Money


class ByAge(Model):
    """按年龄: the highest band that the age has reached; below the lowest, nothing."""

    rule: Literal["by_age"]
    bands: tuple[Band, ...] = Field(min_length=1)


class ByDisability(Model):
    """按残疾等级: what the level gets; a level without a band, nothing."""

    rule: Literal["by_disability"]
    bands: tuple[Band, ...] = Field(min_length=1)


AmountRule = Annotated[Shortfall | PerHead | ByAge | ByDisability, Field(discriminator="rule")]


class Cadence(StrEnum):
    """How often a benefit is paid."""

    MONTHLY = "monthly"
    ONCE = "once"


class Benefit(Model):
    """One benefit 救助项目. `visits`: how many different people visit the household.

    `applicant_documents`: with which documents, besides the identity number of a citizen, somebody may apply for it.
    `publicity` None: not posted. `pay_first_fen`: urgent aid, so much for each head is paid at acceptance and everything
    else is looked at afterwards; altogether no more than `pay_first_at_most_fen`, however many heads were stated. What is
    above that is paid after confirmation. `not_with`: benefits that nobody has beside this one; the same one never twice,
    without being named.
    """

    name: Name
    legal_basis: str
    documents: tuple[Code, ...] = ()
    checks: tuple[Check, ...] = ()
    visits: int = Field(default=0, ge=0, le=2)
    publicity: Limit | None = None
    amount: AmountRule
    second_signature_above_fen: Money
    cadence: Cadence = Cadence.MONTHLY
    reassess: Limit
    reassess_unstable: Limit
    pay_first_fen: Money = 0
    pay_first_at_most_fen: Money | None = None
    not_with: tuple[Code, ...] = ()
    applicant_documents: tuple[DocumentKind, ...] = ()

    @property
    def documents_of_applicants(self) -> frozenset[DocumentKind]:
        """By what an applicant may be known."""
        return frozenset({DocumentKind.IDENTITY_NUMBER, *self.applicant_documents})

    def faults(self, documents: Container[str], others: Container[str]) -> Iterator[str]:
        """Say what is wrong with it, place first; `documents` are the kinds that there are, `others` the other benefits."""
        if is_blank(self.legal_basis):
            yield ".legal_basis: is blank; name the law"
        for kind in self.documents:
            if kind not in documents:
                yield f".documents: {kind!r} is no kind of documents; add it there"
        for other in self.not_with:
            if other not in others:
                yield f".not_with: {other!r} is no other benefit; leave it out"
        sources = [check.source for check in self.checks]
        for source in dict.fromkeys(source for source in sources if sources.count(source) > 1):
            yield f".checks: {source!r} stands twice; keep one"
        if isinstance(self.amount, ByAge | ByDisability):
            steps = [band.at for band in self.amount.bands]
            if steps != sorted(set(steps)):
                yield ".amount.bands: are not in rising order; sort them"
        yield from self._advance_faults()

    def _advance_faults(self) -> Iterator[str]:
        if self.pay_first_fen and self.pay_first_at_most_fen is None:
            yield ".pay_first_at_most_fen: is missing; write how much is paid before anything is checked"
        if (self.pay_first_at_most_fen or 0) > self.second_signature_above_fen:
            yield (
                f".pay_first_at_most_fen: is above second_signature_above_fen ({self.second_signature_above_fen}),"
                " which nobody pays on one signature; write no more"
            )


_THREE_DAYS = Limit(amount=3, unit=Unit.WORKING_DAYS)


class WelfareTerms(Model):
    """The town's rules for all benefits; policies/welfare.yaml says what each is.

    `authority`: the department that answers for welfare. `alive_by`: the source that is asked before every monthly payment
    whether a death is registered; none: nobody is. `review_change`, `confirm_change`: who decides on a change that would pay
    more; `arrears_months_at_most`: how many months back such a change is paid. `confirm_account`, `tell_payee`: who confirms
    another account, and who tells a payee without an account of it. `confirm_repayment`: who confirms that money came back.
    `confirm_settlement`, `confirm_end`: who confirms that it was paid by hand, and that a reported end is so.
    `postings_at_most`: how often a case is posted, however often somebody objects. `identify`: until a second person has seen
    the card of an applicant whose account nobody vouches for. `consent`: until adults of an entitlement from before have
    consented. `none_yet_below_age`: only children below it are named without a document.
    """

    authority: str
    accept: Limit
    correct: Limit
    check: Limit
    ask_again: Limit
    asks_at_most: int = Field(ge=1)
    survey: Limit
    review: Limit
    investigate: Limit
    confirm: Limit
    countersign: Limit
    whole: Limit
    extension_working_days_at_most: int = Field(ge=0)
    refusal_notice: Limit
    appeal: Limit
    decide_appeal: Limit
    pay_first: Limit
    pay_on: int = Field(ge=1, le=28)
    pay_by: int = Field(ge=1, le=28)
    pay_once: Limit
    pay_again: Limit
    pay_attempts_at_most: int = Field(ge=1, le=20)
    alive_by: Code | None = None
    suspended_at_most: Limit
    repay: Limit
    review_change: Limit = Limit(amount=5, unit=Unit.WORKING_DAYS)
    confirm_change: Limit = Limit(amount=10, unit=Unit.WORKING_DAYS)
    arrears_months_at_most: int = Field(default=12, ge=0, le=120)
    confirm_account: Limit = _THREE_DAYS
    tell_payee: Limit = _THREE_DAYS
    confirm_repayment: Limit = _THREE_DAYS
    confirm_settlement: Limit = _THREE_DAYS
    confirm_end: Limit = _THREE_DAYS
    identify: Limit = _THREE_DAYS
    consent: Limit = Limit(amount=20, unit=Unit.WORKING_DAYS)
    none_yet_below_age: int = Field(default=6, ge=1, le=18)
    postings_at_most: int = Field(default=2, ge=1, le=10)
    unresolved_after: Limit
    tiers: tuple[Tier, ...]
    documents_at_most: int = Field(ge=1)
    reminders_a_day: int = Field(default=1, ge=0)
    household_at_most: int = Field(ge=1, le=20)

    @property
    def last_tier(self) -> str:
        """The moment of a clock after which nobody else is left to be told."""
        later = sum(tier.after.amount > 0 for tier in self.tiers)
        return tier_name(later) if later else BREACH


class WelfarePolicy(NamesDocuments):
    """policies/welfare.yaml. `documents` are the kinds of documents and what they are called."""

    terms: WelfareTerms
    WINDOWS = frozenset({"appeal", "ask_again", "pay_again", "publicity", "suspended_at_most", "unresolved_after"})

    benefits: dict[Code, Benefit] = Field(min_length=1)

    def names(self) -> Mapping[str, Name]:
        """Kinds of documents, and benefits."""
        return {**self.documents, **{code: benefit.name for code, benefit in self.benefits.items()}}

    def duties(self) -> Iterator[Duty]:
        """Every limit that somebody has to keep."""
        for name, limit in self.terms:
            if isinstance(limit, Limit) and name not in self.WINDOWS:
                on_call = OnCall.DUTY_LEADER if name == "pay_first" else OnCall.NOBODY
                yield Duty(f"terms.{name}", limit, self.terms.tiers, on_call)
        for code, benefit in self.benefits.items():
            for name in ("reassess", "reassess_unstable"):
                yield Duty(f"benefits.{code}.{name}", getattr(benefit, name), self.terms.tiers)

    def faults(self) -> Iterator[str]:
        """Say what the benefits name that is not there, and which amounts nobody could get."""
        yield from super().faults()
        if self.terms.authority not in self.departments:
            yield f"terms.authority: {self.terms.authority!r} {NOT_A_DEPARTMENT}"
        if self.terms.pay_by < self.terms.pay_on:
            yield f"terms.pay_by: is before pay_on ({self.terms.pay_on}); write a later day"
        for code, benefit in self.benefits.items():
            others = {*self.benefits} - {code}
            yield from (f"benefits.{code}{fault}" for fault in benefit.faults(self.documents, others))

    def reserves(self, code: Code) -> tuple[str, ...]:
        """What somebody who has a benefit holds: the benefit, and each pair of it and one that excludes it.

        Two benefits exclude each other when either names the other; they share the key of their pair.
        """
        others = {other for other, benefit in self.benefits.items() if code in benefit.not_with}
        return (code, *("+".join(sorted((code, other))) for other in sorted(others | {*self.benefits[code].not_with})))
