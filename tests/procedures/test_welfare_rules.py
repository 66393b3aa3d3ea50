"""The rules of welfare, without a town: who is checked, what is missing, who gets how much, on which day, under which name."""

from datetime import date, datetime
from pathlib import Path

import pytest

from engine.policies.office_hours import load_town_calendar
from engine.policies.policies import load_policy
from engine.policies.source_policy import load_sources
from engine.runtime.settings import PROJECT
from schemas.clocks.calendar import SHANGHAI
from schemas.clocks.months import month_before, months_back, next_month
from schemas.values.identity_number import age_in, birth_month, is_identity_number
from schemas.values.person_views import masked_name
from schemas.welfare import WELFARE
from schemas.welfare_policy import Fact, WelfarePolicy
from schemas.welfare_rules import (
    Circumstances,
    advance_of,
    assess,
    income_found,
    missing_documents,
    needed_checks,
    obstacles,
    overpaid,
    pay_deadline,
    pay_time,
    raises,
    touched_checks,
    underpaid,
    until,
)
from tests.examples.welfare import identity_number

POLICIES = PROJECT / "policies"
TODAY = date(2026, 11, 22)
MONTH = "2026-11"


def policy() -> WelfarePolicy:
    loaded = load_policy(WELFARE, POLICIES, ("civil-affairs",))
    assert isinstance(loaded, WelfarePolicy)
    return loaded


def household(**facts: object) -> Circumstances:
    plain = {"birth": "1980-01", "disability_level": None, "household_size": 1, "monthly_income_fen": 0}
    return Circumstances.model_validate(plain | facts)


def found_nothing(benefit: str) -> dict[str, dict[str, int]]:
    return {check.source: {} for check in policy().benefits[benefit].checks}


# ---- identity numbers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "fits"),
    [
        (identity_number("19400615"), True),
        ("11010519491231002X", True),  # the example of GB 11643
        ("11010519491231002x", False),  # tidied before
        ("110105194912310021", False),
        (identity_number("19400231"), False),
        (identity_number("20261123"), False),  # not born yet
        (identity_number("18991231"), False),
        ("440524188001010014"[:17], False),
        ("320104********1234", False),
        ("", False),
    ],
)
def test_an_identity_number_has_its_form_its_day_and_its_check_character(number: str, *, fits: bool) -> None:
    """GB 11643: 17 digits and a check character, a day of birth that has been."""
    assert fits is is_identity_number(number, TODAY)


def test_an_age_is_reached_in_the_month_of_the_birthday() -> None:
    """By the month of birth the age is known in every later month."""
    born = birth_month(identity_number("19461130"))

    assert [age_in(born, month) for month in ("2026-10", "2026-11", "2036-12")] == [79, 80, 90]


# ---- amounts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "stated", "found", "amount"),
    [
        (1, 0, 0, 99500),
        (2, 100000, 0, (99500 - 50000) * 2),
        (3, 100000, 0, (99500 - 33333) * 3),  # the odd fen is left to the household
        (2, 100000, 150000, (99500 - 75000) * 2),  # what a register knows counts, when it is more
        (2, 150000, 100000, (99500 - 75000) * 2),
        (1, 99500, 0, 0),
        (1, 99499, 0, 1),
        (1, 500000, 0, 0),
    ],
)
def test_the_shortfall_is_standard_less_income_per_head_for_each_head(
    size: int, stated: int, found: int, amount: int
) -> None:
    """低保: (standard - income per head) x heads, never less than nothing; the arithmetic can be reckoned again."""
    people = household(household_size=size, monthly_income_fen=stated, income_found_fen=found)
    assessed = assess(policy().benefits["subsistence-allowance"], people, MONTH)
    said = assessed.arithmetic

    assert amount == assessed.amount_fen
    assert max(0, int(said["standard_fen"]) - int(said["income_per_head_fen"])) * int(said["heads"]) == amount


