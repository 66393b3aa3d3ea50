"""The stories of `jiceng demo`: how incidents can go, as data, and what must be true at the end of each.

A story steers the simulated departments and people by stage directions in its description (`local/characters.py`,
`local/townspeople.py`); the town itself knows nothing of stories. Whether it went as told is found out in
`local/verdict.py` from the timeline, the departments' journals, the ledger's chain and the replay.
"""

from local.story import LATE, NEVER, OrderExpectation, Story, Title
from local.townspeople import AREAS, CLERK, RESIDENTS, Whim
from schemas.incident import Kind, Stage

URBAN, ECOLOGY, EMERGENCY = "urban-management", "ecology-environment", "emergency-management"
REPORTED, DISPATCHED, RETURNED, HANDLING, VERIFYING, CALLING_BACK, CLOSED = (
    Stage.REPORTED, Stage.DISPATCHED, Stage.RETURNED, Stage.HANDLING, Stage.VERIFYING, Stage.CALLING_BACK, Stage.CLOSED,
)  # fmt: skip
TO_THE_DEPARTMENT = (REPORTED, DISPATCHED)
TO_THE_CLOSE = (HANDLING, VERIFYING, CALLING_BACK, CLOSED)
AGAIN = (HANDLING, VERIFYING)
STRAIGHT = (*TO_THE_DEPARTMENT, *TO_THE_CLOSE)


WORK = (Kind.SIGNED, Kind.ARRIVED, Kind.FINISHED)
SETTLED = (Kind.VERIFIED, Kind.RATED, Kind.CLOSED)
EACH_ONCE = dict.fromkeys((Kind.REPORTED, Kind.DISPATCHED, Kind.ORDER_RECEIVED, *WORK, *SETTLED), 1)
NO_WORK = dict.fromkeys((Kind.SIGNED, Kind.FINISHED, Kind.CLOSED), 0)

