"""What an insider, a clerk in a hurry or a party tries in a dispute: nobody is bound, heard or harmed by another's hand."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from schemas.clocks.clocks import Clock
from schemas.clocks.limits import Limit, Unit
from schemas.kernel.participants import Participant
from schemas.mediation import MEDIATION
from schemas.mediation_agreement import Vary
from schemas.mediation_sides import Consent, RevokeAgent
from schemas.mediation_state import Stage
from schemas.parts.agreed import Agreed, DatedDuty, Standing
from schemas.parts.duties import AcceptDuty, ProveDuty
from schemas.parts.participants import AGENT
from schemas.values.actor import Actor, Role
from tests.api_driver import ApiDriver, Step, examples
from tests.bench_api import bench_door
from tests.case_bench import CaseBench, case_bench
from tests.procedures.test_mediation import CHEN, CLERK, HE, NOW, PAPER, QIN, TEXT, dispute, fields, instalments

pytestmark = pytest.mark.timeout(240)


def as_role(who: Actor, role: Role) -> Actor:
    """The same account, at another desk."""
    return who.model_copy(update={"role": role})


def refused(state: Any, command: str, who: Actor) -> bool:
    return MEDIATION.rules.check(state, command, who, NOW) is not None


# ---- a clerk in a hurry, and one with an interest ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clerk", "side", "taken"),
    [
        (CLERK, "b2", True),
        (CLERK, "b1", False),  # has an account, and says it itself
        (as_role(HE, Role.WINDOW_CLERK), "b2", False),  # is a party: the other side's consent in one's own hand
        (as_role(CHEN, Role.WINDOW_CLERK), "b2", False),  # mediates
    ],
)
def test_a_clerk_writes_for_one_side_that_has_no_account_and_is_of_none(
    clerk: Actor,
    side: str,
    taken: bool,  # noqa: FBT001 - of a table
) -> None:
    """Whatever paper is attached: a seat in the case, or the side's own account, keeps a clerk from it."""
    state = dispute(Stage.CONSULTING, others=3, consented=["a"])
    said = Consent(side=side, present=True, paper=PAPER).not_theirs(state, clerk, NOW)

    assert (said == ()) is taken


def test_nobody_is_the_pen_of_two_sides() -> None:
    """One clerk who writes for both could agree with themselves."""
    state = dispute(Stage.CONSULTING, others=3, written_for={"b2": ["clerk-qian"]})

    assert Consent(side="b2", present=True, paper=PAPER).not_theirs(state, CLERK, NOW) == ()
    assert fields(Consent(side="b3", present=True, paper=PAPER).not_theirs(state, CLERK, NOW)) == {"side"}


@pytest.mark.parametrize("who", [HE, CHEN])
def test_nobody_seals_what_they_sign_or_mediate(who: Actor) -> None:
    """The seal is the word of somebody else: neither of a party nor of the mediator, whatever desk they sit at."""
    state = dispute(Stage.SIGNING)

    assert refused(state, "sign", as_role(who, Role.COMMITTEE_OFFICER))
    assert not refused(state, "sign", Actor(subject="committee-ma", role=Role.COMMITTEE_OFFICER))
    assert not refused(state, "sign", who)


def test_what_a_court_has_already_is_not_accepted() -> None:
    """The closed list: the committee refuses it with a way out, and opens nothing beside the court."""
    officer = Actor(subject="committee-ma", role=Role.COMMITTEE_OFFICER)

    assert refused(dispute(Stage.APPLIED, elsewhere=True), "accept", officer)
    assert not refused(dispute(Stage.APPLIED), "accept", officer)


# ---- a party who harms the other ---------------------------------------------------------------------------------------


def owed(**known: Any) -> Any:
    """One in which her side owes his six instalments, of which one is said to be paid."""
    agreed = Agreed(code="rate", what=TEXT, first_on=NOW.date())
    duty = DatedDuty(agreed=agreed, standing=Standing.PROVED, proof=1, proved_by="resident-qin")
    return dispute(Stage.PERFORMING, clauses=(instalments(),), duties=[duty], proofs_given=1, **known)


