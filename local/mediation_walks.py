"""The ways a dispute can go (local/stories/walks.py). Tests have no court: there a judge answers by hand."""

from local.simulation.townspeople import Persona
from local.stories.walks import A_DOCUMENT, USUAL_PEOPLE, Walks, walk
from schemas.values.actor import Role

TAKEN_UP = "committee accept, other consent"
CHOSEN = f"{TAKEN_UP}, applicant choose_mediator, other choose_mediator"
TALKED = f"{CHOSEN}, mediator call_session, mediator record_session"
SIGNED = "applicant sign, other sign, mediator sign, committee sign"
AGREED = f"{CHOSEN}, mediator draft_agreement, {SIGNED}"
KEPT = "other prove_duty, applicant accept_duty"
FOLLOWED = "grid_worker follow_up, grid_worker follow_up"
ASKED = "applicant ask_confirmation, other ask_confirmation"
ORAL = "mediator record_oral, applicant agree_to, other agree_to"

HOURS = {"code": "quiet-hours", "debtor": "b1", "creditor": "a", "days_after": 3}
WEEKLY = {
    "code": "rate", "debtor": "b1", "creditor": "a", "days_after": 2, "amount_fen": 50000, "recurs": "weekly", "times": 6,
}  # fmt: skip
QUIET = {"text": "晚九点至早七点不弹琴,并加铺隔音垫", "clauses": [HOURS]}
RATES = {"text": "分六期偿还三千元,每周一期", "clauses": [WEEKLY], "total_fen": 300000, "acceleration": True}
TITLE = {"text": "宅基地使用权归申请人〔剧本:court 退单〕", "clauses": [HOURS]}
BY_WINDOW = {"side": "b1", "present": True, "paper": A_DOCUMENT}
NOBODY_KNOWN: dict[str, list[dict[str, str]]] = {"respondents": [{}]}

OPENING = {
    "matter": "楼上深夜弹琴",
    "claim": "希望晚上九点以后不再弹琴,孩子无法入睡",
    "contacts": "楼上501住户,白天在家",
    "category": "noise",
    "respondents": [{"account": "resident-qin"}],
    "elsewhere": False,
    "danger": False,
    "area": "320104.003.01",
}
DEBT = {
    **OPENING, "category": "debt", "amount_fen": 300000,
    "matter": "借款三千元未还", "claim": "请求偿还借款", "contacts": "借款人住3号楼",
}  # fmt: skip

