"""How a proposal comes about, who acts on it, what a right body of each command is, and the ways a proposal can go.

It is handed in to a round of its own, where it is alone: what reaches the jury's mark there is awarded without a vote.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from local.round_walks import ENTRY, TEAMS
from local.stories.walks import made_body
from schemas.proposal import PROPOSAL
from schemas.round import ROUND
from tests.api_driver import ApiDriver, Step, Walk
from tests.examples import round as rounds
from tests.examples.incident import CALENDAR, a_photo
from tests.examples.round import MARKS, paper

PEOPLE = rounds.PEOPLE
REPORTER = "committee"
NOBODY_ANSWERS = "refused"
PARENTS_REPORT = rounds.REPORT
ASKS_OUTSIDE = False
SPEED = 200_000
Body = Callable[[ApiDriver, str, str], Awaitable[Mapping[str, Any]]]


async def start(
    door: ApiDriver, *, body: Mapping[str, Any] | None = None, by: str | None = None, key: str | None = None
) -> str:
    """Announce a round, open it, hand in a proposal by the window, and return its case."""
    hall = replace(door, procedure=ROUND)
    said = {**rounds.REPORT, **{name: value for name, value in (body or {}).items() if name in rounds.REPORT}}
    asked = {**ENTRY, **{name: value for name, value in (body or {}).items() if name in ENTRY or name == "kin"}}
    case_id = await hall.start(body=said, by=by or REPORTER, key=None if key is None else f"proposal-{key}")
    for number, step in enumerate((Step("open_round", "street_officer"), Step("submit", "clerk", asked))):
        answer = await hall.taken(case_id, step, f"{key or case_id}-{number}")
        assert answer.status_code == 200, answer.text
    proposal = f"{case_id}.proposal-1"
    await door.comes(proposal)
    return proposal


def once(kind: str, body: Mapping[str, Any] | Body | None = None, times: int = 1) -> Body:
    """A body that is given when the case has told an entry of this kind so many times."""

    async def given(door: ApiDriver, case_id: str, by: str) -> Mapping[str, Any]:
        await door.passes(case_id, f"proposal:{kind}", times)
        return (await body(door, case_id, by)) if callable(body) else body or {}

    return given


def overdue(body: Mapping[str, Any], times: int = 1) -> Body:
    """A body that is given when so many times have run out."""

    async def given(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
        await door.passes(case_id, "clock:breach", times)
        return body

    return given


def judging(body: Mapping[str, Any], heard: str = "judging") -> Body:
    """A body that is given when the round collects no more, and the proposal has heard so: its own clocks may run past that."""

    async def given(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
        await door.passes(case_id.rpartition(".")[0], "round:collected")
        await door.hears(case_id, f"proposal:{heard}")
        return body

    return given


def shown(**said: Any) -> Body:
    """A body with one document in a list."""

    async def given(door: ApiDriver, case_id: str, by: str) -> Mapping[str, Any]:
        return {**said, "documents": [await paper(door, case_id, by)]}

    return given


def with_one(**said: Any) -> Body:
    """A body with one document."""

    async def given(door: ApiDriver, case_id: str, by: str) -> Mapping[str, Any]:
        return {**said, "document": await paper(door, case_id, by)}

    return given


def an_invoice(amount_fen: int, which: int = 1) -> Body:
    """An invoice of this case alone: its number is made of that of the case, and differs from others of it."""

    async def given(door: ApiDriver, case_id: str, by: str) -> Mapping[str, Any]:
        number = str(int(hashlib.sha256(f"{case_id}/{which}".encode()).hexdigest()[:15], 16)).zfill(18)
        return {"invoice": number, "amount_fen": amount_fen, "document": await paper(door, case_id, by)}

    return given


REASON = {"reason": "不在负面清单之列"}
SETTLED = {"how": "paid_otherwise", "reason": "银行未开通", "voucher": "CZ-2026-0001"}
UPHELD = {"upheld": True, "finding": "隐瞒与评委的亲属关系", "legal_basis": "《社区提案大赛办法》第九条"}
ANOTHER = {
    "reason": "原承接方注销",
    "carrier": "52320104MJA000002P",
    "carrier_name": "邻里互助社",
    "account": "6222020000000000025",
    "carrier_person": "partner-lin",
}

BODIES: dict[str, Any] = {
    "join": {},
    "decline_membership": {},
    "screen": REASON,
    "return_plan": {"reason": "未写明由谁维护"},
    "revise": {"plan": "安装六盏太阳能路灯,由楼组轮值维护,每月公布巡查记录"},
    "refuse": {"ground": "duty-of-another", "reason": "路灯属物业维修责任"},
    "score": MARKS,
    "seat_juror": {"juror": "juror-6"},
    "confirm_juror": {"right": True},
    "name_tie": {"juror": "juror-3", "reason": "与承接方负责人同住"},
    "confirm_tie": {"right": True, "finding": "户籍档案核实"},
    "declare_relation": {"relation": "团队成员是我的表姐"},
    "object": {"reason": "与评委有亲属关系", "contact": "5号楼赵先生"},
    "investigate": {"upheld": False, "finding": "经核实不属实"},
    "offer_contract": with_one(text="三期拨付,凭证据验收,逾期停拨"),
    "sign_contract": {},
    "sign_for_carrier": with_one(),
    "name_carrier_person": {"carrier_person": "partner-lin"},
    "accept_carriage": with_one(),
    "confirm_authority": {"right": True, "finding": "已向该单位负责人当面核实"},
    "release_carriage": {},
    "keep_carriage": {"reason": "工程已过半,愿继续承接"},
    "find_carrier_silent": {"finding": "两次上门均无人,登记地址已迁离"},
    "decline_carriage": {"reason": "本单位人手不足"},
    "agree_account": {},
    "decline_contract": {"reason": "工期太短"},
    "claim_milestone": shown(result="基础已浇筑"),
    "verify_milestone": {"passed": True, "finding": "现场查看属实"},
    "confirm_milestone": {"passed": True, "finding": "再次查看属实"},
    "file_invoice": an_invoice(60000),
    "accept_invoice": {},
    "refuse_invoice": {"reason": "品名与协议不符"},
    "ask_change": {"reason": "雨季延误,请延长工期"},
    "grant_change": {},
    "take_back_change": {"reason": "原承接方已答应继续"},
    "refuse_change": {"reason": "可在原工期内完成"},
    "halt": {"reason": "进度滞后且无人回应"},
    "go_on": {"reason": "已恢复施工"},
    "terminate": {"reason": "团队解散"},
    "account": shown(result="六盏路灯全部点亮"),
    "settle_account": {"accepted": True, "finding": "票据与现场相符"},
    "look_for_money": {},
    "withdraw": {"reason": "改向物业反映"},
    "retry_payment": {},
    "settle_payment": SETTLED,
    "confirm_settlement": {},
    "decline_settlement": {"reason": "未收到"},
    "change_account": {"account": "6222020000000000033"},
    "confirm_account": {},
    "refuse_account": {"reason": "户名不符"},
    "tell_payee": {"note": "电话告知"},
    "urge": {},
    "comment": {"text": "请关注用电安全"},
    "attach": a_photo,
    "replan": {"calendar": CALENDAR},
}
BODIES["payment_returned"] = made_body(PROPOSAL, "payment_returned")

FAR = {"need": 5, "feasible": 4, "takes_part": 4, "cost": 3, "lasting": 2, "novel": 2}
LOW = {"need": 10, "feasible": 8, "takes_part": 8, "cost": 6, "lasting": 4, "novel": 4}


def scored(*others: Mapping[str, Any], jurors: tuple[int, ...] = (1, 2, 3, 4, 5)) -> tuple[Step, ...]:
    """Each juror scores; the first when the round collects no more, the last ones as they are told to."""
    marks = [MARKS] * (len(jurors) - len(others)) + list(others)
    first, *rest = zip(jurors, marks, strict=True)
    return (
        Step("score", f"juror_{first[0]}", judging(first[1])),
        *(Step("score", f"juror_{juror}", body) for juror, body in rest),
    )


JOINED = tuple(Step("join", member) for member in TEAMS[0])
SCREENED = (*JOINED, Step("screen", "committee"))
JUDGED = (*SCREENED, *scored())
SIGNED = (
    *JUDGED,
    Step("offer_contract", "committee", once("selected", BODIES["offer_contract"])),
    Step("sign_contract", "applicant"),
    Step("sign_for_carrier", "partner"),
    Step("confirm_authority", "street_officer"),
)
REACHED = (
    Step("claim_milestone", "applicant"),
    Step("verify_milestone", "grid_worker"),
    Step("confirm_milestone", "supervisor"),
)


def by_hand(times: int) -> tuple[Step, ...]:
    """The instalment is paid by the treasury: a test has no bank."""
    return (
        Step("settle_payment", "civil", once("payment:with_a_person", SETTLED, times)),
        Step("confirm_settlement", "supervisor"),
    )


def once_held(body: Mapping[str, Any], times: int = 1) -> Body:
    """A body that is given when so many invoices are known to stand in no other case: besides the three shares of the pool."""

    async def given(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
        await door.hears(case_id, "proposal:unit:held", 3 + times)
        return body

    return given


def shown_spent(amount_fen: int, times: int = 1) -> tuple[Step, ...]:
    """An invoice is filed, and accepted by another person."""
    return (
        Step("file_invoice", "applicant", an_invoice(amount_fen, times)),
        Step("accept_invoice", "committee", once_held({}, times)),
    )


DONE = (
    *SIGNED,
    *(step for number in (1, 2, 3) for step in (*REACHED, *by_hand(number))),
)

MAIN = Walk(
    "main",
    (
        Step("comment", "applicant"),
        *JOINED,
        Step("return_plan", "committee"),
        Step("revise", "applicant"),
        Step("screen", "street_officer"),
    ),
    "screened",
)
WALKS = (
    MAIN,
    Walk(
        "named, and not of the team",
        (
            Step("join", "applicant"),
            Step("join", "ma"),
            Step("decline_membership", "tian"),
            Step("screen", "committee"),
        ),
        "screened",
    ),
    Walk(
        "the team stands before it is screened",
        (*JOINED, Step("screen", "committee", judging(REASON, "team_stands"))),
        "judging",
        report={"team": ["resident-he", "resident-ma", "resident-tian", "resident-shen"]},
        waits=True,
    ),
    Walk("on the negative list", (Step("refuse", "committee"),), "refused"),
    Walk(
        "withdrawn",
        (Step("attach", "clerk"), Step("urge", "applicant"), Step("replan", "admin"), Step("withdraw", "applicant")),
        "withdrawn",
    ),
    Walk("under the mark", (*SCREENED, *scored(LOW, LOW, LOW, LOW, LOW)), "not_awarded", waits=True),
    Walk(
        "a juror leaves, and another is seated",
        (
            *SCREENED,
            *scored(jurors=(1, 2)),
            Step("declare_relation", "juror_2"),
            Step("seat_juror", "street_officer"),
            Step("confirm_juror", "committee", {"right": False}),
            Step("seat_juror", "committee"),
            Step("confirm_juror", "supervisor"),
            *(Step("score", f"juror_{each}") for each in (3, 4, 5, 6)),
            Step("comment", "committee", once("publicised", {"text": "公示已张贴"})),
        ),
        "posted",
        waits=True,
    ),
    Walk(
        "a tie that nobody had named",
        (
            *SCREENED,
            *scored(jurors=(1, 3)),
            Step("name_tie", "committee"),
            Step("confirm_tie", "street_officer", {"right": False, "finding": "同名,并非同一人"}),
            Step("name_tie", "street_officer"),
            Step("confirm_tie", "supervisor"),
            Step("seat_juror", "committee"),
            Step("confirm_juror", "second_street"),
            *(Step("score", f"juror_{each}") for each in (2, 4, 5, 6)),
            Step("comment", "committee", once("publicised", {"text": "公示已张贴"})),
        ),
        "posted",
        waits=True,
    ),
    Walk(
        "far apart, and scored anew",
        (
            *SCREENED,
            *scored(FAR),
            *(Step("score", f"juror_{each}") for each in range(1, 6)),
            Step("comment", "committee", once("publicised", {"text": "公示已张贴"})),
        ),
        "posted",
        waits=True,
    ),
    Walk(
        "objected to in vain",
        (*JUDGED, Step("object", "clerk", once("publicised", BODIES["object"])), Step("investigate", "supervisor")),
        "posted",
        waits=True,
    ),
    Walk(
        "a hidden tie",
        (
            *JUDGED,
            Step("object", "grid_worker", once("publicised", BODIES["object"])),
            Step("investigate", "supervisor", UPHELD),
        ),
        "not_awarded",
        waits=True,
    ),
    Walk(
        "a contract declined, and another signed",
        (
            *JUDGED,
            Step("offer_contract", "committee", once("selected", BODIES["offer_contract"])),
            Step("decline_contract", "applicant"),
            Step("offer_contract", "committee"),
            Step("sign_for_carrier", "partner"),
            Step("confirm_authority", "street_officer"),
            Step("sign_contract", "applicant"),
        ),
        "running",
        waits=True,
    ),
    Walk(
        "done and closed",
        (
            *DONE,
            *shown_spent(100000),
            Step("account", "applicant"),
            Step("settle_account", "civil"),
        ),
        "closed",
        waits=True,
    ),
    Walk(
        "spent less than was paid",
        (
            *DONE,
            Step("file_invoice", "applicant", an_invoice(80000)),
            Step("refuse_invoice", "committee", once_held(BODIES["refuse_invoice"])),
            *shown_spent(60000, times=2),
            Step("account", "applicant"),
            Step("settle_account", "civil", {"accepted": False, "finding": "缺施工照片"}),
            Step("account", "applicant"),
            Step("settle_account", "street_officer"),
            Step("look_for_money", "civil"),
        ),
        "refunding",
        waits=True,
    ),
    Walk(
        "halted, gone on with, and called off",
        (
            *SIGNED,
            *REACHED,
            *by_hand(1),
            Step("halt", "committee"),
            Step("go_on", "street_officer"),
            Step("halt", "committee"),
            Step("terminate", "supervisor"),
        ),
        "refunding",
        waits=True,
    ),
    Walk(
        "called off before anything is paid",
        (*SIGNED, Step("halt", "committee"), Step("terminate", "street_officer")),
        "terminated",
        waits=True,
    ),
    Walk(
        "changed",
        (
            *SIGNED,
            Step("ask_change", "applicant"),
            Step("refuse_change", "supervisor"),
            Step("ask_change", "applicant"),
            Step("grant_change", "street_officer"),
            Step("ask_change", "committee"),
            Step("refuse_change", "supervisor"),
            Step("ask_change", "applicant", ANOTHER),
            Step("accept_carriage", "new_carrier"),
            Step("confirm_authority", "supervisor"),
            Step("release_carriage", "partner"),
            Step("grant_change", "street_officer"),
        ),
        "running",
        waits=True,
    ),
    Walk(
        "the carrier is silent, and another one takes over",
        (
            *SIGNED,
            Step("ask_change", "applicant", ANOTHER),
            Step("accept_carriage", "new_carrier"),
            Step("confirm_authority", "second_street"),
            Step("find_carrier_silent", "supervisor", overdue(BODIES["find_carrier_silent"])),
            Step("grant_change", "street_officer"),
        ),
        "running",
        waits=True,
    ),
    Walk(
        "a wish taken back, and an instalment that goes to another carrier",
        (
            *SIGNED,
            Step("ask_change", "applicant", ANOTHER),
            Step("take_back_change", "applicant"),
            *REACHED,
            Step("ask_change", "applicant", once("payment:with_a_person", ANOTHER)),
            Step("accept_carriage", "new_carrier"),
            Step("confirm_authority", "second_street"),
            Step("find_carrier_silent", "supervisor", overdue(BODIES["find_carrier_silent"], 2)),
            Step("grant_change", "street_officer"),
        ),
        "running",
        waits=True,
    ),
    Walk(
        "another carrier asked for while an instalment lies",
        (
            *SIGNED,
            *REACHED,
            Step("ask_change", "applicant", once("payment:with_a_person", ANOTHER)),
            Step("refuse_change", "street_officer"),
        ),
        "running",
        waits=True,
    ),
    Walk(
        "a carrier that does not give up its place",
        (
            *SIGNED,
            Step("ask_change", "applicant", ANOTHER),
            Step("keep_carriage", "partner"),
            Step("refuse_change", "street_officer"),
        ),
        "running",
        waits=True,
    ),
    Walk(
        "each carrier gives back its own",
        (
            *SIGNED,
            *REACHED,
            *by_hand(1),
            Step("ask_change", "applicant", ANOTHER),
            Step("accept_carriage", "new_carrier"),
            Step("confirm_authority", "supervisor"),
            Step("release_carriage", "partner"),
            Step("grant_change", "street_officer"),
            *REACHED,
            *by_hand(2),
            Step("halt", "committee"),
            Step("terminate", "supervisor"),
        ),
        "refunding",
        waits=True,
    ),
    Walk(
        "the carrier has its own word",
        (
            *JUDGED,
            Step("offer_contract", "committee", once("selected", BODIES["offer_contract"])),
            Step("name_carrier_person", "applicant"),
            Step("decline_contract", "new_carrier"),
            Step("name_carrier_person", "new_carrier", {"carrier_person": "partner-chen"}),
            Step("offer_contract", "committee"),
            Step("sign_for_carrier", "partner"),
            Step("confirm_authority", "street_officer"),
            Step("sign_contract", "applicant"),
            Step("ask_change", "applicant", ANOTHER),
            Step("decline_carriage", "new_carrier"),
            Step("ask_change", "applicant", ANOTHER),
            Step("accept_carriage", "new_carrier"),
            Step("confirm_authority", "supervisor"),
            Step("release_carriage", "partner"),
            Step("grant_change", "street_officer"),
            Step("change_account", "clerk"),
            Step("agree_account", "new_carrier"),
            Step("confirm_account", "street_officer"),
        ),
        "running",
        waits=True,
    ),
    Walk(
        "a milestone that is not reached, and another account",
        (
            *SIGNED,
            Step("claim_milestone", "applicant"),
            Step("verify_milestone", "grid_worker", {"passed": False, "finding": "只到两盏"}),
            Step("claim_milestone", "applicant"),
            Step("verify_milestone", "grid_worker"),
            Step("confirm_milestone", "street_officer", {"passed": False, "finding": "仍缺一盏"}),
            Step("change_account", "clerk"),
            Step("refuse_account", "street_officer"),
            Step("change_account", "clerk"),
            Step("agree_account", "partner"),
            Step("confirm_account", "street_officer"),
        ),
        "running",
        waits=True,
    ),
    Walk(
        "paid again, and not by hand",
        (
            *SIGNED,
            *REACHED,
            Step("retry_payment", "civil", once("payment:with_a_person", {})),
            Step("settle_payment", "civil", once("payment:with_a_person", SETTLED, 2)),
            Step("decline_settlement", "applicant"),
        ),
        "running",
        waits=True,
    ),
)

EXPLAINED: dict[str, dict[str, str]] = {}
"""A proposal is judged after a window: where time is real nobody waits for that."""
