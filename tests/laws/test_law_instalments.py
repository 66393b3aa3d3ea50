"""Laws of payments and instalments, for whoever composes them: a procedure that has never heard of welfare pays in milestones.

The bank is the desk here, which pays nothing: so every instalment is put to a person, and two people settle it by hand. What the
bank answers is tried in welfare's own tests, on the same part (tests/procedures/test_welfare_payments.py).
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from schemas.clocks.clock_schedule import Tier
from schemas.clocks.limits import Limit, Unit
from schemas.contracts.payment import entitlement_of, is_payment_key
from schemas.kernel.acts import Act, Step, WithReason, act, file_acts, step
from schemas.kernel.case import ruled_by
from schemas.kernel.declaration import DeclaredProcedure, declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.parties import CIVIL_AFFAIRS_OFFICER, REPORTER, STREET_OFFICER
from schemas.kernel.people import Part
from schemas.kernel.procedure import Procedure
from schemas.kernel.rules import Rule, RulesTable
from schemas.kernel.timers import duty, last_limit
from schemas.kernel.words import DeclaredStage
from schemas.parts.instalments import InstalmentEntries, Instalments, InstalmentsState, Milestone, instalment_timers
from schemas.parts.payments import Paying, PaymentEntries, payment_timers, payments_are_settled
from schemas.recovery_parent import Recovering, RecoveringPayer, RecoveryEntries
from schemas.recovery_state import RecoveryTerms
from schemas.values.model import Model
from tests.api_driver import Person
from tests.case_bench import CaseBench, case_bench
from tests.money_walk import faults_of_table
from tests.named_people import NamedPeople
from tests.waiting import eventually
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.parts.instalments import InstalmentsCase
from workflows.recovery_parent import Recoveries
from workflows.registry import PROCEDURES

WEEK = Limit(amount=7, unit=Unit.NATURAL_DAYS)


class Stage(DeclaredStage):
    """Where a well stands that a village digs."""

    DIGGING = "digging", "施工中", "正在施工", "being dug"
    LOOKED_AT = "looked_at", "待验收", "等待验收", "looked at"
    FILLED = "filled", "待结清", "等待结清", "about to be closed"
    DUG = "dug", "已完成", "已完成", "dug"
    GIVEN_UP = "given_up", "已终止", "已终止", "given up"
    FORGOTTEN = "forgotten", "逾期", "逾期终结", "forgotten"


class Kind(InstalmentEntries, PaymentEntries, RecoveryEntries, EntryKinds, procedure="well"):
    """What its ledger says, beside its money."""

    PROMISED = entry("promised", "立项")
    DUG = entry("dug", "完成")
    GIVEN_UP = entry("given_up", "终止")
    FORGOTTEN = entry("forgotten", "逾期")


class Terms(Model):
    """The town's terms for it."""

    milestone: Limit = Limit(amount=90, unit=Unit.NATURAL_DAYS)
    verify: Limit = WEEK
    pay: Limit = WEEK
    pay_again: Limit = WEEK
    pay_attempts_at_most: int = 3
    confirm_account: Limit = WEEK
    tell_payee: Limit = WEEK
    confirm_settlement: Limit = WEEK
    repay: Limit = WEEK
    confirm_repayment: Limit = WEEK
    countersign: Limit = WEEK
    unresolved_after: Limit = Limit(amount=30, unit=Unit.NATURAL_DAYS)
    tiers: tuple[Tier, ...] = ()
    documents_at_most: int = 9
    reminders_a_day: int = 1


class WellState(InstalmentsState, RecoveringPayer):
    """What it remembers."""

    procedure: ClassVar[str] = "well"

    stage: str = Stage.DIGGING
    terms: Terms = Terms()


RUNNING = (Stage.DIGGING, Stage.LOOKED_AT, Stage.FILLED)
PAYING = Paying(kinds=Kind, at=RUNNING)
INSTALMENTS = Instalments(kinds=Kind, running=Stage.DIGGING, claimed=Stage.LOOKED_AT, after=(Stage.FILLED,))


