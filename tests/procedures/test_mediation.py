"""The rules of mediation that stand in no row: who speaks for whom, sums, dangers, ties, and what is said of remedies."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from engine.policies.policies import load_policy
from engine.runtime.settings import PROJECT
from schemas.clocks.calendar import SHANGHAI
from schemas.kernel.participants import Participant
from schemas.mediation import MEDIATION
from schemas.mediation_agreement import DraftAgreement, GuideRemedy, RecordOral, WayOut
from schemas.mediation_sides import AcceptMediator, Apply, AppointMediator, Consent, ObjectMediator
from schemas.mediation_state import Clause, Confirmation, Danger, MediationState, Stage, Tie
from schemas.mediation_talks import CallSession
from schemas.parts.participants import MEDIATOR, PARTY
from schemas.values.actor import Actor, Role, Stamp
from schemas.values.document import Document

NOW = datetime(2026, 3, 9, 9, tzinfo=SHANGHAI)
TEXT = "text:" + "0" * 26
PAPER = Document(reference="document:" + "0" * 26, sha256="0" * 64, size_bytes=9, media_type="image/png")
HE, QIN, CLERK = (
    Actor(subject="resident-he", role=Role.RESIDENT),
    Actor(subject="resident-qin", role=Role.RESIDENT),
    Actor(subject="clerk-qian", role=Role.WINDOW_CLERK),
)
CHEN = Actor(subject="mediator-chen", role=Role.MEDIATOR)
POLICY: Any = load_policy(MEDIATION, PROJECT / "policies", ())


def dispute(stage: Stage = Stage.MEDIATING, *, others: int = 1, **known: Any) -> MediationState:
    """One between him and so many others, of whom the first has an account."""
    case_id = "mediation-20260309-000001"
    opening = Stamp(case_id=case_id, command="apply", command_id="c", actor=HE, at=NOW, digest="")
    sides = ["a", *(f"b{number}" for number in range(1, others + 1))]
    accounts = ["resident-he", "resident-qin", *(None for _ in range(others - 1))]
    seats = [
        Participant(number=number, kind=PARTY, subject=account, side=side)
        for number, (side, account) in enumerate(zip(sides, accounts, strict=True), start=1)
    ]
    seats.append(Participant(number=len(seats) + 1, kind=MEDIATOR, subject="mediator-chen"))
    facts: dict[str, Any] = {
        "case_id": case_id, "opening": opening, "stage": stage, "terms": POLICY.terms, "area": "320104.003.01",
        "participants": seats, "consented": list(sides), "reporter_subject": "resident-he",
    }  # fmt: skip
    return MediationState.model_construct(**facts | known)


def fields(found: Any) -> set[str]:
    return {fault.field for fault in found}


def test_nobody_consents_for_anybody_else() -> None:
    """A side names no other; a clerk writes it down for one that is there and has signed, and says so."""
    state = dispute(Stage.CONSULTING, others=2, consented=["a"])

    assert Consent().not_theirs(state, QIN, NOW) == ()
    assert fields(Consent(side="b1").not_theirs(state, HE, NOW)) == {"side"}
    assert fields(Consent(side="b2").not_theirs(state, CLERK, NOW)) == {"present", "paper"}
    assert fields(Consent(side="b2", present=False, paper=PAPER).not_theirs(state, CLERK, NOW)) == {"present"}
    assert Consent(side="b2", present=True, paper=PAPER).not_theirs(state, CLERK, NOW) == ()
    assert Consent(side="b2", present=True, paper=PAPER).said_by(state, CLERK) == "b2"


@pytest.mark.parametrize(
    "who", [Actor(subject="li", role=Role.RESIDENT), CHEN, Actor(subject="ma", role=Role.COMMITTEE_OFFICER)]
)
def test_who_has_no_seat_of_a_side_consents_to_nothing(who: Actor) -> None:
    """Neither a stranger, nor the mediator, nor the committee."""
    assert MEDIATION.rules.check(dispute(Stage.CONSULTING, consented=["a"]), "consent", who, NOW) is not None


def test_of_twenty_sides_every_single_one_consents() -> None:
    """Nineteen are not all, and the draft waits for the twentieth."""
    state = dispute(others=19)
    state.consented.remove("b19")

    assert len(state.sides) == 20
    assert not state.all_consented
    refusal = MEDIATION.rules.check(state, "draft_agreement", CHEN, NOW)
    assert refusal is not None
    state.consented.append("b19")
    assert MEDIATION.rules.check(state, "draft_agreement", CHEN, NOW) is None


def test_nineteen_others_can_be_named_and_no_more() -> None:
    """人民调解法: a side is whoever the dispute is with; the town takes so many in one case."""
    known = {
        "matter": TEXT,
        "claim": TEXT,
        "contacts": TEXT,
        "category": "noise",
        "area": "320104",
        "elsewhere": False,
        "danger": False,
    }

    assert list(Apply.model_validate({**known, "respondents": [{}] * 19}).town_faults(POLICY)) == []
    with pytest.raises(ValueError, match="respondents"):
        Apply.model_validate({**known, "respondents": [{}] * 20})
    twice = Apply.model_validate({**known, "category": "x", "respondents": [{"account": "li"}] * 2})
    assert fields(twice.town_faults(POLICY)) == {"category", "respondents"}


def test_a_mediator_with_a_tie_does_nothing_until_every_side_has_accepted_it_in_writing() -> None:
    """One side's word is not enough."""
    state = dispute(ties=[Tie(mediator="mediator-chen", accepted=["a"])])
    refused = MEDIATION.rules.check(state, "call_session", CHEN, NOW)
    state.ties[0].accepted.append("b1")

    assert refused is not None
    assert MEDIATION.rules.check(state, "call_session", CHEN, NOW) is None
    with pytest.raises(ValueError, match="written"):
        AcceptMediator.model_validate({"mediator": "mediator-chen"})


