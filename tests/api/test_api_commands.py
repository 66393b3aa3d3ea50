"""Commands on a case, through the public door."""

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest

from engine.keys.keys import Keys
from engine.keys.stamps import verify
from schemas.incident import INCIDENT
from schemas.values.actor import Role, Stamp
from schemas.values.canonical import digest
from tests.api_callers import REPORT, RESIDENT, As, Caller

pytest_plugins = ("tests.api_fixture",)

AREA = "320104.003"
REASON = {"reason": "不属于本部门职责", "legal_basis": "条例第三条"}
RESULT = {"result": "已清运,现场恢复整洁 ✅"}


@pytest.fixture
async def case(as_: As) -> str:
    """A case at the urban management bureau, not yet signed."""
    return str((await as_().report()).json()["case_id"])


@pytest.fixture
def officer(as_: As) -> Caller:
    """An officer of the department that holds the case."""
    return as_(Role.DEPARTMENT_OFFICER, department="urban-management")


def told(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem."""
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


async def test_a_case_goes_its_whole_way_by_commands(as_: As, officer: Caller, case: str) -> None:
    """Sign, arrive, finish, verify, rate: each answer tells the stage and the case's own word."""
    steps: list[tuple[Caller, str, Any, str]] = [
        (officer, "sign", {}, "handling"),
        (officer, "arrive", {}, "handling"),
        (officer, "finish", RESULT, "verifying"),
        (as_(Role.GRID_WORKER, area=AREA), "verify", {"passed": True}, "calling_back"),
        (as_(), "rate", {"solved": "solved", "satisfied": "satisfied", "comment": "谢谢🙏"}, "closed"),
    ]
    for caller, command, body, stage in steps:
        answer = await caller.command(case, command, body)
        assert (answer.status_code, answer.json()["stage"]) == (200, stage), answer.text
        assert answer.json()["accepted"]["command"] == command
        assert answer.json()["seq"] >= answer.json()["accepted"]["seq"]


async def test_whoever_got_an_answer_finds_it_in_the_case(officer: Caller, case: str) -> None:
    """The case read after a command has everything that the command changed."""
    accepted = (await officer.command(case, "sign")).json()["accepted"]

    read = (await officer.get(f"/api/v1/cases/{case}")).json()
    assert read["seq"] >= accepted["seq"]
    assert read["stage"] == "handling"


async def test_a_repeat_gets_the_first_answer_at_any_stage(officer: Caller, case: str) -> None:
    """The same key and body again is answered as the first time, though the case has moved on meanwhile."""
    first = await officer.command(case, "sign", key="sign-once")
    await officer.command(case, "finish", RESULT)
    again = await officer.command(case, "sign", key="sign-once")

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json()["accepted"] == first.json()["accepted"]
    assert again.json()["stage"] == "verifying"


async def test_the_same_command_ten_times_at_once_is_done_once(as_: As, case: str, pool: asyncpg.Pool) -> None:
    """Ten equal urges at once leave one entry."""
    answers = await asyncio.gather(*(as_().command(case, "urge", key="urge-once") for _ in range(10)))

    assert {answer.status_code for answer in answers} == {200}
    query = "select count(*) from ledger where case_id = $1 and kind = 'incident:urged'"
    assert await pool.fetchval(query, case) == 1


async def test_two_people_may_use_the_same_key_on_one_case(as_: As, case: str, pool: asyncpg.Pool) -> None:
    """A key belongs to its caller: what one sent under it answers nobody else."""
    resident = await as_().command(case, "urge", key="1")
    supervisor = await as_(Role.SUPERVISOR).command(case, "urge", key="1")

    assert resident.json()["accepted"]["command_id"] != supervisor.json()["accepted"]["command_id"]
    query = "select count(*) from ledger where case_id = $1 and kind = 'incident:urged'"
    assert await pool.fetchval(query, case) == 2


@pytest.mark.parametrize(("command", "body"), [("return_order", REASON | {"reason": "另一理由"}), ("sign", {})])
async def test_a_key_stands_for_one_command_and_body(command: str, body: Any, officer: Caller, case: str) -> None:
    """Another body, or another command, under a used key is refused."""
    await officer.command(case, "return_order", REASON, key="return-once")
    other = await officer.command(case, command, body, key="return-once")

    assert told(other) == (422, "key-reused")


async def test_the_wrong_role_is_told_who_may(as_: As, case: str) -> None:
    """A resident cannot sign an order: 403, with what they can do instead."""
    answer = await as_().command(case, "sign")

    assert told(answer) == (403, "not-your-role")
    assert answer.json()["legal_commands"] == ["urge", "withdraw", "comment", "attach"]
    assert answer.json()["stage"] == "dispatched"


async def test_the_wrong_stage_is_told_what_is_legal_now(officer: Caller, case: str) -> None:
    """What comes too early is refused as not-now, with the stage and the commands that are legal."""
    answer = await officer.command(case, "finish", RESULT)

    assert told(answer) == (409, "not-now")
    assert answer.json()["legal_commands"] == ["sign", "return_order", "ask_whistle", "comment", "attach"]


async def test_a_rule_that_forbids_is_told_in_its_words(as_: As, officer: Caller, case: str) -> None:
    """A command that the table knows and a condition forbids is refused as against the rules."""
    coordinator = as_("coordinator")
    await officer.command(case, "return_order", REASON)
    await coordinator.command(case, "arbitrate", {"department": "urban-management", "reason": "应由该部门办理"})
    answer = await officer.command(case, "return_order", REASON)

    assert told(answer) == (409, "against-the-rules")
    assert "裁定" in answer.json()["detail"]


async def test_a_body_that_does_not_fit_the_case_is_told_by_field(as_: As, case: str) -> None:
    """What only the case can know is a fault with field, reason and remedy too."""
    answer = await as_("coordinator").command(case, "redispatch", {"department": "no-such", "reason": "改派"})

    assert told(answer) == (422, "bad-command")
    assert answer.json()["faults"][0]["field"] == "department"


async def test_all_faults_of_a_command_are_told_at_once(officer: Caller, http: httpx.AsyncClient, case: str) -> None:
    """Key, blank reason, missing legal basis and a field that nobody knows stand in one answer."""
    answer = await http.post(
        f"/api/v1/cases/{case}/commands/return_order", json={"reason": " ", "to": "x"}, headers=officer.headers
    )

    assert told(answer) == (422, "bad-request")
    named = [fault["field"] for fault in answer.json()["faults"]]
    assert named == ["Idempotency-Key", "reason", "legal_basis", "to"]


async def test_a_commands_own_rule_is_checked_before_anything_is_kept(as_: As, case: str) -> None:
    """A failed verification without a reason is a fault of the field that is missing."""
    answer = await as_("coordinator").command(case, "verify", {"passed": False})

    assert told(answer) == (422, "bad-request")
    assert answer.json()["faults"][0]["field"] == "reason"


async def test_an_unknown_command_is_told_with_those_that_exist(as_: As, case: str) -> None:
    """A command that the procedure does not have is 404, and the answer lists those it has."""
    answer = await as_().command(case, "explode")

    assert told(answer) == (404, "unknown-command")
    assert "withdraw" in answer.json()["detail"]


@pytest.mark.parametrize("unknown", ["incident-20200101-000001", "nothing-1", "incident-20200101-000001%00", "x" * 300])
async def test_an_unknown_case_is_404(unknown: str, as_: As) -> None:
    """A number that nobody gave is not there, whatever it looks like."""
    answers = [
        await as_("coordinator").command(unknown, "sign"),
        await as_("coordinator").get(f"/api/v1/cases/{unknown}"),
    ]

    assert [told(answer) for answer in answers] == [(404, "unknown-case")] * 2


async def test_a_case_that_is_not_seen_is_not_there(as_: As, case: str) -> None:
    """Who may not see a case gets the very answer of one that does not exist."""
    hidden = await as_(subject="somebody-else").command(case, "withdraw", {"reason": "不是我的"})
    missing = await as_(subject="somebody-else").command("incident-20200101-000001", "withdraw", {"reason": "不是我的"})

    alike = [{**answer.json(), "instance": "", "request_id": ""} for answer in (hidden, missing)]
    assert alike[0] == alike[1]


async def test_refused_attempts_are_kept_once_each(as_: As, officer: Caller, case: str, pool: asyncpg.Pool) -> None:
    """Refusals of the case and of the door stand in `refusals`; a repeat of one is no second attempt."""
    await as_().command(case, "sign")
    first = await officer.command(case, "finish", RESULT, key="early")
    await officer.command(case, "sign")
    again = await officer.command(case, "finish", RESULT, key="early")

    assert told(again) == told(first) == (409, "not-now")
    rows = await pool.fetch("select command, role, code, stage from refusals where case_id = $1 order by 1 desc", case)
    assert [tuple(row) for row in rows] == [
        ("sign", "resident", "not-your-role", "dispatched"),
        ("finish", "department_officer", "not-now", "dispatched"),
    ]


async def test_a_case_that_ended_takes_nothing_more(as_: As, officer: Caller, case: str) -> None:
    """After the end every command is refused as case-ended; the repeat of an earlier one still gets its answer."""
    ended = await as_().command(case, "withdraw", {"reason": "已自行解决"}, key="bye")
    refused = await officer.command(case, "sign")
    again = await as_().command(case, "withdraw", {"reason": "已自行解决"}, key="bye")

    assert ended.json()["stage"] == "withdrawn"
    assert told(refused) == (409, "case-ended")
    assert again.json()["accepted"] == ended.json()["accepted"]


async def test_two_departments_at_once_are_judged_one_after_the_other(as_: As, case: str) -> None:
    """While one department signs and another tries too, exactly the one that holds the order may."""
    holder, other = (as_(Role.DEPARTMENT_OFFICER, department=name) for name in ("urban-management", "justice-office"))
    await as_("coordinator").command(case, "redispatch", {"department": "justice-office", "reason": "邻里纠纷"})

    before, after = await asyncio.gather(holder.command(case, "sign"), other.command(case, "sign"))

    assert told(before) == (403, "not-your-case")
    assert (after.status_code, after.json()["holder"]) == (200, "department:justice-office")


async def test_two_officers_of_one_department_sign_once(as_: As, case: str) -> None:
    """Of two officers who sign at the same time one succeeds, the other hears that it is done."""
    officers = [as_(Role.DEPARTMENT_OFFICER, subject, department="urban-management") for subject in ("one", "two")]

    answers = await asyncio.gather(*(each.command(case, "sign") for each in officers))

    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_a_command_is_stamped_for_who_gave_it(officer: Caller, case: str, pool: asyncpg.Pool, keys: Keys) -> None:
    """The payload carries the API's signature over case, command, actor, time and the digest of the references."""
    await officer.command(case, "return_order", REASON)

    payload = await pool.fetchval("select payload from intake where case_id = $1 and kind = 'command'", case)
    stamp = Stamp.model_validate(payload["stamp"])
    command = INCIDENT.commands["return_order"].model_validate(payload["command"])
    assert verify(stamp, keys.stamp_ring)
    assert stamp.digest == digest(command)
    assert (stamp.case_id, stamp.command, stamp.actor.department) == (case, "return_order", "urban-management")


async def test_texts_of_a_command_go_to_the_vault(as_: As, officer: Caller, case: str, pool: asyncpg.Pool) -> None:
    """A reason is kept with the reporter's person, read back in the timeline, and stands nowhere else."""
    await officer.command(case, "return_order", {"reason": "秘密理由", "legal_basis": "秘密条款"})

    entries = (await as_("coordinator").get(f"/api/v1/cases/{case}/timeline")).json()["items"]
    returned = next(entry for entry in entries if entry["kind"] == "incident:returned")
    assert (returned["facts"]["reason"], returned["facts"]["legal_basis"]) == ("秘密理由", "秘密条款")
    assert returned["title"] == "退单"
    written = str([dict(row) for row in await pool.fetch("select * from intake where case_id = $1", case)])
    assert "秘密" not in written


async def test_a_case_without_a_reporter_keeps_texts_too(as_: As) -> None:
    """Where nobody is named as reporter, texts of commands are kept with a person of the case's own."""
    body = {name: value for name, value in REPORT.items() if name != "reporter"}
    case = (await as_(Role.GRID_WORKER, area=AREA).report(body)).json()["case_id"]
    answer = await as_("coordinator").command(case, "reject", {"reason": "查无此处"})

    assert (answer.status_code, answer.json()["stage"]) == (200, "rejected")


async def test_an_erased_reporter_does_not_stop_the_case(
    as_: As, officer: Caller, pool: asyncpg.Pool, keys: Keys
) -> None:
    """After the reporter was erased the case goes on; their texts are tombstones, new ones are kept apart."""
    from engine.vault.vault import Vault  # noqa: PLC0415 - only here
    from schemas.values.actor import Actor  # noqa: PLC0415 - only here

    case = (await as_(subject="resident-erased").report()).json()["case_id"]
    person = await pool.fetchval("select snapshot ->> 'reporter' from cases where case_id = $1", case)
    async with pool.acquire() as connection:
        await Vault(keys).erase(connection, person, Actor(subject="dpo", role=Role.ADMIN), "个人信息保护法第四十七条")
    answer = await officer.command(case, "return_order", REASON)

    assert answer.status_code == 200, answer.text
    entries = (await as_("coordinator").get(f"/api/v1/cases/{case}/timeline")).json()["items"]
    assert "依法清除" in entries[0]["facts"]["description"]
    returned = next(entry for entry in entries if entry["kind"] == "incident:returned")
    assert returned["facts"]["reason"] == REASON["reason"]


async def test_a_submission_is_followed_by_whoever_sent_it(as_: As, case: str, pool: asyncpg.Pool) -> None:
    """The status of a submission is its sender's; for others there is none."""
    await as_().command(case, "urge")
    submission = await pool.fetchval("select submission from intake where case_id = $1 and kind = 'command'", case)

    own = await as_(subject=RESIDENT).get(f"/api/v1/submissions/{submission}")
    other = await as_("coordinator").get(f"/api/v1/submissions/{submission}")

    assert (own.json()["status"], own.json()["accepted"]["command"]) == ("delivered", "urge")
    assert told(other) == (404, "unknown-submission")
