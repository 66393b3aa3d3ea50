"""The ways a hall can go (local/stories/walks.py)."""

from local.simulation.townspeople import Persona
from local.stories.walks import A_DOCUMENT, USUAL_PEOPLE, Walks, walk
from schemas.values.actor import Role

SAT = "committee set_members, committee call_sitting, (hall:agenda_stood), committee close_sitting"

WALKS = Walks(
    starter="committee",
    people={**USUAL_PEOPLE, "committee": Persona("committee-tang", Role.COMMITTEE_OFFICER)},
    opening={"households": 797, "area": "320104.003.01"},
    left_alone="closed",
    bodies={
        "set_members": {"delegates": 60, "women": 24},
        "call_sitting": {"agenda": "停车、垃圾分类、健身器材三项议题"},
        "close_sitting": {"present": 52},
        "dissolve": {"reason": "社区合并,议事厅并入新社区"},
        "publish_minutes": {"sitting": 1, "minutes": "三项议题均已讨论,停车事项提请表决"},
        "attach": {"document": A_DOCUMENT, "note": "签到表"},
    },
    walks=(
        walk("main", "street_officer comment, committee set_members, committee call_sitting", "sitting"),
        walk("a sitting and its minutes", f"{SAT}, committee publish_minutes", "open"),
        walk("two months, one without a sitting", f"{SAT}, (hall:month:missed), committee call_sitting", "sitting"),
        walk("dissolved", "committee set_members, street_officer dissolve", "dissolved"),
        walk(
            "a year cut short",
            f"{SAT}, committee publish_minutes, (hall:month:missed), street_officer dissolve",
            "dissolved",
        ),
        walk("urged", "supervisor urge, clerk attach, admin replan, committee set_members", "open"),
    ),
    stories={
        "a year cut short": (
            "议事厅开会、缺会一月、社区合并撤销",
            "a hall sits, misses a month, and is joined to another",
        ),
    },
    speed=200_000,
)