def well(*lines: Act | Step | Rule, **changed: Any) -> DeclaredProcedure:
    """The procedure, with further lines."""
    said: dict[str, Any] = {
        "parent": "incident",
        "state": WellState,
        "stages": Stage,
        "entries": Kind,
        "opened": Kind.PROMISED,
        "parts": (PAYING, INSTALMENTS, Recovering(kinds=Kind)),
        "timers": {**instalment_timers(), **payment_timers(), "final": last_limit("unresolved_after")},
        "lines": (
            *INSTALMENTS.lines(),
            *PAYING.lines(),
            *lines,
            act(WithReason, "结清", name="close", meaning="it is done.", by=STREET_OFFICER, at=Stage.FILLED,
                to=Stage.DUG, when=payments_are_settled, entry=Kind.DUG),
            act(WithReason, "终止", name="give_up", meaning="it is not dug.", by=STREET_OFFICER, at=RUNNING,
                to=Stage.GIVEN_UP, entry=Kind.GIVEN_UP),
            step("expire", "逾期", at=RUNNING, to=Stage.FORGOTTEN, entry=Kind.FORGOTTEN, clock="final"),
            *file_acts(Kind, by=(REPORTER,), at=RUNNING, urged_by=(REPORTER,)),
        ),
    }  # fmt: skip
    return declare("well", "打井", **said | changed)


@procedure_workflow
class Well(InstalmentsCase[WellState], Recoveries[WellState]):
    """A village digs a well in two parts."""

    procedure = well()

    def reported(self) -> dict[str, Any]:
        """What it costs."""
        return {"budget_fen": self.state.budget_fen}

    def begin(self) -> None:
        """The first part is dug."""
        self.next_milestone()

    def milestones_are_done(self) -> None:
        """The street closes it."""
        self.move(Stage.FILLED, "role:street_officer")

    def give_up(self) -> None:
        """What was paid comes back."""
        self.apply()
        self.recover("given_up", self.state.paid_fen())


PEOPLE = {
    "digger": Person("resident:digger", "resident"),
    "clerk": Person("staff:clerk", "window_clerk", area="320104"),
    "grid": Person("staff:grid", "grid_worker", area="320104"),
    "other_grid": Person("staff:other-grid", "grid_worker", area="320104"),
    "entered": Person("staff:entered", "grid_worker", area="320104"),
    "street": Person("staff:street", "street_officer", area="320104"),
    "civil": Person("staff:civil", "civil_affairs_officer", area="320104"),
}
PAPER = {"reference": f"document:{'0' * 26}", "sha256": "0" * 64, "size_bytes": 9, "media_type": "image/png"}
CLAIM = {"result": "井深十米", "documents": [PAPER]}
BY_HAND = {"how": "paid_otherwise", "reason": "银行未开通", "voucher": "CZ-1"}
ACCOUNT = {"account": "6222020200000000000"}
REASON = {"reason": "结清"}


def passed(number: int, *, well_done: bool = True) -> dict[str, Any]:
    """The word on a claim that was looked at."""
    return {"request": number, "passed": well_done, "finding": "已查看"}


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CaseBench]:
    """A bench that knows this procedure too."""
    async with case_bench(tmp_path_factory.mktemp("wells"), sandbox=False, cases=(*PROCEDURES, Well)) as opened:
        yield opened


@pytest.fixture
def town(bench: CaseBench) -> NamedPeople:
    """The procedure and its people."""
    return NamedPeople(bench, Well.procedure, PEOPLE)


async def begun(town: NamedPeople) -> str:
    """A well that is being dug, in two parts."""
    return await town.open(
        "entered",
        reporter=f"person:{'0' * 26}",
        reporter_subject="resident:digger",
        account=f"text:{'0' * 26}",
        milestones=(Milestone(amount_fen=100_000), Milestone(amount_fen=50_000)),
    )


async def first_part_done(town: NamedPeople) -> str:
    """Its first part is dug, verified, and its instalment with a person, because no bank is connected."""
    case = await begun(town)
    await town.do(case, "claim_milestone", "digger", CLAIM)
    await town.do(case, "verify_milestone", "grid", passed(1))
    await eventually(lambda: "payment:with_a_person" in town.kinds(case))
    return case


async def settled_by_hand(town: NamedPeople, case: str, number: int) -> None:
    """Somebody says that it was paid by hand, and another person confirms it."""
    await town.do(case, "settle_payment", "civil", BY_HAND)
    await town.do(case, "confirm_settlement", "clerk", {"request": number})