@pytest.mark.parametrize(
    ("birth", "amount"), [("1946-12", 0), ("1946-11", 5000), ("1936-11", 10000), ("1920-01", 30000)]
)
def test_an_allowance_by_age_is_that_of_the_highest_band_reached(birth: str, amount: int) -> None:
    """高龄津贴: nothing before eighty; more at ninety and at a hundred."""
    assert amount == assess(policy().benefits["old-age-allowance"], household(birth=birth), MONTH).amount_fen


@pytest.mark.parametrize(("level", "amount"), [(None, 0), (1, 20000), (2, 15000), (4, 8000)])
def test_an_allowance_by_disability_is_that_of_the_level(level: int | None, amount: int) -> None:
    """残疾人补贴: by the level of the certificate; without one, nothing."""
    people = household(disability_level=level)

    assert amount == assess(policy().benefits["disability-allowance"], people, MONTH).amount_fen


def test_urgent_aid_pays_first_for_each_head() -> None:
    """临时救助: the advance and the whole both count heads; other benefits have no advance."""
    benefits = policy().benefits
    people = household(household_size=3)

    assert advance_of(benefits["temporary-aid"], people).amount_fen == 150000
    assert assess(benefits["temporary-aid"], people, MONTH).amount_fen == 300000
    assert advance_of(benefits["subsistence-allowance"], people).amount_fen == 0


def test_the_income_found_is_the_highest_that_one_register_knows() -> None:
    """Tax and social insurance know the same wage: it does not count twice; wage and pension of one register add up."""
    told = {
        "tax": {"monthly_income_fen": 40000},
        "social-insurance": {"monthly_wage_fen": 30000, "monthly_pension_fen": 15000},
    }

    assert income_found(policy().benefits["subsistence-allowance"], told) == 45000


def test_what_was_paid_too_much_is_known_by_month() -> None:
    """From a month on so much was due: the rest of each later month is asked back, nothing of the others."""
    paid = {"2026-05": 50000, "2026-06": 50000, "2026-07": 20000}

    assert overpaid(paid, "2026-06", 20000) == {"2026-06": 30000}
    assert overpaid(paid, "2026-06", 0) == {"2026-06": 50000, "2026-07": 20000}


# ---- who qualifies ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "told", "codes"),
    [
        ({}, {}, []),
        ({}, {"vehicles": {"vehicles": 1}}, ["vehicles:vehicles"]),
        ({}, {"property": {"properties": 1}}, []),
        (
            {},
            {"property": {"properties": 2}, "vehicles": {"vehicles": 1}},
            ["property:properties", "vehicles:vehicles"],
        ),
        ({"monthly_income_fen": 99500}, {}, ["income_per_head_fen"]),
        (
            {"disability_level": 2},
            {"disabled-federation": {"disability_level": 3}},
            ["disabled-federation:disability_level"],
        ),
        ({"disability_level": 2}, {"disabled-federation": {"disability_level": 2}}, []),
        ({"birth": "1950-01"}, {"civil-affairs": {"death_registered": 1}}, ["civil-affairs:death_registered"]),
    ],
)
def test_everything_that_stands_against_a_grant_is_named(
    facts: dict[str, object], told: dict[str, dict[str, int]], codes: list[str]
) -> None:
    """Limits of the registers, facts they do not confirm, and an income that is no need: each by its code."""
    benefit = policy().benefits["subsistence-allowance"]

    assert [each.code for each in obstacles(benefit, household(**facts), told, MONTH)] == codes


# ---- checks and documents ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("birth", "level", "more"),
    [
        ("1980-01", None, []),
        ("1966-11", None, []),  # sixty is not older than sixty
        ("1965-11", None, ["civil-affairs"]),
        ("1980-01", 1, ["disabled-federation"]),
        ("1940-01", 4, ["civil-affairs", "disabled-federation"]),
    ],
)
def test_civil_affairs_is_asked_about_the_old_and_the_federation_about_the_disabled(
    birth: str, level: int | None, more: list[str]
) -> None:
    """Seed: older than 60 by civil affairs, disability by its federation; the means sources are asked about everybody."""
    needed = needed_checks(
        policy().benefits["subsistence-allowance"], household(birth=birth, disability_level=level), MONTH
    )

    assert [check.source for check in needed] == [
        "tax",
        "social-insurance",
        "property",
        "vehicles",
        "bank-balance",
        *more,
    ]


