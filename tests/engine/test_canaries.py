"""Canaries: words that stand nowhere else are written into every text of every procedure; then everything is searched for them."""

import asyncio
import base64
import csv
import io
import json
import time
import uuid
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from audit.archive.records import runs_of
from engine.execution.temporal import connect
from engine.keys.department_keys import load_department_keys
from engine.keys.keys import Keys
from engine.keys.tokens import issue
from engine.store.archive import open_archive
from engine.store.database import open_pool
from local.simulation.pictures import PICTURE
from local.town.town import Town, TownOptions, open_town
from local.town.town_processes import PROCESSES
from schemas.contracts.department import callback_path
from schemas.contracts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from schemas.values.actor import Role
from tests.api_callers import watching
from tests.api_driver import ApiDriver, Step, examples, token_of
from tests.canaries import Canaries, files_of, tables_of
from tests.console_browser import SAME_ORIGIN
from tests.examples import welfare as benefits
from tests.forked import forked, from_nursery
from tests.told_examples import who_attaches
from tests.waiting import eventually
from workflows.registry import PROCEDURES

pytestmark = pytest.mark.timeout(600)  # a town of its own, on a machine that may do much else
NAMED = {case.procedure.name: case.procedure for case in PROCEDURES}
DEPARTMENT = "urban-management"