def test_nobody_proves_what_another_side_owes() -> None:
    """A third side, or a clerk, who says that it was paid: with a slip, seven days of silence would make it so."""
    state = owed(others=2)
    state.duties[0].standing = Standing.DUE
    proof = ProveDuty(duty="rate", proof=TEXT, documents=(PAPER,))

    assert fields(proof.not_theirs(state, HE, NOW)) == {"duty"}
    assert fields(proof.not_theirs(state, CLERK, NOW)) == {"duty"}  # her side has an account
    assert proof.not_theirs(state, QIN, NOW) == ()


def test_a_mediator_accepts_for_nobody_before_a_look_is_wanted() -> None:
    """The creditor has the word for seven days; only where nobody has said anything somebody looks."""
    state, accepted = owed(), AcceptDuty(request=1)
    early = accepted.not_theirs(state, CHEN, NOW)
    limit = Limit(amount=5, unit=Unit.WORKING_DAYS)
    state.clocks = {"look:rate": Clock(name="look:rate", limit=limit).start(NOW, "engine")}

    assert fields(early) == {"request"}
    assert accepted.not_theirs(state, CHEN, NOW) == ()
    assert accepted.not_theirs(state, HE, NOW) == ()


def test_other_duties_in_their_place_have_the_limits_of_an_agreement() -> None:
    """Small at first, then varied to a hundred times as much: over the limit a lawyer is heard, as before."""
    much = instalments(code="more", amount_fen=2_000_000)

    assert fields(Vary(text=TEXT, clauses=(much,), total_fen=12_000_000).faults(owed())) == {"total_fen"}


def test_a_side_takes_back_whom_it_has_sent_and_nobody_elses() -> None:
    """Who was appointed could sign, waive and decline for it for ever."""
    state = dispute()
    state.participants.append(Participant(number=8, kind=AGENT, subject="resident-agent", side="a"))
    revoked = RevokeAgent(agent="resident-agent")

    assert revoked.faults(state) == ()
    assert revoked.not_theirs(state, HE, NOW) == ()
    assert fields(revoked.not_theirs(state, QIN, NOW)) == {"agent"}
    assert fields(RevokeAgent(agent="resident-qin").faults(state)) == {"agent"}


def test_who_applies_tells_no_department_of_the_other_sides_dispute() -> None:
    """A sender is named by staff: the department that a resident names neither sees it nor hears how it ended."""
    state = dispute(sender="urban-management")

    assert (state.sent_by, state.involved()) == (None, frozenset())
    state.opening = state.opening.model_copy(update={"actor": as_role(CLERK, Role.GRID_WORKER)})
    assert state.involved() == {"urban-management"}


# ---- on a bench --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CaseBench]:
    """A bench of its own."""
    async with case_bench(tmp_path_factory.mktemp("disputes"), sandbox=False) as opened:
        yield opened


@pytest.fixture
def door(bench: CaseBench) -> ApiDriver:
    """The door of mediation."""
    return bench_door(bench, MEDIATION)


CHOSEN = tuple(
    Step(command, by)
    for command, by in (
        ("accept", "committee"),
        ("consent", "other"),
        ("choose_mediator", "applicant"),
        ("choose_mediator", "other"),
    )
)
ORAL = {"text": "付五百元", "clauses": [{"code": "spoken", "debtor": "b1", "creditor": "a", "days_after": 3}]}


