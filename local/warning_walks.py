"""The ways a warning can go (local/stories/walks.py), as far as its sweeps say nothing; the others: tests/examples/."""

from local.simulation.townspeople import Persona
from local.stories.walks import A_DOCUMENT, USUAL_PEOPLE, Walks, walk
from schemas.values.actor import Role

PEOPLE = {
    **USUAL_PEOPLE,
    "officer": Persona("officer-em", Role.DEPARTMENT_OFFICER, department="emergency-management"),
    "other_worker": Persona("grid-li", Role.GRID_WORKER),
    "deputy": Persona("grid-qian", Role.GRID_WORKER, area="320104.003.02.01"),  # works elsewhere, and stands in here
    "bound_street": Persona("street-of-003", Role.STREET_OFFICER, area="320104.003"),
    "bound_worker": Persona("grid-zhao", Role.GRID_WORKER, area="320104.003.01.01"),
}
OPENING = {
    "hazard": "rainstorm",
    "level": "orange",
    "reason": "上游雨量超警,短时强降雨持续",
    "area": "320104.003.01",
}
MOVED = "officer order_move"

WALKS = Walks(
    starter="officer",
    people=PEOPLE,
    opening=OPENING,
    left_alone="closed",
    ended_by="officer cancel_warning",
    bodies={
        "dismiss": {"reason": "传感器故障,现场无积水"},
        "confirm_dismissal": {},
        "refuse_dismissal": {},
        "cancel_warning": {"reason": "雨势已过,误发"},
        "ask_cancel": {"reason": "雨量站误报,现场无积水"},
        "confirm_cancel": {},
        "refuse_cancel": {},
        "acknowledge_call": {"point": "riverside-low"},
        "order_move": {"zones": ["a"]},
        "raise_level": {"level": "red", "reason": "三小时雨量一百毫米"},
        "name_place": {"leader": "grid-li", "deputy": "grid-qian", "where": "河滩露营地"},
        "found_household": {
            "point": "riverside-low",
            "zone": "a",
            "heads": 2,
            "address": "滨河路9号院内工棚",
        },
        "open_shelter": {"shelter": "community-hall", "keeper": "clerk-qian"},
        "check_in": {"shelter": "community-hall", "household": "riverside-01", "persons": 3},
        "check_out": {"shelter": "community-hall", "household": "riverside-01", "persons": 3, "where": "随女儿回家"},
        "headcount": {"shelter": "community-hall", "counted": 3},
        "close_shelter": {"shelter": "community-hall"},
        "report_casualty": {"dead": 0, "missing": 0, "hurt": 1, "where": "滨河路口,被砸伤,已送医"},
        "declare_all_clear": {"despite": "险情已过,未动身的住户均在高处"},
        "ask_all_clear": {"reason": "发布机构未再发文,本地雨停水退"},
        "confirm_all_clear": {},
        "refuse_all_clear": {},
        "inspect_place": {"point": "riverside-low", "safe": True, "second": "officer-he", "finding": "墙体、电路正常"},
        "permit_return": {"points": ["riverside-low"]},
        "review": {"findings": "名单、队伍、场所均到位,首户用时八分钟", "on_no_list": 0},
        "attach": {"document": A_DOCUMENT, "note": "水位照片"},
    },
    walks=(
        walk(
            "main",
            f"grid_worker acknowledge_call, {MOVED}, clerk open_shelter, clerk check_in, clerk headcount, "
            "street_officer report_casualty, officer comment",
            "moving",
        ),
        walk(
            "a mistake, taken back before anybody is moved",
            "street_officer urge, officer attach, admin replan, officer cancel_warning",
            "cancelled",
        ),
        walk(
            "a mistake, as two say who have not issued it",
            "street_officer ask_cancel, supervisor refuse_cancel, street_officer ask_cancel, supervisor confirm_cancel",
            "cancelled",
        ),
        walk(
            "watched, and nothing came of it",
            "street_officer stop_watching",
            "closed",
            opening={**OPENING, "level": "yellow"},
        ),
        walk(
            "graver, and one more is found on the way",
            f"{MOVED}, street_officer raise_level, street_officer name_place, grid_worker found_household",
            "moving",
            found_household={
                "point": "place-1",
                "zone": "a",
                "heads": 2,
                "address": "河滩露营地1号帐篷",
            },
        ),
        walk(
            "in a shelter, one lacks, and out again",
            f"street_officer open_shelter, grid_worker check_in, clerk headcount, clerk check_out, clerk close_shelter, {MOVED}",
            "moving",
            headcount={"shelter": "community-hall", "counted": 2},
            check_out={
                "shelter": "community-hall",
                "household": "riverside-01",
                "persons": 3,
                "found": 1,
                "where": "随女儿回家,其中一人原在门外",
            },
        ),
    ),
    stories={
        "watched, and nothing came of it": (
            "黄色预警值守,平安结束",
            "a yellow warning is watched, and nothing came of it",
        ),
    },
    asked_for={
        "a mistake, as two say who have not issued it": (
            "误发预警:一人提请、一人不同意,再经二人取消",
            "a warning by mistake: asked, refused, asked again and cancelled by two",
        ),
    },
    speed=20_000,
)
