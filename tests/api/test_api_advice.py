"""派单建议、热点: what a model proposes and what the ledger says of it, and the same trouble in many reports."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from temporalio.client import Client

from audit.verify.verify_dispatch_models import verify_dispatch_models
from console.forms.sheet import CHECKED
from console.sign_in.sessions import Sessions
from console.staff.proposals import TAKEN
from engine.advice.own_cases import PURPOSE as LEARNING
from engine.advice.own_cases import closed_cases
from engine.keys.keys import Keys
from engine.keys.tokens import Principal
from engine.store.archive import unpack
from engine.vault.vault import Vault
from schemas.incident_state import OFF_THE_LIST
from schemas.values.actor import Role
from starter.cases.dispatch_help import LOOKED_FOR_SECONDS
from starter.incident_hot_spots import PURPOSE as COMPARING
from starter.incident_proposals import PURPOSE as EXPLAINING
from tests.advised_town import MATTERS, as_csv, messages
from tests.api_callers import As, OpenOwnTown, OwnTown, api_of, callers
from tests.console_browser import Browser, main_form, signed_in, written
from tests.waiting import eventually
from worker import town_worker

pytest_plugins = ("tests.api_fixture",)
pytestmark = pytest.mark.timeout(300)

PHONE, NAME = "13912345678", "司马光"
CERTAIN = "垃圾堆放没人清运\n路边垃圾成堆苍蝇多，垃圾桶满了发臭，清洁工好几天没来扫地"
VAGUE = "想问一下"


@dataclass(frozen=True)
class Advised:
    """A town that has learned from a file."""

    town: OwnTown
    http: httpx.AsyncClient
    as_: As
    file: Path
    learned: dict[str, Any]


@pytest.fixture(scope="module")
async def advised(
    open_own_town: OpenOwnTown, keys: Keys, temporal: Client, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Advised]:
    """Tables of its own, for what is learned here every later report would be told."""
    file = tmp_path_factory.mktemp("learned") / "messages.csv"
    secret = [(f"垃圾成堆，找{NAME}，电话{PHONE}，第{n}次", "环境卫生", "one-person") for n in range(20)]
    file.write_text(as_csv([*messages(), *secret]), encoding="utf-8")
    async with open_own_town() as town, town_worker(town.settings, keys, temporal, town.pool) as worker, worker:
        learned = learn(town, str(file))
        async with api_of(town.build()) as http:
            yield Advised(town, http, callers(http, keys), file, learned)


def learn(town: OwnTown, *words: str) -> dict[str, Any]:
    """`jiceng learn`, as whoever runs the town calls it."""
    ours = town.settings
    told = {
        "JICENG_DATABASE_URL": ours.database_url.get_secret_value(),
        "JICENG_KEYS": str(ours.key_folder),
        "JICENG_POLICIES": str(ours.policies),
    }
    command = [sys.executable, "-m", "cli", "learn", *words, "--json", "--data", str(ours.data / "none")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | told, timeout=240)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def body(description: str, category: str | None = None, **place: Any) -> dict[str, Any]:
    """A report; without a category it has no such field."""
    where = {"address": "幸福小区3号楼", "area": "320104.003.07"} | place
    report: dict[str, Any] = {"description": description, "location": where, "channel": "app"}
    return report if category is None else report | {"category": category}


async def reported(advised: Advised, report: dict[str, Any], subject: str = "resident-7") -> str:
    """The number of a case that has told of its dispatch."""
    answer = await advised.as_(subject=subject).report(report)
    assert answer.status_code in {201, 202}, answer.text
    case_id = str(answer.json()["case_id"])

    async def stands() -> bool:
        found = await advised.as_("coordinator").get(f"/api/v1/cases/{case_id}")
        return bool(found.status_code == 200 and found.json()["seq"] >= 2)

    await eventually(stands)
    return case_id


async def entries(advised: Advised, case_id: str) -> list[dict[str, Any]]:
    answer = await advised.as_("coordinator").get(f"/api/v1/cases/{case_id}/timeline")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_learning_from_a_file_tells_how_good_it_is_and_is_used(advised: Advised) -> None:
    """The command says accuracy by category and keeps version 1; the very same again is no new version, a check keeps nothing."""
    again, checked = learn(advised.town, str(advised.file)), learn(advised.town, str(advised.file), "--check")
    models = (await advised.as_("supervisor").get("/api/v1/dispatch-models")).json()["items"]

    assert (advised.learned["version"], again["version"], checked["version"]) == (1, None, None)
    assert again["sha256"] == advised.learned["sha256"]
    assert checked["first_rate"] == advised.learned["first_rate"] >= 0.8
    assert set(advised.learned["scores"]["by_category"]) == set(MATTERS)
    assert [(each["version"], each["source"], each["sha256"]) for each in models] == [
        (1, "file", advised.learned["sha256"])
    ]
    assert models[0]["scores"]["by_group"].keys() == {"length=short"}


async def test_what_is_kept_of_a_model_has_nobody_in_it(advised: Advised) -> None:
    """Name and phone that one person wrote twenty times stand nowhere in the table; and the table refuses every change."""
    rows = await advised.town.pool.fetch("select * from dispatch_models")
    plain = unpack(rows[0]["model"]).decode() + json.dumps([str(value) for value in dict(rows[0]).values()])

    assert "垃圾" in plain
    assert NAME not in plain
    assert PHONE not in plain
    assert "one-person" not in plain
    for change in ("update dispatch_models set version = 9", "delete from dispatch_models"):
        with pytest.raises(asyncpg.RaiseError, match="only ever added to"):
            await advised.town.pool.execute(change)


async def test_staff_are_proposed_three_with_the_words_that_spoke(advised: Advised) -> None:
    """Category and department by the responsibility list, the most probable first; residents are proposed nothing."""
    asked = {"description": CERTAIN}
    answer = await advised.as_("window_clerk").post("/api/v1/incidents/proposals", asked)
    proposed = answer.json()["proposals"]
    refused = await advised.as_().post("/api/v1/incidents/proposals", asked)

    assert answer.status_code == 200, answer.text
    assert len(proposed["first"]) == 3
    assert (proposed["first"][0]["category"], proposed["first"][0]["department"]) == ("环境卫生", "urban-management")
    assert proposed["first"][0]["words"]
    assert all(word in CERTAIN for word in proposed["first"][0]["words"])
    assert (refused.status_code, refused.json()["code"]) == (403, "not-your-role")


async def test_a_report_without_category_gets_the_first_proposal_above_the_threshold(advised: Advised) -> None:
    """To the department of that category; its first entry says by which model and how sure, and it can be shown anew."""
    case_id = await reported(advised, body(CERTAIN))
    first, second = (await entries(advised, case_id))[:2]
    said = first["facts"]["proposed"]
    explained = (await advised.as_("coordinator").get(f"/api/v1/cases/{case_id}/proposals")).json()

    assert (first["facts"]["category"], second["facts"]["department"]) == ("环境卫生", "urban-management")
    assert (said["taken"], said["rank"], said["model"]) == ("proposed", 1, advised.learned["sha256"])
    assert said["first"][0]["permille"] >= said["takes_above_permille"] == 800
    assert "words" not in json.dumps(first["facts"])
    assert explained["reproduced"] is True
    assert explained["recorded"] == said
    assert explained["now"]["first"][0]["words"]
    assert await read_for(advised, EXPLAINING, case_id) == 1


async def test_a_report_that_no_proposal_is_sure_of_is_for_the_coordination_centre(advised: Advised) -> None:
    """And what the coordinator decides is compared with what was proposed: the place stands in the entry."""
    case_id = await reported(advised, body(VAGUE))
    first, second = (await entries(advised, case_id))[:2]
    said = first["facts"]["proposed"]
    second_choice = said["first"][1]["department"]
    moved = await advised.as_("coordinator").command(
        case_id, "redispatch", {"department": second_choice, "reason": "电话问过"}
    )
    third = next(each for each in await entries(advised, case_id) if each["kind"] == "incident:redispatched")

    assert (first["facts"]["category"], second["facts"]["department"]) == (OFF_THE_LIST, "coordination-centre")
    assert (said["taken"], said["rank"]) == ("left_open", 0)
    assert moved.status_code == 200, moved.text
    assert third["facts"]["proposal"] == 2


async def test_what_somebody_says_is_never_changed_by_a_model(advised: Advised) -> None:
    """A category that was given stays, however sure the model is of another one; at which place it stood is on record."""
    other = await reported(advised, body(CERTAIN, "燃气供热"))
    same = await reported(advised, body(CERTAIN, "环境卫生"))
    facts = [(await entries(advised, each))[0]["facts"] for each in (other, same)]

    assert [each["category"] for each in facts] == ["燃气供热", "环境卫生"]
    assert [(each["proposed"]["taken"], each["proposed"]["rank"]) for each in facts] == [("given", 0), ("given", 1)]


async def test_a_town_learns_from_what_people_settled(advised: Advised, keys: Keys) -> None:
    """A case closed by the department of its category teaches; one that went to another does not; reading it is on record."""
    settled = await closed(advised, body("垃圾没人清运，请处理", "环境卫生"), "urban-management")
    moved = await closed(advised, body("垃圾没人清运，请派人", "环境卫生"), "transport", redispatched=True)
    found, erased = await closed_cases(advised.town.pool, Vault(keys), "incident", {"环境卫生"})

    assert [(each.text, each.category, each.groups["channel"]) for each in found] == [
        ("垃圾没人清运，请处理", "环境卫生", "app")
    ]
    assert erased == 0
    assert [await read_for(advised, LEARNING, each) for each in (settled, moved)] == [1, 0]


async def test_ten_people_who_say_the_same_without_coordinates_are_one_hot_spot(advised: Advised) -> None:
    """In their own words, by the name of the place; ten who say the same of ten streets are none, nor is who sees another area."""
    area = "870.009.01"
    said = [
        "3号楼旁边的垃圾好几天没人清了,味道很大", "垃圾堆放多日无人清理,臭气熏天",
        "楼下垃圾成堆,苍蝇乱飞", "小区垃圾没有人收,已经发臭",
        "垃圾桶满了好多天", "物业不清理垃圾,楼道口全是垃圾", "生活垃圾堆积如山", "垃圾清运车一周没来了",
        "请尽快清理3号楼的垃圾堆", "垃圾堆积,臭味扰民",
    ]  # fmt: skip
    where = ["翠湖小区3号楼", "翠湖小区三号楼旁", "翠湖小区", "翠湖小区3栋门口", "翠湖小区 3号楼"]
    spot = [
        await reported(advised, body(text, "环境卫生", address=where[n % 5], area=area), f"neighbour-{n}")
        for n, text in enumerate(said)
    ]
    for n, street in enumerate(["解放", "中山", "人民", "建设", "和平", "胜利", "文化", "长江", "黄河", "光明"]):
        lamp = body("路灯坏了,晚上很黑", "城乡建设", address=f"{street}路", area=area)
        await reported(advised, lamp, f"walker-{n}")
    answer = await advised.as_("street_officer", area="870.009").get("/api/v1/hot-spots")
    found = answer.json()
    elsewhere = (await advised.as_("street_officer", area="870.008").get("/api/v1/hot-spots")).json()
    refused = await advised.as_().get("/api/v1/hot-spots")

    assert answer.status_code == 200, answer.text
    assert [(each["people"], each["category"], sorted(each["cases"])) for each in found["items"]] == [
        (10, "环境卫生", sorted(spot))
    ]
    assert (found["looked_at"], found["more"]) == (20, False)
    assert [(each["advised"], each["because"]) for each in found["items"][0]["advice"]] == [
        ("merge", "open_beside_each_other"),
        ("joint_task", "many_people"),
    ]
    assert elsewhere["items"] == []
    assert refused.status_code == 403
    assert await read_for(advised, COMPARING, spot[0]) == 2


async def read_for(advised: Advised, purpose: str, case_id: str) -> int:
    """How many readings of a case for a purpose are on record."""
    count: int = await advised.town.pool.fetchval(
        "select count(*) from vault_reads where purpose = $1 and case_id = $2", purpose, case_id
    )
    return count


async def closed(advised: Advised, report: dict[str, Any], department: str, *, redispatched: bool = False) -> str:
    """A case that was dealt with, verified and rated."""
    case_id = await reported(advised, report)
    officer = {"department": department, "subject": "officer-9"}
    steps: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
        ({"role": "coordinator"}, "redispatch", {"department": department, "reason": "由该部门办理"}),
        ({"role": "department_officer"} | officer, "sign", {}),
        ({"role": "department_officer"} | officer, "finish", {"result": "已清理"}),
        ({"role": "coordinator"}, "verify", {"passed": True}),
        ({"role": "resident", "subject": "resident-7"}, "rate", {"solved": "solved", "satisfied": "satisfied"}),
    ]
    for who, command, content in steps[0 if redispatched else 1 :]:
        answer = await advised.as_(**who).command(case_id, command, content)
        assert answer.status_code == 200, answer.text
    return case_id


async def browser_of(advised: Advised, role: Role, subject: str) -> Browser:
    """The browser of somebody who is signed in."""
    session = Principal(
        subject=subject,
        role=role,
        department=None,
        area=None,
        token_id=None,
        expires_at=datetime.now(UTC) + timedelta(hours=1),
        identity=None,
    )
    return await signed_in(advised.http, Sessions(advised.town.pool), session)


async def test_a_clerk_takes_a_proposal_by_its_button(advised: Advised) -> None:
    """On the page on which the form is checked; what was taken is what the case has, and beside it stands how it came about."""
    clerk = await browser_of(advised, Role.WINDOW_CLERK, "clerk-3")
    asked = written({"description": CERTAIN, "location": {"address": "平安里", "area": "320104.003.07"}})
    checked = await clerk.send(await clerk.filled(await clerk.form("/new/incident", 1), asked))
    taken = await clerk.send(main_form(checked.text), (TAKEN, "供水供电"))
    sent = await clerk.send(main_form(taken.text), (CHECKED, "1"))
    shown = await clerk.get(sent.headers["location"])
    case_id = str(shown.text.partition('href="/cases/')[2].partition('"')[0].partition("/")[0])
    facts = (await entries(advised, case_id))[0]["facts"]
    beside = (
        await (await browser_of(advised, Role.COORDINATOR, "coordinator-3")).get(f"/cases/{case_id}/similar")
    ).text

    assert ["派单建议" in page.text for page in (checked, taken)] == [True, True]
    assert ["按首条建议派单" in page.text for page in (checked, taken)] == [True, False]
    assert sent.status_code == 303, sent.text
    assert (facts["category"], facts["proposed"]["taken"]) == ("供水供电", "given")
    assert "与当时记录一致" in beside
    assert "类别由上报人选定" in beside


async def test_residents_are_proposed_nothing_on_their_form(advised: Advised) -> None:
    """Nobody is led to say that it is what a model thinks it is."""
    resident = await browser_of(advised, Role.RESIDENT, "resident-7")
    asked = written({"description": CERTAIN, "location": {"address": "平安里", "area": "320104.003.07"}})
    checked = await resident.send(await resident.filled(await resident.form("/new/incident", 1), asked))

    assert checked.status_code == 200
    assert "_checked" in checked.text
    assert "派单建议" not in checked.text


async def test_the_page_of_hot_spots_opens_no_text_before_somebody_looks(advised: Advised) -> None:
    """What is read for it stands on record, so it is asked for by a button; then spots, reasons and cases are shown."""
    officer = await browser_of(advised, Role.COORDINATOR, "coordinator-4")
    for number in range(3):
        await reported(
            advised, body("井盖丢失很危险", "安全隐患", address="柳巷口", area="871.001.01"), f"finder-{number}"
        )
    readings = "select count(*) from vault_reads where purpose = $1 and who = 'coordinator-4'"
    blank = await officer.get("/hot-spots")
    before = await advised.town.pool.fetchval(readings, COMPARING)
    shown = await officer.get("/hot-spots?look=1")
    after = await advised.town.pool.fetchval(readings, COMPARING)

    assert (blank.status_code, shown.status_code) == (200, 200)
    assert before == 0 < after
    assert "建议并案" in shown.text
    assert "井盖" in shown.text


async def test_the_audit_finds_a_case_whose_model_is_gone(advised: Advised) -> None:
    """What stands in cases can be explained as long as their models are kept: a case that names another one is told."""
    stands = await reported(advised, body(CERTAIN))
    sound = [each async for each in verify_dispatch_models(advised.town.pool)]
    await advised.town.pool.execute(
        "insert into cases (case_id, procedure, stage, area, holder, labels, opened_at, ended, seq, head_hash, clocks, snapshot,"
        " task_at)"
        " select 'incident-20200101-000001', procedure, stage, area, holder, labels, opened_at, ended, seq, head_hash, clocks,"
        " jsonb_set(snapshot, '{proposed,model}', to_jsonb(repeat('e', 64))), task_at from cases where case_id = $1",
        stands,
    )
    found = [each async for each in verify_dispatch_models(advised.town.pool)]
    await advised.town.pool.execute("delete from cases where case_id = 'incident-20200101-000001'")

    assert [(each.case_id, each.ok) for each in sound] == [("dispatch-models", True)]
    assert [(each.case_id, each.ok) for each in found] == [
        ("dispatch-models", True),
        ("incident-20200101-000001", False),
    ]
    assert "model-gone" in found[1].detail


async def test_a_damaged_model_stops_no_report(advised: Advised) -> None:
    """What lies under a digest and is not that model is not used: reports come in as in a town without one."""
    await advised.town.pool.execute(
        "insert into dispatch_models select 2, repeat('0', 64), learned_at, source, null, texts, scores, model from dispatch_models"
    )

    async def not_used() -> bool:
        asked = await advised.as_("coordinator").post("/api/v1/incidents/proposals", {"description": CERTAIN})
        return bool(asked.json()["proposals"] is None)

    await eventually(not_used, LOOKED_FOR_SECONDS * 4)
    first, second = (await entries(advised, await reported(advised, body(CERTAIN))))[:2]

    found = [each async for each in verify_dispatch_models(advised.town.pool)]

    assert ["model-damaged" in each.detail for each in found] == [True]
    assert "proposed" not in first["facts"]
    assert second["facts"]["department"] == "coordination-centre"
