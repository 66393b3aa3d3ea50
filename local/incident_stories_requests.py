"""Stories of incidents in which more time, a pause or an account is asked for: extension, suspension, supervision."""

from datetime import datetime, timedelta, timezone

from local.incident_plot import (
    EACH_ONCE,
    HANDLING,
    HOUSING,
    NO_WORK,
    STRAIGHT,
    TO_THE_CLOSE,
    TO_THE_DEPARTMENT,
    URBAN,
)
from local.incident_story import IncidentStory
from local.simulation.townspeople import AREAS, COORDINATOR, RESIDENTS, SUPERVISOR, Whim, officer
from local.stories.scenes import Gives
from local.stories.story import LATE, NEVER, SPRING, OrderExpectation, OwnClock, Story, Title
from schemas.incident import Kind
from schemas.incident_state import Stage

SHANGHAI = timezone(timedelta(hours=8))
SOON = timedelta(minutes=30)
SUPPLIER = officer(HOUSING)
ASKS_FOR_TWO_DAYS = Gives(
    by=SUPPLIER,
    command="request_extension",
    body={"working_days": 2, "reason": "配件须从外地调运"},
    after=Kind.ARRIVED,
)
BEFORE_THE_FESTIVAL = datetime(
    2026, 2, 13, 9, tzinfo=SHANGHAI
)  # a Friday; 14 is worked, 15 to 23 February is the festival
FIRST_WORKING_DAY = datetime(2026, 2, 24, 9, tzinfo=SHANGHAI)
THE_DAY_AFTER = datetime(2026, 2, 25, 10, tzinfo=SHANGHAI)
"""The seven days of `finish` would have ended with 24 February: what is done now is in time only as nothing counted."""