@pytest.mark.parametrize(
    ("changed", "again"),
    [
        ([Fact.INCOME], ["tax", "social-insurance"]),
        ([Fact.DISABILITY], ["disabled-federation"]),
        ([Fact.HOUSEHOLD], ["tax", "social-insurance", "property", "vehicles", "bank-balance"]),
        ([], []),
    ],
)
def test_a_changed_answer_touches_only_the_checks_that_depend_on_it(changed: list[Fact], again: list[str]) -> None:
    """What did not change keeps the answers that were given."""
    checks = policy().benefits["subsistence-allowance"].checks

    assert [check.source for check in touched_checks(checks, changed)] == again


def test_missing_documents_are_those_of_the_policy_and_what_was_asked_for() -> None:
    """Three instead of ten; a document that was handed in is not asked for again."""
    benefit = policy().benefits["subsistence-allowance"]

    assert missing_documents(benefit, {}) == ("identity-card", "household-register", "income-statement")
    assert missing_documents(benefit, {"identity-card": 1, "income-statement": 1}, ["proof-of-hardship"]) == (
        "household-register", "proof-of-hardship",
    )  # fmt: skip


# ---- days -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("month", "day"),
    [
        ("2026-03", "2026-03-05"),
        ("2026-04", "2026-04-07"),  # the 5th is a Sunday, the 6th the holiday of 清明
        ("2026-09", "2026-09-07"),  # a Saturday
        ("2026-10", "2026-10-08"),  # the 5th to the 7th lie in National Day
    ],
)
def test_the_pay_day_is_the_first_working_day_from_the_fifth(month: str, day: str) -> None:
    """每月10日前: also where a holiday lies in between."""
    when = pay_time(month, 5, 10, load_town_calendar(POLICIES))

    assert f"{when:%Y-%m-%d %H:%M}" == f"{day} 09:00"
    assert when < pay_deadline(month, 10)


def test_months_follow_each_other_over_the_year() -> None:
    """December is followed by January, and the other way round."""
    assert [next_month("2026-12"), next_month("2026-01")] == ["2027-01", "2026-02"]
    assert [month_before("2027-01"), month_before("2026-12")] == ["2026-12", "2026-11"]


def test_the_way_to_a_moment_is_never_too_short() -> None:
    """A pay day is not begun a second early: the minutes are rounded up."""
    now = datetime(2026, 3, 1, 8, 0, 30, tzinfo=SHANGHAI)

    assert until(now, datetime(2026, 3, 1, 9, 0, tzinfo=SHANGHAI)).amount == 60
    assert until(now, datetime(2026, 2, 1, tzinfo=SHANGHAI)).amount == 1


# ---- publicity and policy ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "shown"), [("张三", "张*"), ("欧阳修远", "欧*"), (" 李 ", "李*"), ("", "*")])
def test_a_posted_name_tells_neither_who_nor_how_long(name: str, shown: str) -> None:
    """张*: the first character and one star."""
    assert shown == masked_name(name)


def test_a_policy_that_nobody_could_work_with_is_refused_whole() -> None:
    """Every fault at once: kinds of documents that are not there, sources named twice, bands out of order, no law."""
    plain = policy().model_dump(mode="json")
    aid, allowance = plain["benefits"]["temporary-aid"], plain["benefits"]["old-age-allowance"]
    aid["documents"] = ["letter"]
    aid["checks"] *= 2
    aid["legal_basis"] = " "
    allowance["amount"]["bands"].reverse()
    plain["terms"]["pay_by"] = 3
    told = list(WelfarePolicy.model_validate(plain).faults())

    assert [fault.partition(":")[0] for fault in told] == [
        "terms.pay_by", "benefits.old-age-allowance.amount.bands", "benefits.temporary-aid.legal_basis",
        "benefits.temporary-aid.documents", "benefits.temporary-aid.checks", "benefits.temporary-aid.checks",
    ]  # fmt: skip


