"""The law of persons: a case shows, uses and pays by what was stated in it, and by nothing that is stated elsewhere."""

import importlib
import itertools
import json
import pkgutil
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import asyncpg
import pytest
from temporalio.client import Client

import starter
from engine.keys.keys import Keys
from engine.policies.notice_templates import load_notice_policy
from engine.runtime.settings import PROJECT, Settings
from engine.vault.privacy import Persons
from engine.vault.vault import PersonDetails, Vault
from local.simulation.pictures import PICTURE
from local.stories.walks import with_documents
from schemas.contest import CONTEST
from schemas.kernel.declaration import DeclaredProcedure
from schemas.kernel.openings import OpeningBody
from schemas.kernel.procedure import Procedure
from schemas.values.actor import OWN_CASES_ONLY, Actor, Role
from starter.cases.case_reading import CaseReader
from starter.intake.starts import Opening
from tests.api_callers import Caller
from tests.api_driver import examples
from tests.applications import application, apply, given, reaches, started, timeline, upload
from tests.every_procedure import PROCEDURE_LIST
from tests.examples.welfare import identity_number
from tests.overheard_town import OverheardTown, overheard_town
from tests.waiting import eventually

pytestmark = pytest.mark.timeout(300)

NAME, PHONE, ADDRESS = "吴正直", "13900000033", "和平里九号院"
MEMBER = "吴小妹"
OTHER_NAME, OTHER_PHONE = "冒名者", "13700000099"
NOTICES = load_notice_policy(PROJECT / "policies")
READERS = [role for role in Role if role is not Role.ENGINE]
PNG = PICTURE
PLACE = {"address": ADDRESS, "area": "320104.003.01"}
REASON = {"reason": "情况说明"}
_orders = itertools.count(200)