REQUESTS: tuple[Story, ...] = (
    IncidentStory(
        name="extension-refused",
        title=Title(zh="申请延期未获同意,逾期办结", en="extension refused: the limit stays, and is missed"),
        category="供水供电",
        description="地下水管爆裂,整栋楼停水",
        departments="逾期",
        path=STRAIGHT,
        counts=EACH_ONCE | {Kind.EXTENSION_REQUESTED: 1, Kind.EXTENSION_REFUSED: 1, Kind.EXTENSION_GRANTED: 0},
        orders=(OrderExpectation(department=HOUSING),),
        scenes=(
            ASKS_FOR_TWO_DAYS,
            Gives(
                by=SUPERVISOR,
                command="refuse_extension",
                body={"reason": "居民停水,不得顺延"},
                after=Kind.EXTENSION_REQUESTED,
                later=SOON,
            ),
        ),
        moments={"finish": ("warning", "breach")},
        never=NEVER - LATE,
        address="锦绣里3幢",
        area=AREAS[0],
        reporter=RESIDENTS[0],
    ),
    IncidentStory(
        name="extension-granted",
        title=Title(zh="同意延期,按新期限办结", en="extension granted: done by the new limit"),
        category="供水供电",
        description="变压器损坏,沿街停电",
        departments="逾期",
        path=STRAIGHT,
        counts=EACH_ONCE | {Kind.EXTENSION_REQUESTED: 1, Kind.EXTENSION_GRANTED: 1, Kind.EXTENSION_REFUSED: 0},
        orders=(OrderExpectation(department=HOUSING),),
        scenes=(
            ASKS_FOR_TWO_DAYS,
            Gives(by=SUPERVISOR, command="grant_extension", after=Kind.EXTENSION_REQUESTED, later=SOON),
        ),
        moments={"finish": ()},  # done when the first limit is half an hour past, and not late
        never=NEVER - LATE,
        address="人民路22号",
        area=AREAS[2],
        reporter=RESIDENTS[3],
    ),
    IncidentStory(
        name="suspended",
        title=Title(zh="春节挂账,节后恢复", en="suspended over the Spring Festival, resumed after it"),
        category="城乡建设",
        description="人行道地砖破损,节前无法施工",
        departments="沉默",  # its people work at the screens of the town
        path=(*TO_THE_DEPARTMENT, HANDLING, Stage.SUSPENDED, *TO_THE_CLOSE),
        counts=EACH_ONCE | {Kind.SUSPENSION_REQUESTED: 1, Kind.SUSPENSION_GRANTED: 1, Kind.RESUMED: 1},
        orders=(OrderExpectation(department=HOUSING, reports=()),),
        clock=OwnClock(BEFORE_THE_FESTIVAL, 20_000),
        scenes=(
            Gives(by=SUPPLIER, command="sign", after=Kind.DISPATCHED),
            Gives(by=SUPPLIER, command="arrive", after=Kind.SIGNED),
            Gives(
                by=SUPPLIER,
                command="request_suspension",
                body={"reason": "施工队春节放假,材料停运"},
                after=Kind.ARRIVED,
            ),
            Gives(by=COORDINATOR, command="grant_suspension", after=Kind.SUSPENSION_REQUESTED),
            Gives(by=SUPPLIER, command="resume", after=Kind.SUSPENSION_GRANTED, not_before=FIRST_WORKING_DAY),
            Gives(
                by=SUPPLIER,
                command="finish",
                body={"result": "地砖已全部更换"},
                after=Kind.RESUMED,
                not_before=THE_DAY_AFTER,
            ),
        ),
        moments={"finish": (), "suspension": ()},
        never=NEVER - LATE,  # an hour is a fifth of a second here: who signs may be late for it
        address="幸福路中段",
        area=AREAS[0],
        reporter=RESIDENTS[1],
    ),
    IncidentStory(
        name="supervised",
        title=Title(zh="居民催办,督办后反馈", en="urged, supervised, answered"),
        category="环境卫生",
        description="公厕无人打扫",
        departments="沉默",  # its people work at the screens of the town, and answer before they finish
        path=STRAIGHT,
        counts=EACH_ONCE | {Kind.URGED: 1, Kind.SUPERVISED: 1, Kind.SUPERVISION_ANSWERED: 1},
        orders=(OrderExpectation(department=URBAN, reports=()),),
        scenes=(
            Gives(by=officer(URBAN), command="sign", after=Kind.ORDER_RECEIVED),
            Gives(by=officer(URBAN), command="arrive", after=Kind.SIGNED),
            Gives(by=RESIDENTS[2], command="urge", after=Kind.ARRIVED),
            Gives(by=SUPERVISOR, command="supervise", body={"order": "请今日到场并书面反馈"}, after=Kind.URGED),
            Gives(
                by=officer(URBAN),
                command="answer_supervision",
                body={"answer": "保洁人员已到场,两小时内完成"},
                after=Kind.SUPERVISED,
            ),
            Gives(
                by=officer(URBAN),
                command="finish",
                body={"result": "公厕已清扫消毒"},
                after=Kind.SUPERVISION_ANSWERED,
                later=SOON,
            ),
        ),
        moments={"supervise": ()},
        address="平安街公厕",
        area=AREAS[1],
        reporter=RESIDENTS[2],
    ),
    IncidentStory(
        name="unresolved",
        title=Title(zh="始终无人办理,到最终期限终结", en="nobody acts at all: unresolved at the final limit"),
        category="环境卫生",
        description="废弃工地的垃圾,始终无人办理",
        departments="沉默",
        whims=(Whim.NOBODY_ACTS,),
        path=(*TO_THE_DEPARTMENT, Stage.UNRESOLVED),
        counts=NO_WORK | {Kind.UNRESOLVED: 1, Kind.ORDER_RECALLED: 1},
        orders=(OrderExpectation(department=URBAN, reports=()),),
        clock=OwnClock(SPRING, 200_000),
        moments={
            "sign": ("warning", "breach", "tier:1", "tier:2"),
            "finish": ("warning", "breach", "tier:1", "tier:2"),
            "final": ("warning",),
        },
        never=NEVER - LATE,
        address="老砖厂旧址",
        area=AREAS[1],
        reporter=RESIDENTS[4],
    ),
)
