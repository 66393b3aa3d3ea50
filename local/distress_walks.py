"""The ways a call for help without a file can go (local/stories/walks.py)."""

from local.simulation.townspeople import Persona
from local.stories.walks import A_DOCUMENT, USUAL_PEOPLE, Walks, walk
from schemas.values.actor import Role

POLICE = {"helper": "police_110", "order_number": "110-2027-0412"}

WALKS = Walks(
    starter="coordinator",
    people={
        **USUAL_PEOPLE,
        "second_street": Persona("street-he", Role.STREET_OFFICER),
        "second_grid_worker": Persona("grid-sun", Role.GRID_WORKER, area="320104.003.02"),
    },
    opening={
        "area": "320104.003.01",
        "alarm_kind": "sos",
        "words": "平台来电:编号未登记的手环求助",
    },
    left_alone="ruled_out",
    ended_by="street_officer rule_out, second_street confirm_ruled_out",
    bodies={
        "locate": {"where": "幸福里5号楼门前", "source": "platform"},
        "send_help": {"helper": "grid_worker"},
        "pass_on": {"reason": "在另一户,无法前往"},
        "report_scene": {"result": "helped", "what": "老人摔倒,已扶起送回家"},
        "refuse_death": {"reason": "救援人员仍在抢救"},
        "rule_out": {"known_by": "sight", "reason": "已到库房查看,设备在测试"},
        "refuse_ruled_out": {"reason": "请先到现场查看"},
        "attach": {"document": A_DOCUMENT, "note": "平台定位截图"},
    },
    walks=(
        walk(
            "main",
            "coordinator take, street_officer comment, coordinator locate, coordinator send_help, grid_worker accept_call, "
            "grid_worker arrive, grid_worker report_scene",
            "helped",
        ),
        walk(
            "help is sent before it is known where, and nobody is there",
            "coordinator send_help, street_officer report_scene, street_officer locate, street_officer send_help, "
            "grid_worker accept_call, grid_worker pass_on, second_grid_worker arrive, second_grid_worker report_scene",
            "helped",
            send_help=[POLICE, {"helper": "grid_worker"}],
            locate=[{"where": "市民广场东门", "source": "police", "area": "320104.003.02"}],
            report_scene=[
                {"result": "nobody_there", "what": "楼内未见求助人"},
                {"result": "hospital", "what": "在小区花园找到,送市第一医院"},
            ],
        ),
        walk(
            "somebody is found dead, on the word of two",
            "coordinator send_help, street_officer report_scene, coordinator refuse_death, grid_worker arrive, "
            "grid_worker report_scene, coordinator confirm_death",
            "died",
            send_help=[{"helper": "medical_120", "order_number": "120-2027-0412"}],
            report_scene=[
                {"result": "died", "what": "救援人员来电:无生命体征"},
                {"result": "died", "what": "医生到场宣布死亡"},
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
    stories={
        "main": (
            "无档手环求助:接单、定位、派人、到场扶起",
            "a wristband without a file calls: taken, located, somebody goes and helps",
        ),
        "nobody is in need, on the word of two": (
            "现场查看、二人确认无人求助",
            "looked at on the spot: nobody is in need, by two people's word",
        ),
    },
    speed=60,
)
