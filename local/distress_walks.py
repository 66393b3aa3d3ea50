"""The ways a call for help without a file can go (local/stories/walks.py)."""

from local.simulation.townspeople import Persona
from local.stories.walks import A_DOCUMENT, USUAL_PEOPLE, Walks, walk
from schemas.values.actor import Role

WALKS = Walks(
    starter="coordinator",
    people={**USUAL_PEOPLE, "second_street": Persona("street-he", Role.STREET_OFFICER)},
    opening={
        "area": "320104.003.01",
        "alarm_kind": "sos",
        "words": "平台来电:编号未登记的手环求助",
    },
    left_alone="ruled_out",
    ended_by="street_officer rule_out, second_street confirm_ruled_out",
    bodies={
        "locate": {"where": "幸福里5号楼门前", "source": "platform"},
        "send_help": {"helper": "police_110", "order_number": "110-2027-0412"},
        "report_scene": {"result": "helped", "what": "老人摔倒,已扶起送回家"},
        "rule_out": {"known_by": "not_worn", "reason": "平台确认设备在库房测试"},
        "refuse_ruled_out": {"reason": "请先到现场查看"},
        "attach": {"document": A_DOCUMENT, "note": "平台定位截图"},
    },
    walks=(
        walk(
            "main",
            "coordinator take, street_officer comment, coordinator locate, coordinator send_help, grid_worker report_scene",
            "helped",
        ),
        walk(
            "help is sent before it is known where, and nobody is there",
            "coordinator send_help, grid_worker report_scene, street_officer locate, street_officer send_help, "
            "coordinator report_scene",
            "helped",
            report_scene=[
                {"result": "nobody_there", "what": "楼内未见求助人"},
                {"result": "hospital", "what": "在小区花园找到,送市第一医院"},
            ],
        ),
        walk(
            "nobody is in need, on the word of two",
            "coordinator take, coordinator rule_out, supervisor confirm_ruled_out",
            "ruled_out",
        ),
        walk(
            "a second person does not say so",
            "street_officer rule_out, second_street refuse_ruled_out, coordinator locate",
            "located",
        ),
        walk(
            "nobody takes it, and everybody is called again",
            "coordinator comment, (distress:everybody_called), coordinator take",
            "taken",
        ),
        walk("urged", "supervisor urge, clerk attach, admin replan, coordinator take", "taken"),
    ),
    speed=200_000,
)
