"""welfare 社会救助: each row of the domain's table, and what is refused, through the public door."""

from typing import Any

import pytest

from schemas.welfare import WELFARE
from tests.door import Door, OpenDoor, Person, Step
from tests.examples import welfare as examples
from tests.examples.incident import PHOTO
from tests.examples.welfare import (
    ACCEPT,
    CHECKED,
    HUNDRED,
    NEGATIVE,
    OLD_AGE,
    POSTED,
    REASON,
    REFUSED,
    REVIEW,
    REVIEWED,
    SUBSISTENCE,
    VISITED,
    application,
    identity_number,
    told,
    when_all_have_answered,
)
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("worker")

A_WINDOW_IN_TEN_SECONDS = 60_000


@pytest.fixture
async def town(door: OpenDoor) -> Door:
    """A town in which time does not matter: real speed."""
    return await door(WELFARE)


async def entries(town: Door, case_id: str, kind: str = "", by: str = "auditor") -> list[dict[str, Any]]:
    answer = await town.api.get(f"/api/v1/cases/{case_id}/timeline", headers=town.headers(by), params={"limit": 200})
    assert answer.status_code == 200, answer.text
    return [entry for entry in answer.json()["items"] if kind in ("", entry["kind"])]


async def clocks(town: Door, case_id: str) -> dict[str, dict[str, Any]]:
    return {clock["name"]: clock for clock in (await town.case(case_id))["clocks"]}


async def started(town: Door, body: dict[str, Any], *steps: Step) -> str:
    case_id = await town.start(body=body)
    await town.go(case_id, steps)
    return case_id


async def refused(town: Door, case_id: str, step: Step) -> str:
    """The code under which a command is refused."""
    answer = await town.give(case_id, step)
    assert answer.status_code in (403, 409, 422), answer.text
    return str(answer.json()["code"])


# ---- application ------------------------------------------------------------------------------------------------------


async def test_everything_wrong_with_an_application_is_told_at_once(town: Door) -> None:
    """Negative income, forty people, numbers that cannot be, no consent, an unknown benefit: one answer names them all."""
    body = application("winter-holiday") | {
        "applicant": {"name": "何秀英", "identity_number": "320104194002310000"},
        "household": [{"name": f"家人{n}", "identity_number": identity_number("19900101", n)} for n in range(1, 40)],
        "monthly_income_fen": -1,
        "disability_level": 9,
        "account": "not an account",
        "consent": False,
        "area": "320104.999",
        "documents": [],
    }
    answer = await town.api.post(examples.PATH, json=body, headers=town.headers("applicant", "many-faults"))
    fields = {fault["field"] for fault in answer.json()["faults"]}

    assert answer.status_code == 422
    assert fields == {
        "benefit", "applicant.identity_number", "household", "monthly_income_fen", "disability_level", "account", "consent", "area",
    }  # fmt: skip
    assert "320104194002310000" not in answer.text


async def test_nobody_is_named_twice_in_a_household(town: Door) -> None:
    """The same identity number in two places is one person too many."""
    twin = {"name": "何秀英", "identity_number": OLD_AGE["applicant"]["identity_number"]}
    body = OLD_AGE | {"household": [twin], "documents": []}
    answer = await town.api.post(examples.PATH, json=body, headers=town.headers("clerk", "twins"))

    assert [fault["field"] for fault in answer.json()["faults"]] == ["household.0.identity_number"]


async def test_no_name_and_no_number_stands_in_a_case(town: Door) -> None:
    """People are references; what decides stands beside them: month of birth, household, income."""
    case_id = await town.start()
    (applied,) = await entries(town, case_id, "welfare:applied")
    (to_an_admin,) = await entries(town, case_id, "welfare:applied", by="admin")
    facts, withheld = applied["facts"], to_an_admin["facts"]

    assert (facts["birth"], facts["household_size"], facts["consent"]) == ("1940-06", 1, True)
    assert {withheld[name] for name in ("account", "reason", "address", "birth", "household_size", "applicant")} == {
        "〔不予显示〕"
    }


async def test_missing_documents_are_named_and_the_clock_of_the_case_pauses(town: Door) -> None:
    """Without its documents an application waits in `correcting`; with the last one it goes on, and its clock too."""
    case_id = await started(town, SUBSISTENCE | {"documents": []})
    (asked,) = await entries(town, case_id, "welfare:correction:asked")
    paused = (await clocks(town, case_id))["whole"]["status"]
    for kind in ("identity-card", "household-register", "income-statement"):
        paper = await examples.paper(town, "clerk", PHOTO + kind.encode())
        await town.go(case_id, [Step("hand_in", "clerk", {"kind": kind, "document": paper})])
    shown = await town.case(case_id)

    assert asked["facts"]["missing"] == ["identity-card", "household-register", "income-statement"]
    assert (paused, (await clocks(town, case_id))["whole"]["status"], shown["stage"]) == (
        "paused",
        "running",
        "applied",
    )


