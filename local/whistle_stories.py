"""The stories of whistles in `jiceng demo`: departments are called to a spot, and come, or do not."""

from collections.abc import Mapping
from dataclasses import dataclass

from local.incident_plot import EACH_ONCE, ECOLOGY, EMERGENCY, STRAIGHT, URBAN
from local.incident_story import IncidentStory
from local.simulation.townspeople import AREAS, CLERK, Persona
from local.stories.scenes import Gives
from local.stories.story import (
    LATE,
    NEVER,
    SPRING,
    ChildExpectation,
    OrderExpectation,
    OwnClock,
    Repertoire,
    Story,
    Title,
)
from local.whistle_scenes import STREET, ComesUp, Rules, Scores
from schemas.incident import Kind as IncidentKind
from schemas.incident_state import Stage as IncidentStage
from schemas.summons import Kind as SummonsKind
from schemas.values.location import Location
from schemas.whistle import Kind
from schemas.whistle_call import WhistleCall
from schemas.whistle_policy import WhistleType
from schemas.whistle_state import FINAL, Stage
from starter.client import Started, TownClient

JUSTICE = "justice-office"
TO_THE_SPOT = (Stage.BLOWN, Stage.SUMMONING, Stage.GATHERED, Stage.WORKING)
TO_THE_CLOSE = (*TO_THE_SPOT, Stage.EVALUATED, Stage.CLOSED)
ONCE = dict.fromkeys((Kind.BLOWN, Kind.GATHERED, Kind.WORK_BEGUN, Kind.EVALUATED, Kind.CLOSED), 1)
CAME = ChildExpectation(
    (SummonsKind.SUMMONED, SummonsKind.RESPONDED, SummonsKind.ARRIVED, SummonsKind.FINISHED, SummonsKind.SCORED)
)


@dataclass(frozen=True, kw_only=True)
class WhistleStory(Story):
    """A whistle. The first of `called` leads; the description is the matter."""

    type: WhistleType
    called: tuple[str, ...]
    reporter: Persona = STREET

    async def open(self, client: TownClient, key: str, born_of: str | None) -> Started:
        """Blow it, as the street officer; born of an incident, if it comes up in one."""
        call = WhistleCall(
            type=self.type,
            matter=f"{self.description}〔剧本:{self.departments}〕",
            location=Location(address=self.address, area=self.area),
            departments=self.called,
            lead=self.called[0],
            incident=born_of,
        )
        return await client.blow_whistle(call, key)


def _marks(*departments: str, absent: str = "") -> Mapping[str, int]:
    return {department: 40 if department == absent else 92 for department in departments}