def test_a_side_objects_so_often_and_to_a_tie_without_counting() -> None:
    """Objecting again and again is no way to keep a case from being mediated."""
    again = ObjectMediator(mediator="mediator-chen", reason=TEXT)
    state = dispute(objections={"a": 1})

    assert fields(again.not_theirs(state, HE, NOW)) == {"mediator"}
    assert again.not_theirs(state, QIN, NOW) == ()
    state.ties.append(Tie(mediator="mediator-chen"))
    assert again.not_theirs(state, HE, NOW) == ()


def test_who_has_had_a_seat_is_not_appointed() -> None:
    """A mediator who was replaced does not come back, nor one who is a party."""
    gone = Participant(number=9, kind=MEDIATOR, subject="mediator-lu", left_at=NOW)
    state = dispute(Stage.ACCEPTED)
    state.participants.append(gone)

    assert fields(AppointMediator(mediators=("mediator-lu",)).faults(state)) == {"mediators.0"}
    assert AppointMediator(mediators=("mediator-gu",)).faults(state) == ()
    assert fields(AppointMediator(mediators=("mediator-gu", "mediator-gu")).faults(state)) == {"mediators"}


def test_nobody_is_brought_together_with_whom_they_fear() -> None:
    """Until it is cleared; one side at a time is called all the same, and a day ahead."""
    tomorrow = NOW + timedelta(hours=24)
    together = CallSession(at=tomorrow, joint=True, sides=("a", "b1"))
    apart = CallSession(at=tomorrow, joint=False, sides=("b1",))
    state = dispute(dangers=[Danger(number=1, referred=True)])

    assert fields(together.faults(state)) == {"joint"}
    assert apart.faults(state) == ()
    state.dangers[0].cleared = True
    assert together.faults(state) == ()
    assert together.not_theirs(state, CHEN, NOW) == ()
    assert fields(together.not_theirs(state, CHEN, NOW + timedelta(seconds=1))) == {"at"}


def instalments(**other: Any) -> Clause:
    """Six times five hundred yuan, a week apart."""
    known = {
        "code": "rate",
        "debtor": "b1",
        "creditor": "a",
        "amount_fen": 50_000,
        "days_after": 7,
        "recurs": "weekly",
        "times": 6,
    }
    return Clause.model_validate(known | other)


@pytest.mark.parametrize(
    ("clauses", "total", "wrong"),
    [
        ((instalments(),), 300_000, set()),
        ((instalments(),), 299_999, {"total_fen"}),
        ((instalments(), instalments(code="last", times=1, recurs="once", amount_fen=1)), 300_001, set()),
        ((instalments(debtor="b7"),), 300_000, {"clauses.0.debtor"}),
        ((instalments(creditor="b1"),), 300_000, {"clauses.0.creditor"}),
        ((instalments(), instalments()), 600_000, {"clauses.1.code"}),
        ((instalments(amount_fen=2_000_000),), 12_000_000, {"total_fen"}),  # over the limit no lawyer was heard
    ],
)
def test_an_agreement_sums_to_what_it_says(clauses: tuple[Clause, ...], total: int, wrong: set[str]) -> None:
    """Every fault at once: sums, sides, codes."""
    assert fields(DraftAgreement(text=TEXT, clauses=clauses, total_fen=total).faults(dispute())) == wrong


def test_what_is_agreed_orally_is_small_and_done_at_once() -> None:
    """人民调解法 28: no instalments; from the town's limit on it is written down."""
    once = instalments(times=1, recurs="once", amount_fen=499_999)
    much = instalments(times=1, recurs="once", amount_fen=500_000)

    assert RecordOral(text=TEXT, clauses=(once,), total_fen=499_999).faults(dispute()) == ()
    assert fields(RecordOral(text=TEXT, clauses=(much,), total_fen=500_000).faults(dispute())) == {"total_fen"}
    assert fields(RecordOral(text=TEXT, clauses=(instalments(),), total_fen=300_000).faults(dispute())) == {"clauses"}


@pytest.mark.parametrize(
    ("confirmation", "way_out", "right"),
    [
        (Confirmation.CONFIRMED, WayOut.ENFORCEMENT, True),
        (Confirmation.NONE, WayOut.ENFORCEMENT, False),
        (Confirmation.REJECTED, WayOut.ENFORCEMENT, False),
        (Confirmation.NONE, WayOut.COURT, True),
        (Confirmation.NONE, WayOut.PAYMENT_ORDER, True),
    ],
)
def test_only_what_a_court_has_confirmed_is_enforced(
    confirmation: Confirmation, way_out: WayOut, *, right: bool
) -> None:
    """人民调解法 33: else there are suit and payment order."""
    told = GuideRemedy(way_out=way_out, guidance=TEXT).faults(dispute(Stage.BREACHED, confirmation=confirmation))

    assert (told == ()) is right


@pytest.mark.parametrize("who", ["mediator-chen", "mediator-lu", "resident-qin"])
def test_nobody_follows_up_on_what_they_mediated_or_owe(who: str) -> None:
    """Whatever role they act as, also when they have left the case."""
    state = dispute(Stage.PERFORMING)
    state.participants.append(Participant(number=9, kind=MEDIATOR, subject="mediator-lu", left_at=NOW))
    own, another = (Actor(subject=each, role=Role.GRID_WORKER) for each in (who, "grid-zhao"))

    assert MEDIATION.rules.check(state, "follow_up", own, NOW) is not None
    assert MEDIATION.rules.check(state, "follow_up", another, NOW) is None
