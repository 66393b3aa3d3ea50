"""The rules of welfare as pure functions: who is checked by whom, what is missing, who gets how much, and when it is paid.

Amounts come with their arithmetic, as the ledger keeps it: whoever reads the entry can reckon it again.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta

from schemas.clocks.calendar import DAY, Calendar, midnight
from schemas.clocks.limits import Limit, Unit
from schemas.kernel.screen_words import fact_name
from schemas.values.identity_number import age_in
from schemas.values.model import Model
from schemas.values.money import yuan
from schemas.values.refusals import say
from schemas.welfare_policy import AmountRule, Band, Benefit, ByAge, ByDisability, Check, Fact, PerHead, Shortfall, When

Papers = Mapping[str, object]
"""Kinds of documents that have been handed in."""

_MINUTE = timedelta(minutes=1)


class Circumstances(Model):
    """What decides of a household. `income_found_fen` is what registers know; the higher of it and the stated counts."""

    birth: str
    disability_level: int | None
    household_size: int
    monthly_income_fen: int
    income_found_fen: int = 0

    @property
    def income_fen(self) -> int:
        """The income that counts."""
        return max(self.monthly_income_fen, self.income_found_fen)


class Assessment(Model):
    """An amount a month (or once), and how it was reckoned: whole numbers by name."""

    amount_fen: int
    arithmetic: dict[str, int | str]


class Obstacle(Model):
    """Why a benefit cannot be granted: a code, and the two numbers that do not fit."""

    code: str
    found: int
    allowed: int

    @property
    def words(self) -> str:
        """For people: what was found, and what the rule says; money in yuan."""
        fact = self.code.rpartition(":")[2]
        name = fact_name(fact)
        found, allowed = (yuan(each) if fact.endswith("_fen") else str(each) for each in (self.found, self.allowed))
        unit = ("元", " yuan") if fact.endswith("_fen") else ("", "")
        return say(
            f"不符合条件:{name.zh}为{found}{unit[0]},标准{allowed}{unit[0]}",
            f"does not qualify: {self.code} is {found}{unit[1]}, the rule says {allowed}{unit[1]}",
        )


# ---- documents and checks ---------------------------------------------------------------------------------------------


def missing_documents(benefit: Benefit, papers: Papers, also: Iterable[str] = ()) -> tuple[str, ...]:
    """The kinds of documents that are still to be handed in; `also` were asked for beyond the policy."""
    return tuple(kind for kind in dict.fromkeys((*benefit.documents, *also)) if kind not in papers)


def needed_checks(benefit: Benefit, household: Circumstances, month: str) -> tuple[Check, ...]:
    """The checks this household needs, in the order of the policy."""
    age = age_in(household.birth, month)
    return tuple(check for check in benefit.checks if _applies(check.when, age, household.disability_level))


def _applies(when: When, age: int, disability_level: int | None) -> bool:
    old_enough = when.older_than is None or age > when.older_than
    as_disabled = when.disabled is None or when.disabled == (disability_level is not None)
    return old_enough and as_disabled


def touched_checks(checks: Iterable[Check], changed: Iterable[Fact]) -> tuple[Check, ...]:
    """The checks whose answer depends on what was changed; all others keep theirs."""
    told = frozenset(changed)
    return tuple(check for check in checks if told & frozenset(check.inputs))


# ---- amounts ----------------------------------------------------------------------------------------------------------


def assess(benefit: Benefit, household: Circumstances, month: str) -> Assessment:
    """What the household gets in a month, by the rule of the benefit; never less than nothing."""
    rule = benefit.amount
    match rule:
        case Shortfall():
            return _shortfall(rule, household)
        case PerHead():
            heads = household.household_size
            amount = rule.each_fen * heads
            return Assessment(
                amount_fen=amount, arithmetic={"rule": rule.rule, "each_fen": rule.each_fen, "heads": heads}
            )
        case ByAge():
            return _banded(rule.rule, "age", age_in(household.birth, month), _reached(rule.bands, household, month))
        case ByDisability():
            level = household.disability_level or 0
            band = next((band for band in rule.bands if band.at == level), None)
            return _banded(rule.rule, "level", level, band)


def _shortfall(rule: Shortfall, household: Circumstances) -> Assessment:
    heads = household.household_size
    per_head = household.income_fen // heads  # the odd fen is left to the household
    amount = max(0, rule.standard_fen - per_head) * heads
    return Assessment(
        amount_fen=amount,
        arithmetic={
            "rule": rule.rule,
            "standard_fen": rule.standard_fen,
            "stated_income_fen": household.monthly_income_fen,
            "found_income_fen": household.income_found_fen,
            "income_per_head_fen": per_head,
            "heads": heads,
        },
    )


def _reached(bands: tuple[Band, ...], household: Circumstances, month: str) -> Band | None:
    age = age_in(household.birth, month)
    return next((band for band in reversed(bands) if band.at <= age), None)


def _banded(rule: str, by: str, value: int, band: Band | None) -> Assessment:
    amount = band.amount_fen if band else 0
    arithmetic: dict[str, int | str] = {"rule": rule, by: value}
    if band is not None:
        arithmetic["band"] = band.at
    return Assessment(amount_fen=amount, arithmetic=arithmetic)


def advance_of(benefit: Benefit, household: Circumstances) -> Assessment:
    """What urgent aid pays at once, before anything is checked: stated heads lift it no higher than the policy's ceiling."""
    heads = household.household_size
    by_heads, ceiling = benefit.pay_first_fen * heads, benefit.pay_first_at_most_fen
    arithmetic: dict[str, int | str] = {"rule": "pay_first", "each_fen": benefit.pay_first_fen, "heads": heads}
    if ceiling is None:
        return Assessment(amount_fen=by_heads, arithmetic=arithmetic)
    return Assessment(amount_fen=min(by_heads, ceiling), arithmetic=arithmetic | {"ceiling_fen": ceiling})


