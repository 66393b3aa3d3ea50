"""How a sweep comes about, who acts on it, what a right body of each command is, and the ways a sweep can go."""

from collections.abc import Mapping
from typing import Any

from tests.api_driver import ApiDriver, Step, Walk
from tests.examples import warning
from tests.examples.incident import CALENDAR, a_photo
from tests.swept_town import (
    ALONG,
    TEAM,
    back_body,
    door_body,
    facts_of,
    of_warnings,
    sweep_is_walked,
    told,
    try_all,
)
from tests.waiting import eventually

PEOPLE = warning.PEOPLE
REPORTER = warning.REPORTER
PARENTS_REPORT = warning.REPORT
NOBODY_ANSWERS = "back"
ASKS_OUTSIDE = False
SPEED = 600

ONE, TWO = "riverside-01", "riverside-02"


async def start(
    door: ApiDriver, *, body: Mapping[str, Any] | None = None, by: str | None = None, key: str | None = None
) -> str:
    """Warn, and order; the sweep of its one place."""
    warnings = of_warnings(door)
    case = await warnings.start(
        body={**PARENTS_REPORT, **(body or {})}, by=by or REPORTER, key=f"sweep-{key}" if key else None
    )
    await warnings.stands(case)
    if {**PARENTS_REPORT, **(body or {})}["area"] != PARENTS_REPORT["area"]:  # the town's list may have no place there
        named = {"leader": "grid-zhao", "deputy": "grid-qian", "where": "滨河低洼片"}
        at_risk = {"point": "place-1", "zone": "a", "heads": 3, "address": "滨河路"}
        steps = [Step("name_place", "officer", named), *[Step("found_household", "officer", at_risk)] * 2]
        await try_all(warnings, case, steps, f"place-{key or case}")
    ordered = await warnings.taken(case, Step("order_move", "officer", {"zones": ["a"]}), key=f"order-{key or case}")
    assert ordered.status_code == 200, ordered.text
    sweep = f"{case}.sweep-1"

    async def stands() -> bool:
        answer = await door.api.get(f"/api/v1/cases/{sweep}", headers=door.headers("auditor"))
        return answer.status_code == 200

    await eventually(stands, within=60)
    return sweep


BODIES: dict[str, Any] = {
    "set_out": TEAM.body,
    "record_door": door_body(ONE),
    "persuade": {"item": ONE, "words": "村支书再次上门"},
    "order_removal": {"item": ONE, "police_order": "JJ-2027-0031", "reason": "洪水已到院墙"},
    "search_house": {
        "item": ONE, "calls": 3, "contacts_asked": True, "second": "grid-qian", "police_order": "JJ-2027-0032",
        "finding": "屋内无人",
    },
    "report_swept": {"unsafe": []},
    "recheck": {"item": ONE, "as_written": True},
    "confirm_back": back_body(ONE),
    "report_not_gone": {},
    "urge": {},
    "comment": {"text": "雨势渐大"},
    "attach": a_photo,
    "replan": {"calendar": CALENDAR},
}  # fmt: skip


async def the_parent_says(door: ApiDriver, case_id: str, *commands: str) -> None:
    """The warning goes on so far, as far as it does."""
    warnings, parent = of_warnings(door), case_id.rpartition(".")[0]
    looked_at = (*warning.INSPECTED, *warning.IN_TENTS)  # one of both, by where it is
    steps = {"declare_all_clear": (Step("declare_all_clear", "officer"),), "permit_return": looked_at}
    await try_all(warnings, parent, [step for each in commands for step in steps[each]], "parent")


async def listed_as(door: ApiDriver, case_id: str, household: str) -> str:
    """The code of this household; in a place that is on no list of the town, of the one that stands in its place."""
    codes: list[str] = [
        home["code"] for each in await facts_of(door, case_id, "sweep:sent") for home in each["households"]
    ]
    return household if household in codes else codes[(ONE, TWO).index(household)]


