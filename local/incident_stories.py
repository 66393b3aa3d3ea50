"""The stories of incidents in `jiceng demo`: how a case can go, as data, and what must be true at its end.

Here: the order finds its department, which works, returns or is silent. Beside this file: `incident_stories_review` (sent
back, taken back, reopened, merged), `incident_stories_requests` (extended, suspended, supervised), `incident_stories_systems`
(a department's system, or our own, fails).

A story steers the simulated departments and people by stage directions in its description (`local/simulation/characters.py`,
`local/simulation/townspeople.py`), and lets single persons act where they would not by themselves
(`local/stories/scenes.py`); the town knows nothing of stories. Whether it went as told is found out in `local/stories/verdict.py`.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import pairwise
from typing import Any

from local.incident_plot import (
    CALLING_BACK,
    CLOSED,
    DISPATCHED,
    EACH_ONCE,
    ECOLOGY,
    EMERGENCY,
    HANDLING,
    REPORTED,
    RETURNED,
    STRAIGHT,
    TO_THE_CLOSE,
    TO_THE_DEPARTMENT,
    URBAN,
    VERIFYING,
)
from local.incident_stories_requests import REQUESTS
from local.incident_stories_review import REVIEW
from local.incident_stories_systems import SYSTEMS
from local.incident_story import IncidentStory
from local.simulation.townspeople import AREAS, CLERK, RESIDENTS
from local.stories.story import LATE, NEVER, SPRING, OrderExpectation, OwnClock, Rehearsal, Repertoire, Story, Title
from schemas.incident import Kind
from schemas.incident_state import FINAL, Stage

DEPARTMENTS: tuple[Story, ...] = (
    IncidentStory(
        name="prompt",
        title=Title(zh="按时办结", en="everybody is prompt"),
        category="环境卫生",
        description="小区垃圾堆积未清理",
        path=STRAIGHT,
        counts=EACH_ONCE,
        orders=(OrderExpectation(department=URBAN),),
    ),
    IncidentStory(
        name="emergency",
        title=Title(zh="突发险情", en="an emergency, in half an hour"),
        category="突发险情",
        description="老旧围墙倒塌,砖块散落在人行道上",
        path=STRAIGHT,
        counts=EACH_ONCE,
        orders=(OrderExpectation(department=EMERGENCY),),
        clock=OwnClock(SPRING, 500),  # ten minutes for signing are 1.2 seconds
        in_a_hurry=True,
        address="解放路17号",
        area=AREAS[1],
        reporter=RESIDENTS[1],
    ),
    IncidentStory(
        name="returned",
        title=Title(zh="退单改派", en="returned, and sent to another department"),
        category="环境卫生",
        description="河道边有人倾倒泥浆",
        departments=f"{URBAN} 退单",
        path=(*TO_THE_DEPARTMENT, RETURNED, DISPATCHED, *TO_THE_CLOSE),
        counts=EACH_ONCE | {Kind.RETURNED: 1, Kind.REDISPATCHED: 1, Kind.ORDER_RECEIVED: 2, Kind.ORDER_RECALLED: 1},
        orders=(OrderExpectation(department=URBAN, reports=("returned",)), OrderExpectation(department=ECOLOGY)),
        address="清水河东岸",
        area=AREAS[2],
        reporter=RESIDENTS[2],
    ),
    IncidentStory(
        name="returned-twice",
        title=Title(zh="两次退单后裁定", en="returned twice, then a ruling that binds"),
        category="环境卫生",
        description="两个街道交界处的垃圾没有单位认领",
        departments=f"{URBAN} 退单;{ECOLOGY} 退单",
        path=(*TO_THE_DEPARTMENT, RETURNED, DISPATCHED, RETURNED, DISPATCHED, *TO_THE_CLOSE),
        counts=EACH_ONCE
        | {Kind.RETURNED: 2, Kind.REDISPATCHED: 1, Kind.ARBITRATED: 1, Kind.ORDER_RECEIVED: 3, Kind.ORDER_RECALLED: 2},
        orders=(
            OrderExpectation(department=URBAN, reports=("returned",)),
            OrderExpectation(department=ECOLOGY, reports=("returned",)),
            OrderExpectation(department=URBAN),
        ),
        address="平安街与幸福路交叉口",
        area=AREAS[1],
        reporter=RESIDENTS[3],
    ),
    IncidentStory(
        name="silent",
        title=Title(zh="部门不应,逐级上报", en="a silent department, through all tiers"),
        category="环境卫生",
        description="建筑垃圾占道已三天",
        departments=f"{URBAN} 沉默",
        path=(*TO_THE_DEPARTMENT, DISPATCHED, *TO_THE_CLOSE),
        counts=EACH_ONCE | {Kind.REDISPATCHED: 1, Kind.ORDER_RECEIVED: 2, Kind.ORDER_RECALLED: 1},
        orders=(OrderExpectation(department=URBAN, reports=()), OrderExpectation(department=ECOLOGY)),
        clock=OwnClock(
            SPRING, 4_000
        ),  # two and a half days of tiers in a minute; the second department has an hour for signing
        moments={"sign": ("warning", "breach", "tier:1", "tier:2")},
        never=NEVER - LATE,
        address="工人路8号门前",
        area=AREAS[0],
        reporter=RESIDENTS[4],
    ),
    IncidentStory(
        name="off-the-list",
        title=Title(
            zh="清单外事项,窗口代报", en="on no list, entered at the window: the coordination centre's own desk"
        ),
        category="流浪动物",
        description="小区里有流浪狗追人",
        path=STRAIGHT,
        counts=EACH_ONCE | {Kind.ARRIVED: 0},
        address="春晓园2号楼",
        area=AREAS[2],
        reporter=CLERK,
    ),
)


def _rated(facts: Mapping[str, Any], path: Sequence[StrEnum]) -> StrEnum | None:
    """Not solved: back to the department, the second time to the coordinator."""
    if facts.get("solved") != "not":
        return None
    return RETURNED if (CALLING_BACK, HANDLING) in pairwise(path) else HANDLING


REHEARSAL = Rehearsal(
    IncidentStory(
        name="rehearsal",
        title=Title(zh="试运行", en="rehearsal"),
        category="城乡建设",
        description="开演前的试运行",
        path=(),
        counts={},
    ),
    until="stage:handling",
)

REPERTOIRE = Repertoire(
    rehearsal=REHEARSAL,
    stories=(*DEPARTMENTS, *REQUESTS, *REVIEW, *SYSTEMS),
    stage_after={
        Kind.REPORTED: REPORTED,
        Kind.DISPATCHED: DISPATCHED,
        Kind.REDISPATCHED: DISPATCHED,
        Kind.ARBITRATED: DISPATCHED,
        Kind.REOPENED: DISPATCHED,
        Kind.SIGNED: HANDLING,
        Kind.VERIFICATION_FAILED: HANDLING,
        Kind.RETURNED: RETURNED,
        Kind.FINISHED: VERIFYING,
        Kind.VERIFIED: CALLING_BACK,
        Kind.RATED: _rated,
        Kind.CLOSED: CLOSED,
        Kind.WITHDRAWN: Stage.WITHDRAWN,
        Kind.REJECTED: Stage.REJECTED,
        Kind.UNRESOLVED: Stage.UNRESOLVED,
        Kind.SUSPENSION_GRANTED: Stage.SUSPENDED,
        Kind.RESUMED: HANDLING,
        Kind.SUSPENSION_ENDED: HANDLING,
        Kind.MERGED: Stage.MERGED,
        Kind.WHISTLED: Stage.WHISTLED,
        Kind.WHISTLE_ENDED: lambda _facts, path: path[-2],  # back to where it stood
    },
    endings=frozenset({CLOSED, *FINAL}),
    may_go_on=frozenset({CLOSED}),
)
