"""A vote on paper that a case calls, held to its end: for examples of whatever calls ballots."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from schemas.ballot import BALLOT
from tests.api_driver import ApiDriver, Step

ROLL = {"digest": "ab" * 32, "units": 120, "voters": 120}


async def hold_vote(door: ApiDriver, case_id: str, sheet: Mapping[str, Any]) -> None:
    """Hold the first vote of a case, until that has heard its end; once however often it is asked.

    No time passes at the end: whoever waited for a clock of the case would wait for half a year.
    """
    ballot, box, caller = f"{case_id}.ballot-1", replace(door, procedure=BALLOT), door.procedure.name
    way = (
        (None, Step("post_roll", "grid_worker", ROLL)),
        ("ballot:opened", Step("seal_box", "clerk", {"box": "hall", "given": 84})),
        ("ballot:closed", Step("count", "grid_worker", sheet)),
        (None, Step("count", "coordinator", sheet)),
    )
    await door.comes(ballot)
    await door.hears(case_id, f"{caller}:ballot:stands")
    for number, (kind, step) in enumerate(way):
        if kind is not None:
            await box.passes(ballot, kind)
        answer = await box.taken(ballot, step, key=f"{ballot}-{number}")
        assert answer.status_code in (200, 409), answer.text
    await box.passes(ballot, "ballot:certified")
    await door.hears(case_id, f"{caller}:ballot:ended")
