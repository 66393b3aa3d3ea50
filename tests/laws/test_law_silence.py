"""The law: who sends slowly, or nothing, holds up nobody else, on no address."""

import asyncio
import json
import re
import socket
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from schemas.incident import INCIDENT
from schemas.kernel.declaration import DeclaredProcedure
from schemas.values.actor import Role
from tests.api_callers import As, BuildApp
from tests.api_driver import path_of
from tests.every_procedure import PROCEDURE_LIST
from tests.served_api import Serve, Served, answer_on
from tests.waiting import eventually

pytest_plugins = ("tests.api_fixture", "tests.served_fixture")
pytestmark = pytest.mark.timeout(120)

AT_ONCE_SECONDS = 5.0
"""What others send is answered within this, on a busy machine; without the rule it takes until the silent ones hang up."""

SILENT = 24
HEADS = 200
BUREAU = "urban-management"
PDF = b"%PDF-1.7\n% a letter "
PROMPT: dict[str, float] = {"head_seconds": 2.0, "body_grace_seconds": 2.0, "body_least_rate": 1000.0}


async def everyday(served: Served) -> float:
    """Somebody else keeps a document, reads it and looks at the town; how long the slowest of these took."""
    times = []
    async with served.client(f"resident-{uuid.uuid4()}") as other:
        for _ in range(3):
            began = time.monotonic()
            sent = await other.post("/api/v1/documents", content=PDF + uuid.uuid4().bytes.hex().encode())
            times.append(time.monotonic() - began)
            assert sent.status_code == 201, sent.text
            for path in (f"/api/v1/documents/{sent.json()['reference']}", "/api/v1/cases", "/healthz"):
                began = time.monotonic()
                answer = await other.get(path)
                times.append(time.monotonic() - began)
                assert answer.status_code == 200, answer.text
    return max(times)


async def test_silent_uploads_hold_up_nobody(serve: Serve) -> None:
    """Uploads of which four bytes come, and then nothing, take no place: others send and read files as always."""
    async with serve(body_grace_seconds=60.0) as served:
        silent = [
            await served.begun("/api/v1/documents", "resident-silent", 1_000_000, b"\x89PNG") for _ in range(SILENT)
        ]

        assert await everyday(served) < AT_ONCE_SECONDS

        for _, writer in silent:
            writer.close()


COMMAND = re.compile(r"/api/v1/cases/[^/]+/commands/(\w+)")
NOT_FOR_RESIDENTS = {
    path_of(each) for each in PROCEDURE_LIST
    if isinstance(each, DeclaredProcedure) and each.opens and Role.RESIDENT not in each.opens.by
}  # fmt: skip
TOLD_BEFORE = dict.fromkeys((*NOT_FOR_RESIDENTS, "/api/v1/cases:find", "/api/v1/incidents/proposals"), 403)
"""Who has no business there is told so before the body."""


def with_bodies(description: dict[str, Any], case_id: str) -> Iterator[str]:
    """Every address that takes a body, those to come too, with a usable value in each place of it."""
    usable = {"case_id": case_id, "code": BUREAU}
    for path, methods in description["paths"].items():
        if "requestBody" in methods.get("post", {}):
            yield re.sub(r"\{(\w+)\}", lambda place: usable.get(place[1], "ABCDEFGH"), path)


def told_at(path: str) -> int:
    """What somebody who falls silent is told there: a command that the case does not have is none."""
    command = COMMAND.fullmatch(path)
    return 404 if command and command[1] not in INCIDENT.commands else TOLD_BEFORE.get(path, 408)


@pytest.mark.usefixtures("worker")
async def test_a_silent_body_is_let_go_on_every_address(serve: Serve, build_app: BuildApp, as_: As) -> None:
    """Whatever the address, a body that does not come is answered with 408 and its connection is closed; nobody else waits."""
    case_id = (await as_("resident", "resident-silent").report()).json()["case_id"]
    addresses = list(with_bodies(build_app().openapi(), case_id))
    async with serve(**PROMPT) as served:
        silent, answers = [], []
        for path in addresses:
            silent.append(await served.begun(path, "resident-silent", 100_000, b"{   "))
            # Read from the first moment on: once the closing has been seen, what came before it is not given any more.
            answers.append(asyncio.create_task(answer_on(silent[-1][0])))
        slowest = await everyday(served)
        told = dict(zip(addresses, await asyncio.wait_for(asyncio.gather(*answers), 30), strict=True))

        async def all_gone() -> bool:
            return all([await gone(reader) for reader, _ in silent])

        await eventually(all_gone, within=20)
        for _, writer in silent:
            writer.close()

    assert slowest < AT_ONCE_SECONDS
    assert {path: status for path, (status, _) in told.items()} == {path: told_at(path) for path in addresses}
    assert all(json.loads(content)["status"] == status for status, content in told.values())
    assert [status for status, _ in told.values()].count(408) > len(INCIDENT.commands) > 10


