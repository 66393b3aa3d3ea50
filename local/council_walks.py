"""The ways a motion can go (local/stories/walks.py); how the votes go, tests/examples/ballot.py says."""

from local.simulation.townspeople import Persona
from local.stories.walks import A_DOCUMENT, USUAL_PEOPLE, Walks, walk
from schemas.values.actor import Role

PEOPLE = {
    **USUAL_PEOPLE,
    "committee": Persona("committee-tang", Role.COMMITTEE_OFFICER),
}
ADMITTED = "committee admit"
TALKED = f"{ADMITTED}, committee record_round, committee record_round"
UNLAWFUL = {"ground": "unlawful", "reason": "罚款无法律依据", "legal_basis": "《村民委员会组织法》第二十七条"}
NO_AGREEMENT = {"ground": "no_agreement", "reason": "两轮协商未达成一致,明年再议"}
NOT_LAWFUL = {"passed": False, "finding": "设定罚款", "legal_basis": "《村民委员会组织法》第二十七条"}
CONVENTION = {"motion": "居民公约:楼道不堆物,违者登门劝导", "topic": "convention", "area": "320104.003.01"}

WALKS = Walks(
    starter="applicant",
    people=PEOPLE,
    opening={
        "motion": "小区主干道单侧停车,高峰时段禁停",
        "topic": "facilities",
        "cost_fen": 800000,
        "area": "320104.003.01",
    },
    left_alone="unresolved",
    bodies={
        "admit": {},
        "merge": {"into": "council-20261121-000017", "reason": "同一事项已另行提议"},
        "enter_signatures": {"signatures": 120, "documents": [A_DOCUMENT]},
        "answer": {"ground": "not_ours", "reason": "属市政道路,不由社区决定"},
        "pass_on": {"department": "urban-management", "reason": "属城管职责"},
        "invite": {"invited": "property_firm", "note": "物业公司说明停车位情况"},
        "attend": {"invitation": 1},
        "record_round": {"present": 46, "minutes": "讨论单侧停车与消防通道"},
        "opine": {"opinion": "晚归车辆停放怎么办"},
        "answer_opinion": {"taken": "partly", "reason": "夜间临停区另划"},
        "legal_review": {"passed": True, "finding": "与法律法规不抵触"},
        "amend": {"text": "主干道单侧停车,夜间另划临停区", "reason": "采纳夜间停放意见"},
        "call_ballot": {"version": 1, "quorum_class": "residents_meeting", "base": "households"},
        "attach": {"document": A_DOCUMENT, "note": "现场照片"},
    },
    walks=(
        walk(
            "main",
            "applicant comment, committee admit, applicant opine, committee answer_opinion, committee invite,"
            " committee attend, committee record_round, street_officer legal_review, committee record_round, committee answer",
            "answered",
            answer=NO_AGREEMENT,
        ),
        walk("put to the vote", f"{TALKED}, committee call_ballot", "voting"),
        walk(
            "admitted by those who join in it",
            "clerk attach, clerk enter_signatures",
            "admitted",
            enter_signatures={"signatures": 448, "documents": [A_DOCUMENT]},
        ),
        walk("joined by too few", "clerk enter_signatures, supervisor urge", "proposed"),
        walk("admitted by itself", "(council:admitted), committee record_round", "deliberating"),
        walk("answered", "committee answer", "answered"),
        walk("unlawful", "committee answer", "answered", answer=UNLAWFUL),
        walk("passed on", "committee pass_on", "passed_on"),
        walk("withdrawn", "grid_worker attach, applicant urge, admin replan, applicant withdraw", "withdrawn"),
        walk(
            "amended and posted again",
            f"{TALKED}, applicant amend, committee prolong, committee record_round",
            "deliberating",
        ),
        walk(
            "a convention that is not lawful",
            f"{TALKED}, street_officer legal_review, committee amend",
            "deliberating",
            opening=CONVENTION,
            legal_review=NOT_LAWFUL,
        ),
    ),
    stories={
        "main": ("议案协商未果,书面答复", "a motion that came to nothing, and its answer"),
        "unlawful": ("违法议案不予立项并说明依据", "a motion that is against the law, and why"),
    },
    explained={"admitted by itself": {"council:admitted": ""}},
)
