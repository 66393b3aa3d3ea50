"""The ways a round can go (local/stories/walks.py); how its proposals and its vote go, tests/examples/round.py says."""

from local.simulation.townspeople import Persona
from local.stories.walks import A_DOCUMENT, USUAL_PEOPLE, Walks, walk
from schemas.values.actor import Role

JURORS = {f"juror_{number}": Persona(f"juror-{number}", Role.SPECIALIST) for number in range(1, 7)}
"""Five of a jury, and one who may be seated in place of another."""
TEAMS = (("applicant", "ma", "tian"), ("neighbour", "qiu", "ding"), ("stranger", "lu", "shen"))
"""Who is of the first, the second and a third proposal; first of each team who speaks for it."""
MEMBERS = {name: Persona(f"resident-{name}", Role.RESIDENT) for team in TEAMS for name in team[1:]}
PEOPLE = {
    **USUAL_PEOPLE,
    **JURORS,
    **MEMBERS,
    "neighbour": Persona("resident-wan", Role.RESIDENT),
    "new_carrier": Persona("partner-lin", Role.PARTNER),
    "second_street": Persona("street-he", Role.STREET_OFFICER),
}
OPENED = "(round:unit:held), street_officer open_round"
ENTRY = {
    "need": "楼前空地夜间无灯,老人摔倒过三次",
    "plan": "安装六盏太阳能路灯,居民自己巡查维护",
    "site": "幸福小区3号楼前空地",
    "people_helped": 180,
    "cost_fen": 100000,
    "team": ["resident-he", "resident-ma", "resident-tian"],
    "carrier": "52320104MJA000001L",
    "carrier_name": "幸福社区公益服务中心",
    "account": "6222020000000000017",
    "carrier_person": "partner-chen",
}
RIVAL = {
    **ENTRY,
    "need": "小区长椅损坏,无处歇脚",
    "plan": "更换八条长椅,认领维护",
    "team": ["resident-wan", "resident-qiu", "resident-ding"],
}

WALKS = Walks(
    starter="committee",
    people=PEOPLE,
    opening={
        "title": "第一届社区提案大赛",
        "pool_fen": 200000,
        "cap_fen": 150000,
        "jury": [f"juror-{number}" for number in range(1, 6)],
        "area": "320104.003.01",
    },
    left_alone="unresolved",
    bodies={
        "open_round": {"budget": A_DOCUMENT},
        "submit": ENTRY,
        "call_vote": {"question": "1号:路灯;2号:长椅。每票最多选三项"},
        "draw_lot": {"order": ["proposal-2", "proposal-1"]},
        "confirm_lot": {"right": True},
        "report_round": {"report": "两件提案均有答复,余款退回", "documents": [A_DOCUMENT]},
        "attach": {"document": A_DOCUMENT, "note": "公告照片"},
    },
    walks=(
        walk("main", f"committee comment, {OPENED}, clerk submit", "collecting"),
        walk("opened, and nothing handed in", OPENED, "collecting"),
        walk("called off", "committee urge, grid_worker attach, admin replan, street_officer cancel", "cancelled"),
        walk("called off while it collects", f"{OPENED}, clerk submit, street_officer cancel", "cancelled"),
    ),
    stories={
        "called off while it collects": (
            "大赛征集中取消,提案随之结束",
            "a round is called off, and its proposals with it",
        )
    },
)