async def test_a_body_that_drips_is_let_go(serve: Serve) -> None:
    """A byte now and then is no sending: below the least rate a body is given up, and whoever sends on can read why."""
    async with serve(**PROMPT) as served:
        reader, writer = await served.begun("/api/v1/incidents", "resident-slow", 100_000, b"{")
        began = time.monotonic()

        async def drip() -> None:
            while not writer.is_closing():
                writer.write(b" ")
                await asyncio.sleep(0.2)  # the slow sender's own pace, not a wait of the test's

        dripping = asyncio.create_task(drip())
        status, content = await asyncio.wait_for(answer_on(reader), 20)
        took = time.monotonic() - began
        # Closed at once, while more comes, the connection would be reset, and the answer lost to who reads it a moment later.
        at_once = await gone(reader)

        async def is_gone() -> bool:
            return await gone(reader)

        await eventually(is_gone, within=20)
        dripping.cancel()
        writer.close()

    assert (status, json.loads(content)["code"]) == (408, "body-too-slow")
    assert PROMPT["body_grace_seconds"] <= took < 10
    assert not at_once


async def test_a_steady_body_is_taken(serve: Serve) -> None:
    """Who sends slowly but steadily, above the least rate, is taken, however long it takes."""
    async with serve(**PROMPT) as served:
        content = PDF + bytes(20_000)

        async def steadily() -> AsyncIterator[bytes]:
            for start in range(0, len(content), 1000):
                yield content[start : start + 1000]
                await asyncio.sleep(0.2)  # the sender's own pace

        began = time.monotonic()
        async with served.client("resident-steady") as sender:
            answer = await sender.post("/api/v1/documents", content=steadily())

    assert answer.status_code == 201, answer.text
    assert time.monotonic() - began > PROMPT["body_grace_seconds"]


async def test_who_is_refused_in_the_middle_of_a_file_hears_it(serve: Serve) -> None:
    """A large file sent with a token that is none is answered, not cut off: what still comes of it is drained."""
    async with serve() as served, served.client("resident-1") as sender:
        bad = {"Authorization": "Bearer nonsense"}
        answers = [
            await sender.post("/api/v1/documents", content=PDF + bytes(9_000_000), headers=bad) for _ in range(3)
        ]

    assert [answer.status_code for answer in answers] == [401] * 3


async def gone(reader: asyncio.StreamReader) -> bool:
    """Whether the other side has closed this connection."""
    try:
        return not await asyncio.wait_for(reader.read(1), 0.05)
    except ConnectionError:
        return True
    except TimeoutError:
        return False


async def test_half_sent_heads_are_closed(serve: Serve) -> None:
    """Two hundred requests of which half a head came are all closed when their time is over; meanwhile others are served."""
    async with serve(**PROMPT, half_sent_per_address=0) as served:
        half = [await served.opened("GET /api/v1/cases HTTP/1.1", "Host: x", "X-Half: ") for _ in range(HEADS)]
        half += [await served.opened("") for _ in range(8)]

        assert await everyday(served) < AT_ONCE_SECONDS

        async def all_gone() -> bool:
            return all([await gone(reader) for reader, _ in half])

        await eventually(all_gone, within=20)
        for _, writer in half:
            writer.close()