async def test_what_was_agreed_once_does_not_come_into_force_over_what_is_signed(
    bench: CaseBench, door: ApiDriver
) -> None:
    """An oral agreement that one side has agreed to waits: no draft is made beside it; and silence lets it lapse, for both."""
    case_id = await door.start()
    await door.go(case_id, [*CHOSEN, Step("record_oral", "mediator", ORAL), Step("agree_to", "applicant")])
    drafted = await door.give(case_id, Step("draft_agreement", "mediator"))
    assert drafted.status_code == 409
    await bench.until_told(case_id, "mediation:not_all_spoke")
    late = await door.give(case_id, Step("agree_to", "other", {"request": 1}))
    assert late.status_code in {409, 422}
    signed = [
        Step("draft_agreement", "mediator"),
        *(Step("sign", who) for who in ("applicant", "other", "mediator", "committee")),
    ]
    await door.go(case_id, signed)

    state: Any = bench.state(case_id)
    assert [each.code for each in state.duties] == ["quiet-hours"]
    assert not state.oral


async def test_an_agent_who_was_taken_back_says_nothing_more(bench: CaseBench, door: ApiDriver) -> None:
    """And what a side has signed for its agent, the other side does not read."""
    case_id = await door.start()
    await door.go(case_id, [*CHOSEN, Step("appoint_agent", "applicant")])
    facts = dict(zip(bench.tables.kinds(case_id), bench.tables.facts(case_id), strict=True))
    appointed, written = facts["mediation:agent_appointed"], facts["mediation:agent_written"]
    await door.go(case_id, [Step("revoke_agent", "applicant")])
    said = await door.give(case_id, Step("decline", "agent", {}))

    assert "side:b1" in appointed["audience"]
    assert "document:" not in str(appointed)
    assert "document:" in str(written)
    assert "side:b1" not in written["audience"]
    assert said.status_code in {403, 404}
    state: Any = bench.state(case_id)
    assert state.stage == Stage.MEDIATING


async def test_silence_of_who_has_no_account_accepts_nothing(bench: CaseBench, door: ApiDriver) -> None:
    """The committee was told in their place: with a slip and seven days of silence a mediator looks all the same."""
    report = {**examples(MEDIATION).REPORT, "respondents": [{}]}
    case_id = await door.start(body=report)

    async def by_window(more: dict[str, Any]) -> Any:
        async def given(given_door: ApiDriver, case: str, who: str) -> dict[str, Any]:
            written = await given_door.examples.BODIES["accept_mediator"](given_door, case, who)
            return {"side": "b1", "present": True, "paper": written["written"], **more}

        return given

    owed_to_them = {"code": "mend", "debtor": "a", "creditor": "b1", "days_after": 3}
    draft = {"text": "修复墙面", "clauses": [owed_to_them], "acceleration": False}
    paper = (await door.examples.BODIES["prove_duty"](door, case_id, "applicant"))["documents"]
    await door.go(
        case_id,
        [
            Step("accept", "committee"),
            Step("consent", "clerk", await by_window({})),
            Step("choose_mediator", "applicant"),
            Step("choose_mediator", "clerk", await by_window({"mediator": "mediator-chen"})),
            Step("draft_agreement", "mediator", draft),
            *(Step("sign", who) for who in ("applicant", "mediator", "committee")),
            Step("sign", "clerk", await by_window({})),
            Step("prove_duty", "applicant", {"duty": "mend", "proof": "已修复", "documents": paper}),
        ],
    )
    await bench.until_told(case_id, "mediation:look_wanted")

    assert "mediation:duty:uncontested" not in bench.tables.kinds(case_id)


async def test_a_dispute_that_nobody_had_is_told_upwards(bench: CaseBench, door: ApiDriver) -> None:
    """Files invented for a fee: who asks back and finds that there was no such dispute is heard by who supervises."""
    case_id = await door.start()
    invented = {"was_so": False, "kept": True, "content": True, "new_friction": False, "finding": "双方并不相识"}
    agreed = [
        Step("draft_agreement", "mediator"),
        *(Step("sign", who) for who in ("applicant", "other", "mediator", "committee")),
    ]
    await door.go(case_id, [*CHOSEN, *agreed, Step("follow_up", "grid_worker", invented)])

    assert any("supervisor mediation_contradicted" in each for each in bench.tables.told(case_id))
