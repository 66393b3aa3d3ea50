"""The ways a file can go (local/stories/walks.py): consent, visits, searches, absences, hand-overs, and its end."""

from local.simulation.townspeople import Persona
from local.stories.walks import A_DOCUMENT, USUAL_PEOPLE, Walks, walk
from schemas.values.actor import Role

PEOPLE = {
    **USUAL_PEOPLE,
    "next_worker": Persona("grid-sun", Role.GRID_WORKER),
    "second_street": Persona("street-he", Role.STREET_OFFICER),
}
CONSENTED = "grid_worker record_consent"
SEARCHED = f"{CONSENTED}, grid_worker report_no_answer"
BAND = {"platform": "wristband", "device": "SH-0042"}

WALKS = Walks(
    starter="clerk",
    people=PEOPLE,
    opening={
        "person": "王桂英",
        "address": "幸福里3号楼201室",
        "group": "lives_alone",
        "need": "weekly_visit",
        "emergency_contacts": "王强 13900001111\n李秀兰 13900002222",
        "contact_order": [{"relation": "family", "holds_key": True}, {"relation": "neighbour"}],
        "worker": "grid-zhao",
        "deputy": "grid-qian",
        "area": "320104.003.01",
        "on_behalf_of": "resident-he",
    },
    left_alone="unresolved",
    ended_by="street_officer end_file, second_street confirm_end",
    bodies={
        "record_consent": {"by": "person", "scopes": ["file", "health", "device"]},
        "withdraw_consent": {"scopes": ["device"]},
        "record_visit": {"way": "home", "outcome": "well", "note": "血压正常"},
        "report_no_answer": {"tries": 2, "neighbours_asked": True},
        "request_entry": {"opened_by": "police", "second": "officer-110", "reason": "两日无人应答"},
        "find": {"how": "well_at_home", "where": "家中"},
        "set_absence": {"cause": "family", "days": 20},
        "hand_over": {"to": "grid-sun", "reason": "网格调整"},
        "decline_handover": {"reason": "在管户数已满"},
        "name_deputy": {"deputy": "grid-li"},
        "refuse_absence": {"reason": "请先走访一次"},
        "update_profile": {
            "address": "幸福里3号楼101室",
            "emergency_contacts": "王强 13900001111",
            "contact_order": [{"relation": "family", "holds_key": True}],
            "health": "高血压,按时服药",
        },
        "reassess": {"need": "monthly", "reason": "女儿已搬来同住"},
        "refuse_lowering": {"reason": "女儿常年出差"},
        "bind_device": BAND,
        "unbind_device": BAND,
        "raise_alarm": {"alarm_kind": "sos", "words": "摔倒了起不来"},
        "end_file": {"cause": "moved", "reason": "已迁往外区"},
        "refuse_end": {"reason": "本人仍住在此处"},
        "reopen_file": {"reason": "登记有误"},
        "attach": {"document": A_DOCUMENT, "note": "评估表"},
    },
    walks=(
        walk("main", f"{CONSENTED}, grid_worker record_visit, street_officer comment", "active"),
        walk("not wanted", "applicant refuse_consent", "declined"),
        walk(
            "consent withdrawn, first of health and then of the file",
            f"{CONSENTED}, grid_worker update_profile, clerk withdraw_consent, applicant withdraw_consent",
            "closed",
            withdraw_consent=[{"scopes": ["health"]}, {"scopes": ["file"]}],
        ),
        walk("an overdue visit", f"{CONSENTED}, (clock:breach), grid_worker record_visit", "active"),
        walk(
            "nobody goes, and everybody is called again",
            f"{CONSENTED}, (care:called_again), grid_worker record_visit",
            "active",
        ),
        walk(
            "found at home",
            f"{SEARCHED}, street_officer request_entry, grid_worker find, grid_worker record_visit",
            "active",
            find={"how": "hurt_at_home", "where": "卫生间"},
        ),
        walk(
            "found in hospital, and back",
            f"{SEARCHED}, coordinator find, (care:absence_over), grid_worker record_visit",
            "active",
            find={"how": "hospital", "where": "市第一医院"},
        ),
        walk("seen while looked for", f"{SEARCHED}, grid_worker record_visit", "active"),
        walk(
            "died", f"{SEARCHED}, grid_worker find, civil confirm_end", "ended", find={"how": "died", "where": "家中"}
        ),
        walk("away and back", f"{CONSENTED}, applicant set_absence, applicant return_home", "active"),
        walk(
            "long away, on the word of two",
            f"{CONSENTED}, grid_worker set_absence, street_officer confirm_absence, grid_worker return_home",
            "active",
            set_absence={"cause": "family", "days": 120},
        ),
        walk(
            "not long away",
            f"{CONSENTED}, grid_worker set_absence, civil refuse_absence",
            "active",
            set_absence={"cause": "family", "days": 120},
        ),
        walk(
            "taken back, and another deputy",
            f"{CONSENTED}, grid_worker hand_over, street_officer take_back_handover, street_officer name_deputy",
            "active",
        ),
        walk("handed over", f"{CONSENTED}, grid_worker hand_over, next_worker accept_handover", "active"),
        walk("not taken over", f"{CONSENTED}, street_officer hand_over, next_worker decline_handover", "active"),
        walk(
            "fewer visits, and more",
            f"{CONSENTED}, street_officer reassess, second_street confirm_lowering, civil reassess",
            "active",
            reassess=[
                {"need": "monthly", "reason": "女儿已搬来同住"},
                {"need": "daily_check", "reason": "女儿已离开"},
            ],
        ),
        walk("no fewer visits", f"{CONSENTED}, street_officer reassess, civil refuse_lowering", "active"),
        walk(
            "a device, and none",
            f"{CONSENTED}, grid_worker bind_device, (care:device:ready), clerk unbind_device",
            "active",
        ),
        walk("not ended", f"{CONSENTED}, street_officer end_file, civil refuse_end", "active"),
        walk(
            "ended and reopened",
            f"{CONSENTED}, street_officer end_file, second_street confirm_end, street_officer reopen_file",
            "active",
        ),
        walk(
            "a hand-over, a late visit, a search",
            f"{CONSENTED}, grid_worker record_visit, grid_worker hand_over, next_worker accept_handover, (clock:breach), "
            "next_worker record_visit, next_worker report_no_answer, street_officer request_entry, coordinator find, "
            "(care:absence_over), next_worker record_visit, street_officer end_file, second_street confirm_end",
            "closed",
            staged=True,
            find={"how": "hospital", "where": "市第一医院"},
        ),
        walk("urged", "supervisor urge, clerk attach, admin replan, grid_worker record_consent", "active"),
    ),
    stories={
        "a hand-over, a late visit, a search": (
            "移交、走访逾期、无人应答找到在医院、销档",
            "handed over, seen late, looked for and found in hospital; the file ends",
        ),
    },
    speed=200_000,
)