async def test_a_document_that_nobody_asked_for_is_not_taken(town: Door) -> None:
    """What is handed in is one of the missing ones."""
    case_id = await started(town, OLD_AGE | {"documents": []})
    paper = await examples.paper(town, "clerk")
    step = Step("hand_in", "clerk", {"kind": "proof-of-hardship", "document": paper})

    assert await refused(town, case_id, step) == "bad-command"


# ---- checks and visits ------------------------------------------------------------------------------------------------


async def test_a_changed_fact_asks_only_those_anew_whom_it_touches(town: Door) -> None:
    """Income is the business of tax and social insurance: the answers of the others stay."""
    step = Step("correct_facts", "clerk", {"monthly_income_fen": 70000, **REASON})
    case_id = await started(town, SUBSISTENCE, ACCEPT, *CHECKED, step)
    (corrected,) = await entries(town, case_id, "welfare:facts_corrected")
    first, second = await entries(town, case_id, "welfare:check:asked")

    assert corrected["facts"]["asked_again"] == ["tax", "social-insurance"] == second["facts"]["sources"]
    assert len(first["facts"]["sources"]) == 5
    assert (corrected["facts"]["before"], corrected["facts"]["after"]) == (
        {"monthly_income_fen": 60000}, {"monthly_income_fen": 70000},
    )  # fmt: skip


async def test_only_the_sources_that_have_not_answered_are_asked_again(town: Door) -> None:
    """Answers that were given are kept; one source can be asked alone."""
    case_id = await started(town, SUBSISTENCE, ACCEPT, *CHECKED[:3])
    await town.go(case_id, [Step("ask_again", "street_officer", when_all_have_answered)])
    await town.go(case_id, [Step("ask_again", "civil", {"source": "vehicles"})])
    asked = [entry["facts"]["sources"] for entry in await entries(town, case_id, "welfare:check:asked")]

    assert asked[1:] == [["vehicles", "bank-balance"], ["vehicles"]]
    assert await refused(town, case_id, Step("ask_again", "civil", {"source": "tax"})) == "bad-command"


async def test_each_check_has_a_clock_of_its_own(town: Door) -> None:
    """One answer stops one clock; the others run."""
    case_id = await started(town, SUBSISTENCE, ACCEPT, CHECKED[0])
    running = {name for name, clock in (await clocks(town, case_id)).items() if clock["status"] == "running"}

    assert {"check:social-insurance", "check:property", "check:vehicles", "check:bank-balance"} <= running
    assert "check:tax" not in running


async def test_one_person_does_not_visit_twice(town: Door) -> None:
    """入户调查 is by two different people: the second visit of one is refused, and the survey is not complete."""
    case_id = await started(town, SUBSISTENCE, ACCEPT, *CHECKED, VISITED[0])

    assert await refused(town, case_id, VISITED[0]) == "against-the-rules"
    assert (await town.case(case_id))["stage"] == "checking"


async def test_a_declared_relation_calls_for_a_visit_by_civil_affairs(town: Door) -> None:
    """备案: who is related decides nothing here, and without the county nobody has visited enough."""
    steps = (ACCEPT, Step("declare_relation", "street_officer"), *CHECKED, VISITED[0])
    case_id = await started(town, SUBSISTENCE, *steps)
    refusal = await refused(town, case_id, Step("record_visit", "street_officer"))
    before = (await town.case(case_id))["stage"]
    await town.go(case_id, [Step("record_visit", "civil")])

    assert (refusal, before, (await town.case(case_id))["stage"]) == ("against-the-rules", "checking", "surveyed")
    assert await refused(town, case_id, REVIEW) == "against-the-rules"


# ---- the judgement ----------------------------------------------------------------------------------------------------


async def test_a_positive_opinion_against_the_rules_is_refused(town: Door) -> None:
    """Two cars stand in the register: the street office cannot find that the household qualifies."""
    case_id = await started(town, SUBSISTENCE, ACCEPT, *CHECKED[:3], told("vehicles", vehicles=2), CHECKED[4], *VISITED)
    answer = await town.give(case_id, REVIEW)
    (surveyed,) = await entries(town, case_id, "welfare:surveyed")

    assert (answer.status_code, answer.json()["code"]) == (422, "bad-command")
    assert surveyed["facts"]["against"] == [{"code": "vehicles:vehicles", "found": 2, "allowed": 0}]
    await town.go(case_id, [Step("review", "street_officer", NEGATIVE)])


