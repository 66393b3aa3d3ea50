"""The ways a partnership can go (local/stories/walks.py): offered, agreed on, performed by both sides, broken, ended, renewed."""

from typing import Any

from local.simulation.townspeople import Persona
from local.stories.walks import A_DOCUMENT, USUAL_PEOPLE, Walks, walk
from schemas.values.actor import Role

PEOPLE = {
    **USUAL_PEOPLE,
    "rival": Persona("partner-lin", Role.PARTNER),
    "second": Persona("committee-wei", Role.COMMITTEE_OFFICER),
}

OFFERED = "committee offer, partner apply_for"
VETTED = f"{OFFERED}, (partnership:offer_closed), committee vet, street_officer confirm_vetting"
JUDGED = f"{VETTED}, grid_worker judge, coordinator judge, street_officer judge"
CHOSEN = f"{JUDGED}, committee choose"
DRAFTED = "committee draft_duty, committee draft_duty, committee draft_duty, partner draft_duty"
SIGNED = f"{CHOSEN}, {DRAFTED}, committee propose_agreement, partner agree"
IN_FORCE = f"{SIGNED}, (partnership:publicity:ended)"
ROOM_KEPT = "committee prove_counter_duty, partner accept_counter_duty"
SITTING = "partner prove_duty, grid_worker accept_duty"
KEPT = (
    f"{IN_FORCE}, {ROOM_KEPT}, {ROOM_KEPT}, {SITTING}, {SITTING}, {SITTING}, {SITTING}, {SITTING}, "
    f"partner state_figure, street_officer check_figure, {SITTING}"
)
RENEWED = "(partnership:renewal:opened), committee evaluate, committee propose_renewal, partner agree_renewal"
OVER = "(partnership:lapsed), partner hand_back, committee confirm_hand_back"
BREACH = "committee propose_breach, partner answer_breach"

ROOM = {"code": "room", "what": "每月开放场地不少于二十日", "side": "counterparty", "recurs": "monthly", "day": 25}
SITTINGS = {
    "code": "sittings", "what": "每月参加居民议事两次", "side": "party", "recurs": "monthly", "day": 25, "each_time": 2,
    "rests_on": ["room"],
}  # fmt: skip
JOBS = {"code": "jobs", "what": "提供三个本地岗位", "side": "party", "recurs": "quarterly", "day": 1, "level": 3}
FUND = {
    "code": "fund", "what": "利润的十分之一入社区基金", "side": "party", "recurs": "yearly", "day_of_year": "05-31", "percent": 10,
}  # fmt: skip
GIFT = {
    "code": "gift", "what": "认领凉亭修缮,捐款五千元", "side": "party", "within_days": 40, "amount_fen": 500000, "gift": True,
}  # fmt: skip
VISITS = {"code": "visits", "what": "城镇一方每月组织一次采购", "side": "counterparty", "recurs": "monthly", "day": 25}
PRODUCE = {
    "code": "produce",
    "what": "村方每月供应农产品",
    "side": "party",
    "recurs": "monthly",
    "day": 25,
    "rests_on": ["visits"],
}
OPENING: dict[str, Any] = {
    "partner_kind": "firm",
    "title": "社区咖啡屋",
    "gives": "一楼公共用房八十平方米",
    "wants": "参加议事、本地用工、收益分享",
    "space": "A-101",
    "months": 6,
    "area": "320104.003.01",
}
SHORT = {**OPENING, "months": 3}
PAIRING = {**OPENING, "partner_kind": "pairing", "title": "城乡结对", "space": None}
PATRON = {**OPENING, "partner_kind": "patron", "title": "凉亭修缮认领", "space": None}
NO_SPACE = {"worth_fen": 300000}
SIT, JOB, PAID = (
    {"duty": "sittings", "proof": "议事会纪要第三号"},
    {"duty": "jobs", "proof": "社保缴费证明三份", "held": 3},
    {"duty": "fund", "proof": "基金账户入账", "amount_fen": 800000, "receipt": "JJ-2027-0008"},
)
LET_ON = {"ground": "sublet", "reason": "房屋转租他人经营"}
UPHELD = {"upheld": True, "finding": "属实", "appraisal": "评议属实", "legal_basis": "《社区合伙人管理办法》第九条"}

