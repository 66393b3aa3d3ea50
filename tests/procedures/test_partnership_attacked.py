"""What a partner, a rival or an officer with an interest tries: to read, to sign unseen, to pay nothing, or to decide for kin."""

from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Any

import pytest

from schemas.clocks.calendar import SHANGHAI
from schemas.kernel.people import Part
from schemas.kernel.visibility import shown_facts
from schemas.partnership import PARTNERSHIP
from schemas.partnership_commands import ConfirmHandBack
from schemas.partnership_state import PartnershipState, Stage
from schemas.parts.agreed import Agreed, DatedDuty, Standing
from schemas.parts.duties import ProveDuty
from schemas.values.actor import Actor, Role
from schemas.values.references import WITHHELD
from tests.api_driver import ApiDriver, Step
from tests.bench_api import bench_door
from tests.case_bench import CaseBench, case_bench
from tests.entry_kinds import FOLDER
from tests.procedures.test_partnership import gone, state_of, why

pytestmark = pytest.mark.timeout(240)

NOW = datetime(2026, 6, 1, 9, tzinfo=SHANGHAI)
TEXT = "text:" + "0" * 26


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CaseBench]:
    """A bench of its own."""
    async with case_bench(tmp_path_factory.mktemp("attacked"), sandbox=False) as opened:
        yield opened


@pytest.fixture
def door(bench: CaseBench) -> ApiDriver:
    """The door of partnerships."""
    return bench_door(bench, PARTNERSHIP)


async def test_nobody_signs_another_draft_than_they_saw(door: ApiDriver) -> None:
    """The partner drops a duty while the committee reads: what it signs then is refused, and nothing is proposed."""
    case_id = await gone(door, "the draft is written anew", "propose_agreement")
    stale = await door.give(case_id, Step("propose_agreement", "committee", {"version": 5}))

    assert "the draft has changed since" in why(stale)
    await door.go(case_id, [Step("propose_agreement", "committee", {"version": 6})])


def duty(**known: Any) -> DatedDuty:
    agreed = Agreed(code="rent", what=TEXT, first_on=date(2026, 5, 31), amount_fen=500_000)
    return DatedDuty(agreed=agreed, **known)


def partnership(*duties: DatedDuty, **known: Any) -> PartnershipState:
    facts: dict[str, Any] = {
        "stage": Stage.TERMINATING,
        "duties": list(duties),
        "case_id": "partnership-20260601-000001",
    }
    return PartnershipState.model_construct(**facts | known)


def test_one_line_of_the_bank_proves_one_sum() -> None:
    """January's receipt does not pay February's rent; one that nobody accepted is nobody's."""
    paid = ProveDuty(duty="rent", proof=TEXT, amount_fen=500_000, receipt="JJ-1")
    state = partnership(duty(), stage=Stage.ACTIVE, receipts=["JJ-1"])

    assert [each.field for each in paid.faults(state)] == ["receipt"]
    state.receipts = []
    assert paid.faults(state) == ()


@pytest.mark.parametrize(
    ("standing", "ended", "open_fen"),
    [
        (Standing.MISSED, [], 500_000),
        (Standing.BROKEN, [Standing.BROKEN], 500_000),
        (Standing.MISSED, [Standing.BROKEN], 1_000_000),
        (Standing.KEPT, [Standing.KEPT], 0),
        (Standing.DUE, [], 0),
        (Standing.WAIVED, [Standing.WAIVED], 0),
    ],
)
def test_what_was_promised_and_not_paid_stays_open_at_the_end(
    standing: Standing, ended: list[Standing], open_fen: int
) -> None:
    """诺而不捐: whoever confirms the hand-over remits nothing of it by writing a smaller sum."""
    state = partnership(duty(standing=standing, ended_as=ended))
    less = ConfirmHandBack(request=1, owed_fen=max(open_fen - 1, 0), finding=TEXT)

    assert state.open_sums_fen == open_fen
    assert bool([each for each in less.faults(state) if each.field == "owed_fen"]) is (open_fen > 0)


def test_a_rival_reads_neither_papers_nor_findings_of_another() -> None:
    """What was shown of them, what a register said, what a juror wrote: withheld, and so is the owner's written consent."""
    rival, officer = (Actor(subject="a", role=role) for role in (Role.PARTNER, Role.COMMITTEE_OFFICER))
    told: dict[str, dict[str, Any]] = {
        "partnership:applied": {"documents": [{"reference": "document:" + "1" * 26}], "kin": True},
        "partnership:vetted": {"registered": True, "barred": True, "receipt": "X", "finding": TEXT},
        "partnership:vetting_confirmed": {"reason": TEXT},
        "partnership:offered": {"owner_agrees": {"reference": "document:" + "2" * 26}},
    }

    for kind, facts in told.items():
        assert set(shown_facts(kind, facts, rival).values()) == {WITHHELD}, kind
        assert shown_facts(kind, facts, officer) == facts


def test_who_is_related_decides_nothing_for_the_partner() -> None:
    """Whoever declared a relation to them grants no waiver, checks no figure, and finds no report of theirs to be so."""
    rows = [rule for rule in PARTNERSHIP.rules if not rule.automatic and rule.command != "investigate"]
    second = [rule for rule in rows if rule.answers or rule.command in {"clear_report", "offer", "choose"}]
    of_staff = [rule for rule in second if any(each.role is not Role.PARTNER for each in rule.by)]

    assert len(of_staff) > 8
    assert [rule.command for rule in of_staff if Part.RELATED not in rule.apart_from] == []


async def test_a_report_of_the_other_side_is_looked_into_in_time(bench: CaseBench, door: ApiDriver) -> None:
    """By the own word alone nobody rests for ever: the street is told, and late it is reported upwards."""
    case_id = await gone(door, "the town side does nothing", "clear_report")
    told = "\n".join(bench.tables.told(case_id))
    clock = state_of(bench, case_id).clocks["look_into_report:visits"]

    assert "role:street_officer duty_reported" in told
    assert clock.status == "running"


@pytest.mark.parametrize("procedure", ["ballot", "council", "hall", "mediation", "partnership"])
def test_no_deadline_is_told_to_nobody(procedure: str) -> None:
    """On every walk each notice has an address: what was missed while nobody held the case would be missed by nobody."""
    files = sorted((FOLDER / procedure).glob("*.kinds"))
    told = [line for file in files for line in file.read_text(encoding="utf-8").splitlines() if ": " in line]

    assert len(told) > 8
    assert [line for line in told if ":  " in line] == []