@pytest.fixture(scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """A town of its own whose processes write their logs; departments have systems, sources and bank are at their desks."""
    processes = [process for process in forked(PROCESSES) if not process.demo or process.name == "departments"]
    data = tmp_path_factory.mktemp("canaries")
    options = TownOptions(data=data, durable=False, demo=True, simulated=("departments",), processes=processes)
    async with open_town(options) as opened:
        yield opened


@pytest.fixture(scope="module")
async def api(town: Town) -> AsyncIterator[httpx.AsyncClient]:
    """The town's API, over the wire."""
    async with httpx.AsyncClient(base_url=town.addresses.api, timeout=60) as client:
        yield client


def _door(api: httpx.AsyncClient, town: Town, name: str) -> ApiDriver:
    """The door of a procedure, with a token for whoever comes."""
    keys = Keys.load(town.settings.key_folder)

    token = token_of(keys)

    return ApiDriver(api, token, NAMED[name])


def _who_reads(api: httpx.AsyncClient, town: Town, name: str) -> dict[str, str] | None:
    """Whoever opened it, where the words of a case are for nobody outside; None: an auditor reads them all."""
    if name not in NAMED or not NAMED[name].confidential:
        return None
    door = _door(api, town, name)
    return door.headers(door.examples.REPORTER)


async def _live(api: httpx.AsyncClient, town: Town, canaries: Canaries) -> tuple[dict[str, str], list[bytes]]:
    """A case of each procedure with canaries in all it is told, every command by everybody; and every refusal on purpose."""
    cases, errors = {}, []
    for name, procedure in NAMED.items():
        told = examples(procedure)
        door = _door(api, town, name)
        body = canaries.plant(dict(told.REPORT)) if hasattr(told, "REPORT") and not hasattr(told, "start") else None
        case_id = await door.start(body=body)
        cases[name] = case_id

        async def stands(door: ApiDriver = door, case_id: str = case_id) -> bool:
            shown = await door.api.get(f"/api/v1/cases/{case_id}", headers=door.headers("auditor"))
            return shown.status_code == 200 and shown.json()["seq"] > 0

        await eventually(stands, within=60)
        for command, plain in told.BODIES.items():
            if callable(plain) or command == "replan":
                continue
            # By everybody who may give it somewhere: most are refused at this stage, which is a door too.
            for who in sorted(
                {each.role.value for rule in procedure.rules if rule.command == command for each in rule.by}
            ):
                people = [key for key, person in told.PEOPLE.items() if person.role == who]
                for by in people[:1]:
                    answer = await api.post(
                        f"/api/v1/cases/{case_id}/commands/{command}",
                        json=canaries.plant(dict(plain)),
                        headers=door.headers(by, str(uuid.uuid4())),
                    )
                    if answer.status_code >= 400:
                        errors.append(answer.content)
        errors += await _on_purpose(api, door, case_id, canaries, f"{name}-1")
        await _typed_into_pages(api, door, case_id, canaries)
    return cases, errors


async def _on_purpose(
    api: httpx.AsyncClient, door: ApiDriver, case_id: str, canaries: Canaries, key: str
) -> list[bytes]:
    """Requests that must fail, each with a canary where a careless answer or log would repeat it."""
    headers = door.headers("auditor", key)
    image = PICTURE + canaries.word().encode()
    answers = [
        await api.post(f"/api/v1/cases/{case_id}/commands/comment", content=canaries.word().encode(), headers=headers),
        await api.post(
            f"/api/v1/cases/{case_id}/commands/comment",
            json={"text": 7, canaries.word(addressed=True): canaries.word()},
            headers=headers,
        ),
        await api.get("/api/v1/cases", params={"cursor": canaries.word()}, headers=headers),
        await api.get(f"/api/v1/cases/{canaries.word(addressed=True)}", headers=headers),
        await api.post("/api/v1/cases:find", json={"by": "phone", "number": canaries.word()}, headers=headers),
        await api.post(
            "/api/v1/cases:find",
            json={"by": "phone", "number": canaries.word(), canaries.word(addressed=True): canaries.word()},
            headers=door.headers("coordinator", key) if "coordinator" in door.examples.PEOPLE else headers,
        ),
        await api.get("/nowhere", params={"q": canaries.word()}),
        await api.get("/api/v1/cases", headers={"Authorization": f"Bearer {canaries.word().encode().hex()}"}),
        await api.post("/api/v1/departments/urban-management/callbacks", json={"reason": canaries.word()}),
        await api.post("/api/v1/banks/bank/notices", json={"code": canaries.word()}),
        await api.post(
            "/public/notices/none/objections",
            json={"reason": canaries.word(), "contact": canaries.word()},
            headers={"Idempotency-Key": key},
        ),
        await api.post(
            "/open311/v2/requests.json",
            data={"api_key": canaries.word(), "service_code": canaries.word(), "description": canaries.word()},
        ),
        await api.get("/open311/v2/requests.xml", params={"status": canaries.word(), "start_date": canaries.word()}),
        await api.get(f"/open311/v2/requests/{canaries.word()}.json", params={"jurisdiction_id": canaries.word()}),
        await api.post("/codec/decode", json={"payloads": [{"data": canaries.word()}]}),
        await api.get(f"/public/cases/{case_id}", params={"code": canaries.word()[:40]}),
    ]
    kept = await api.post(
        "/api/v1/documents", content=image, headers=door.headers("street_officer") | {"Content-Type": "image/png"}
    )
    assert kept.status_code in {200, 201}, kept.text
    assert {answer.status_code // 100 for answer in answers} == {4}
    wrong = {"text": 7, canaries.word(addressed=True): canaries.word()}
    line = {"idempotency_key": key, "case_id": case_id, "command": "comment", "body": wrong}
    answers.append(await api.post("/api/v1/commands:batch", json={"lines": [line]}, headers=headers))
    assert answers[-1].status_code == 200, answers[-1].text
    return [answer.content for answer in answers]


async def _typed_into_pages(api: httpx.AsyncClient, door: ApiDriver, case_id: str, canaries: Canaries) -> None:
    """The same words in forms and addresses of the console: a page gives them back to whoever wrote them, and to nobody else."""
    who = who_attaches(door.procedure, door.examples.PEOPLE)
    token = door.headers(who)["Authorization"].removeprefix("Bearer ")
    entered = await api.post("/sign-in/token", data={"token": token, "next": canaries.word()}, headers=SAME_ORIGIN)
    assert entered.status_code == 303, entered.text
    cookie = {"Cookie": entered.headers["set-cookie"].partition(";")[0]}
    api.cookies.clear()
    texts = {name: canaries.word() for name in ("text", "note", "reason", "_key", "_seq", canaries.word())}
    statuses = {
        (await api.post(f"/cases/{case_id}/comment", data=texts, headers=SAME_ORIGIN | cookie)).status_code,
        (await api.post(f"/cases/{case_id}/comment", data=texts, headers=SAME_ORIGIN)).status_code,
        (await api.post("/new/incident", data=texts, headers=SAME_ORIGIN | cookie)).status_code,
        (
            await api.get("/cases", params={"number": canaries.word(), "cursor": canaries.word()}, headers=cookie)
        ).status_code,
        (await api.get(f"/cases/{canaries.word()}", headers=cookie)).status_code,
        await _sent(api, "/search", {"by": "phone", "person": canaries.word()}, cookie),
        await _sent(api, "/filters", {"name": canaries.word(), "query": "ended=true"}, cookie),
        await _sent(api, "/filters", {"name": "在办", "query": f"category={canaries.word()}"}, cookie),
        await _sent(api, "/bulk", {"_case": canaries.word()}, cookie),
        await _sent(api, "/bulk/comment", texts | {"_case": case_id}, cookie),
        (await api.get(f"/indicators/{canaries.word()}", headers=cookie)).status_code,
        (
            await api.post("/follow", data={"number": canaries.word(), "code": canaries.word()}, headers=SAME_ORIGIN)
        ).status_code,
        (await api.post("/sign-in/token", data={"token": canaries.word()}, headers=SAME_ORIGIN)).status_code,
        (await api.post("/sign-in/once", data={"code": canaries.word()}, headers=SAME_ORIGIN)).status_code,
        *[(await api.get(path, headers=cookie)).status_code for path in _record_pages(canaries)],
        (
            await api.post(f"/stuck/retry/{case_id}", data={"text": canaries.word()}, headers=SAME_ORIGIN | cookie)
        ).status_code,
    }
    assert {status // 100 for status in statuses} == {4}, statuses
    assert await _sent(api, "/search", {"text": canaries.word()}, cookie) == 200


async def _sent(api: httpx.AsyncClient, path: str, texts: dict[str, str], cookie: dict[str, str]) -> int:
    """What a form of a page comes to."""
    return (await api.post(path, data=texts, headers=SAME_ORIGIN | cookie)).status_code


async def _reported_without_an_account(api: httpx.AsyncClient, canaries: Canaries) -> str:
    """A report by the pages alone, with a canary in all that is written; and one that is not sent."""
    texts: list[dict[str, str]] = [
        {"_words": canaries.word()},
        {"location.address": canaries.word()},
        {"description": canaries.word()},
        {"reporter.name": canaries.word(), "reporter.phone": str(canaries.plant("13800001234", "phone"))},
    ]
    for sent in (False, True):
        api.cookies.clear()
        for number, page in enumerate(texts, 1):
            for again in ({}, {"category": texts[0]["_words"]} if number == 1 else {}):
                answer = await api.post(f"/report/incident/{number}", data=page | again, headers=SAME_ORIGIN)
                assert answer.status_code in {303, 422}, answer.text
        wrong = await api.post("/report/incident/check", data={"website": canaries.word()}, headers=SAME_ORIGIN)
        assert wrong.status_code == 422, wrong.text

        async def taken() -> bool:
            answer = await api.post("/report/incident/check", data={"website": ""}, headers=SAME_ORIGIN)
            return answer.status_code == 303

        if sent:
            await eventually(taken)  # who is too quick is asked to press once more
    receipt = (await api.get("/report/incident/receipt")).text
    api.cookies.clear()
    tried = {"_pass": canaries.word(), "_key": canaries.word(), "text": canaries.word()}
    assert (await api.post("/follow/comment", data=tried, headers=SAME_ORIGIN)).status_code == 403
    return receipt.partition("/follow?number=")[2].partition('"')[0].partition("<")[0]


def _record_pages(canaries: Canaries) -> list[str]:
    """Pages for others than whoever asks, or of nothing that there is, each with a word in its address."""
    word = canaries.word
    return [
        f"/audit/cases/{word()}?at={word()}",
        f"/audit/readings?who={word()}&purpose={word()}",
        f"/audit/refusals?who={word()}&since={word()}",
        f"/stuck/set-aside/{word()}",
        f"/stuck?done={word()}",
        f"/documents/{word()}/thumbnail",
        f"/documents/{word()}/{word()}",
    ]


async def _reported_from_elsewhere(api: httpx.AsyncClient, town: Town, canaries: Canaries) -> tuple[str, bytes]:
    """A report that comes in by Open311, and what anybody reads there of its case."""
    token = issue(Keys.load(town.settings.key_folder), subject="clerk-open311", role=Role.WINDOW_CLERK)
    said = {
        "api_key": token, "service_code": "环境卫生", "description": f"垃圾{canaries.word()}", "last_name": f"王{canaries.word()}",
        "address_string": f"幸福小区{canaries.word()}", "email": canaries.word(), "media_url": canaries.word(),
    }  # fmt: skip
    answer = await api.post("/open311/v2/requests.json", data=said)
    assert answer.status_code == 201, answer.text
    [row] = answer.json()
    case_id = row.get("service_request_id") or ""

    async def numbered() -> bool:
        nonlocal case_id
        if not case_id:
            [found] = (await api.get(f"/open311/v2/tokens/{row['token']}.json")).json()
            case_id = found["service_request_id"] or ""
        return bool(case_id) and (await api.get(f"/open311/v2/requests/{case_id}.json")).status_code == 200

    await eventually(numbered)
    read = [await api.get(f"/open311/v2/requests{place}") for place in (f"/{case_id}.json", f"/{case_id}.xml", ".xml")]
    return case_id, b"".join(each.content for each in (answer, *read))


async def _objected(api: httpx.AsyncClient, town: Town, canaries: Canaries) -> tuple[str, bytes]:
    """An application that is posted, and what anybody says against it without an account."""
    door = _door(api, town, "welfare")
    case_id = await door.start(body=canaries.plant(benefits.SUBSISTENCE))
    await door.go(case_id, [_planted(step, canaries) for step in benefits.POSTED])
    notices: list[dict[str, Any]] = []

    async def is_posted() -> bool:
        notices[:] = (await api.get("/public/notices", headers={"Accept": "application/json"})).json()["items"]
        return bool(notices)

    await eventually(is_posted)
    [posted] = notices
    answer = await api.post(
        f"/public/notices/{posted['notice']}/objections",
        json=canaries.plant(benefits.BODIES["object"]),
        headers={"Idempotency-Key": "objection-1"},
    )
    assert answer.status_code in {200, 202}, answer.text

    async def objected() -> bool:
        return "welfare:publicity:objected" in await door.kinds(case_id)

    await eventually(objected)  # 202 is the answer of a town whose case has not said so yet
    return case_id, answer.content + (await api.get("/public/notices")).content


def _planted(step: Step, canaries: Canaries) -> Step:
    """The same step with a canary in each text of its body."""

    async def body(door: ApiDriver, case_id: str, by: str) -> dict[str, Any]:
        plain = benefits.BODIES[step.command] if step.body is None else step.body
        return dict(canaries.plant(dict(await plain(door, case_id, by) if callable(plain) else plain)))

    return Step(step.command, step.by, body)


async def _signed(api: httpx.AsyncClient, town: Town, canaries: Canaries, case_id: str) -> list[bytes]:
    """What a department reports of an order, signed as its own, right and wrong."""
    secret = load_department_keys(town.settings.key_folder, [DEPARTMENT]).signing(DEPARTMENT)
    right = {
        "act": "returned", "callback_id": "canary-1", "order_id": f"{case_id}.order-1", "case_id": case_id,
        "by": "officer-9", "as_of": "2026-11-21T10:00:00+08:00", "reason": f"非本部门职责{canaries.word()}",
        "legal_basis": f"条例第三条{canaries.word()}",
    }  # fmt: skip
    answers = []
    for body in (right, right | {"callback_id": "canary-2", "act": canaries.word()}):
        content, timestamp = json.dumps(body).encode(), str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: sign(secret, timestamp, content),
        }
        answers.append(await api.post(callback_path(DEPARTMENT), content=content, headers=headers))
    assert 401 not in {answer.status_code for answer in answers}
    return [answer.content for answer in answers]


async def _imported(town: Town, canaries: Canaries, folder: Path) -> bytes:
    """A file of messages, one of them with a fault; what the command prints about it."""
    messages, text = folder / "messages.csv", io.StringIO()
    rows = csv.writer(text)
    rows.writerow(("message_id", "user", "subject", "submitted_at", "text", "category"))
    for number, length in ((1, 1), (2, 1), (3, 400)):
        told = [f"{word}{canaries.word()}" for word in ("王小明", "垃圾", "小区垃圾堆积" * length * 2)]
        rows.writerow((f"m-{number}", *told[:2], "2026-11-20 10:00:00", told[2], "环境卫生"))
    messages.write_text(text.getvalue(), encoding="utf-8")
    said, code = await _jiceng(town, "import", str(messages))
    assert code != 0
    assert b"4000" in said or b"4,000" in said
    return said


async def _exported(town: Town, cases: list[str], folder: Path) -> dict[str, bytes]:
    """Every file of every case's bundle, and every archived history, as it is in the archive and with its payloads opened."""
    found = {}
    for case_id in cases:
        said, code = await _jiceng(town, "audit", "export", case_id, "--out", str(folder / f"{case_id}.zip"))
        assert code == 0, said
        found[f"printed about {case_id}"] = said
        with zipfile.ZipFile(folder / f"{case_id}.zip") as bundle:
            found |= {f"{case_id}.zip/{name}": bundle.read(name) for name in bundle.namelist()}
    store, keys = open_archive(town.settings), Keys.load(town.settings.key_folder)
    async with await open_pool(town.settings, process="canaries") as pool, pool.acquire() as connection:
        for case_id in cases:
            runs = await runs_of(connection, keys, store, case_id)
            assert runs, case_id
            for run in runs:
                found[f"archive {case_id} {run.manifest['run_id']}"] = run.raw
                found[f"archive {case_id} {run.manifest['run_id']} opened"] = json.dumps(
                    run.events, ensure_ascii=False
                ).encode()
    return found


async def _jiceng(town: Town, *arguments: str) -> tuple[bytes, int | None]:
    """What a command of the terminal prints, and its exit code."""
    process = await asyncio.create_subprocess_exec(
        *from_nursery("tests.nursery:command", *arguments, "--data", town.addresses.data),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return said, process.returncode


def test_a_canary_is_found_in_every_form() -> None:
    """Each word and each number that was planted is found by itself, as it is, escaped, in UTF-16, hexadecimal and base64."""
    canaries = Canaries()
    planted = [canaries.word() for _ in range(20)] + [canaries.plant("13800001234", "phone")]
    around = bytes(range(7))
    for word in planted:
        core = word.removeprefix("金丝雀").encode()
        lies = [core, json.dumps(word).encode(), core.decode().encode("utf-16-le"), core.hex().encode()]
        lies += [base64.b64encode(around[:before] + core + around) for before in range(3)]
        for content in lies:
            assert canaries.found_in(around + content + around) == [word], content

    assert canaries.found_in(around) == []


async def test_no_canary_lies_open(town: Town, api: httpx.AsyncClient, tmp_path: Path) -> None:
    """Through every door of every procedure, failures too: then no file, table, log, metric, attribute or error has a canary.

    Doors: API, upload, callbacks, objections, Open311, import. Also searched: histories as archived and opened with the
    codec's key, exported bundles, and what commands print. The reporter reads theirs, which shows that they were planted
    where texts go.
    """
    canaries = Canaries()
    # First, for of objections from one place only so many are taken, and each procedure makes some that must fail.
    posted, answered = await _objected(api, town, canaries)
    cases, errors = await _live(api, town, canaries)
    cases["posted"] = posted
    cases["without an account"] = await _reported_without_an_account(api, canaries)
    cases["open311"], listed = await _reported_from_elsewhere(api, town, canaries)
    errors += [
        answered,
        listed,
        *await _signed(api, town, canaries, cases["incident"]),
        await _imported(town, canaries, tmp_path),
    ]
    keys = Keys.load(town.settings.key_folder)
    auditor = {"Authorization": f"Bearer {issue(keys, subject='auditor-1', role=Role.AUDITOR)}"}
    timelines = [
        await api.get(f"/api/v1/cases/{case_id}/timeline", headers=_who_reads(api, town, name) or auditor)
        for name, case_id in cases.items()
    ]
    read = {word for each in timelines for word in canaries.found_in(each.content)}
    assert all(canaries.found_in(each.content) for each in timelines), "a procedure kept none of what it was told"

    exported = await _exported(town, list(cases.values()), tmp_path)
    metrics = (await api.get("/metrics", headers=watching(town.settings))).content
    async with await open_pool(town.settings, process="canaries") as pool:
        tables = await tables_of(pool)
    client = await connect(town.settings, keys)
    attributes = json.dumps(
        [[each.id, str(each.typed_search_attributes), each.task_queue] async for each in client.list_workflows()]
    ).encode()
    files = files_of(Path(town.addresses.data))
    logs = [file for file in files if file.suffix == ".log"]
    open_places = {
        "metrics": canaries.found_in(metrics),
        **{f"table {name}": canaries.found_in(content) for name, content in tables.items()},
        "attributes": canaries.found_in(attributes),
        "errors": [word for each in errors for word in canaries.found_in(each) if word not in canaries.addressed],
        **{place: found for place, content in exported.items() if (found := canaries.found_in(content))},
        **{str(file): found for file, content in files.items() if (found := canaries.found_in(content))},
    }
    print(  # noqa: T201 - the count is asked for
        f"canaries: {len(set(canaries.planted))} planted, {len(read)} read by who may; {len(files)} files ({len(logs)} logs), "
        f"{sum(map(len, tables.values()))} bytes of tables, {len(errors)} answers, "
        f"{len(exported)} parts of bundles and archive searched"
    )

    assert {place: found for place, found in open_places.items() if found} == {}
    assert len(logs) >= 3
    assert any(b"request" in files[log] for log in logs)