async def test_a_negative_opinion_names_its_law(town: Door) -> None:
    """A refusal without a legal basis is none."""
    case_id = await started(town, OLD_AGE, ACCEPT)
    answer = await town.give(case_id, Step("review", "street_officer", {"positive": False, "opinion": "不符合"}))

    assert (answer.status_code, answer.json()["faults"][0]["field"]) == (422, "legal_basis")


async def test_who_reviewed_does_not_confirm(town: Door) -> None:
    """初审 and 复审 are two people, whatever roles one of them may have."""
    town.examples.PEOPLE["both_street"] = Person("officer-both", "street_officer")
    town.examples.PEOPLE["both_civil"] = Person("officer-both", "civil_affairs_officer")
    try:
        case_id = await started(
            town, OLD_AGE, ACCEPT, Step("review", "both_street", {"positive": True, "opinion": "符合"})
        )

        assert await refused(town, case_id, Step("confirm", "both_civil")) == "against-the-rules"
        await town.go(case_id, [Step("confirm", "civil")])
    finally:
        del town.examples.PEOPLE["both_street"], town.examples.PEOPLE["both_civil"]


async def test_above_the_amount_a_second_person_signs(town: Door) -> None:
    """双签: 300 yuan a month are more than 200; who confirmed is not the second person."""
    case_id = await started(town, HUNDRED, *REVIEWED, Step("confirm", "civil"))

    assert (await town.case(case_id))["stage"] == "confirmed"
    assert await refused(town, case_id, Step("countersign", "civil")) == "against-the-rules"
    await town.go(case_id, [Step("countersign", "second_civil")])
    (granted,) = await entries(town, case_id, "welfare:granted")
    assert granted["facts"]["arithmetic"] == {"rule": "by_age", "age": int(granted["at"][:4]) - 1920, "band": 100}


async def test_a_refusal_is_appealed_once_and_decided_by_somebody_else(town: Door) -> None:
    """Who refused does not decide on the appeal; what is upheld is final."""
    case_id = await started(town, OLD_AGE, *REVIEWED, Step("refuse", "civil"), Step("appeal", "applicant"))
    decide = {"outcome": "upheld", "reason": "复查属实", "legal_basis": "第九条"}

    assert await refused(town, case_id, Step("decide_appeal", "civil", decide)) == "against-the-rules"
    await town.go(case_id, [Step("decide_appeal", "second_civil", decide)])
    assert await refused(town, case_id, Step("appeal", "applicant")) == "case-ended"


async def test_a_refusal_is_served_to_who_has_no_account(town: Door) -> None:
    """Entered at the window for somebody without an account, a refusal has to be handed over within three working days."""
    case_id = await town.start(body=OLD_AGE, by="clerk")
    await town.go(case_id, REFUSED)
    waits = (await clocks(town, case_id))["refusal_notice"]["status"]
    await town.go(case_id, [Step("serve_notice", "clerk")])

    assert (waits, (await clocks(town, case_id))["refusal_notice"]["status"]) == ("running", "stopped")
    assert await refused(town, case_id, Step("serve_notice", "clerk")) == "against-the-rules"


async def test_nothing_is_paid_in_a_case_that_has_ended(town: Door) -> None:
    """After the end no command about payments is taken any more."""
    case_id = await started(town, OLD_AGE, *town.examples.MAIN.steps)

    for command in ("retry_payment", "settle_payment", "resume_payment", "report_change"):
        assert await refused(town, case_id, Step(command, "civil")) == "case-ended"


async def test_an_extension_stays_within_what_the_policy_allows(town: Door) -> None:
    """全程 30 working days, and 15 more at the most."""
    case_id = await started(town, OLD_AGE, Step("extend_case", "supervisor", {"working_days": 10, **REASON}))

    assert (
        await refused(town, case_id, Step("extend_case", "supervisor", {"working_days": 6, **REASON})) == "bad-command"
    )
    await town.go(case_id, [Step("extend_case", "supervisor", {"working_days": 5, **REASON})])
    assert await refused(town, case_id, Step("extend_case", "supervisor")) == "against-the-rules"


# ---- publicity --------------------------------------------------------------------------------------------------------

PUBLIC = "/public/notices"
OBJECTION = {"reason": "其长子有三套房", "contact": "13800000000"}


async def notices(town: Door) -> dict[str, dict[str, Any]]:
    answer = await town.api.get(PUBLIC)
    assert answer.status_code == 200, answer.text
    return {notice["notice"]: notice for notice in answer.json()["items"]}


async def posted(town: Door) -> tuple[str, str]:
    """A case that is posted, and the number of its notice."""
    before = set(await notices(town))
    case_id = await started(town, SUBSISTENCE, *POSTED)
    (number,) = set(await notices(town)) - before
    return case_id, number


