"""The stories of files: that of their walks (local/care_walks.py), and an alarm, which is a case of its own with its people."""

from dataclasses import dataclass, replace
from itertools import count

from local.care_walks import PEOPLE, WALKS
from local.stories.scenes import OnStage, gives, stands
from local.stories.story import SPRING, ChildExpectation, OwnClock, Repertoire, Title
from local.stories.walk_stories import Goes, WalkStory, repertoire_of
from local.stories.walks import Walks, walk
from schemas.alarm_state import Stage as AlarmStage
from schemas.care import CARE, Kind
from schemas.care_state import Stage

SPEED = 60
"""A minute is a second: so long the operator has."""

NIGHT = (
    "摔倒呼叫、接警到场、送医后撤回同意",
    "a fall is called in, answered and helped; then the consent is taken back",
)
CALLED = walk(
    "an alarm", "grid_worker record_consent, applicant raise_alarm", Stage.CLOSED, raise_alarm={"alarm_kind": "fall"}
)


@dataclass(frozen=True, kw_only=True)
class HelpComes:
    """The people of an alarm: the operator, the worker, an ambulance; and the next day."""

    async def play(self, stage: OnStage) -> None:
        """Help, as soon as the alarm stands."""
        await stage.seen(Kind.ALARM_STANDS)
        alarm = f"{stage.case_id}.alarm-1"
        await stands(stage.client(PEOPLE["coordinator"]), alarm)
        for by, command, body in (
            ("coordinator", "answer", {"said": "no_voice"}),
            ("grid_worker", "accept_call", {}),
            ("coordinator", "call_emergency", {"service": "medical_120", "order_number": "JZ-2027-0031"}),
            ("coordinator", "call_contact", {"contact": 1, "result": "coming"}),
            ("grid_worker", "arrive", {}),
            ("grid_worker", "resolve", {"result": "helped", "what": "膝部擦伤,120现场包扎"}),
            ("grid_worker", "follow_up", {"finding": "精神良好"}),
        ):
            await gives(stage, alarm, PEOPLE[by], command, body)


@dataclass(frozen=True, kw_only=True)
class TakesItBack:
    """The person does not want the file any more."""

    async def play(self, stage: OnStage) -> None:
        """Withdraw the consent when the file has heard that help was there."""
        for times in count(1):
            heard = await stage.seen(Kind.ALARM_REPORTED, times)
            if heard.facts["alarm_stage"] == AlarmStage.CLOSED:
                break
        await gives(stage, stage.case_id, PEOPLE["applicant"], "withdraw_consent", {"scopes": ["file"]})


def _alarm() -> WalkStory:
    walks: Walks = replace(WALKS, stories={CALLED.name: NIGHT}, walks=(CALLED,), speed=SPEED)
    return WalkStory(
        name="care-an-alarm",
        title=Title(zh=NIGHT[0], en=NIGHT[1]),
        procedure=CARE,
        opening=WALKS.opening,
        path=(Stage.CLOSED,),
        counts={Kind.CONSENTED: 1, Kind.ALARM_RAISED: 1, Kind.WITHDRAWN: 1},
        never=frozenset({Kind.CALLED_AGAIN, Kind.NO_ANSWER}),
        scenes=(Goes(procedure=CARE, walks=walks, walk=CALLED), HelpComes(), TakesItBack()),
        children={"alarm-1": ChildExpectation(("alarm:answered", "alarm:arrived", "alarm:resolved", "alarm:closed"))},
        ends_with="case:ended",
        clock=OwnClock(SPRING, SPEED),
        reporter=PEOPLE["clerk"],
    )


_told = repertoire_of(CARE, WALKS)
REPERTOIRE: Repertoire = replace(_told, stories=(*_told.stories, _alarm()), starts={Kind.ALARM_STANDS: "alarm"})
