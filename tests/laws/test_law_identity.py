"""The law of identity: nobody is asked about, paid or barred by a word that one account or one person could invent."""

import itertools
from collections.abc import AsyncIterator, Mapping
from typing import Any

import asyncpg
import pytest
from temporalio.client import Client

from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from tests.api_callers import Caller
from tests.applications import application, given, reaches, timeline, upload
from tests.examples.welfare import identity_number
from tests.overheard_town import OverheardTown, overheard_town
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(300)

PATH = "/api/v1/welfare-applications"
AID, OLD_AGE = "temporary-aid", "old-age-allowance"
CREATED, OK, HELD, BAD = 201, 200, 409, 422
VISIT = {"finding": "属实"}
REVIEW = {"positive": True, "opinion": "符合"}
_orders = itertools.count(300)


@pytest.fixture(scope="module")
async def town(
    settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[OverheardTown]:
    async with overheard_town(settings, keys, temporal, pool, tmp_path_factory.mktemp("identity")) as opened:
        yield opened


def somebody(name: str = "吴正直", born: str = "19400101") -> dict[str, Any]:
    """Somebody whom no other test knows."""
    return {"name": name, "identity_number": identity_number(born, next(_orders))}


def invented(town: OverheardTown) -> Caller:
    """An account for which no issuer vouches."""
    return town.as_("resident", f"invented-{next(_orders)}").not_verified()


async def applied(caller: Caller, town: OverheardTown, who: Mapping[str, Any], benefit: str = AID, **more: Any) -> Any:
    """An application with its identity card; the answer."""
    papers = [{"kind": "identity-card", "document": await upload(caller, town.api)}]
    return await caller.post(PATH, application(benefit, who, **({"documents": papers} | more)))


async def stands(caller: Caller, town: OverheardTown, who: Mapping[str, Any], benefit: str = AID, **more: Any) -> str:
    """An application that is taken; its case."""
    answer = await applied(caller, town, who, benefit, **more)
    assert answer.status_code == CREATED, answer.text
    return str(answer.json()["case_id"])


async def asked_of(town: OverheardTown, case_id: str, questions: int) -> list[list[str]]:
    """Of whom registers were asked, once they were asked so often."""

    async def asked() -> bool:
        return len(town.asked_about(case_id)) >= questions

    await eventually(asked)
    return [[person["identity_number"] for person in people] for people in town.asked_about(case_id)]


async def state_of(town: OverheardTown, case_id: str) -> dict[str, Any]:
    return dict(await town.pool.fetchval("select snapshot from cases where case_id = $1", case_id))


async def kinds(town: OverheardTown, case_id: str) -> list[str]:
    return [entry["kind"] for entry in await timeline(town.as_("auditor"), case_id)]


async def alike(caller: Caller, case_id: str) -> dict[str, list[str]]:
    answer = await caller.get(f"/api/v1/cases/{case_id}/alike")
    assert answer.status_code == OK, answer.text
    return {item["kind"]: item["cases"] for item in answer.json()["items"]}


# ---- whose application it is ------------------------------------------------------------------------------------------


async def test_an_invented_account_and_one_clerk_ask_pay_and_bar_nothing(town: OverheardTown) -> None:
    """Until a second person has seen the card no register is asked, nothing is paid first, and the person's own way is free.

    Staff find both cases; the invented one is met by the real one when it is decided.
    """
    victim, clerk, account = somebody(), town.as_("window_clerk"), invented(town)
    theirs = await stands(account, town, victim)
    await given(clerk, theirs, "accept")
    by_hand = await town.as_("civil_affairs_officer").command(
        theirs, "record_check", {"source": "tax", "note": "电话核实"}
    )
    again = await town.as_("street_officer").command(theirs, "ask_again")
    twice, by_itself = await clerk.command(theirs, "identify"), await account.command(theirs, "identify")
    own = await stands(town.as_("resident", f"own-{next(_orders)}"), town, victim)
    await given(clerk, own, "accept")
    asked = await asked_of(town, own, 2)
    before = (town.asked_about(theirs), "welfare:payment:due" in await kinds(town, theirs))
    late = await town.as_("street_officer").command(theirs, "identify")

    assert (by_hand.status_code, again.status_code, twice.status_code) == (HELD, HELD, HELD)
    assert by_itself.status_code == 403, "what is refused makes nobody sure"
    assert (by_hand.json()["code"], twice.json()["code"]) == ("against-the-rules",) * 2
    assert asked == [[victim["identity_number"]]] * 2
    assert before == ([], False)
    assert (late.status_code, late.json()["code"], late.json()["in_the_way"]) == (HELD, "already-held", [own])
    assert await alike(clerk, theirs) == {"same_person": [own]}
    assert await alike(clerk, own) == {"same_person": [theirs]}


async def test_two_who_saw_the_card_make_sure_who_it_is(town: OverheardTown) -> None:
    """The honest way without a real-name account: accepted by one, visited by another; asked and paid first then, not before."""
    who = somebody()
    case_id = await stands(invented(town), town, who)
    await given(town.as_("street_officer"), case_id, "accept")
    waiting = (town.asked_about(case_id), (await state_of(town, case_id))["payments"])
    await given(town.as_("grid_worker"), case_id, "record_visit", VISIT)
    asked = await asked_of(town, case_id, 2)
    await reaches(town, case_id, "surveyed")

    assert waiting == ([], [])
    assert asked == [[who["identity_number"]]] * 2
    assert [body["case_id"] for body in town.paid(case_id)] == [case_id]


async def test_who_has_not_seen_the_card_says_so_and_is_no_second_one(town: OverheardTown) -> None:
    """A visit at which nobody showed a card, and an acceptance by post, make nobody sure."""
    case_id = await stands(invented(town), town, somebody())
    await given(town.as_("street_officer"), case_id, "accept", {"card_seen": False})
    await given(town.as_("grid_worker"), case_id, "record_visit", VISIT)
    await given(town.as_("window_clerk"), case_id, "comment", {"text": "等候"})
    before = town.asked_about(case_id)
    await given(town.as_("window_clerk"), case_id, "identify")

    assert before == []
    assert len(await asked_of(town, case_id, 2)) == 2


@pytest.mark.parametrize(("channel", "questions"), [("window", 2), ("hotline", 0)])
async def test_who_enters_it_at_the_window_has_the_card_and_on_the_phone_has_not(
    town: OverheardTown, channel: str, questions: int
) -> None:
    """Entered by one and accepted by another are two who saw the card; on the phone nobody sees one."""
    case_id = await stands(town.as_("window_clerk"), town, somebody(), channel=channel)
    await given(town.as_("street_officer"), case_id, "accept")
    if questions:
        assert len(await asked_of(town, case_id, questions)) == questions
    else:
        await given(town.as_("grid_worker"), case_id, "comment", {"text": "等候"})
        assert town.asked_about(case_id) == []


async def test_a_real_name_account_of_somebody_else_vouches_for_nobody(town: OverheardTown) -> None:
    """What the issuer verified is compared with what was stated: another person's account is as good as none."""
    thief = town.as_("resident", f"thief-{next(_orders)}")
    body = application(
        AID, somebody(), documents=[{"kind": "identity-card", "document": await upload(thief, town.api)}]
    )
    answer = await thief.post(PATH, body, verified_as=somebody("郑某"))
    case_id = answer.json()["case_id"]
    await given(town.as_("street_officer"), case_id, "accept")
    await given(town.as_("grid_worker"), case_id, "comment", {"text": "等候"})

    assert answer.status_code == CREATED
    assert town.asked_about(case_id) == []
    assert (await state_of(town, case_id))["account_bound"] is False


async def test_of_an_unknown_account_one_application_stands_and_two_accounts_bar_each_other_not(
    town: OverheardTown,
) -> None:
    """The same account twice is refused; another unknown one is taken, and whichever is sure first holds it."""
    who, one, other = somebody(), invented(town), invented(town)
    first = await stands(one, town, who, OLD_AGE)
    again = await applied(one, town, who, OLD_AGE)
    second = await stands(other, town, who, OLD_AGE)
    for name, by in (("accept", "street_officer"), ("identify", "window_clerk")):
        await given(town.as_(by), second, name)
        await given(town.as_(by), first, name)
    await reaches(town, first, "surveyed")
    refused = await town.as_("street_officer").command(first, "review", REVIEW)
    held = await town.as_("street_officer").command(second, "review", REVIEW)

    assert again.status_code == HELD
    assert (refused.status_code, refused.json()["in_the_way"]) == (HELD, [second])
    assert held.status_code == OK


# ---- whose account it is ----------------------------------------------------------------------------------------------


FIRST = {"request": 1}
"""The first thing of its kind that waits in a case."""


@pytest.mark.parametrize("entered", ["by a clerk for an account of the clerk's", "by an unknown account"])
async def test_an_account_that_nobody_vouches_for_decides_nothing_alone(town: OverheardTown, entered: str) -> None:
    """Where money goes such an account asks for, and another person confirms; the payee's own decides by itself."""
    account = f"friend-{next(_orders)}"
    friend = town.as_("resident", account)
    if entered.startswith("by a clerk"):
        case_id = await stands(town.as_("window_clerk"), town, somebody(), OLD_AGE, on_behalf_of=account)
    else:
        case_id = await stands(friend.not_verified(), town, somebody(), OLD_AGE)
    own = await stands(town.as_("resident", "payee"), town, somebody(), OLD_AGE)
    before = (await state_of(town, case_id))["account"]
    for caller, case in ((friend, case_id), (town.as_("resident", "payee"), own)):
        await given(caller, case, "change_account", {"account": "6222020000000000025"})
    asked = await state_of(town, case_id)
    clerk, by_itself = town.as_("window_clerk"), await friend.command(case_id, "confirm_account", FIRST)
    entering = await clerk.command(case_id, "confirm_account", FIRST) if entered.startswith("by a clerk") else by_itself
    await given(town.as_("street_officer"), case_id, "confirm_account", FIRST)
    after = await state_of(town, case_id)
    told = (after["account_told"], (await state_of(town, own))["account_told"])

    assert told == (False, True), "an unknown account is not told in the payee's place: somebody calls"
    assert (asked["account"], asked["account_asked"]["asked_by"]) == (before, account)
    assert after["account"] == asked["account_asked"]["account"] != before
    assert (await state_of(town, own))["account_asked"] is None
    assert (entering.status_code, by_itself.status_code) == (HELD if entering is not by_itself else 403, 403)


async def test_a_consent_that_an_unknown_account_brings_counts_when_another_has_seen_it(town: OverheardTown) -> None:
    """The adult is asked about, and the household granted, after somebody of the town has looked at the paper."""
    own, adult, account = somebody(), somebody("成年甲", "19710101"), invented(town)
    case_id = await stands(account, town, own, household=[adult])
    await given(town.as_("street_officer"), case_id, "accept")
    await given(town.as_("grid_worker"), case_id, "record_visit", VISIT)
    await reaches(town, case_id, "surveyed")
    consent = {"member": 1, "document": await upload(account, town.api)}
    await given(account, case_id, "record_consent", consent)
    review = await town.as_("street_officer").command(case_id, "review", REVIEW)
    by_itself = await account.command(case_id, "confirm_member", {"member": 1})
    without = town.asked_about(case_id)
    await given(town.as_("window_clerk"), case_id, "confirm_member", {"member": 1})
    anew = (await asked_of(town, case_id, 4))[2:]
    await reaches(town, case_id, "surveyed")

    assert review.status_code == BAD
    assert by_itself.status_code == 403
    assert [len(people) for people in without] == [1, 1]
    assert anew == [[own["identity_number"], adult["identity_number"]]] * 2
    assert (await town.as_("street_officer").command(case_id, "review", REVIEW)).status_code == OK


# ---- one person, one document; one paper, one adult ---------------------------------------------------------------------


def passport(name: str, birth: str = "1980-01-02", number: str | None = None) -> dict[str, Any]:
    number = number or f"E{next(_orders)}5678"
    return {"name": name, "identity_document": {"kind": "passport", "number": number, "birth": birth}}


PERMIT = {
    "name": "另一名",
    "identity_document": {"kind": "hk_macao_permit", "number": "H12345678", "birth": "1985-04-12"},
}
TWICE: Mapping[str, tuple[list[dict[str, Any]], str]] = {
    "by number in two kinds": (
        [PERMIT, passport("又一名", number="H12345678")],
        "household.1.identity_document.number",
    ),
    "by passport and identity number": (
        [{"name": "陈 家明", "identity_number": identity_number("19850412", 17)}, passport("陈家明", "1985-04-12")],
        "household.1.name",
    ),
    "by two passports": ([passport("Li Lei"), passport("LI LEI")], "household.1.name"),
    "a child with and without a document": (
        [
            {"name": "小明", "identity_number": identity_number("20240412", 17)},
            {"name": "小明", "identity_document": {"kind": "none_yet", "birth": "2024-04-12"}},
        ],
        "household.1.name",
    ),
    "a child of school age without a document": (
        [{"name": "小红", "identity_document": {"kind": "none_yet", "birth": "2016-01-01"}}],
        "household.0.identity_document.kind",
    ),
    "another birth than in the number": (
        [
            {
                "name": "赵某",
                "identity_document": {
                    "kind": "foreign_residence",
                    "number": identity_number("19800101", 17, 911_000),
                    "birth": "2015-01-01",
                },
            }
        ],
        "household.0.identity_document.birth",
    ),
}


@pytest.mark.parametrize("case", TWICE)
async def test_nobody_stands_twice_or_as_a_child_by_another_document(town: OverheardTown, case: str) -> None:
    """The same number, the same name and day of birth by another kind, a birth that the number contradicts: refused."""
    household, field = TWICE[case]
    answer = await applied(town.as_("resident", "kinds"), town, somebody(), household=household)

    assert answer.status_code == BAD, answer.text
    assert [fault["field"] for fault in answer.json()["faults"]] == [field]


async def test_who_is_stated_as_a_minor_by_a_passport_is_asked_about_when_somebody_has_seen_it(
    town: OverheardTown,
) -> None:
    """A passport's number shows no age: until it was seen the registers are not asked, and nothing is granted."""
    own, child = somebody(), passport("Anna", "2015-01-01")
    resident = town.as_("resident", f"parent-{next(_orders)}")
    case_id = await stands(resident, town, own, household=[child])
    await given(town.as_("street_officer"), case_id, "accept")
    await given(town.as_("grid_worker"), case_id, "record_visit", VISIT)
    await reaches(town, case_id, "surveyed")
    wanting = (await resident.get(f"/api/v1/cases/{case_id}")).json()["wanting"]
    review = await town.as_("street_officer").command(case_id, "review", REVIEW)
    without = await asked_of(town, case_id, 2)
    await given(town.as_("window_clerk"), case_id, "confirm_member", {"member": 1})
    anew = (await asked_of(town, case_id, 4))[2:]

    assert wanting == ["document:member-1"]
    assert review.status_code == BAD
    assert without == [[own["identity_number"]]] * 2
    assert anew == [[own["identity_number"], child["identity_document"]["number"]]] * 2


async def test_each_consent_is_a_paper_of_its_own(town: OverheardTown) -> None:
    """The file of a card, or of another adult's consent, is no consent; at the door and later."""
    resident = town.as_("resident", f"papers-{next(_orders)}")
    one, card = await upload(resident, town.api), await upload(resident, town.api)
    two = [somebody(name, "19710101") for name in ("甲", "乙")]
    papers: dict[str, Any] = {"documents": [{"kind": "identity-card", "document": card}]}
    both = await applied(resident, town, somebody(), household=[each | {"consent": one} for each in two], **papers)
    of_card = await applied(resident, town, somebody(), household=[two[0] | {"consent": card}], **papers)
    case_id = await stands(resident, town, somebody(), household=two, **papers)
    later = await resident.command(case_id, "record_consent", {"member": 1, "document": card})
    await given(resident, case_id, "record_consent", {"member": 1, "document": one})
    again = await resident.command(case_id, "record_consent", {"member": 2, "document": one})

    assert [fault["field"] for fault in both.json()["faults"]] == ["household.1.consent"]
    assert [fault["field"] for fault in of_card.json()["faults"]] == ["household.0.consent"]
    assert (later.status_code, again.status_code) == (BAD, BAD)


async def test_staff_see_who_may_be_the_same_and_a_file_in_two_households(town: OverheardTown) -> None:
    """One name and day of birth by two kinds, and one file: named to staff of both cases, and to no resident."""
    residents = [town.as_("resident", f"alike-{next(_orders)}") for _ in range(2)]
    name = f"同名{next(_orders)}"
    by_number = {"name": name, "identity_number": identity_number("19800102", next(_orders))}
    card = await upload(residents[0], town.api)
    content: dict[str, Any] = {"documents": [{"kind": "identity-card", "document": card}]}
    first = await stands(residents[0], town, by_number, **content)
    clerk = town.as_("window_clerk")
    second = await stands(clerk, town, passport(name), **content)
    told = await town.pool.fetchval(
        "select facts ->> 'kinds' from outbox where case_id = $1 and template = 'alike_found'", second
    )

    assert await alike(clerk, first) == {"possibly_same": [second], "same_file": [second]}
    assert await alike(clerk, second) == {"possibly_same": [first], "same_file": [first]}
    assert told == "possibly_same, same_file"
    assert await alike(residents[0], first) == {}