async def test_each_milestone_is_paid_once_and_the_case_ends(town: NamedPeople, bench: CaseBench) -> None:
    """Two milestones, two instalments under keys of their own; it ends, and its chain, history and replay are in order."""
    case = await first_part_done(town)
    early = await town.refused(case, "claim_milestone", "digger", CLAIM)
    await settled_by_hand(town, case, 1)
    await town.do(case, "claim_milestone", "digger", CLAIM)
    await town.do(case, "verify_milestone", "grid", passed(2))
    await eventually(lambda: town.kinds(case).count("payment:with_a_person") == 2)
    unsettled = await town.refused(case, "close", "street", REASON)
    await settled_by_hand(town, case, 2)
    await town.do(case, "close", "street", REASON)
    await bench.until_ended(case)
    failed, paid = town.facts(case, "payment:failed"), town.facts(case, "payment:paid")

    assert (early, unsettled) == ("against-the-rules", "against-the-rules")
    assert [each["amount_fen"] for each in paid] == [100_000, 50_000]
    assert all(is_payment_key(each["key"]) for each in failed)
    assert [entitlement_of(each["entitlement"]) for each in paid] == [each["key"] for each in failed]
    assert len({each["key"] for each in failed}) == 2
    assert [each["key"].split(".")[1::2] for each in failed] == [["well-1", case], ["well-2", case]]
    assert (town.state(case).stage, town.state(case).instalments_paid_fen) == ("dug", 150_000)
    assert await bench.faults(case) == []


async def test_a_milestone_that_is_not_accepted_is_not_paid(town: NamedPeople) -> None:
    """It goes on digging, and may claim it again; nothing is paid."""
    case = await begun(town)
    await town.do(case, "claim_milestone", "digger", CLAIM)
    await town.do(case, "verify_milestone", "grid", passed(1, well_done=False))
    again = town.state(case)

    assert (again.stage, again.reached, again.payments_made) == ("digging", 0, 0)
    assert again.clocks["milestone"].status == "running"
    assert town.kinds(case)[-1] == "milestone:not_accepted"


async def test_nobody_verifies_what_is_their_own_or_what_they_claimed(town: NamedPeople) -> None:
    """Whoever claimed it, and whoever entered the case, leaves it to somebody else; and what was not looked at is not answered."""
    case = await begun(town)
    await town.do(case, "claim_milestone", "grid", CLAIM)

    assert await town.refused(case, "verify_milestone", "grid", passed(1)) == "against-the-rules"
    assert await town.refused(case, "verify_milestone", "entered", passed(1)) == "against-the-rules"
    assert await town.refused(case, "verify_milestone", "other_grid", passed(7)) == "not-what-you-saw"


async def test_paid_by_hand_is_the_word_of_two(town: NamedPeople) -> None:
    """Who says so does not confirm it; declined, it waits for a person again."""
    case = await first_part_done(town)
    await town.do(case, "settle_payment", "civil", BY_HAND)

    assert await town.refused(case, "confirm_settlement", "civil", {"request": 1}) == "against-the-rules"
    await town.do(case, "decline_settlement", "clerk", {"request": 1, **REASON})
    assert len(town.state(case).waiting_payments()) == 1


async def test_another_account_is_the_word_of_two(town: NamedPeople) -> None:
    """Nobody vouches for the payee's own account: so their word waits too, and who asked does not confirm."""
    case = await first_part_done(town)
    before = town.state(case).account
    await town.do(case, "change_account", "clerk", ACCOUNT)
    asked = town.state(case)
    own = await town.refused(case, "confirm_account", "clerk", {"request": 1})
    await town.do(case, "confirm_account", "street", {"request": 1})

    assert (asked.account, own) == (before, "against-the-rules")
    assert town.state(case).account != before
    assert ("reporter", "account_changed") in town.told(case)


