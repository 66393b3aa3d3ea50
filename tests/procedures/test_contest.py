"""The contest's own rules, beside those of its parts: what the final account may say, and when it is handed in."""

from datetime import datetime
from typing import Any

from engine.policies.policies import load_policy
from engine.runtime.settings import PROJECT
from schemas.clocks.calendar import SHANGHAI
from schemas.contest import CONTEST, ContestState, Stage
from schemas.parts.payments import PaidOut, Payment
from schemas.values.actor import Actor, Role, Stamp

NOW = datetime(2026, 3, 9, 9, tzinfo=SHANGHAI)
APPLICANT = Actor(subject="resident-he", role=Role.RESIDENT)
CLERK = Actor(subject="clerk-qian", role=Role.WINDOW_CLERK)


def project(*payments: Payment) -> ContestState:
    """One that was paid 1,000 yuan, and waits for its final account."""
    case_id = "contest-20260309-000001"
    opening = Stamp(case_id=case_id, command="propose", command_id="c", actor=APPLICANT, at=NOW, digest="")
    known: dict[str, Any] = {
        "case_id": case_id,
        "opening": opening,
        "stage": Stage.ACCOUNTING,
        "terms": getattr(load_policy(CONTEST, PROJECT / "policies", ()), "terms"),  # noqa: B009 - of whichever policy it is
        "area": "320104",
        "reporter_subject": APPLICANT.subject,
        "paid": {"2026-03": [PaidOut(key="k", amount_fen=100_000)]},
        "payments": list(payments),
    }
    return ContestState.model_construct(**known)


def test_nobody_accounts_for_what_is_still_under_way() -> None:
    """The final account waits until every instalment is paid, or settled by people."""
    payment = Payment(number=2, month="2026-03", benefit="contest-2", amount_fen=1, due_since=NOW)
    refusal = CONTEST.rules.check(project(payment), "account", CLERK, NOW)

    assert CONTEST.rules.check(project(), "account", CLERK, NOW) is None
    assert refusal is not None
    assert refusal.code == "against-the-rules"
