"""How warnings go: as their walks in words say (local/warning_walks.py), and those whose sweeps are walked on the way."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from schemas.warning import WARNING
from tests.api_driver import ApiDriver, Person, Step, Walk
from tests.swept_town import (
    all_are_back,
    all_are_walked,
    first_sweep,
    nobody_had_gone,
    of_sweeps,
    sweeps_of,
    told,
    try_all,
)
from tests.told_examples import told_examples

_told = told_examples(WARNING)
PEOPLE = {
    **_told.PEOPLE,
    "clerk_of_002": Person("clerk-002", "window_clerk", area="320104.002"),
    "clerk_of_003": Person("clerk-003", "window_clerk", area="320104.003"),
    "street_of_002": Person("street-002", "street_officer", area="320104.002"),
    "worker_of_02": Person("grid-wu", "grid_worker", area="320104.003.02.01"),
}
REPORTER, REPORT, BODIES = _told.REPORTER, _told.REPORT, _told.BODIES
MAIN, NOBODY_ANSWERS = _told.MAIN, _told.NOBODY_ANSWERS
ASKS_OUTSIDE, EXPLAINED, prepared, shape = _told.ASKS_OUTSIDE, _told.EXPLAINED, _told.prepared, _told.shape
SPEED = 600
"""The minutes in which somebody has to answer take some tenths of a second."""

Body = Callable[[ApiDriver, str, str], Awaitable[Mapping[str, Any]]]


def after(kind: str, command: str) -> Body:
    """The usual body of a command, when the case has told this."""

    async def given(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
        await door.passes(case_id, kind)
        body: Mapping[str, Any] = BODIES[command]
        return body

    return given


async def when_walked(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
    """When every door was gone to: the all clear."""
    await told(door, case_id, "warning:sweep:stands")
    await first_sweep(door, case_id)  # it is shown a moment later
    await all_are_walked(door, case_id)
    return {}


async def when_back(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
    """When all are back: the review."""
    await all_are_back(door, case_id)
    body: Mapping[str, Any] = BODIES["review"]
    return body


async def if_walked(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
    """The all clear, after whoever is listed was moved, as far as somebody is."""
    await all_are_walked(door, case_id, heard=bool(await sweeps_of(door, case_id)) and await _is_moved(door, case_id))
    return {"despite": "已逐一联系到"}


async def _is_moved(door: ApiDriver, case_id: str) -> bool:
    shown = await door.case(case_id)
    return bool(shown["stage"] in {"moving", "sheltered"})


async def if_back(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
    """The review, after whoever was moved is back, as far as somebody is."""
    shown = await door.case(case_id)
    if shown["stage"] in {"clearing", "returning"}:
        await all_are_back(door, case_id)
    body: Mapping[str, Any] = BODIES["review"]
    return body


INSPECTED = (
    Step("inspect_place", "officer"),
    Step("inspect_place", "grid_worker"),
    Step("permit_return", "officer"),
)
IN_TENTS = (
    Step("inspect_place", "officer", {**BODIES["inspect_place"], "point": "place-1"}),
    Step("inspect_place", "grid_worker", {**BODIES["inspect_place"], "point": "place-1"}),
    Step("permit_return", "officer", {"points": ["place-1"]}),
)
ENDED_BY = (
    Step("cancel_warning", "officer"),
    Step("ask_cancel", "officer"),
    Step("confirm_cancel", "street_officer"),
    Step("check_out", "clerk"),
    Step("headcount", "clerk", {"shelter": "community-hall", "counted": 0}),
    Step("declare_all_clear", "officer", if_walked),
    *INSPECTED,
    *IN_TENTS,
    Step("review", "officer", if_back),
)
BACK = (
    Step("order_move", "officer"),
    Step("declare_all_clear", "officer", when_walked),
    *INSPECTED,
    Step("review", "officer", when_back),
)


async def worse_again(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
    """Ordered once more, when a team is on its way home."""
    (sweep,) = await sweeps_of(door, case_id)
    await told(door, sweep, "sweep:released")
    return {"zones": ["a", "b"]}


async def called_off(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
    """The all clear, before the team has gone."""
    await told(door, case_id, "warning:sweep:stands")
    body: Mapping[str, Any] = BODIES["declare_all_clear"]
    return body


async def called_off_by_two(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
    """The second person's word, before the team has gone."""
    await told(door, case_id, "warning:sweep:stands")
    return {}


async def reviewed_when_recalled(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
    """The review, when the team that was called off has said that it had not gone."""
    for sweep in await sweeps_of(door, case_id):
        await nobody_had_gone(door, sweep)
    await told(door, case_id, "warning:all_back")
    body: Mapping[str, Any] = BODIES["review"]
    return body


async def rehoused(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
    """The review, when all are rehoused: their place is not safe."""
    for sweep in await sweeps_of(door, case_id):
        await told(door, sweep, "sweep:released")
        there = of_sweeps(door)
        steps = [
            Step(
                "confirm_back", "grid_worker", {"item": each, "how": "rehoused", "persons": 1, "words": "其余在亲戚家"}
            )
            for each in ("riverside-01", "riverside-02")
        ]
        await try_all(there, sweep, steps, "rehoused")
    await told(door, case_id, "warning:all_back")
    body: Mapping[str, Any] = BODIES["review"]
    return body


NOT_SAFE = {"point": "riverside-low", "safe": False, "second": "officer-he", "finding": "墙体开裂"}
WALKS = (
    *_told.WALKS,
    Walk(
        "somebody of the grid reports it, and it is nothing",
        (Step("dismiss", "coordinator"), Step("confirm_dismissal", "officer")),
        "dismissed",
        by="grid_worker",
    ),
    Walk(
        "somebody of the grid reports it, and it is so",
        (Step("dismiss", "coordinator"), Step("refuse_dismissal", "officer")),
        "calling",
        by="grid_worker",
    ),
    Walk("looked at, and confirmed", (Step("confirm_warning", "coordinator"),), "calling", by="grid_worker"),
    Walk(
        "nobody looks at it, and nobody orders",
        (Step("comment", "officer", after("warning:ordered_by_itself", "comment")),),
        "moving",
        by="grid_worker",
        waits=True,
    ),
    Walk("moved, and back", BACK, "closed"),
    Walk(
        "called off before anybody has gone",
        (
            Step("order_move", "officer"),
            Step("declare_all_clear", "officer", called_off),
            Step("review", "officer", reviewed_when_recalled),
        ),
        "closed",
    ),
    Walk(
        "over by two, for its issuer says nothing",
        (
            Step("order_move", "officer"),
            Step("ask_all_clear", "officer"),
            Step("refuse_all_clear", "supervisor"),
            Step("ask_all_clear", "coordinator"),
            Step("confirm_all_clear", "officer", called_off_by_two),
            Step("review", "officer", reviewed_when_recalled),
        ),
        "closed",
    ),
    Walk(
        "not safe to go back to",
        (
            *BACK[:2],
            Step("inspect_place", "officer"),
            Step("inspect_place", "grid_worker", NOT_SAFE),
            Step("permit_return", "officer"),
            Step("review", "officer", rehoused),
        ),
        "closed",
    ),
    Walk("worse again", (*BACK[:-1], Step("order_move", "street_officer", worse_again)), "moving"),
)