def at_door(household: str, outcome: str = "moved", persons: int = 1) -> Any:
    """What was found at the door of a household, wherever the sweep is."""

    async def given(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
        return door_body(await listed_as(door, case_id, household), outcome, persons)

    return given


async def once_over(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
    """Who stayed, after the all clear."""
    await the_parent_says(door, case_id, "declare_all_clear")
    await told(door, case_id, "sweep:over")
    return {"stayed": [await listed_as(door, case_id, TWO)]}


async def called_off(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
    """That nobody had gone, after the all clear."""
    await the_parent_says(door, case_id, "declare_all_clear")
    await told(door, case_id, "sweep:over")
    return {}


def once_released(household: str, how: str = "at_home") -> Any:
    """How a household has ended, when somebody may go home."""

    async def given(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
        await the_parent_says(door, case_id, "declare_all_clear", "permit_return")
        await told(door, case_id, "sweep:released")
        return back_body(await listed_as(door, case_id, household), how)

    return given


async def drawn(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
    """The door that was drawn, as written; it stands there once the case has told it, after a worker's death too."""
    await told(door, case_id, "sweep:swept")
    swept = await facts_of(door, case_id, "sweep:swept")
    return {"item": swept[-1]["to_recheck"][0], "as_written": True}


async def not_as_written(door: ApiDriver, case_id: str, by: str) -> Mapping[str, Any]:
    """The same, and somebody is at home there."""
    return {**await drawn(door, case_id, by), "as_written": False, "words": "家中仍有一人"}


async def if_walked(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
    """The end of a sweep that was left somewhere: walked, and the warning is over; then the first one is back."""
    await sweep_is_walked(door, case_id, "left")
    await the_parent_says(door, case_id, "declare_all_clear", "permit_return")
    parent = case_id.rpartition(".")[0]
    if "warning:permitted" in await of_warnings(door).kinds(parent) and not await _is_over(door, case_id):
        await told(door, case_id, "sweep:released")
    return back_body(ONE)


async def _is_over(door: ApiDriver, case_id: str) -> bool:
    shown = await door.case(case_id)
    return shown["stage"] in {"back", "recalled"}


ENDED_BY = (
    Step("confirm_back", "grid_worker", if_walked),
    Step("confirm_back", "grid_worker", back_body(TWO)),
)
DOORS = (
    TEAM,
    ALONG,
    Step("record_door", "grid_worker", at_door(ONE, persons=3)),
    Step("record_door", "grid_worker", at_door(TWO, "with_relatives")),
)
SWEPT = (*DOORS, Step("report_swept", "grid_worker"))

MAIN = Walk("main", (*SWEPT, Step("recheck", "street_officer", drawn)), "swept")
WALKS = (
    MAIN,
    Walk(
        "and back home",
        (
            *SWEPT,
            Step("confirm_back", "grid_worker", once_released(ONE)),
            Step("confirm_back", "grid_worker", back_body(TWO, "elsewhere")),
        ),
        "back",
    ),
    Walk(
        "refused, persuaded, taken out under the law",
        (
            *DOORS,
            Step("record_door", "grid_worker", door_body(ONE, "refused", 3)),
            Step("persuade", "street_officer"),
            Step("record_door", "grid_worker", door_body(ONE, "refused", 3)),
            Step("order_removal", "street_officer"),
            Step("record_door", "deputy", door_body(ONE, persons=3)),
        ),
        "walking",
    ),
    Walk(
        "nobody answers, and nobody is inside",
        (
            *DOORS,
            Step("record_door", "grid_worker", door_body(ONE, "nobody", 0)),
            Step("search_house", "grid_worker"),
            Step("report_swept", "grid_worker", {"unsafe": [ONE]}),
        ),
        "swept",
    ),
    Walk(
        "somebody comes back too early, and joins are sent",
        (
            *SWEPT,
            Step("recheck", "street_officer", drawn),  # what is drawn next is one door then, and never two
            Step("set_out", "other_worker", {"team": ["grid-he"]}),
            Step("record_door", "other_worker", door_body(ONE, "came_back", 2)),
            Step("record_door", "other_worker", door_body(ONE, "must_be_carried", 2)),
        ),
        "walking",
    ),
    Walk("not as it was written", (*SWEPT, Step("recheck", "other_worker", not_as_written)), "walking"),
    Walk(
        "over before the last door",
        (
            *DOORS[:3],
            Step("report_swept", "grid_worker", once_over),
            Step("confirm_back", "grid_worker", once_released(ONE)),
            Step("confirm_back", "grid_worker", once_released(TWO)),
        ),
        "back",
    ),
    Walk("over before anybody has gone", (Step("report_not_gone", "grid_worker", called_off),), "recalled"),
    Walk(
        "urged and replanned",
        (Step("urge", "supervisor"), Step("attach", "grid_worker"), Step("replan", "admin")),
        "sent",
    ),
)

EXPLAINED: dict[str, dict[str, str]] = {}
"""What the explanation of an entry says to auditors: nothing beyond its rule."""