_STORIES: tuple[Story, ...] = (
    WhistleStory(
        name="whistle-all-arrive",
        title=Title(zh="吹哨,各部门到齐", en="a whistle, and all arrive"),
        type=WhistleType.ENFORCEMENT,
        called=(URBAN, JUSTICE),
        description="夜市占道经营,油烟扰民",
        path=TO_THE_CLOSE,
        counts=ONCE | {Kind.SCORED: 2},
        orders=(OrderExpectation(department=URBAN), OrderExpectation(department=JUSTICE)),
        children={URBAN: CAME, JUSTICE: CAME},
        scenes=(Scores(marks=_marks(URBAN, JUSTICE)),),
        address="平安街夜市",
    ),
    WhistleStory(
        name="whistle-one-late",
        title=Title(zh="一个部门缺席,逐级上报", en="one department late, through all tiers, alone"),
        type=WhistleType.ENFORCEMENT,
        called=(URBAN, JUSTICE, ECOLOGY),
        description="违建拆除联合执法",
        departments=f"{ECOLOGY} 沉默",
        path=TO_THE_CLOSE,
        counts=ONCE | {Kind.SCORED: 3},
        orders=(
            OrderExpectation(department=URBAN),
            OrderExpectation(department=JUSTICE),
            OrderExpectation(department=ECOLOGY, reports=()),
        ),
        children={
            URBAN: CAME,
            ECOLOGY: ChildExpectation(
                (SummonsKind.SUMMONED, SummonsKind.ABSENT, SummonsKind.SCORED),
                {"respond": ("warning", "breach", "tier:1", "tier:2")},
            ),
        },
        scenes=(Scores(marks=_marks(URBAN, JUSTICE, ECOLOGY, absent=ECOLOGY)),),
        never=NEVER - LATE,
        clock=OwnClock(SPRING, 20_000),
        address="工人路46号",
        area=AREAS[1],
    ),
    WhistleStory(
        name="whistle-declined",
        title=Title(zh="反哨,裁定须报到", en="declined, and the ruling binds"),
        type=WhistleType.ENFORCEMENT,
        called=(URBAN, JUSTICE),
        description="楼道充电线乱拉",
        departments=f"{JUSTICE} 退单",
        path=TO_THE_CLOSE,
        counts=ONCE | {Kind.SCORED: 2},
        orders=(
            OrderExpectation(department=URBAN),
            OrderExpectation(department=JUSTICE, reports=("returned",)),
            OrderExpectation(department=JUSTICE),
        ),
        children={
            JUSTICE: ChildExpectation((SummonsKind.SUMMONED, SummonsKind.DECLINED, SummonsKind.RULED, *CAME.kinds[1:]))
        },
        scenes=(Rules(department=JUSTICE, upheld=False), Scores(marks=_marks(URBAN, JUSTICE))),
        address="锦绣里7幢",
        area=AREAS[2],
    ),
    WhistleStory(
        name="whistle-emergency",
        title=Title(zh="应急吹哨,半小时响应", en="an emergency, answered in half an hour"),
        type=WhistleType.EMERGENCY,
        called=(EMERGENCY, URBAN),
        description="老旧围墙倾斜,随时可能倒塌",
        path=TO_THE_CLOSE,
        counts=ONCE | {Kind.SCORED: 2},
        orders=(OrderExpectation(department=URBAN), OrderExpectation(department=EMERGENCY)),
        children={EMERGENCY: CAME, URBAN: CAME},
        scenes=(
            Gives(by=STREET, command="begin_work", after=Kind.GATHERED),
            Scores(marks=_marks(EMERGENCY, URBAN)),
        ),
        in_a_hurry=True,
        address="解放路17号",
        area=AREAS[1],
    ),
    IncidentStory(
        name="whistle-of-an-incident",
        title=Title(zh="事件吹哨,等候结果", en="an incident waits for the whistle that is born of it"),
        category="无主废弃物",
        description="三不管地带的废弃物无人认领",
        path=(*STRAIGHT[:3], IncidentStage.WHISTLED, *STRAIGHT[2:]),
        counts=EACH_ONCE | {IncidentKind.ARRIVED: 0, IncidentKind.WHISTLED: 1, IncidentKind.WHISTLE_ENDED: 1},
        scenes=(ComesUp(after=IncidentKind.SIGNED),),
        also=(
            WhistleStory(
                name="whistle-born-of-it",
                title=Title(zh="由事件引出的吹哨", en="the whistle"),
                type=WhistleType.ENFORCEMENT,
                called=(URBAN, ECOLOGY),
                description="三不管地带的废弃物无人认领",
                path=TO_THE_CLOSE,
                counts=ONCE | {Kind.INCIDENT_WAITS: 1, Kind.INCIDENT_GOES_ON: 0},
                orders=(OrderExpectation(department=URBAN), OrderExpectation(department=ECOLOGY)),
                children={URBAN: CAME, ECOLOGY: CAME},
                scenes=(Scores(marks=_marks(URBAN, ECOLOGY)),),
                address="两街道交界处",
                area=AREAS[2],
            ),
        ),
        address="两街道交界处",
        area=AREAS[2],
        reporter=CLERK,
    ),
)

REPERTOIRE = Repertoire(
    stories=_STORIES,
    stage_after={
        Kind.BLOWN: Stage.BLOWN,
        Kind.SUMMONED: lambda _facts, path: Stage.SUMMONING if path[-1] == Stage.BLOWN else None,
        Kind.GATHERED: Stage.GATHERED,
        Kind.WORK_BEGUN: Stage.WORKING,
        Kind.EVALUATED: Stage.EVALUATED,
        Kind.CLOSED: Stage.CLOSED,
        Kind.CANCELLED: Stage.CANCELLED,
        Kind.UNRESOLVED: Stage.UNRESOLVED,
    },
    endings=frozenset(FINAL),
    starts={Kind.SUMMONS_STANDS: "summons"},
)