WALKS = Walks(
    starter="committee",
    opening=OPENING,
    people=PEOPLE,
    left_alone="unresolved",
    bodies={
        "offer": {"worth_fen": 2400000, "space": "A-101", "owner_agrees": A_DOCUMENT},
        "apply_for": {"name": "陈家咖啡", "plan": "每日营业,周末办活动", "kin": False},
        "vet": {
            "application": 1,
            "registered": True,
            "barred": False,
            "receipt": "SCJG-0001",
            "finding": "登记信息一致",
        },
        "confirm_vetting": {"admitted": True, "reason": "核对无误"},
        "judge": {"score": 80},
        "choose": {"application": 1},
        "draft_duty": ROOM,
        "propose_agreement": {"version": 5},
        "drop_duty": {"code": "fund"},
        "object": {"reason": "营业噪声", "contact": "3号楼李先生"},
        "investigate": {"upheld": False, "finding": "已约定营业时间"},
        "prove_duty": SIT,
        "prove_counter_duty": {"duty": "room", "proof": "开放登记表"},
        "ask_waiver": {"duty": "sittings", "reason": "议事厅修缮"},
        "claim_hardship": {"duty": "gift", "reason": "经营困难", "documents": [A_DOCUMENT]},
        "state_figure": {"duty": "fund", "figure_fen": 8000000, "documents": [A_DOCUMENT]},
        "check_figure": {"right": True, "finding": "与报表一致"},
        "report_other_side": {"duty": "room", "reason": "房门上锁两周"},
        "clear_report": {"duty": "room", "finding": "已恢复开放"},
        "suspend": LET_ON,
        "propose_breach": LET_ON,
        "hand_back": {"inventory": "钥匙两把,桌椅十套", "open_fen": 30000},
        "confirm_hand_back": {"owed_fen": 0, "finding": "清点无误"},
        "evaluate": {"got_fen": 4000000, "finding": "居民满意"},
        "propose_renewal": {"months": 3},
        "attach": {"document": A_DOCUMENT, "note": "现场照片"},
    },
    walks=(
        walk("main", f"{OFFERED}, rival apply_for, committee attach, clerk comment", "offered"),
        walk(
            "kept and renewed",
            f"{KEPT}, {RENEWED}, (partnership:publicity:ended), committee comment",
            "active",
            opening=SHORT,
            draft_duty=(ROOM, SITTINGS, JOBS, FUND),
            prove_duty=(SIT, SIT, SIT, SIT, JOB, PAID),
        ),
        walk(
            "one sitting made good",
            f"{IN_FORCE}, {ROOM_KEPT}, {SITTING}, (partnership:duty:missed), {SITTING}",
            "active",
            draft_duty=(ROOM, SITTINGS, JOBS, FUND),
        ),
        walk(
            "jobs paid elsewhere",
            f"{IN_FORCE}, partner prove_duty, grid_worker reject_duty, {BREACH}, street_officer declare_breach, "
            "committee accept_amends",
            "active",
            draft_duty=(ROOM, SITTINGS, JOBS, FUND),
            prove_duty=JOB,
            propose_breach={"ground": "false-proof", "reason": "两个岗位的社保由别处缴纳"},
        ),
        walk(
            "room let on",
            f"{IN_FORCE}, street_officer suspend, {BREACH}, street_officer declare_breach, committee give_notice, "
            "partner hand_back, committee confirm_hand_back",
            "ended",
            draft_duty=(ROOM, SITTINGS, JOBS, FUND),
            confirm_hand_back={"owed_fen": 30000, "finding": "居民预付卡未消费三百元"},
        ),
        walk(
            "the town side does nothing",
            "committee offer, partner apply_for, rival apply_for, (partnership:offer_closed), committee vet, "
            "street_officer confirm_vetting, second vet, street_officer confirm_vetting, "
            "grid_worker judge, coordinator judge, street_officer judge, committee choose, "
            "committee draft_duty, committee draft_duty, committee propose_agreement, partner agree, "
            "(partnership:publicity:ended), "
            "partner report_other_side, partner urge, (partnership:duty:rested), supervisor clear_report",
            "curing",
            opening=PAIRING,
            offer=NO_SPACE,
            vet=(
                {
                    "application": 1,
                    "registered": True,
                    "barred": False,
                    "receipt": "SCJG-0001",
                    "finding": "村集体登记",
                },
                {
                    "application": 2,
                    "registered": True,
                    "barred": True,
                    "receipt": "SCJG-0002",
                    "finding": "失信名单在列",
                },
            ),
            confirm_vetting=({"admitted": True, "reason": "核对无误"}, {"admitted": False, "reason": "失信名单在列"}),
            draft_duty=(VISITS, PRODUCE),
            propose_agreement={"version": 3},
            report_other_side={"duty": "visits", "reason": "一个月没有采购"},
            clear_report={"duty": "visits", "finding": "已约定补办"},
        ),
        walk(
            "broken too often",
            f"{IN_FORCE}, {ROOM_KEPT}, {ROOM_KEPT}, (partnership:breach:due), {BREACH}, street_officer drop_breach",
            "active",
            draft_duty=(ROOM, SITTINGS, JOBS, FUND),
            propose_breach={"ground": "repeated", "reason": "两期未参加议事"},
        ),
        walk(
            "waived once",
            f"{IN_FORCE}, committee ask_waiver, grid_worker grant_waiver, committee ask_waiver, grid_worker refuse_waiver, "
            "partner state_figure, street_officer check_figure, committee prove_counter_duty, partner reject_counter_duty",
            "active",
            draft_duty=(ROOM, SITTINGS, JOBS, FUND),
            check_figure={"right": False, "finding": "缺少报表"},
        ),
        walk(
            "a gift that cannot be given",
            f"{CHOSEN}, committee draft_duty, committee draft_duty, committee propose_agreement, partner agree, "
            "(partnership:term_begun), partner claim_hardship, grid_worker grant_waiver",
            "active",
            opening=PATRON,
            offer=NO_SPACE,
            draft_duty=(ROOM, GIFT),
            propose_agreement={"version": 3},
        ),
        walk(
            "suspended for a while",
            f"{IN_FORCE}, committee suspend, committee go_on, admin replan",
            "active",
            draft_duty=(ROOM, SITTINGS, JOBS, FUND),
            suspend={"ground": "danger", "reason": "线路检修"},
        ),
        walk(
            "the draft is written anew",
            f"{CHOSEN}, {DRAFTED}, committee propose_agreement, partner decline_agreement, partner drop_duty, "
            "committee propose_agreement, partner agree, clerk object, supervisor investigate",
            "publicised",
            draft_duty=(ROOM, SITTINGS, JOBS, FUND),
            propose_agreement=({"version": 5}, {"version": 6}),
        ),
        walk(
            "an objection upheld",
            f"{SIGNED}, clerk object, supervisor investigate",
            "refused",
            draft_duty=(ROOM, SITTINGS, JOBS, FUND),
            investigate=UPHELD,
        ),
        walk(
            "a renewal objected to",
            f"{IN_FORCE}, (partnership:renewal:opened), committee evaluate, committee propose_renewal, partner agree_renewal, "
            "clerk object, supervisor investigate",
            "renewing",
            opening=SHORT,
            draft_duty=(ROOM, SITTINGS, JOBS, FUND),
            investigate=UPHELD,
        ),
        walk(
            "kin of the committee",
            f"{JUDGED}, committee withdraw_offer",
            "withdrawn",
            apply_for={"name": "陈家咖啡", "plan": "每日营业", "kin": True},
        ),
        walk(
            "nobody is admitted",
            f"{OFFERED}, coordinator declare_relation, (partnership:offer_closed), committee vet, second confirm_vetting",
            "refused",
            confirm_vetting={"admitted": False, "reason": "未提供证照"},
        ),
        walk("a juror recuses", f"{VETTED}, grid_worker judge, grid_worker recuse, second judge", "judging"),
        walk("an idea declined", "committee decline_idea", "refused"),
        walk(
            "a cafe that keeps its word",
            f"{KEPT}, {RENEWED}, {OVER}",
            "ended",
            staged=True,
            opening=SHORT,
            draft_duty=(ROOM, SITTINGS, JOBS, FUND),
            prove_duty=(SIT, SIT, SIT, SIT, JOB, PAID),
        ),
        walk(
            "a sitting made good",
            f"{IN_FORCE}, {ROOM_KEPT}, {SITTING}, (partnership:duty:missed), {SITTING}, {OVER}",
            "ended",
            staged=True,
            opening=SHORT,
            draft_duty=(ROOM, SITTINGS, JOBS, FUND),
        ),
        walk(
            "jobs that were none",
            f"{IN_FORCE}, partner prove_duty, grid_worker reject_duty, {BREACH}, street_officer declare_breach, "
            f"committee accept_amends, {OVER}",
            "ended",
            staged=True,
            opening=SHORT,
            draft_duty=(ROOM, SITTINGS, JOBS, FUND),
            prove_duty=JOB,
            propose_breach={"ground": "false-proof", "reason": "两个岗位的社保由别处缴纳"},
        ),
        walk(
            "the village delivers",
            f"{CHOSEN}, committee draft_duty, committee draft_duty, committee propose_agreement, partner agree, "
            "(partnership:publicity:ended), partner prove_duty, committee accept_duty, partner report_other_side, "
            "(partnership:duty:rested), supervisor clear_report",
            "ended",
            staged=True,
            opening={**PAIRING, "months": 3},
            offer=NO_SPACE,
            draft_duty=(VISITS, PRODUCE),
            propose_agreement={"version": 3},
            prove_duty={"duty": "produce", "proof": "送货单"},
            report_other_side={"duty": "visits", "reason": "一季度没有采购"},
            clear_report={"duty": "visits", "finding": "已约定补办"},
        ),
    ),
    stories={
        "a cafe that keeps its word": ("社区咖啡屋如约履行,到期续约", "a café keeps what it owes, and is renewed"),
        "room let on": ("场地转租:暂停、解除、退还预付", "the room is let on: suspended, ended, cards repaid"),
    },
    asked_for={
        "a sitting made good": ("少参加一次议事,补上", "one sitting missed, and made good"),
        "jobs that were none": ("岗位不实,认定违约后整改", "jobs that were none: a breach, and amends"),
        "the village delivers": ("村方如约,城镇一方未履行", "the village delivers, the town side does nothing"),
    },
    speed=200_000,
    explained={
        "jobs paid elsewhere": {"partnership:breach:declared": "grave"},
        "kept and renewed": {"partnership:term_begun": ""},
    },
)
