"""How an application for a benefit starts, who acts on it, what a right body of each command is, and the ways it can go.

The sources of the tests' town are at their desks, and no bank is connected: people take down answers and settle payments.
"""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from typing import Any

from schemas.values.identity_number import check_character
from schemas.values.verified_identity import verified_identity
from schemas.welfare_application import Stated
from tests.api_driver import ApiDriver, Body, Person, Step, Walk
from tests.examples.incident import CALENDAR, PHOTO
from tests.waiting import eventually

PATH = "/api/v1/welfare-applications"
REPORTER = "applicant"
NOBODY_ANSWERS = "unresolved"

PEOPLE = {
    "applicant": Person("resident-he", "resident"),
    "stranger": Person("resident-li", "resident"),
    "grid_worker": Person("grid-zhao", "grid_worker"),
    "clerk": Person("clerk-qian", "window_clerk"),
    "street_officer": Person("street-feng", "street_officer"),
    "civil": Person("civil-wu", "civil_affairs_officer"),
    "second_civil": Person("civil-xu", "civil_affairs_officer"),
    "supervisor": Person("supervisor-zhou", "supervisor"),
    "admin": Person("admin-wu", "admin"),
    "auditor": Person("auditor-zheng", "auditor"),
}

IDENTITY_CARD = ("identity-card",)
NOT_VERIFIED = "未实名人"
"""The name of an applicant whose account nobody vouches for."""


def identity_number(born: str, order: int = 123, place: int = 320104) -> str:
    """A made-up identity number of somebody born on a day, "19400615", with its check character."""
    digits = f"{place}{born}{order:03d}"
    return digits + check_character(digits)


def application(benefit: str, born: str = "19400615", **other: Any) -> dict[str, Any]:
    """A body that is right but for the documents, which are uploaded when it is sent."""
    return {
        "benefit": benefit,
        "applicant": {"name": "何秀英", "identity_number": identity_number(born), "phone": "13912345678"},
        "household": [],
        "monthly_income_fen": 0,
        "area": "320104.003.01",
        "address": "幸福小区3号楼201室",
        "account": "6222020000000000017",
        "reason": "年事已高,生活困难",
        "consent": True,
    } | other


OLD_AGE = application("old-age-allowance")
HUNDRED = application("old-age-allowance", "19200101")
AID = application("temporary-aid", "19800101")
HEATING = application("heating-aid", "19800101")
"""A benefit of the tests' town alone (tests/town_policies.py): not posted, and reckoned by heads, so that a change raises it."""

SUBSISTENCE = application("subsistence-allowance", "19800101", monthly_income_fen=60000)
HOUSEHOLD = AID | {
    "household": [
        {"name": "何建国", "identity_number": identity_number("19780305", 211)},
    ]
}
UNSURE = OLD_AGE | {"applicant": {**OLD_AGE["applicant"], "name": NOT_VERIFIED}}
"""Of an account for which nobody vouches."""

UNSURE_HOUSEHOLD = HOUSEHOLD | {"applicant": {**AID["applicant"], "name": NOT_VERIFIED}}
RELATED = OLD_AGE | {"relation_to_staff": "街道民政办工作人员系申请人之侄"}
REPORT = OLD_AGE


def verified(body: Mapping[str, Any]) -> str | None:
    """The word of the issuer on the account of who applies for themselves: of the tests' town, a real-name account."""
    applicant = body.get("applicant") or {}
    if applicant.get("name") == NOT_VERIFIED:
        return None
    return verified_of(applicant)


def verified_of(person: Mapping[str, Any]) -> str | None:
    """What an issuer writes of somebody, as far as their document is one that it could verify."""
    try:
        return verified_identity(Stated.model_validate(_of_stated(person)).identity)
    except (ValueError, TypeError):
        return None


def _of_stated(person: Mapping[str, Any]) -> dict[str, Any]:
    return {name: person[name] for name in ("name", "identity_number", "identity_document") if name in person}


@cache
def _kept() -> dict[str, Any]:
    """Documents by who may name them: the same body again has the same ones."""
    return {}