WALKS = Walks(
    starter="applicant",
    opening=OPENING,
    left_alone="unresolved",
    people={
        **USUAL_PEOPLE,
        "other": Persona("resident-qin", Role.RESIDENT),
        "third": Persona("resident-meng", Role.RESIDENT),
        "agent": Persona("resident-agent", Role.RESIDENT),
        "committee": Persona("committee-ma", Role.COMMITTEE_OFFICER),
        "mediator": Persona("mediator-chen", Role.MEDIATOR),
        "another": Persona("mediator-lu", Role.MEDIATOR),
        "specialist": Persona("specialist-tang", Role.SPECIALIST),
        "judge": Persona("judge-tan", Role.DEPARTMENT_OFFICER, department="court"),
    },
    bodies={
        "choose_mediator": {"mediator": "mediator-chen"},
        "appoint_mediator": {"mediators": ["mediator-lu"]},
        "accept_mediator": {"mediator": "mediator-chen", "written": A_DOCUMENT},
        "object_mediator": {"mediator": "mediator-chen", "reason": "是对方的表亲"},
        "disclose": {"tie": "与被申请人是表亲"},
        "appoint_agent": {"agent": "resident-agent", "written": A_DOCUMENT},
        "revoke_agent": {"agent": "resident-agent"},
        "add_party": {"contact": "401住户", "account": "resident-meng"},
        "invite": {"specialist": "specialist-tang", "days": 14, "text": "请隔音方面的专业人员"},
        "escalate": {"level": "street", "text": "本级期限将满"},
        "ask_extension": {"reason": "等待隔音检测"},
        "give_opinion": {"opinion": "加铺隔音垫可以解决", "lawyer": False},
        "call_session": {"at": "2040-01-01T09:00:00+08:00", "joint": True, "sides": ["a", "b1"]},
        "record_session": {"session": 1, "minutes": "双方各述情况"},
        "pass_on": {"text": "对方愿意加铺隔音垫", "sides": ["a"]},
        "pause": {"reason": "等待鉴定"},
        "report_danger": {"text": "对方曾持刀威胁"},
        "refer_danger": {"danger": 1, "called": "police"},
        "clear_danger": {"danger": 1, "finding": "民警已到场,双方平静"},
        "draft_agreement": {**QUIET, "acceleration": False},
        "record_oral": QUIET,
        "vary": {"text": "改为晚八点", "clauses": [{**HOURS, "code": "earlier-hours"}]},
        "remediate": {"reason": "双方愿意再谈"},
        "prove_duty": {"duty": "quiet-hours", "proof": "已铺隔音垫", "documents": [A_DOCUMENT]},
        "reject_duty": {"reason": "垫子只铺了一半"},
        "waive_duty": {"duty": "quiet-hours", "reason": "对方已搬走", "for_good": True},
        "acknowledge": {"duty": "quiet-hours"},
        "visit_party": {"side": "b1", "reached": True, "finding": "已当面告知权利"},
        "refuse_case": {"ground": "settled_or_pending", "way_out": "court", "explanation": "法院已受理"},
        "fail": {"way_out": "court", "guidance": "可向人民法院起诉,可申请法律援助"},
        "guide_remedy": {"way_out": "court", "guidance": "可持协议起诉"},
        "transfer": {"department": "justice-office", "reason": "涉及家庭暴力,移送处理"},
        "follow_up": {"was_so": True, "kept": True, "content": True, "new_friction": False, "finding": "已安静"},
        "court_refuses": {"reason": "涉及不动产确权", "legal_basis": "《民事诉讼法解释》第三百五十五条"},
        "court_confirms": {"result": "(2026)苏0104民特1号", "documents": [A_DOCUMENT]},
        "attach": {"document": A_DOCUMENT, "note": "现场录音"},
        "consent": {}, "decline": {}, "sign": {}, "refuse_sign": {}, "ask_confirmation": {}, "take_back": {}, "agree_to": {},
        "disagree_with": {},
    },
    walks=(
        walk("main", f"applicant comment, {TALKED}, mediator draft_agreement, {SIGNED}", "performing"),
        walk("kept", f"{AGREED}, {KEPT}, {FOLLOWED}", "closed"),
        walk("orally and silence accepts",
             f"{CHOSEN}, {ORAL}, other prove_duty, (mediation:duty:uncontested), {FOLLOWED}", "closed"),
        walk("by another calendar", f"{TAKEN_UP}, admin replan", "accepted"),
        walk("at the window", "committee accept, clerk consent", "accepted",
             opening={**OPENING, **NOBODY_KNOWN}, consent=BY_WINDOW),
        walk("confirmed", f"{AGREED}, {ASKED}, judge court_accepts, judge court_hears, judge court_confirms", "performing"),
        walk("refused by the court and varied",
             f"{AGREED}, {ASKED}, judge court_refuses, mediator vary, applicant agree_to, other agree_to", "performing"),
        walk("taken back", f"{AGREED}, {ASKED}, other take_back", "performing"),
        walk("not accepted and mended", f"{AGREED}, other prove_duty, applicant reject_duty, {KEPT}", "performing"),
        walk("waived", f"{AGREED}, applicant waive_duty, {FOLLOWED}", "closed"),
        walk("broken and kept after all", f"{AGREED}, (mediation:breached), applicant acknowledge", "performing"),
        walk("broken and mediated again",
             f"{AGREED}, (mediation:breached), mediator remediate, applicant agree_to, other agree_to", "mediating"),
        walk("enforced after two of six",
             f"{CHOSEN}, mediator draft_agreement, {SIGNED}, {ASKED}, judge court_confirms, {KEPT}, {KEPT}, (mediation:breached), "
             "mediator guide_remedy", "closed",
             opening=DEBT, draft_agreement=RATES,
             prove_duty={"duty": "rate", "proof": "转账凭证", "documents": [A_DOCUMENT]},
             guide_remedy={"way_out": "enforcement", "guidance": "可向法院申请强制执行,二年内"}),
        walk("a debt confirmed and not paid",
             f"{CHOSEN}, mediator draft_agreement, {SIGNED}, {ASKED}, (mediation:court:confirmed), {KEPT}, {KEPT}, "
             "(mediation:breached), mediator guide_remedy", "closed",
             opening=DEBT, draft_agreement=RATES, bank=True, orders=(("court", ("signed", "arrived", "finished")),),
             prove_duty={"duty": "rate", "proof": "转账凭证", "documents": [A_DOCUMENT]},
             guide_remedy={"way_out": "enforcement", "guidance": "可向法院申请强制执行,二年内"}),
        walk("a land title that the court refuses",
             f"{CHOSEN}, mediator draft_agreement, {SIGNED}, {ASKED}, (mediation:court:refused), mediator vary, "
             f"applicant agree_to, other agree_to, {KEPT}, {FOLLOWED}", "closed",
             opening={**OPENING, "category": "land"}, draft_agreement=TITLE, bank=True, orders=(("court", ("returned",)),),
             prove_duty={"duty": "earlier-hours", "proof": "已办理", "documents": [A_DOCUMENT]}),
        walk("the mediator is the cousin",
             f"{CHOSEN}, mediator disclose, other accept_mediator, applicant object_mediator, committee appoint_mediator, "
             f"another draft_agreement, applicant sign, other sign, another sign, committee sign, {KEPT}, {FOLLOWED}", "closed",
             told={"mediation:mediator:appointed": 2}),
        walk("a tie that all accept",
             f"{CHOSEN}, mediator disclose, applicant accept_mediator, other accept_mediator, mediator fail", "failed"),
        walk("she fears him",
             f"{CHOSEN}, mediator call_session, applicant report_danger, coordinator refer_danger, coordinator clear_danger, "
             "mediator transfer", "transferred"),
        walk("invited and at the next level",
             f"{CHOSEN}, mediator invite, applicant agree_to, other agree_to, specialist give_opinion, mediator escalate, "
             "applicant agree_to, other disagree_with, mediator ask_extension, applicant agree_to, other agree_to, "
             "mediator pass_on", "mediating"),
        walk("paused and a third side comes",
             f"{CHOSEN}, applicant appoint_agent, applicant revoke_agent, mediator add_party, third decline, mediator pause, "
             "mediator resume", "mediating"),
        walk("not every side speaks",
             f"{CHOSEN}, mediator escalate, applicant agree_to, (mediation:not_all_spoke), mediator pass_on", "mediating"),
        walk("refused to sign", f"{CHOSEN}, mediator draft_agreement, other refuse_sign, mediator fail", "failed"),
        walk("nobody answers", "committee accept, (mediation:visit_wanted), grid_worker visit_party", "consulting"),
        walk("declined", "committee accept, other decline", "declined"),
        walk("not accepted", "grid_worker attach, applicant urge, committee refuse_case", "not_accepted"),
        walk("withdrawn", f"{TAKEN_UP}, applicant withdraw", "withdrawn"),
    ),
    stories={
        "kept": ("邻里弹琴,调解后履行", "the piano at night: agreed, and kept"),
        "a debt confirmed and not paid": ("欠款六期,司法确认,第三期违约", "a debt in six parts, confirmed; the third is missed"),
    },
    asked_for={
        "the mediator is the cousin": ("调解员是表亲,更换", "the mediator is a cousin, and is replaced"),
        "a land title that the court refuses": ("法院不予确认,变更协议", "the court does not confirm it; it is varied"),
        "she fears him": ("有危险,不同场,移送", "she fears him: nobody meets, it is sent on"),
    },
    speed=40_000,
    explained={"nobody answers": {}},
)  # fmt: skip
