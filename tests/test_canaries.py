"""Canaries: words that stand nowhere else are written into every text of every procedure; then everything is searched for them."""

import base64
import io
import json
import re
import secrets
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from engine.database import open_pool
from engine.keys import Keys
from engine.temporal import connect
from engine.tokens import issue
from local.town import Town, TownOptions, open_town
from schemas.actor import Role
from tests.door import Door, Person, examples
from tests.waiting import eventually
from workflows.registry import PROCEDURES

pytestmark = pytest.mark.timeout(600)  # a town of its own, on a machine that may do much else
CHINESE = re.compile(r"[\u4e00-\u9fff]")
CODES = frozenset({"category", "document"})
"""Fields whose Chinese words are codes of policy, not texts of people."""

PERSONAL = frozenset({"phone", "contact", "identity_number", "account"})
"""Fields that are digits: they are canaries themselves."""

NAMED = {case.procedure.name: case.procedure for case in PROCEDURES}


class Canaries:
    """Plants words, and looks for them in every form in which they could lie somewhere."""

    def __init__(self) -> None:
        self.planted: list[str] = []
        self.addressed: set[str] = set()
        """Words in the path or in the name of a field: an answer tells whoever sent them where the fault is."""

    def word(self, *, addressed: bool = False) -> str:
        self.planted.append(f"金丝雀{secrets.token_hex(8)}")
        if addressed:
            self.addressed.add(self.planted[-1])
        return self.planted[-1]

    def plant(self, value: Any, name: str = "") -> Any:
        """The same body with a canary of its own in each text; numbers of people are taken down as they are."""
        if isinstance(value, dict):
            return {key: item if key in CODES else self.plant(item, key) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.plant(item, name) for item in value]
        if isinstance(value, str) and name in PERSONAL:
            self.planted.append(value)
            return value
        return f"{value}{self.word()}" if isinstance(value, str) and CHINESE.search(value) else value

    def forms(self) -> Iterator[tuple[str, bytes]]:
        """Each canary as bytes: as it is, as JSON and Postgres escape it, in UTF-16, in hexadecimal and in base64."""
        for canary in dict.fromkeys(self.planted):
            # The random part alone: whoever cuts or escapes the word around it has still told it.
            core = canary.removeprefix("金丝雀")
            for text in (core.encode(), core.encode("utf-16-le"), core.encode().hex().encode()):
                yield canary, text
            for shift in range(3):
                yield canary, base64.b64encode(bytes(shift) + core.encode())[4:-4]

    def found_in(self, content: bytes) -> list[str]:
        return sorted({canary for canary, form in self.forms() if form in content})


@pytest.fixture(scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """A town of its own, with worker, API and notices in processes that write their logs."""
    async with open_town(TownOptions(data=tmp_path_factory.mktemp("canaries"), durable=False)) as opened:
        yield opened


@pytest.fixture(scope="module")
async def api(town: Town) -> AsyncIterator[httpx.AsyncClient]:
    """The town's API, over the wire."""
    async with httpx.AsyncClient(base_url=town.addresses.api, timeout=60) as client:
        yield client


async def _live(api: httpx.AsyncClient, town: Town, canaries: Canaries) -> tuple[list[str], list[bytes]]:
    """A case of each procedure on its main way, with canaries in all it is told; and every refusal on purpose."""
    keys = Keys.load(town.settings.key_folder)

    def token(person: Person) -> str:
        return issue(
            keys, subject=person.subject, role=Role(person.role), department=person.department, area=person.area
        )

    cases, errors = [], []
    for name, procedure in NAMED.items():
        told = examples(procedure)
        door = Door(api, token, procedure)
        body = canaries.plant(dict(told.REPORT)) if hasattr(told, "REPORT") and not hasattr(told, "start") else None
        case_id = await door.start(body=body)
        cases.append(case_id)

        async def stands(door: Door = door, case_id: str = case_id) -> bool:
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


async def _on_purpose(api: httpx.AsyncClient, door: Door, case_id: str, canaries: Canaries, key: str) -> list[bytes]:
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


async def _database(pool: asyncpg.Pool) -> bytes:
    """Every value of every table, as text: what a dump would hold, but for its form."""
    content = io.BytesIO()
    tables = await pool.fetch(
        "select format('%I.%I', table_schema, table_name) as name from information_schema.tables "
        "where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')"
    )
    for table in tables:
        for row in await pool.fetch(f"select * from {table['name']}"):  # noqa: S608 - names of our own tables
            for value in row.values():
                content.write(value if isinstance(value, bytes) else str(value).encode())
                content.write(b"\n")
    return content.getvalue()


def _files(folder: Path) -> dict[Path, bytes]:
    """Every file of the town: Temporal's database, Postgres' own files and its journal, logs, keys, documents, archive."""
    return {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


async def test_no_canary_lies_open(town: Town, api: httpx.AsyncClient) -> None:
    """Through every door of every procedure, failures too: then no file, table, log, metric, attribute or error has a canary.

    The reporter reads theirs, which shows that they were planted where texts go.
    """
    canaries = Canaries()
    cases, errors = await _live(api, town, canaries)
    keys = Keys.load(town.settings.key_folder)
    auditor = {"Authorization": f"Bearer {issue(keys, subject='auditor-1', role=Role.AUDITOR)}"}
    timelines = [await api.get(f"/api/v1/cases/{case_id}/timeline", headers=auditor) for case_id in cases]
    read = {word for each in timelines for word in canaries.found_in(each.content)}
    assert all(canaries.found_in(each.content) for each in timelines), "a procedure kept none of what it was told"

    metrics = (await api.get("/metrics")).content
    async with await open_pool(town.settings, process="canaries") as pool:
        tables = await _database(pool)
    client = await connect(town.settings, keys)
    attributes = json.dumps(
        [[each.id, str(each.typed_search_attributes), each.task_queue] async for each in client.list_workflows()]
    ).encode()
    files = _files(Path(town.addresses.data))
    logs = [file for file in files if file.suffix == ".log"]
    open_places = {
        "metrics": canaries.found_in(metrics),
        "tables": canaries.found_in(tables),
        "attributes": canaries.found_in(attributes),
        "errors": [word for each in errors for word in canaries.found_in(each) if word not in canaries.addressed],
        **{str(file): found for file, content in files.items() if (found := canaries.found_in(content))},
    }
    print(  # noqa: T201 - the count is asked for
        f"canaries: {len(set(canaries.planted))} planted, {len(read)} read by who may; "
        f"{len(files)} files ({len(logs)} logs), {len(tables)} bytes of tables, {len(errors)} refusals searched"
    )

    assert {place: found for place, found in open_places.items() if found} == {}
    assert len(logs) >= 3
    assert any(b"request" in files[log] for log in logs)