@pytest.fixture(scope="module")
async def town(
    settings: Settings, keys: Keys, temporal: Client, pool: asyncpg.Pool, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[OverheardTown]:
    async with overheard_town(settings, keys, temporal, pool, tmp_path_factory.mktemp("persons")) as opened:
        yield opened


class Known:
    """Somebody who is known by an account, a phone number and an identity number, none of which is anybody else's."""

    def __init__(self) -> None:
        tag = uuid.uuid4().hex[:8]
        self.account = f"known-{tag}"
        self.phone = f"139{int(tag, 16) % 10**8:08d}"
        self.identity_number = identity_number("19700101", next(_orders))
        self.member_number = identity_number("19720202", next(_orders))

    @property
    def words(self) -> tuple[str, ...]:
        """What nobody else has stated of them."""
        return NAME, self.phone, MEMBER


async def report(caller: Caller, **stated: Any) -> str:
    body = {"category": "环境卫生", "description": "垃圾堆积", "location": PLACE} | stated
    return await started(caller, "/api/v1/incidents", body)


def reader(town: OverheardTown, role: Role) -> Caller:
    """Somebody of a role who sees the whole town, as far as the role does."""
    return town.as_(role, **({"department": "service-centre"} if role is Role.DEPARTMENT_OFFICER else {}))


async def seen(town: OverheardTown, case_id: str, *accounts: str, entries: int | None = None) -> str:
    """What every role reads of a case, and these residents, as the bytes that they get: its first `entries`."""
    callers = [reader(town, role) for role in READERS] + [town.as_("resident", account) for account in accounts]
    return json.dumps([(await timeline(caller, case_id))[:entries] for caller in callers], ensure_ascii=False)


# ---- whose case it is: one for each procedure that has people ------------------------------------------------------------


async def an_incident(town: OverheardTown, who: Known) -> str:
    return await report(town.as_("resident", who.account), reporter={"name": NAME, "phone": who.phone})


async def an_application(town: OverheardTown, who: Known) -> str:
    resident = town.as_("resident", who.account)
    member = {
        "name": MEMBER,
        "identity_number": who.member_number,
        "consent": await upload(resident, town.api),
    }
    applicant = {"name": NAME, "identity_number": who.identity_number, "phone": who.phone}
    papers = [{"kind": "identity-card", "document": await upload(resident, town.api)}]
    body = application("temporary-aid", applicant, household=[member], documents=papers)
    return await apply(resident, body)


async def a_recovery(town: OverheardTown, who: Known) -> str:
    case_id = await an_application(town, who)
    await given(town.as_("window_clerk"), case_id, "accept")

    async def paid() -> bool:
        entries = await timeline(town.as_("auditor"), case_id)
        return any(entry["kind"] == "welfare:payment:paid" for entry in entries)

    await eventually(paid)
    await given(town.as_("resident", who.account), case_id, "withdraw_application", REASON)
    await reaches(town, f"{case_id}.recovery-1", "demanded")
    return f"{case_id}.recovery-1"


OPEN: Mapping[str, Callable[[OverheardTown, Known], Awaitable[str]]] = {
    "incident": an_incident,
    "welfare": an_application,
    "recovery": a_recovery,
}

# ---- how others state something of the same person: for each opening that takes one -----------------------------------------


async def by_a_report(town: OverheardTown, who: Known) -> list[str]:
    """Staff name their account or their phone number, with another name, or without one; somebody else gives their number."""
    grid = town.as_("grid_worker", "grid-elsewhere", area="320104.003.03")
    clerk = town.as_("window_clerk", "clerk-elsewhere")
    elsewhere = {"location": {"address": "他处", "area": "320104.003.03"}}
    other = {"name": OTHER_NAME, "phone": OTHER_PHONE}
    return [
        await report(grid, on_behalf_of=who.account, **elsewhere),
        await report(grid, on_behalf_of=who.account, reporter=other, **elsewhere),
        await report(clerk, reporter={"phone": who.phone}),
        await report(clerk, reporter={"name": OTHER_NAME, "phone": who.phone}),
        await report(town.as_("resident", "somebody-else"), reporter={"name": OTHER_NAME, "phone": who.phone}),
    ]


async def by_an_application(town: OverheardTown, who: Known) -> list[str]:
    """Somebody names them as a member of the household; staff apply in their name, and for their account."""
    stranger, clerk = town.as_("resident", "somebody-else"), town.as_("window_clerk", "clerk-elsewhere")
    mine = {"name": "郑某某", "identity_number": identity_number("19800303", next(_orders)), "phone": OTHER_PHONE}
    as_member = [
        {"name": OTHER_NAME, "identity_number": who.identity_number},
        {"name": OTHER_NAME, "identity_number": who.member_number},
    ]
    as_applicant = {"name": OTHER_NAME, "identity_number": who.identity_number, "phone": OTHER_PHONE}
    return [
        await apply(stranger, application("subsistence-allowance", mine, household=as_member)),
        await apply(clerk, application("destitute-support", as_applicant)),
        await apply(
            clerk,
            application(
                "disability-allowance",
                mine | {"identity_number": identity_number("19810404", next(_orders))},
                disability_level=2,
                on_behalf_of=who.account,
            ),
        ),
    ]


STATED_ELSEWHERE: Mapping[str, Callable[[OverheardTown, Known], Awaitable[list[str]]]] = {
    "incident": by_a_report,
    "welfare": by_an_application,
}


def body_of(procedure: Procedure) -> type[OpeningBody] | None:
    """By what a case of it is opened, if all of its opening is derived."""
    opens = procedure.opens if isinstance(procedure, DeclaredProcedure) else None
    return None if opens is None else opens.body


def opened_first(procedure: Procedure) -> Procedure:
    """That by whose cases those of a procedure come about; itself, where people open them."""
    return next((opened_first(each) for each in PROCEDURE_LIST if each.name == procedure.parent), procedure)


def has_people(procedure: Procedure) -> bool:
    """A procedure that shows what is stated of a person; what a derived opening takes of one, no entry of it or below it shows."""
    fields = procedure.state.model_fields
    if body_of(opened_first(procedure)) is not None:
        return False
    return bool({"reporter", "members"} & set(fields)) or any(
        "person:" in repr(field.annotation) + repr(field.metadata)
        for name, field in fields.items()
        if name != "statements"
    )


WITH_PEOPLE = [procedure for procedure in PROCEDURE_LIST if has_people(procedure)]
NAMING = [each for each in PROCEDURE_LIST if (body := body_of(each)) is not None and body.person_name is not None]
"""Whose declared opening takes the name of whose case it is."""


def test_every_procedure_with_people_is_under_this_law() -> None:
    """Who adds a procedure, or an opening, that takes a person says here how others could state something of the same one."""
    modules = [importlib.import_module(f"starter.{each.name}") for each in pkgutil.iter_modules(starter.__path__)]
    openings = {each.OPENING.procedure for each in modules if isinstance(getattr(each, "OPENING", None), Opening)}
    named = {procedure.name for procedure in WITH_PEOPLE}

    assert named == set(OPEN)
    assert named & openings == set(STATED_ELSEWHERE)


@pytest.mark.parametrize("procedure", WITH_PEOPLE, ids=lambda each: each.name)
async def test_what_is_stated_elsewhere_changes_nothing_and_shows_nothing(
    town: OverheardTown, procedure: Procedure
) -> None:
    """Nothing stated in another case of the same account, phone or identity number changes or shows what a case was told.

    To everybody it reads as before, and nobody who reads the other case learns a word from it.
    """
    who = Known()
    case_id = await OPEN[procedure.name](town, who)
    owner = town.as_("resident", who.account)

    async def told() -> bool:
        return len(await timeline(owner, case_id)) > (procedure.name == "incident")

    await eventually(told)
    entries = len(await timeline(owner, case_id))
    before, notices = await seen(town, case_id, who.account, entries=entries), await notices_of(town, case_id)
    others = [each for stated in STATED_ELSEWHERE.values() for each in await stated(town, who)]
    others += [await opened_for(town, each, who, OTHER_NAME) for each in NAMING]
    after = await seen(town, case_id, who.account, entries=entries)
    elsewhere = [await seen(town, each, who.account, "somebody-else") for each in others]

    assert NAME in before
    assert who.phone in before
    assert after == before
    assert (await notices_of(town, case_id))[: len(notices)] == notices != []
    for text in elsewhere:
        # A phone number that the other case was given stands there too, by that statement.
        assert [word for word in (NAME, MEMBER) if word in text] == []
    for case, text in zip(others, elsewhere, strict=True):
        assert (who.phone in text) == (case in others[2:5]), case


async def opened_for(town: OverheardTown, procedure: Procedure, who: Known, name: str) -> str:
    """A case by a declared opening that takes a name: for this account, by themselves if they may, else by staff."""
    body, opens = body_of(procedure), procedure.opens if isinstance(procedure, DeclaredProcedure) else None
    assert body is not None
    assert body.person_name is not None
    assert opens is not None
    own = Role.RESIDENT in opens.by
    caller = town.as_("resident", who.account) if own else reader(town, min(opens.by))

    async def send() -> Mapping[str, Any]:
        return await upload(caller, town.api)

    report = {field: value for field, value in examples(procedure).REPORT.items() if field != "on_behalf_of"}
    sent = {**report, body.person_name: name, **({} if own else {"on_behalf_of": who.account})}
    return await started(caller, opens.path, await with_documents(sent, send))


@pytest.mark.parametrize("procedure", NAMING, ids=lambda each: each.name)
async def test_a_name_by_a_declared_opening_is_shown_in_no_case_and_is_its_own(
    town: OverheardTown, keys: Keys, procedure: Procedure
) -> None:
    """No entry shows it to anybody, and nothing that is stated elsewhere of the same account stands in its place."""
    who = Known()
    case_id = await opened_for(town, procedure, who, NAME)
    resident = town.as_("resident", who.account)
    entries = len(await timeline(resident, case_id))
    before, notices = await seen(town, case_id, who.account, entries=entries), await notices_of(town, case_id)
    others = [await opened_for(town, procedure, who, OTHER_NAME)]
    others += [each for stated in STATED_ELSEWHERE.values() for each in await stated(town, who)]
    after = await seen(town, case_id, who.account, entries=entries)
    elsewhere = [await seen(town, each, who.account, "somebody-else") for each in others]
    kept = await town.pool.fetchval(
        "select string_agg(body, '') from ledger where case_id = any($1)", [case_id, others[0]]
    )

    assert entries
    assert after == before
    assert (await notices_of(town, case_id))[: len(notices)] == notices != []
    assert [NAME in text for text in (before, *elsewhere, kept)] == [False] * (len(elsewhere) + 2)
    assert [OTHER_NAME in text for text in (before, elsewhere[0], kept)] == [False] * 3
    assert [await name_told(town, keys, each) for each in (case_id, others[0])] == [NAME, OTHER_NAME]


async def name_told(town: OverheardTown, keys: Keys, case_id: str) -> str | None:
    """The name that a case was told of whose it is: what its public notice and its bank are told."""
    snapshot = await town.pool.fetchval("select snapshot from cases where case_id = $1", case_id)
    person = snapshot["reporter"]
    async with town.pool.acquire() as connection:
        told = snapshot["statements"][person]
        read = await Vault(keys).read_statement(
            connection,
            person,
            told,
            Actor(subject="clerk", role=Role.WINDOW_CLERK),
            purpose="show-case",
            case_id=case_id,
        )
    return read.name if isinstance(read, PersonDetails) else None


async def test_a_project_is_posted_under_the_name_that_it_named(town: OverheardTown) -> None:
    """Another project of the same account names somebody else: the public notice of each shows its own."""
    who, named = Known(), ("钟意", "岑冒")  # nobody else in this town is posted under these signs
    projects = [await opened_for(town, CONTEST, who, name) for name in named]
    for each in projects:
        await given(town.as_("street_officer"), each, "accept", REASON)
        for juror in ("grid_worker", "coordinator", "supervisor"):
            await given(town.as_(juror), each, "judge", {"score": 80})
        await reaches(town, each, "posted")
        names = [notice["name"] for notice in (await town.api.get("/public/notices")).json()["items"]]
        shown = [f"{name[0]}*" in names for name in named]

        assert shown == [True, each == projects[1]]


async def notices_of(town: OverheardTown, case_id: str) -> list[str]:
    """The notices of a case as they are delivered, to whom and in which words, in their order."""
    rows = await town.pool.fetch("select * from outbox where case_id = $1 order by seq, position", case_id)
    return [f"{row['recipient']}: {NOTICES.text(row['template'], case_id, row['facts'], {})}" for row in rows]


async def test_registers_bank_and_public_notice_go_by_the_case_s_own_statement(town: OverheardTown) -> None:
    """Whatever others have stated meanwhile, registers are asked about, the bank pays and the notice names whom the case named."""
    who = Known()
    case_id = await an_application(town, who)
    for stated in STATED_ELSEWHERE.values():
        await stated(town, who)
    await given(town.as_("window_clerk"), case_id, "accept")
    await given(town.as_("grid_worker"), case_id, "record_visit", {"finding": "属实"})
    await reaches(town, case_id, "surveyed")
    await given(town.as_("street_officer"), case_id, "review", {"positive": True, "opinion": "符合"})
    await reaches(town, case_id, "publicised")
    names = [notice["name"] for notice in (await town.api.get("/public/notices")).json()["items"]]
    # A second notice of somebody whose name begins otherwise would show that of the others.
    household = [
        {"name": NAME, "identity_number": who.identity_number},
        {"name": MEMBER, "identity_number": who.member_number},
    ]

    assert town.asked_about(case_id) == [household, household]
    assert [(body["name"], body["account"]) for body in town.paid(case_id)] == [(NAME, "6222020000000000017")]
    assert (f"{NAME[0]}*" in names, f"{OTHER_NAME[0]}*" in names) == (True, False)


async def test_a_recovery_names_its_debtor_as_the_case_that_paid_did(town: OverheardTown) -> None:
    """A child goes by what was stated in the case that it came of."""
    who = Known()
    recovery = await a_recovery(town, who)
    await by_an_application(town, who)
    (demanded, *_) = await timeline(town.as_("window_clerk"), recovery)

    assert demanded["facts"]["debtor"] == {
        "name": NAME,
        "phone": who.phone,
        "identity_number": who.identity_number,
    }


async def test_a_report_without_a_name_takes_none_away_and_shows_none(town: OverheardTown) -> None:
    """What a case was not told of a person it does not show, although other cases were told."""
    who = Known()
    first = await report(town.as_("window_clerk"), reporter={"name": NAME, "phone": who.phone})
    second = await report(town.as_("window_clerk"), reporter={"phone": who.phone})
    looked_up = await report(town.as_("grid_worker"), on_behalf_of=who.account)
    shown = [
        (await timeline(town.as_("window_clerk"), case_id))[0]["facts"]["reporter"]
        for case_id in (first, second, looked_up)
    ]

    assert shown == [{"name": NAME, "phone": who.phone}, {"phone": who.phone}, None]


async def test_a_case_from_before_shows_what_was_stated_at_its_own_start(town: OverheardTown, keys: Keys) -> None:
    """Such a case kept no reference: what counts was kept in the transaction of its start, and never what came later."""
    who = Known()
    case_id = await an_application(town, who)
    now = await seen(town, case_id, who.account, entries=1)
    for stated in STATED_ELSEWHERE.values():
        await stated(town, who)
    await town.pool.execute(
        """update cases set snapshot = jsonb_set(snapshot, '{charter,people_as_stated}', 'false') - 'statements'
        where case_id = $1""",
        case_id,
    )
    vault = Vault(keys)
    reader = CaseReader(town.pool, vault, {procedure.name: procedure for procedure in PROCEDURE_LIST})
    clerk = Actor(subject="clerk", role=Role.WINDOW_CLERK)
    (applied, *_) = await reader.timeline(case_id, clerk, 0, 1)
    async with town.pool.acquire() as connection:
        person = await connection.fetchval("select snapshot ->> 'reporter' from cases where case_id = $1", case_id)
        read = [
            await vault.read_statement(connection, person, None, clerk, purpose="show-case", case_id=each)
            for each in (case_id, f"{case_id}.recovery-1", "welfare-20991231-000001")
        ]

    assert applied.facts["applicant"]["name"] == NAME
    assert applied.facts["members"][0]["name"] == MEMBER
    assert NAME in now
    assert [each.name if isinstance(each, PersonDetails) else None for each in read] == [NAME, NAME, None]


# ---- each adult consents for themselves ------------------------------------------------------------------------------------


async def household(town: OverheardTown, **consenting: Any) -> tuple[str, Caller, list[str]]:
    """Urgent aid for an applicant, an adult, a minor and a newborn without a number; the numbers of all but the last."""
    resident = town.as_("resident", f"household-{uuid.uuid4().hex[:8]}")
    own, adult, minor = (identity_number(born, next(_orders)) for born in ("19700101", "19710101", "20150101"))
    papers = [{"kind": "identity-card", "document": await upload(resident, town.api)}]
    members = [
        {"name": "成年甲", "identity_number": adult} | consenting,
        {"name": "未成年乙", "identity_number": minor},
        {"name": "新生儿丙", "identity_document": {"kind": "none_yet", "birth": "2026-11-01"}},
    ]
    applicant = {"name": "申请人", "identity_number": own}
    body = application("temporary-aid", applicant, household=members, documents=papers)
    return await apply(resident, body), resident, [own, adult, minor]


def numbers(questions: list[list[dict[str, Any]]]) -> list[list[str]]:
    return [[person["identity_number"] for person in people] for people in questions]


async def test_nobody_s_means_are_asked_after_without_their_own_consent(town: OverheardTown) -> None:
    """Registers are asked about the applicant, minors, and adults who consented for themselves.

    An adult who has not is named as an obstacle to granting, and is asked about, with all others anew, once they consent.
    """
    case_id, resident, (own, adult, minor) = await household(town)
    view = (await resident.get(f"/api/v1/cases/{case_id}")).json()
    told = await notices_of(town, case_id)
    await given(town.as_("window_clerk"), case_id, "accept")
    await given(town.as_("grid_worker"), case_id, "record_visit", {"finding": "属实"})
    await reaches(town, case_id, "surveyed")
    without = numbers(town.asked_about(case_id))
    review = {"positive": True, "opinion": "符合"}
    refusal = await town.as_("street_officer").command(case_id, "review", review)
    paper = await upload(resident, town.api)
    stranger = await town.as_("resident", "stranger").command(
        case_id, "record_consent", {"member": 1, "document": paper}
    )
    nobody = await resident.command(case_id, "record_consent", {"member": 2, "document": paper})
    await given(resident, case_id, "record_consent", {"member": 1, "document": paper})
    await reaches(town, case_id, "surveyed")
    anew = numbers(town.asked_about(case_id))[len(without) :]
    again = await resident.command(case_id, "record_consent", {"member": 1, "document": paper})
    wanting = (await resident.get(f"/api/v1/cases/{case_id}")).json()["wanting"]
    await given(town.as_("street_officer"), case_id, "review", review)
    late = await resident.command(case_id, "record_consent", {"member": 1, "document": paper})
    entries = await timeline(town.as_("auditor"), case_id)
    surveyed = [entry["facts"]["against"] for entry in entries if entry["kind"] == "welfare:surveyed"]
    shown = await resident.get(f"/api/v1/documents/{paper['reference']}")

    assert view["wanting"] == ["consent:member-1"]
    assert any(text.startswith("reporter: ") and "1名成年家庭成员" in text for text in told), told
    assert without == [[own, minor]] * 2
    assert (refusal.status_code, "第1位家庭成员" in refusal.text) == (422, True)
    assert (stranger.status_code, nobody.status_code) == (404, 422)
    assert anew == [[own, adult, minor]] * 2
    assert (again.status_code, late.status_code, wanting) == (409, 409, [])
    assert surveyed == [[{"code": "consent:member-1", "found": 0, "allowed": 1}], []]
    assert shown.status_code == 200


async def test_a_consent_that_comes_with_the_application_counts_from_the_start(town: OverheardTown) -> None:
    """The paper of an adult stands in the case, and registers are asked about them with the others."""
    paper = await upload(town.as_("window_clerk"), town.api)
    clerk = town.as_("window_clerk")
    own, adult = (identity_number(born, next(_orders)) for born in ("19700101", "19710101"))
    members = [{"name": "成年甲", "identity_number": adult, "consent": paper}]
    papers = [{"kind": "identity-card", "document": await upload(clerk, town.api)}]
    applicant = {"name": "申请人", "identity_number": own}
    case_id = await apply(clerk, application("temporary-aid", applicant, household=members, documents=papers))
    foreign = members[0] | {"consent": await upload(town.as_("resident", "uploader"), town.api)}
    refused = await town.as_("resident", "thief").post(
        "/api/v1/welfare-applications", application("temporary-aid", applicant, household=[foreign])
    )
    await given(town.as_("street_officer"), case_id, "accept")

    async def asked() -> bool:
        return len(town.asked_about(case_id)) == 2

    await eventually(asked)
    state = await town.pool.fetchval("select snapshot from cases where case_id = $1", case_id)

    assert numbers(town.asked_about(case_id)) == [[own, adult]] * 2
    assert paper in state["documents"]
    assert (refused.status_code, "household.0.consent" in refused.text) == (422, True)


async def test_people_without_an_identity_number_can_be_entered(town: OverheardTown) -> None:
    """By a permit or a passport somebody is found again and asked about; where it is not taken, that is said."""
    clerk = town.as_("window_clerk")
    passport = {"kind": "passport", "number": f"e{next(_orders)}4567", "birth": "1980-01-02"}
    permit = {"kind": "hk_macao_permit", "number": f"Ｈ00000{next(_orders)}", "birth": "1985-04-12"}
    applicant = {"name": "Maria Rossi", "identity_document": passport}
    members = [{"name": "陈家明", "identity_document": permit, "consent": await upload(clerk, town.api)}]
    papers = [{"kind": "identity-card", "document": await upload(clerk, town.api)}]
    body = application("temporary-aid", applicant, household=members, documents=papers)
    other = {"name": "郑某某", "identity_number": identity_number("19800303", next(_orders))}
    again = [applicant, members[0] | {"consent": None}]
    first = await apply(clerk, body)
    second = await apply(clerk, application("subsistence-allowance", other, household=again))
    refused = await clerk.post("/api/v1/welfare-applications", body | {"benefit": "old-age-allowance"})
    await given(town.as_("street_officer"), first, "accept")

    async def asked() -> bool:
        return len(town.asked_about(first)) == 2

    await eventually(asked)
    states = [
        await town.pool.fetchval("select snapshot from cases where case_id = $1", case_id)
        for case_id in (first, second)
    ]
    shown = (await timeline(clerk, first))[0]["facts"]

    assert town.asked_about(first)[0] == [
        {"name": "Maria Rossi", "identity_number": passport["number"].upper(), "document_kind": "passport"},
        {"name": "陈家明", "identity_number": f"H{permit['number'][1:]}", "document_kind": "hk_macao_permit"},
    ]
    assert states[1]["members"] == [states[0]["reporter"], *states[0]["members"]]
    assert [fault["field"] for fault in refused.json()["faults"]] == ["applicant.identity_document.kind"]
    assert (shown["birth"], shown["members"][0]["document_kind"]) == ("1980-01", "hk_macao_permit")


# ---- what of it is for whom -----------------------------------------------------------------------------------------------


async def test_a_register_s_answer_is_a_verdict_to_all_but_who_decides(town: OverheardTown) -> None:
    """A balance or an income that a register told, and what is reckoned from it, is read by who decides and by auditors.

    Who applied, visits or stands at the window reads whether something was found.
    """
    resident = town.as_("resident", f"reads-{uuid.uuid4().hex[:8]}")
    income, balance = 123457, 9876543
    name = f"富有人〔剧本:monthly_income_fen={income};balance_fen={balance}〕"
    applicant = {"name": name, "identity_number": identity_number("19700101", next(_orders))}
    papers = [
        {"kind": kind, "document": await upload(resident, town.api)}
        for kind in ("identity-card", "household-register", "income-statement")
    ]
    body = application("subsistence-allowance", applicant, documents=papers, monthly_income_fen=1)
    case_id = await apply(resident, body)
    await given(town.as_("window_clerk"), case_id, "accept")
    await given(town.as_("grid_worker"), case_id, "record_visit", {"finding": "属实"})
    await given(town.as_("street_officer"), case_id, "record_visit", {"finding": "属实"})
    await reaches(town, case_id, "surveyed")

    def told(entries: list[dict[str, Any]]) -> tuple[bool, list[str]]:
        kept = [entry["facts"] | {"applicant": ""} for entry in entries]
        text = json.dumps(kept, ensure_ascii=False)
        statuses = [entry["facts"]["status"] for entry in entries if entry["kind"] == "welfare:check:answered"]
        return any(str(number) in text for number in (income, balance)), sorted(statuses)

    read: dict[Role, tuple[bool, list[str]]] = {
        role: told(await timeline(reader(town, role), case_id)) for role in READERS if role is not Role.RESIDENT
    }
    read[Role.RESIDENT] = told(await timeline(resident, case_id))
    verdicts = ["clear", "clear", "clear", "found", "found"]
    judges = {Role.STREET_OFFICER, Role.CIVIL_AFFAIRS_OFFICER, Role.SUPERVISOR, Role.AUDITOR}

    assert {role for role, (numbers_told, _) in read.items() if numbers_told} == judges
    assert {role for role, (_, statuses) in read.items() if statuses == verdicts} == set(READERS) - {
        Role.DEPARTMENT_OFFICER,  # sees no case that it does not hold
        Role.COMMITTEE_OFFICER,  # elected, and has no part in it: reads that there is one
        *(OWN_CASES_ONLY - {Role.RESIDENT}),  # nor these one in which they have no seat
    }


async def test_who_runs_the_system_does_not_read_how_people_live(town: OverheardTown) -> None:
    """An admin sees that something happened and when; not month of birth, income, disability, household or amount."""
    clerk = town.as_("window_clerk")
    applicant = {"name": NAME, "identity_number": identity_number("19670503", next(_orders)), "phone": PHONE}
    member = {"name": MEMBER, "identity_number": identity_number("20140404", next(_orders))}
    body = application("temporary-aid", applicant, household=[member], monthly_income_fen=54321, disability_level=3)
    papers = [{"kind": "identity-card", "document": await upload(clerk, town.api)}]
    case_id = await apply(clerk, body | {"documents": papers})
    await given(town.as_("street_officer"), case_id, "accept")

    async def paid() -> bool:
        return bool(town.paid(case_id))

    await eventually(paid)
    facts = {"household_size": 3, "monthly_income_fen": 65432, **REASON}
    await given(clerk, case_id, "correct_facts", facts)
    of_an_auditor = [entry["kind"] for entry in await timeline(town.as_("auditor"), case_id)]
    entries = await timeline(town.as_("admin"), case_id)
    text = json.dumps([entry["facts"] for entry in entries], ensure_ascii=False)
    (applied,) = [entry["facts"] for entry in entries if entry["kind"] == "welfare:applied"]

    assert [entry["kind"] for entry in entries][: len(of_an_auditor)] == of_an_auditor
    assert "welfare:facts_corrected" in of_an_auditor
    assert [word for word in ("1967", "54321", "65432", "100000", NAME, PHONE, ADDRESS) if word in text] == []
    withheld = {"birth", "household_size", "members", "monthly_income_fen", "disability_level", "applicant"}
    assert {applied[name] for name in withheld} == {"〔不予显示〕"}


# ---- giving out and erasing -----------------------------------------------------------------------------------------------


async def test_statements_of_a_person_are_found_and_erased_wherever_they_were_made(
    town: OverheardTown, settings: Settings, keys: Keys
) -> None:
    """Everything that anybody stated of a person is given out with its case, and is gone once they are erased.

    Also where it stands in another's application; what others stated of themselves there stays.
    """
    from tests.engine.test_privacy import BASIS, BY, NOW, persons  # noqa: PLC0415 - the office of those tests

    who = Known()
    stranger = town.as_("resident", "stranger-two")
    mine = {"name": "郑某某", "identity_number": identity_number("19800303", next(_orders)), "phone": OTHER_PHONE}
    named = [{"name": OTHER_NAME, "identity_number": who.identity_number}]
    theirs = await apply(stranger, application("subsistence-allowance", mine, household=named))
    own = await an_application(town, who)
    for caller, case_id in ((stranger, theirs), (town.as_("resident", who.account), own)):
        await given(caller, case_id, "withdraw_application", REASON)
    person = await town.pool.fetchval("select snapshot ->> 'reporter' from cases where case_id = $1", own)
    office: Persons = persons(settings, keys, town.pool)

    async def ended() -> bool:
        return bool(
            await town.pool.fetchval("select bool_and(ended) from cases where case_id = any($1)", [own, theirs])
        )

    await eventually(ended)
    held = await office.export(person, BY, NOW)
    stated = {case: each["name"] for each in held.details for case in each["stated_in"]}
    await office.erase(person, BY, BASIS, NOW)
    (applied, *_) = await timeline(stranger, theirs)

    assert stated == {own: NAME, theirs: OTHER_NAME}
    assert "已于" in str(applied["facts"]["members"][0])
    assert applied["facts"]["applicant"]["name"] == "郑某某"
