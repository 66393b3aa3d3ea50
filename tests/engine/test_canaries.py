"""Canaries: words that stand nowhere else are written into every text of every procedure; then everything is searched for them."""

import asyncio
import base64
import csv
import io
import json
import sys
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
from local.town.town import Town, TownOptions, open_town
from local.town.town_processes import PROCESSES
from schemas.contracts.department import callback_path
from schemas.contracts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from schemas.values.actor import Role
from tests.api_callers import watching
from tests.api_driver import ApiDriver, Person, Step, examples
from tests.canaries import Canaries, files_of, tables_of
from tests.examples import welfare as benefits
from tests.waiting import eventually
from workflows.registry import PROCEDURES

pytestmark = pytest.mark.timeout(600)  # a town of its own, on a machine that may do much else
NAMED = {case.procedure.name: case.procedure for case in PROCEDURES}
DEPARTMENT = "urban-management"


@pytest.fixture(scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """A town of its own whose processes write their logs; departments have systems, sources and bank are at their desks."""
    processes = [process for process in PROCESSES if not process.demo or process.name == "departments"]
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

    def token(person: Person) -> str:
        return issue(
            keys,
            subject=person.subject,
            role=Role(person.role),
            department=person.department,
            area=person.area,
            identity=person.identity,
        )

    return ApiDriver(api, token, NAMED[name])


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
    return cases, errors


async def _on_purpose(
    api: httpx.AsyncClient, door: ApiDriver, case_id: str, canaries: Canaries, key: str
) -> list[bytes]:
    """Requests that must fail, each with a canary where a careless answer or log would repeat it."""
    headers = door.headers("auditor", key)
    image = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + canaries.word().encode()
    answers = [
        await api.post(f"/api/v1/cases/{case_id}/commands/comment", content=canaries.word().encode(), headers=headers),
        await api.post(
            f"/api/v1/cases/{case_id}/commands/comment",
            json={"text": 7, canaries.word(addressed=True): canaries.word()},
            headers=headers,
        ),
        await api.get("/api/v1/cases", params={"cursor": canaries.word()}, headers=headers),
        await api.get(f"/api/v1/cases/{canaries.word(addressed=True)}", headers=headers),
        await api.get("/nowhere", params={"q": canaries.word()}),
        await api.get("/api/v1/cases", headers={"Authorization": f"Bearer {canaries.word().encode().hex()}"}),
        await api.post("/api/v1/departments/urban-management/callbacks", json={"reason": canaries.word()}),
        await api.post("/api/v1/banks/bank/notices", json={"code": canaries.word()}),
        await api.post(
            "/public/notices/none/objections",
            json={"reason": canaries.word(), "contact": canaries.word()},
            headers={"Idempotency-Key": key},
        ),
        await api.post("/codec/decode", json={"payloads": [{"data": canaries.word()}]}),
        await api.get(f"/public/cases/{case_id}", params={"code": canaries.word()[:40]}),
    ]
    kept = await api.post(
        "/api/v1/documents", content=image, headers=door.headers("street_officer") | {"Content-Type": "image/png"}
    )
    assert kept.status_code in {200, 201}, kept.text
    assert {answer.status_code // 100 for answer in answers} == {4}
    return [answer.content for answer in answers]


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
        *(sys.executable, "-P", "-m", "cli", *arguments, "--data", town.addresses.data),
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

    Doors: API, upload, callbacks, objections, import. Also searched: histories as archived and opened with the
    codec's key, exported bundles, and what commands print. The reporter reads theirs, which shows that they were planted
    where texts go.
    """
    canaries = Canaries()
    cases, errors = await _live(api, town, canaries)
    cases["posted"], answered = await _objected(api, town, canaries)
    errors += [
        answered,
        *await _signed(api, town, canaries, cases["incident"]),
        await _imported(town, canaries, tmp_path),
    ]
    keys = Keys.load(town.settings.key_folder)
    auditor = {"Authorization": f"Bearer {issue(keys, subject='auditor-1', role=Role.AUDITOR)}"}
    timelines = [await api.get(f"/api/v1/cases/{case_id}/timeline", headers=auditor) for case_id in cases.values()]
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