async def test_a_case_that_is_given_up_pays_nothing_more(town: NamedPeople, bench: CaseBench) -> None:
    """What waits for a person when it becomes final is not due any more, and stands so in the ledger."""
    case = await first_part_done(town)
    await town.do(case, "give_up", "street", REASON)
    await bench.until_ended(case)

    assert town.facts(case, "payment:settled")[-1] | {"payment": 0, "month": ""} == {
        "payment": 0, "month": "", "how": "not_due", "cause": "ended",
    }  # fmt: skip
    assert "payment:paid" not in town.kinds(case)
    assert await bench.faults(case) == []


async def test_what_was_paid_comes_back_by_a_case_of_its_own(town: NamedPeople, bench: CaseBench) -> None:
    """Given up after the first instalment: a recovery goes by the terms of whoever paid, and ends when it has come back."""
    case = await first_part_done(town)
    await settled_by_hand(town, case, 1)
    await town.do(case, "give_up", "street", REASON)
    child = f"{case}.recovery-1"
    await eventually(lambda: child in bench.tables.rows)
    state = town.state(child)
    await town.do(child, "repay", "clerk", {"amount_fen": 100_000, "receipt": "SK-1"})
    own = await town.refused(child, "confirm_repayment", "clerk", {"repayment": 1})
    await town.do(child, "confirm_repayment", "civil", {"repayment": 1})
    await bench.until_ended(child)
    await bench.until_ended(case)

    assert (state.amount_fen, state.benefit, state.cause) == (100_000, "well", "given_up")
    assert type(state.terms) is RecoveryTerms
    assert own == "against-the-rules"
    assert town.state(child).stage == "repaid"
    assert ruled_by(child) == "well"
    assert (await bench.faults(child), await bench.faults(case)) == ([], [])


# ---- what does not fit ------------------------------------------------------------------------------------------------

GIFT = act(
    WithReason, "赠款", name="give", meaning="money for nothing.", by=CIVIL_AFFAIRS_OFFICER, at=Stage.DIGGING,
    moves_money=True, entry=Kind.DUG,
)  # fmt: skip
LATE = {"final": last_limit("unresolved_after"), **instalment_timers()}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: well(timers=LATE), "payments need the duty pay"),
        (lambda: well(timers={**LATE, **payment_timers(), "pay_again": duty("重发", "again", "pay_again")}), "window pay_again"),
        (lambda: well(parts=(PAYING,), lines=PAYING.lines()), "what begins one"),
        (lambda: well(GIFT), "who applicant or entered may give it"),
        (lambda: well(parts=(PAYING, INSTALMENTS), lines=INSTALMENTS.lines()), "payments need their lines"),
        (lambda: well(parts=(INSTALMENTS,), lines=INSTALMENTS.lines()), "Paying has to stand in parts"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_found_at_import(make: Callable[[], Procedure], said: str) -> None:
    """Whoever leaves out a clock, the lines, what begins a payment, or lets money move for whose matter it is, is told."""
    with pytest.raises(TypeError, match=said):
        make()


class NoLimitOfRepaying(Model):
    """Terms that do not say by when money comes back."""

    confirm_repayment: Limit = WEEK
    countersign: str = ""


class NoRecovery(RecoveringPayer):
    """A state that goes by them."""

    procedure: ClassVar[str] = "well"

    terms: NoLimitOfRepaying


def test_a_recovery_has_limits_to_go_by() -> None:
    """Terms that a recovery needs and the payer does not have, or has as something else, are told at import."""
    said = list(Recovering(kinds=Kind).faults(NoRecovery, {}, ()))

    assert "recoveries need repay among the terms" in said
    assert "recoveries need another kind of countersign among the terms" in said
    assert not [each for each in said if "confirm_repayment" in each]


def test_every_path_to_its_money_has_two_people() -> None:
    """The law of money holds of the parts by themselves; taken off any of their rows, whom it keeps apart is missed."""
    procedure = well()
    assert faults_of_table(procedure, procedure.rules)[0] == []
    for rule in [each for each in procedure.rules if each.moves_money and each.apart_from]:
        for part in dict.fromkeys((*rule.answers, Part.APPLICANT, Part.ENTERED)):
            weaker = replace(rule, apart_from=tuple(each for each in rule.apart_from if each is not part))
            rules = RulesTable(tuple(weaker if each is rule else each for each in procedure.rules))
            assert faults_of_table(procedure, rules, weaker)[0], f"{rule.command} {part}"