async def test_a_head_that_drips_is_closed(serve: Serve) -> None:
    """A head has its time from its first byte on; more bytes give it no more, neither of the first nor of a second request."""
    async with serve(**PROMPT) as served:
        for first in ("", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"):
            reader, writer = await served.opened(f"{first}GET /healthz HTTP/1.1", "X: ")
            if first:
                await reader.readuntil(b"}")

            async def dripped(reader: asyncio.StreamReader = reader, writer: asyncio.StreamWriter = writer) -> bool:
                if not writer.is_closing():
                    writer.write(b"x")
                return await gone(reader)

            await eventually(dripped, within=10)
            writer.close()


async def test_one_address_has_so_many_half_sent_heads(serve: Serve) -> None:
    """Of more heads than one address may have begun the oldest goes at once, and who comes whole is served."""
    async with serve(half_sent_per_address=10, head_seconds=60.0) as served:
        half = [await served.opened("GET /healthz HTTP/1.1", "X: ") for _ in range(30)]

        async def twenty_are_gone() -> bool:
            return sum([await gone(reader) for reader, _ in half]) == 20

        await eventually(twenty_are_gone)
        async with served.client("resident-1") as other:
            assert (await other.get("/healthz")).status_code == 200
        for _, writer in half:
            writer.close()


async def test_one_address_has_so_many_connections(serve: Serve) -> None:
    """Beyond the bound a new connection is closed, and when one has gone there is room again."""
    async with serve(connections_per_address=5, head_seconds=60.0) as served:
        open_ones = [await served.opened("GET /healthz HTTP/1.1", "X: ") for _ in range(5)]

        async def is_served() -> bool:
            """A closing in the middle of the request is a reset, or an end, whichever is seen first."""
            reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            try:
                status, _ = await answer_on(reader)
            except (ConnectionError, asyncio.IncompleteReadError):
                return False
            else:
                return status == 200
            finally:
                writer.close()

        refused = [await is_served() for _ in range(3)]
        open_ones[0][1].close()
        await eventually(is_served)
        for _, each in open_ones:
            each.close()

    assert refused == [False] * 3


async def test_a_head_without_end_is_closed(serve: Serve) -> None:
    """A head that grows and grows is given up long before it fills the memory."""
    async with serve() as served:
        reader, writer = await served.opened("GET /healthz HTTP/1.1", "X: ")

        async def grown_and_gone() -> bool:
            if not writer.is_closing():
                writer.write(bytes(4096).replace(b"\0", b"x"))
            return await gone(reader)

        await eventually(grown_and_gone, within=8)
        writer.close()


async def test_an_answer_that_nobody_reads_is_given_up(serve: Serve) -> None:
    """Somebody who asks for a large file and reads none of it does not keep it in our memory."""
    async with serve(**PROMPT) as served:
        async with served.client("resident-reader") as sender:
            kept = await sender.post("/api/v1/documents", content=PDF + bytes(9_000_000))
        path, token = f"/api/v1/documents/{kept.json()['reference']}", served.token("resident-reader")
        await eventually(lambda: served.connections() == 0)  # the sender's own
        with socket.socket() as asking:
            asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            asking.connect(("127.0.0.1", served.port))
            asking.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
            await eventually(lambda: served.connections() == 1)
            await eventually(lambda: served.connections() == 0, within=20)


async def test_nobody_is_believed_about_their_address(serve: Serve) -> None:
    """A made-up X-Forwarded-For gives nobody a new bucket, also from this machine, unless a proxy is named in the settings."""
    limit = {"requests_per_address": 0.01, "burst_seconds": 500.0}
    statuses = {}
    for trusted in ("", "127.0.0.1"):
        async with serve(**limit, trusted_proxies=trusted) as served, served.client("resident-1") as somebody:
            answers = [
                await somebody.get("/openapi.json", headers={"X-Forwarded-For": f"203.0.113.{number}"})
                for number in range(12)
            ]
            statuses[trusted] = [answer.status_code for answer in answers].count(429)

    assert statuses == {"": 7, "127.0.0.1": 0}


async def test_the_same_file_many_times_at_once_is_new_once(as_: As) -> None:
    """Of eight who send the same file at the same moment one hears 201, the others 200."""
    sender, content = as_(subject="resident-eight"), PDF + uuid.uuid4().bytes
    answers = await asyncio.gather(*(send(sender, content) for _ in range(8)))

    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["reference"] for answer in answers}) == 1


async def test_the_quota_holds_under_a_race(as_: As) -> None:
    """Of ninety files that one account sends at once, as many are taken as the town allows, not one more."""
    sender = as_(subject=f"resident-{uuid.uuid4()}")
    answers = await asyncio.gather(*(send(sender, PDF + uuid.uuid4().bytes) for _ in range(90)))

    assert sorted(answer.status_code for answer in answers) == [201] * 50 + [409] * 40


async def test_refused_files_count(as_: As) -> None:
    """Whoever sends file after file that is not taken has to pause; somebody else need not."""
    sender = as_(subject=f"resident-{uuid.uuid4()}")
    answers = [await send(sender, b"<html>" + uuid.uuid4().bytes) for _ in range(61)]
    other = await send(as_(subject=f"resident-{uuid.uuid4()}"), PDF + uuid.uuid4().bytes)

    assert [answer.status_code for answer in answers] == [415] * 60 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert other.status_code == 201


async def send(caller: object, content: bytes) -> httpx.Response:
    """Send a file as the body."""
    client: httpx.AsyncClient = caller._http  # type: ignore[attr-defined]  # noqa: SLF001 - a caller posts JSON only
    headers = caller.headers | {"Content-Type": "application/octet-stream"}  # type: ignore[attr-defined]
    answer: httpx.Response = await client.post("/api/v1/documents", content=content, headers=headers)
    return answer