def with_stated(household: Circumstances, stated: Mapping[str, int]) -> Circumstances:
    """The household with some facts as somebody states them; what registers know stays."""
    return household.model_copy(update=dict(stated))


def raises(benefit: Benefit, household: Circumstances, stated: Mapping[str, int], month: str, granted_fen: int) -> bool:
    """Whether stated facts, together or one of them alone, would pay more: than is paid now, or than the statements so far.

    One alone: more heads beside more income come to nothing, and would count unseen for whoever states less income later.
    The statements so far, without any register: so that what a register outweighs today does not count unseen on the day
    when the register forgets.
    """
    each_alone = ({fact: value} for fact, value in stated.items())
    return any(_pays_more(benefit, household, each, month, granted_fen) for each in (stated, *each_alone))


def _pays_more(
    benefit: Benefit, household: Circumstances, stated: Mapping[str, int], month: str, granted_fen: int
) -> bool:
    asked = with_stated(household, stated)
    if assess(benefit, asked, month).amount_fen > granted_fen:
        return True
    before, after = (each.model_copy(update={"income_found_fen": 0}) for each in (household, asked))
    return assess(benefit, after, month).amount_fen > assess(benefit, before, month).amount_fen


def underpaid(benefit: Benefit, household: Circumstances, paid: Mapping[str, int], since: str) -> dict[str, int]:
    """What was paid too little, by month, from a month on; months that were not paid at all are left out."""
    due = {month: assess(benefit, household, month).amount_fen for month in sorted(paid) if month >= since}
    return {month: fen - paid[month] for month, fen in due.items() if fen > paid[month]}


def obstacles(
    benefit: Benefit, household: Circumstances, found: Mapping[str, Mapping[str, int]], month: str
) -> tuple[Obstacle, ...]:
    """Everything that stands against granting; `found` are the facts that each source told."""
    against = [
        obstacle
        for check in needed_checks(benefit, household, month)
        for obstacle in _told_against(check, household, found.get(check.source, {}))
    ]
    if not assess(benefit, household, month).amount_fen:
        against.append(_nothing_due(benefit.amount, household, month))
    return tuple(against)


def _told_against(check: Check, household: Circumstances, told: Mapping[str, int]) -> Iterator[Obstacle]:
    for fact, most in sorted(check.most.items()):
        if told.get(fact, 0) > most:
            yield Obstacle(code=f"{check.source}:{fact}", found=told[fact], allowed=most)
    if check.confirms is not None and check.confirms in told:
        stated = getattr(household, check.confirms) or 0
        if told[check.confirms] != stated:
            yield Obstacle(code=f"{check.source}:{check.confirms}", found=told[check.confirms], allowed=stated)


def _nothing_due(rule: AmountRule, household: Circumstances, month: str) -> Obstacle:
    match rule:
        case Shortfall():
            per_head = household.income_fen // household.household_size
            return Obstacle(code="income_per_head_fen", found=per_head, allowed=rule.standard_fen)
        case ByAge():
            return Obstacle(code="age", found=age_in(household.birth, month), allowed=rule.bands[0].at)
        case _:
            return Obstacle(code=rule.rule, found=household.disability_level or 0, allowed=0)


def income_found(benefit: Benefit, found: Mapping[str, Mapping[str, int]]) -> int:
    """The monthly income that registers know of: the highest that one of them knows, since several know the same wage."""
    told = [
        sum(found.get(check.source, {}).get(fact, 0) for fact in check.income)
        for check in benefit.checks
        if check.income
    ]
    return max(told, default=0)


def overpaid(paid: Mapping[str, int], since: str, due_fen: int) -> dict[str, int]:
    """What was paid too much, by month, when from a month on only so much was due; months paid right are left out."""
    return {month: fen - due_fen for month, fen in sorted(paid.items()) if month >= since and fen > due_fen}


# ---- months and pay days ----------------------------------------------------------------------------------------------


def pay_time(month: str, on: int, by: int, calendar: Calendar) -> datetime:
    """When the month is paid, 09:00 of a day: the first working day from `on`, or the last one up to `by` if none is left."""
    first, last = (date(int(month[:4]), int(month[5:]), day) for day in (on, by))
    days = [first + DAY * number for number in range((last - first).days + 1)]
    earlier = [first - DAY * number for number in range(1, first.day)]
    worked = [day for day in (*days, *earlier) if calendar.is_working_day(day)]
    return midnight(worked[0] if worked else first) + timedelta(hours=9)


def pay_deadline(month: str, by: int) -> datetime:
    """24:00 of the day by which the month is to be paid."""
    return midnight(date(int(month[:4]), int(month[5:]), by) + DAY)


def until(now: datetime, moment: datetime) -> Limit:
    """The way to a moment as a limit in minutes, rounded up: at least one."""
    return Limit(amount=max(1, -(-(moment - now) // _MINUTE)), unit=Unit.MINUTES)