STORIES: tuple[Story, ...] = (
    Story(
        name="prompt",
        title=Title(zh="按时办结", en="everybody is prompt"),
        category="环境卫生",
        description="小区垃圾堆积未清理",
        path=STRAIGHT,
        counts=EACH_ONCE,
        orders=(OrderExpectation(department=URBAN),),
    ),
    Story(
        name="emergency",
        title=Title(zh="突发险情", en="an emergency, in half an hour"),
        category="突发险情",
        description="老旧围墙倒塌,砖块散落在人行道上",
        path=STRAIGHT,
        counts=EACH_ONCE,
        orders=(OrderExpectation(department=EMERGENCY),),
        in_a_hurry=True,
        address="解放路17号",
        area=AREAS[1],
        reporter=RESIDENTS[1],
    ),
    Story(
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
    Story(
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
    Story(
        name="silent",
        title=Title(zh="部门不应,逐级上报", en="a silent department, through all tiers"),
        category="环境卫生",
        description="建筑垃圾占道已三天",
        departments=f"{URBAN} 沉默",
        path=(*TO_THE_DEPARTMENT, DISPATCHED, *TO_THE_CLOSE),
        counts=EACH_ONCE | {Kind.REDISPATCHED: 1, Kind.ORDER_RECEIVED: 2, Kind.ORDER_RECALLED: 1},
        orders=(OrderExpectation(department=URBAN, reports=()), OrderExpectation(department=ECOLOGY)),
        tiers=("warning", "breach", "tier:1", "tier:2"),
        never=NEVER - LATE,
        address="工人路8号门前",
        area=AREAS[0],
        reporter=RESIDENTS[4],
    ),
    Story(
        name="failed-verification",
        title=Title(zh="核查不通过,返工", en="failed verification, and rework"),
        category="环境卫生",
        description="绿化带里的杂物",
        whims=(Whim.FAILS_VERIFICATION,),
        path=(*TO_THE_DEPARTMENT, *AGAIN, *TO_THE_CLOSE),
        counts=EACH_ONCE | {Kind.FINISHED: 2, Kind.VERIFICATION_FAILED: 1, Kind.REWORK_RECEIVED: 1},
        orders=(OrderExpectation(department=URBAN, reworks=1),),
        address="春晓园东门",
        area=AREAS[2],
        reporter=RESIDENTS[5],
    ),
    Story(
        name="not-solved",
        title=Title(zh="回访未解决,再办理", en="not solved, handled again, solved"),
        category="邻里纠纷",
        description="楼上装修深夜施工",
        whims=(Whim.NOT_SOLVED_ONCE,),
        path=(*TO_THE_DEPARTMENT, *AGAIN, CALLING_BACK, *TO_THE_CLOSE),
        counts=EACH_ONCE | {Kind.FINISHED: 2, Kind.VERIFIED: 2, Kind.RATED: 2, Kind.REWORK_RECEIVED: 1},
        orders=(OrderExpectation(department="justice-office", reworks=1),),
        address="锦绣里5幢",
        area=AREAS[0],
        reporter=RESIDENTS[1],
    ),
    Story(
        name="not-solved-twice",
        title=Title(zh="两次未解决,交综合协调", en="not solved twice: the coordinator rules"),
        category="环境卫生",
        description="垃圾清运后当天又堆满",
        whims=(Whim.NOT_SOLVED_TWICE,),
        path=(*TO_THE_DEPARTMENT, *AGAIN, CALLING_BACK, *AGAIN, CALLING_BACK, RETURNED, DISPATCHED, *TO_THE_CLOSE),
        counts=EACH_ONCE
        | {Kind.SIGNED: 2, Kind.ARRIVED: 2, Kind.FINISHED: 3, Kind.VERIFIED: 3, Kind.RATED: 3}
        | {Kind.ARBITRATED: 1, Kind.ORDER_RECEIVED: 2, Kind.REWORK_RECEIVED: 1},
        orders=(OrderExpectation(department=URBAN, reworks=1), OrderExpectation(department=URBAN)),
        address="幸福小区南门",
        area=AREAS[0],
        reporter=RESIDENTS[2],
    ),
    Story(
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
    Story(
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
    Story(
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
    Story(
        name="withdrawn",
        title=Title(zh="居民撤回", en="withdrawn by the reporter"),
        category="环境卫生",
        description="楼道里堆放旧家具",
        departments="沉默",
        whims=(Whim.WITHDRAWN,),
        path=(*TO_THE_DEPARTMENT, Stage.WITHDRAWN),
        counts=NO_WORK | {Kind.WITHDRAWN: 1},
        orders=(OrderExpectation(department=URBAN, reports=()),),
        never=NEVER - LATE,  # nobody signs, so the clock may run out before the resident has thought better of it
        address="锦绣里2幢",
        area=AREAS[0],
        reporter=RESIDENTS[5],
    ),
    Story(
        name="rejected",
        title=Title(zh="不予受理", en="not a public matter: rejected with its reason"),
        category="环境卫生",
        description="与装修公司的合同纠纷",
        departments="退单",
        whims=(Whim.REJECTED,),
        path=(*TO_THE_DEPARTMENT, RETURNED, Stage.REJECTED),
        counts=NO_WORK | {Kind.RETURNED: 1, Kind.REJECTED: 1},
        orders=(OrderExpectation(department=URBAN, reports=("returned",)),),
        address="锦绣里9幢",
        area=AREAS[1],
        reporter=RESIDENTS[0],
    ),
    Story(
        name="reopened",
        title=Title(zh="结案后重启", en="reopened inside the window"),
        category="城乡建设",
        description="路面塌陷修补后又下沉",
        whims=(Whim.REOPENED,),
        path=(*STRAIGHT, DISPATCHED, *TO_THE_CLOSE),
        counts=dict.fromkeys((*WORK, *SETTLED), 2) | {Kind.REOPENED: 1, Kind.ORDER_RECEIVED: 2},
        orders=(OrderExpectation(department="housing-construction"),) * 2,
        address="解放路与工人路路口",
        area=AREAS[1],
        reporter=RESIDENTS[1],
    ),
    Story(
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


def named(names: str | None) -> tuple[Story, ...]:
    """The stories with these names, separated by commas; all without names. Raises ValueError: no such story."""
    if names is None or not names.strip():
        return STORIES
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    known = {story.name: story for story in STORIES}
    if unknown := [name for name in wanted if name not in known]:
        raise ValueError(f"There is no story {', '.join(unknown)}; there are: {', '.join(known)}.")
    return tuple(known[name] for name in dict.fromkeys(wanted))
