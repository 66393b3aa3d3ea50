"""How a summons comes about, who acts on it, what a right body of each command is, and the ways a summons can go."""

from collections.abc import Mapping
from typing import Any

from tests.api_driver import ApiDriver, Step, Walk
from tests.examples import whistle
from tests.examples.incident import CALENDAR, a_photo
from tests.examples.whistle import LEAD, SUMMONS_BODIES, blow, stands

PEOPLE = whistle.PEOPLE
REPORTER = "street_officer"
SPEED = 250_000
NOBODY_ANSWERS = "absent"
PARENTS_REPORT = {"location": {"address": "工人路46号"}}


async def start(
    door: ApiDriver, *, body: Mapping[str, Any] | None = None, by: str | None = None, key: str | None = None
) -> str:
    """Blow a whistle and return the summons of its lead."""
    # A key of its own: the same one starts a whistle elsewhere, and that whistle goes another way.
    own = None if key is None else f"summons-{key}"
    return await stands(door, await blow(door, own, by or REPORTER, **(body or {})), LEAD)


BODIES: dict[str, Any] = SUMMONS_BODIES | {
    "urge": {},
    "comment": {"text": "路上堵车,稍后到场"},
    "attach": a_photo,
    "replan": {"calendar": CALENDAR},
}
BOUND = {"upheld": False, "reason": "属于该部门职责"}

MAIN = Walk("main", (Step("respond", "officer"), Step("arrive", "officer"), Step("finish", "officer")), "done")
WALKS = (
    MAIN,
    Walk("arrived without a word", (Step("arrive", "officer"), Step("attach", "officer")), "arrived"),
    Walk("declined and released", (Step("decline", "officer"), Step("arbitrate", "coordinator")), "released"),
    Walk(
        "declined and bound",
        (Step("decline", "officer"), Step("arbitrate", "coordinator", BOUND), *MAIN.steps),
        "done",
    ),
    Walk(
        "urged and replanned",
        (Step("urge", "street_officer"), Step("comment", "officer"), Step("replan", "admin")),
        "summoned",
    ),
)

EXPLAINED = {"declined and bound": {"summons:declined": "裁定 arbitrate", "summons:ruled": "响应 respond"}}
"""By walk: what the arithmetic of an entry says, by kind; of several entries of a kind, in the last."""