def test_every_source_of_a_benefit_is_one_of_the_town() -> None:
    """policies/welfare.yaml names only sources, and facts, that policies/sources.yaml has."""
    sources = {each.code: set(each.facts) for each in load_sources(Path(POLICIES / "sources.yaml"), None).sources}
    for benefit in policy().benefits.values():
        for check in benefit.checks:
            named = {*check.most, *check.income, *([check.confirms] if check.confirms else [])}
            assert named <= sources[check.source], check


# ---- what raises ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("benefit", "known", "stated", "raised"),
    [
        ("subsistence-allowance", {"monthly_income_fen": 60_000}, {"monthly_income_fen": 50_000}, True),
        ("subsistence-allowance", {"monthly_income_fen": 60_000}, {"monthly_income_fen": 60_000}, False),
        ("subsistence-allowance", {"monthly_income_fen": 60_000}, {"monthly_income_fen": 70_000}, False),
        ("subsistence-allowance", {"monthly_income_fen": 60_000}, {"household_size": 2}, True),
        ("subsistence-allowance", {"household_size": 3}, {"household_size": 2}, False),
        # A register knows of more today: nothing is paid more yet, and would be on the day when it forgets.
        ("subsistence-allowance", {"monthly_income_fen": 60_000, "income_found_fen": 80_000}, {"monthly_income_fen": 0}, True),
        ("old-age-allowance", {"birth": "1940-01"}, {"household_size": 9, "monthly_income_fen": 0}, False),
        ("destitute-support", {}, {"household_size": 2}, True),
    ],
)  # fmt: skip
def test_what_would_pay_more_is_known_before_it_counts(
    benefit: str,
    known: dict[str, object],
    stated: dict[str, int],
    raised: bool,  # noqa: FBT001
) -> None:
    """A statement raises when it would pay more now, or than the statements before it would without any register."""
    rules, before = policy().benefits[benefit], household(**known)
    assert raises(rules, before, stated, MONTH, assess(rules, before, MONTH).amount_fen) is raised


def test_an_advance_has_a_ceiling_that_one_person_may_grant() -> None:
    """Stated heads lift an advance up to the policy's ceiling, which is below the amount of a second signature."""
    rules = policy().benefits["temporary-aid"]
    advances = [advance_of(rules, household(household_size=heads)).amount_fen for heads in (1, 3, 4, 5, 20)]

    assert advances == [50_000, 150_000, 200_000, 200_000, 200_000]
    assert max(advances) <= rules.second_signature_above_fen


@pytest.mark.parametrize(
    ("at_most", "fault"),
    [(None, "pay_first_at_most_fen: is missing"), (500_001, "is above second_signature_above_fen")],
)
def test_a_policy_without_that_ceiling_is_a_fault(at_most: int | None, fault: str) -> None:
    """Urgent aid without a ceiling, or with one that takes two signatures, is named with its place."""
    rules = policy()
    aid = rules.benefits["temporary-aid"].model_copy(update={"pay_first_at_most_fen": at_most})
    faults = list(rules.model_copy(update={"benefits": {"temporary-aid": aid}}).faults())

    assert [each for each in faults if fault in each and each.startswith("benefits.temporary-aid.")]


def test_arrears_are_what_was_paid_too_little_since_a_month() -> None:
    """Month by month, of those that were paid; those before, and those not paid at all, are left out."""
    rules = policy().benefits["destitute-support"]
    paid = {"2026-08": 129_400, "2026-09": 129_400, "2026-11": 258_800}

    assert underpaid(rules, household(household_size=2), paid, "2026-09") == {"2026-09": 129_400}
    assert months_back("2026-02", 3) == "2025-11"
