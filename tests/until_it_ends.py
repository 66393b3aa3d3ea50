"""Leaving a case alone until it has ended: of itself, or, where silence ends nothing, by the people who can end it."""

from datetime import timedelta

from schemas.kernel.procedure import Procedure
from tests.api_driver import ApiDriver, examples
from tests.case_bench import CaseBench

SILENCE = timedelta(hours=61, minutes=30)
"""So long nobody does anything: some tiers and rounds of calls fit in, and no clock runs out at its very end."""

CAN_BE_GIVEN, CANNOT = {200, 202}, {403, 404, 409, 422}


def silence_ends_nothing(procedure: Procedure) -> bool:
    """Whether people end its cases, and time does not."""
    return bool(getattr(examples(procedure), "ENDED_BY", ()))


async def end_it(door: ApiDriver, case_id: str) -> None:
    """Take the steps by which people end such a case, as far as they can be taken where it stands."""
    for number, step in enumerate(getattr(door.examples, "ENDED_BY", ())):
        answer = await door.give(case_id, step, key=f"end-{case_id}-{number}")
        assert answer.status_code in CAN_BE_GIVEN | CANNOT, answer.text


async def until_it_ends(bench: CaseBench, door: ApiDriver, case_id: str) -> None:
    """Let time pass until a case has ended. Fails where silence alone has ended one that it must not end."""
    if silence_ends_nothing(door.procedure):
        was_over = bool(bench.tables.rows[case_id]["ended"])
        state = bench.state(case_id)
        assert state is not None
        can_go_on = state.stage in door.procedure.rules.open_stages
        await bench.let_pass(SILENCE)
        await bench.at_rest(case_id)
        assert was_over or not can_go_on or not bench.tables.rows[case_id]["ended"], "silence has ended it"
        await end_it(door, case_id)
    await bench.until_ended(case_id)