async def test_a_notice_says_nothing_of_the_person_but_a_masked_name(town: Door) -> None:
    """张*, the community, the benefit, the amount and the window: no number, no address, no case."""
    case_id, number = await posted(town)
    notice = (await notices(town))[number]
    page = await town.api.get(PUBLIC, headers={"Accept": "text/html"})

    assert notice | {"posted_at": "", "until": ""} == {
        "notice": number, "procedure": "welfare", "procedure_zh": "社会救助",
        "name": "何*", "community": "320104.003.01", "community_zh": "幸福社区",
        "benefit": "subsistence-allowance", "benefit_zh": "最低生活保障", "amount_fen": 39500, "posted_at": "", "until": "",
    }  # fmt: skip
    for said in (page.text, str(notice)):
        assert not [word for word in ("秀英", "320104198001", "3号楼", "6222", case_id) if word in said]
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_notices_are_cached_until_they_change(town: Door) -> None:
    """304 to who has it already, for half a minute at the most; another posting is another answer."""
    await posted(town)
    first = await town.api.get(PUBLIC)
    again = await town.api.get(PUBLIC, headers={"If-None-Match": first.headers["etag"]})
    await posted(town)
    changed = await town.api.get(PUBLIC, headers={"If-None-Match": first.headers["etag"]})

    assert (first.status_code, again.status_code, changed.status_code) == (200, 304, 200)
    assert first.headers["cache-control"] == "public, max-age=30, must-revalidate"


async def test_anybody_may_object_and_it_is_posted_anew_for_the_whole_window(town: Door) -> None:
    """Without an account: the notice comes down at once, is looked into, and comes up again under another number."""
    case_id, number = await posted(town)
    answer = await town.api.post(f"{PUBLIC}/{number}/objections", json=OBJECTION, headers={"Idempotency-Key": "o-1"})
    repeat = await town.api.post(f"{PUBLIC}/{number}/objections", json=OBJECTION, headers={"Idempotency-Key": "o-2"})
    down = number not in await notices(town)
    before = set(await notices(town))
    await town.go(case_id, [Step("investigate", "civil")])
    (anew,) = set(await notices(town)) - before

    assert (answer.status_code, repeat.status_code, down, anew != number) == (202, 404, True, True)
    assert case_id not in answer.text


async def test_who_objected_is_for_staff_alone(town: Door) -> None:
    """The applicant reads why, the street office also how to reach who said so; neither is kept with the applicant."""
    case_id, number = await posted(town)
    await town.api.post(f"{PUBLIC}/{number}/objections", json=OBJECTION, headers={"Idempotency-Key": "o-1"})
    (staff,) = await entries(town, case_id, "welfare:publicity:objected", by="street_officer")
    (own,) = await entries(town, case_id, "welfare:publicity:objected", by="applicant")

    assert (staff["facts"]["reason"], staff["facts"]["contact"]) == (OBJECTION["reason"], OBJECTION["contact"])
    assert (own["facts"]["reason"], own["facts"]["contact"]) == (OBJECTION["reason"], "〔不予显示〕")


async def test_an_objection_without_a_reason_or_a_contact_is_none(town: Door) -> None:
    """Both are asked for; all faults at once."""
    _, number = await posted(town)
    answer = await town.api.post(
        f"{PUBLIC}/{number}/objections", json={"reason": " "}, headers={"Idempotency-Key": "x"}
    )

    assert answer.status_code == 422
    assert {fault["field"] for fault in answer.json()["faults"]} == {"reason", "contact"}


async def test_who_only_makes_noise_has_to_wait(town: Door) -> None:
    """More than ten objections to one notice in a quarter of an hour: 429."""
    answers = [
        await town.api.post(f"{PUBLIC}/XXXXXXXX/objections", json=OBJECTION, headers={"Idempotency-Key": f"n-{n}"})
        for n in range(11)
    ]

    statuses = [answer.status_code for answer in answers]
    assert statuses[-1] == 429
    assert set(statuses) == {404, 429}  # others have made noise from this address


async def test_after_the_window_nothing_is_posted_and_nobody_objects(door: OpenDoor) -> None:
    """公示 is up for exactly the window: then civil affairs confirms, and an objection comes too late."""
    town = await door(WELFARE, speed=A_WINDOW_IN_TEN_SECONDS)
    case_id, number = await posted(town)

    async def over() -> bool:
        return bool((await town.case(case_id))["stage"] == "confirming")

    await eventually(over, within=60)
    late = await town.api.post(f"{PUBLIC}/{number}/objections", json=OBJECTION, headers={"Idempotency-Key": "late"})

    assert number not in await notices(town)
    assert (late.status_code, await refused(town, case_id, Step("object", "clerk"))) == (404, "not-now")
