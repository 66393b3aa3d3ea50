"""Stories of incidents in which a department's system, or our own, fails on the way."""

from local.incident_plot import EACH_ONCE, ECOLOGY, STRAIGHT, URBAN
from local.incident_story import IncidentStory
from local.simulation.townspeople import AREAS, RESIDENTS
from local.stories.story import LATE, NEVER, OrderExpectation, Story, Title

SYSTEMS: tuple[Story, ...] = (
    IncidentStory(
        name="flaky",
        title=Title(zh="部门系统时断时续", en="a flaky department: an error, then a lost answer"),
        category="环境保护",
        description="夜间有刺鼻气味",
        departments="时断时续",
        path=STRAIGHT,
        counts=EACH_ONCE,
        orders=(OrderExpectation(department=ECOLOGY, asked_at_least=3),),
        never=NEVER - LATE,  # our call waits five real seconds for the lost answer, which is hours of the town
        address="工业园北侧",
        area=AREAS[1],
        reporter=RESIDENTS[3],
    ),
    IncidentStory(
        name="echoing",
        title=Title(zh="部门重复回执", en="an echoing department: every report comes twice"),
        category="交通运输",
        description="公交站牌被撞倒",
        departments="重复",
        path=STRAIGHT,
        counts=EACH_ONCE,
        orders=(OrderExpectation(department="transport", said_twice=True),),
        address="人民路公交站",
        area=AREAS[2],
        reporter=RESIDENTS[4],
    ),
    IncidentStory(
        name="worker-killed",
        title=Title(zh="办理途中系统被强制终止", en="the worker is killed with -9 in the middle"),
        category="环境卫生",
        description="早市收摊后垃圾满地",
        path=STRAIGHT,
        counts=EACH_ONCE,
        orders=(OrderExpectation(department=URBAN),),
        never=NEVER - LATE,  # a restart takes seconds, which are hours of the town
        kills_worker=True,
        address="东门早市",
        area=AREAS[2],
        reporter=RESIDENTS[2],
    ),
)
