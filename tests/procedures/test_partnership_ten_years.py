"""Ten years of one partnership: each year renewed by an act of both sides, and over with the first year in which nobody acts."""

import json
import time
from datetime import date
from typing import Any

import pytest

from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from schemas.clocks.moments import end_of_term
from schemas.partnership import PARTNERSHIP
from tests.api_driver import Step
from tests.skipping_town import SkippingTown, skipping_town
from tests.waiting import eventually

YEARS = 10
SHORT = 100
"""A run so short that ten years do not fit into one; in a town it is forty times as long."""

OPENING = {
    "partner_kind": "pairing", "title": "城乡结对", "gives": "周末集市摊位", "wants": "每年一次文化下乡", "months": 12,
    "area": "320104.003.01",
}  # fmt: skip
OURS = {"code": "market", "what": "每年开放摊位", "side": "counterparty", "recurs": "yearly", "day_of_year": "06-30"}
THEIRS = {
    "code": "culture",
    "what": "每年文化下乡",
    "side": "party",
    "recurs": "yearly",
    "day_of_year": "06-30",
    "rests_on": ["market"],
}
YEAR = [
    Step("prove_counter_duty", "committee", {"duty": "market", "proof": "摊位登记"}),
    Step("accept_counter_duty", "partner", {}),
    Step("prove_duty", "partner", {"duty": "culture", "proof": "活动照片"}),
    Step("accept_duty", "grid_worker", {}),
]
RENEWED = [
    Step("evaluate", "committee", {"got_fen": 100_000, "finding": "居民满意"}),
    Step("propose_renewal", "committee", {"months": 12}),
    Step("agree_renewal", "partner", {}),
]


async def until(town: SkippingTown, moment: str) -> None:
    """Skip to a moment; the door that is opened there is that of partnerships again."""
    await town.until(moment)
    town.door.procedure = PARTNERSHIP


async def told(town: SkippingTown, case_id: str, kind: str) -> list[dict[str, Any]]:
    """What the entries of a kind say, straight from the ledger: there are more than a page holds."""
    rows = await town.pool.fetch("select body from chain_of($1) where kind = $2 order by seq", case_id, kind)
    return [json.loads(row["body"])["facts"] for row in rows]


@pytest.mark.long
@pytest.mark.timeout(400)
async def test_ten_years_each_renewed_by_both_sides(settings: Settings, keys: Keys) -> None:
    """Eleven terms without a gap, each of twelve months; every duty kept on its day of each year; then nobody acts, and it ends.

    It goes on in many runs; its chain holds, and each run replays.
    """
    began = time.monotonic()
    async with skipping_town(settings.model_copy(update={"history_limit": SHORT}), keys, "2027-01-04 09:00") as town:
        town.door.procedure = PARTNERSHIP
        case_id = await town.door.start(body=OPENING)
        await town.door.go(case_id, [Step("offer", "committee", {"worth_fen": 100_000}), Step("apply_for", "partner")])
        await until(town, "2027-01-15 10:00")
        judges = [Step("judge", who) for who in ("grid_worker", "coordinator", "street_officer")]
        drafts = [Step("draft_duty", "committee", OURS), Step("draft_duty", "committee", THEIRS)]
        signed = [
            Step("choose", "committee"),
            *drafts,
            Step("propose_agreement", "committee", {"version": 3}),
            Step("agree", "partner"),
        ]
        await town.door.go(
            case_id, [Step("vet", "committee"), Step("confirm_vetting", "street_officer"), *judges, *signed]
        )
        for year in range(YEARS):
            await until(town, f"{2027 + year}-06-10 10:00")
            await town.door.go(case_id, YEAR)
            await until(town, f"{2027 + year}-12-10 10:00")
            await town.door.go(case_id, RENEWED)
        await until(town, "2038-03-01 10:00")
        terms = await told(town, case_id, "partnership:term_begun")
        kept = await told(town, case_id, "partnership:duty:accepted")
        lapsed = await told(town, case_id, "partnership:lapsed")

        async def over() -> bool:
            return bool((await town.snapshot(case_id))["ended"])

        await eventually(over)
        faults, events = await town.audited(case_id)

    took = time.monotonic() - began
    print(f"ten years of a partnership: {len(events)} runs, {sum(events)} events, {took:.0f} s")  # noqa: T201
    assert faults == []
    assert len(events) > 1
    assert max(events) < 2 * SHORT
    firsts = [date.fromisoformat(each["term_first"]) for each in terms]
    lasts = [date.fromisoformat(each["term_last"]) for each in terms]
    assert len(terms) == YEARS + 1
    assert [end_of_term(first, 12) for first in firsts] == lasts
    assert [(after - before).days for before, after in zip(lasts, firsts[1:], strict=False)] == [1] * YEARS
    assert [(each["duty"], each["round"]) for each in kept] == [
        (duty, year + 1) for year in range(YEARS) for duty in ("market", "culture")
    ]
    assert len(lapsed) == 1