async def paper(door: ApiDriver, by: str, content: bytes = PHOTO) -> Mapping[str, Any]:
    """Send a file as somebody and return what it got; the same file again gets the same."""
    headers = door.headers(by) | {"Content-Type": "image/png"}
    answer = await door.api.post("/api/v1/documents", content=content, headers=headers)
    assert answer.status_code in (200, 201), answer.text
    return dict(answer.json())


async def complete(door: ApiDriver, body: Mapping[str, Any], by: str, kinds: tuple[str, ...]) -> dict[str, Any]:
    """The body with one uploaded document of each kind."""
    documents = [{"kind": kind, "document": await paper(door, by, PHOTO + kind.encode())} for kind in kinds]
    return {**body, "documents": documents}


DOCUMENTS = {
    "old-age-allowance": IDENTITY_CARD,
    "temporary-aid": IDENTITY_CARD,
    "heating-aid": IDENTITY_CARD,
    "subsistence-allowance": ("identity-card", "household-register", "income-statement"),
    "disability-allowance": ("identity-card", "disability-certificate"),
    "destitute-support": ("identity-card", "household-register"),
}


def of_their_own(body: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The body with a person of its own in the usual applicant's place: the same one for the same key.

    Nobody has the same benefit twice at a time. Whoever was given another number than the usual one keeps it.
    """
    applicant = body["applicant"]
    born = applicant["identity_number"][6:14]
    if applicant["identity_number"] != identity_number(born):
        return dict(body)
    place, order = divmod(int(sha256(key.encode()).hexdigest(), 16) % 899_999_000, 1000)
    return {**body, "applicant": {**applicant, "identity_number": identity_number(born, order, 100_000 + place)}}


async def prepared(door: ApiDriver, body: Mapping[str, Any] | None, by: str, key: str) -> dict[str, Any]:
    """The body as it is sent: of somebody else for each key, and with every document that its benefit asks for."""
    body = of_their_own(body or REPORT, key)
    return dict(body) if "documents" in body else await complete(door, body, by, DOCUMENTS[body["benefit"]])


async def a_paper(door: ApiDriver, _case_id: str, by: str) -> Mapping[str, Any]:
    """A document of the giver's own; for those who may send none, one that stands in a case they see."""
    if PEOPLE[by].role in ("admin", "auditor"):
        if "attached" not in _kept():
            shown = {"document": await paper(door, "clerk")}
            await door.give(await door.start(), Step("attach", "clerk", shown))
            _kept()["attached"] = shown["document"]
        return dict(_kept()["attached"])
    return await paper(door, by)


async def to_attach(door: ApiDriver, case_id: str, by: str) -> Mapping[str, Any]:
    return {"document": await a_paper(door, case_id, by), "note": "现场照片"}


async def to_hand_in(door: ApiDriver, case_id: str, by: str) -> Mapping[str, Any]:
    return {"kind": "identity-card", "document": await a_paper(door, case_id, by)}


async def to_consent(door: ApiDriver, case_id: str, by: str) -> Mapping[str, Any]:
    """A paper of the adult's own; of those who may send none, what `a_paper` gives."""
    if PEOPLE[by].role in ("admin", "auditor"):
        return {"member": 1, "document": await a_paper(door, case_id, by)}
    return {"member": 1, "document": await paper(door, by, PHOTO + b"consent of member 1")}


async def when_it_waits(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
    """A settlement, once the payment waits for a person."""

    async def waits() -> bool:
        return "welfare:payment:with_a_person" in await door.kinds(case_id)

    await eventually(waits)
    await all_have_answered(door, case_id)
    return PAID_IN_CASH


REASON = {"reason": "情况说明"}
BASIS = {"legal_basis": "《社会救助暂行办法》第十一条", **REASON}
NEGATIVE = {"positive": False, "opinion": "不符合条件", "legal_basis": "《社会救助暂行办法》第九条"}
PAID_IN_CASH = {"how": "paid_otherwise", "reason": "已以现金发放"}
WITH_A_VOUCHER = {**PAID_IN_CASH, "voucher": "CZ-OUT-2026-0001"}
UPHELD = {"upheld": True, "finding": "反映属实", "legal_basis": "《社会救助暂行办法》第六十八条"}
BABY = {"change": "household", "since": "2026-01", "household_size": 2}
TWO_WERE_SEEN = {"continues": True, "household_size": 2, "opinion": "入户见到两人"}
TWINS = {"change": "household", "since": "2026-01", "household_size": 4}
MOVED = {"change": "move", "since": "2026-01"}
INCOME = {"change": "income", "since": "2026-01", "monthly_income_fen": 50000}

BODIES: dict[str, Any] = {
    "ask_correction": {"documents": ["identity-card"], **REASON},
    "hand_in": to_hand_in,
    "accept": {},
    "identify": {},
    "withdraw_application": REASON,
    "ask_again": {},
    "record_check": {"source": "civil-affairs", "note": "电话核实,无异常"},
    "correct_facts": {"household_size": 2, **REASON},
    "record_consent": to_consent,
    "confirm_member": {"member": 1},
    "record_visit": {"finding": "家中两居室,独居,无贵重物品"},
    "declare_relation": {"relation": "申请人之侄"},
    "review": {"positive": True, "opinion": "符合条件"},
    "object": {"reason": "其名下有车", "contact": "13800000000"},
    "investigate": {"upheld": False, "finding": "车辆系他人所有", "appraisal": "民主评议通过"},
    "confirm": {"opinion": "同意"},
    "refuse": BASIS,
    "countersign": {},
    "send_back": REASON,
    "extend_case": {"working_days": 1, **REASON},
    "serve_notice": {},
    "appeal": REASON,
    "decide_appeal": {"outcome": "overturned", **BASIS},
    "retry_payment": {},
    "settle_payment": {"how": "not_due", **REASON},
    "confirm_settlement": {},
    "decline_settlement": REASON,
    "confirm_end": {},
    "refuse_end": REASON,
    "payment_returned": {
        "payment_key": "0" * 26 + ".old-age-allowance.2026-01",
        "amount_fen": 5000,
        "bank_reference": "T1",
        "code": "account-closed",
        "returned_at": "2026-01-10T09:00:00+08:00",
    },
    "change_account": {"account": "6222020000000000025"},
    "confirm_account": {},
    "refuse_account": REASON,
    "tell_payee": {"note": "已按原登记电话告知本人"},
    "review_change": {"opinion": "入户核实,人口属实"},
    "confirm_change": {"opinion": "同意调整"},
    "countersign_change": {},
    "refuse_change": REASON,
    "report_change": {"change": "death", "since": "2026-01"},
    "suspend_payment": REASON,
    "resume_payment": REASON,
    "reassess": {"continues": True, "opinion": "情况无变化"},
    "end_entitlement": BASIS,
    "urge": {},
    "comment": {"text": "家属来电询问"},
    "attach": to_attach,
    "replan": {"calendar": CALENDAR},
}


async def all_have_answered(door: ApiDriver, case_id: str) -> None:
    """Wait until whatever was asked has come back, so that a person's act does not overtake an answer."""

    async def at_rest() -> bool:
        answer = await door.api.get(
            f"/api/v1/cases/{case_id}/timeline", headers=door.headers("auditor"), params={"limit": 200}
        )
        entries = answer.json()["items"]
        asked = sum(len(entry["facts"]["sources"]) for entry in entries if entry["kind"] == "welfare:check:asked")
        back = {"welfare:check:failed", "welfare:check:answered", "welfare:check:superseded"}
        return asked == sum(entry["kind"] in back for entry in entries)

    await eventually(at_rest)


def told(source: str, **facts: int) -> Step:
    """What a source has told, taken down by a person."""

    async def body(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
        await all_have_answered(door, case_id)
        return {"source": source, "found": bool(facts), "facts": facts, "note": "书面答复"}

    return Step("record_check", "second_civil", body)


def once_answered(body: Mapping[str, Any]) -> Body:
    """A body that is sent when whatever was asked has come back."""

    async def waits(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
        await all_have_answered(door, case_id)
        return body

    return waits


async def when_all_have_answered(door: ApiDriver, case_id: str, _by: str) -> Mapping[str, Any]:
    await all_have_answered(door, case_id)
    return {}


ACCEPT = Step("accept", "street_officer")
CONFIRM = Step("confirm", "civil")
REVIEW = Step("review", "street_officer")
REVIEWED = (ACCEPT, REVIEW)
GRANTED = (*REVIEWED, CONFIRM)
REPORTED = Step("report_change", "grid_worker")
DIED = (REPORTED, Step("confirm_end", "civil"))
REFUSED = (ACCEPT, Step("review", "street_officer", NEGATIVE))
CHECKED = tuple(told(each) for each in ("tax", "social-insurance", "property", "vehicles", "bank-balance"))
VISITED = (Step("record_visit", "grid_worker"), Step("record_visit", "street_officer"))
POSTED = (ACCEPT, *CHECKED, *VISITED, REVIEW)
ADVANCED = (ACCEPT, Step("settle_payment", "civil", when_it_waits), Step("confirm_settlement", "second_civil"))

NO_INCOME = told("tax")
HEATED = (ACCEPT, NO_INCOME, REVIEW, CONFIRM)
ANOTHER_ACCOUNT = (Step("change_account", "clerk"), Step("confirm_account", "street_officer"))
RAISED = (told("tax"), Step("review_change", "street_officer"), Step("confirm_change", "civil"))

MAIN = Walk("main", (Step("comment", "applicant"), *GRANTED, *ANOTHER_ACCOUNT, *DIED), "ended")
WALKS = (
    MAIN,
    Walk("a document is missing", (Step("hand_in", "clerk"), ACCEPT), "surveyed", OLD_AGE | {"documents": []}),
    Walk(
        "a document is asked for",
        (
            Step("ask_correction", "clerk"),
            Step("hand_in", "applicant"),
            ACCEPT,
            Step("ask_correction", "street_officer"),
        ),
        "correcting",
    ),
    Walk("posted", POSTED, "publicised", SUBSISTENCE),
    Walk(
        "objected to and posted anew",
        (*POSTED, Step("object", "clerk"), Step("investigate", "civil")),
        "publicised",
        SUBSISTENCE,
    ),
    Walk(
        "an objection upheld",
        (*POSTED, Step("object", "clerk"), Step("investigate", "civil", UPHELD)),
        "refused",
        SUBSISTENCE,
    ),
    Walk(
        "facts corrected",
        (
            ACCEPT,
            *CHECKED,
            Step("correct_facts", "clerk", {"household_size": 2, "monthly_income_fen": 70000, **REASON}),
            Step("ask_again", "street_officer", when_all_have_answered),
        ),
        "checking",
        SUBSISTENCE,
    ),
    Walk(
        "a declared relation",
        (
            ACCEPT,
            Step("record_visit", "grid_worker"),
            Step("declare_relation", "street_officer"),
            Step("record_visit", "civil"),
        ),
        "surveyed",
        RELATED,
    ),
    Walk(
        "refused and overturned",
        (*REFUSED, Step("appeal", "applicant"), Step("decide_appeal", "second_civil")),
        "surveyed",
    ),
    Walk(
        "refused twice over",
        (
            *REVIEWED,
            Step("refuse", "civil"),
            Step("appeal", "clerk"),
            Step("decide_appeal", "second_civil", {"outcome": "upheld", **BASIS}),
        ),
        "refused",
    ),
    Walk(
        "two signatures",
        (
            *GRANTED,
            Step("send_back", "second_civil"),
            CONFIRM,
            Step("countersign", "supervisor"),
            *DIED,
        ),
        "ended",
        HUNDRED,
    ),
    Walk(
        "suspended resumed and reassessed",
        (
            *GRANTED,
            Step("change_account", "clerk"),
            Step("suspend_payment", "civil"),
            Step("resume_payment", "supervisor"),
            Step("reassess", "street_officer"),
            Step("report_change", "clerk", INCOME),
            Step("report_change", "clerk", MOVED),
            Step("confirm_end", "street_officer"),
        ),
        "ended",
    ),
    Walk(
        "another account refused and one of the payee",
        (
            Step("change_account", "clerk"),
            Step("refuse_account", "civil"),
            Step("change_account", "clerk"),
            Step("refuse_account", "applicant"),
            *GRANTED,
            Step("change_account", "applicant"),
            *DIED,
        ),
        "ended",
    ),
    Walk(
        "a raise that two decide on",
        (
            *HEATED,
            Step("report_change", "applicant", BABY),
            *RAISED,
            Step("report_change", "clerk", TWINS),
            *RAISED,
            Step("countersign_change", "supervisor"),
            Step("reassess", "street_officer", {"continues": True, "household_size": 3, "opinion": "一人迁出"}),
            *DIED,
        ),
        "ended",
        HEATING,
    ),
    Walk(
        "a raise that is refused and one that is replaced",
        (
            *HEATED,
            Step("report_change", "grid_worker", BABY),
            Step("refuse_change", "civil", once_answered(REASON)),
            Step("report_change", "applicant", TWINS),
            Step("reassess", "street_officer", once_answered(TWO_WERE_SEEN)),
            Step("suspend_payment", "civil", once_answered(REASON)),
            Step("resume_payment", "supervisor"),
            *DIED,
        ),
        "ended",
        HEATING,
    ),
    Walk("urgent aid that was not due", (*ADVANCED, Step("withdraw_application", "applicant")), "withdrawn", AID),
    Walk(
        "extended and replanned",
        (Step("extend_case", "supervisor"), Step("replan", "admin"), Step("urge", "applicant"), ACCEPT),
        "surveyed",
    ),
    Walk(
        "an adult of the household consents",
        (
            ACCEPT,
            told("tax"),
            told("bank-balance"),
            Step("record_visit", "grid_worker"),
            Step("record_consent", "applicant"),
            told("tax"),
            told("bank-balance"),
            REVIEW,
        ),
        "publicised",
        HOUSEHOLD,
    ),
    Walk(
        "paid by hand on the word of two",
        (
            ACCEPT,
            Step("settle_payment", "civil", when_it_waits),
            Step("decline_settlement", "clerk"),
            Step("settle_payment", "civil", WITH_A_VOUCHER),
            Step("confirm_settlement", "second_civil"),
            Step("withdraw_application", "applicant"),
        ),
        "withdrawn",
        AID,
    ),
    Walk(
        "a reported end refused and one confirmed",
        (
            *GRANTED,
            REPORTED,
            Step("refuse_end", "civil"),
            Step("report_change", "clerk", MOVED),
            Step("report_change", "grid_worker"),
            Step("confirm_end", "supervisor"),
        ),
        "ended",
    ),
    Walk("an unknown account and two who saw the card", (ACCEPT, Step("identify", "clerk")), "surveyed", UNSURE),
    Walk(
        "an unknown account and a consent that another has seen",
        (
            ACCEPT,
            Step("record_visit", "grid_worker"),
            told("tax"),
            told("bank-balance"),
            Step("record_consent", "applicant"),
            Step("confirm_member", "clerk"),
            told("tax"),
            told("bank-balance"),
            REVIEW,
        ),
        "publicised",
        UNSURE_HOUSEHOLD,
    ),
    Walk("commented and shown", (Step("comment", "applicant"), Step("attach", "clerk")), "applied"),
)

EXPLAINED = {
    "two signatures": {
        "welfare:granted": "与记录一致",
        "welfare:confirmed": "双签界限",
        "welfare:reviewed": "与记录一致",
    },
    "posted": {"welfare:reviewed": "与记录一致"},
    "refused twice over": {"welfare:refused": ""},
}
"""By walk: what the arithmetic of an entry says, by kind; of several entries of a kind, in the last."""
