"""Calls to others' systems go to public addresses, or to where policy says that they may go; and nowhere else."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpcore
import httpx
import pytest

from engine.policies.department_policy import DepartmentPolicyFaults, load_departments
from engine.runtime.guarded_http import PRIVATE, PublicOnly, is_public, outward_client
from schemas.contracts.department_policy import DepartmentRegister

REGISTER = """
departments:
  - {{code: coordination-centre, name: {{zh: 中心, en: Centre}}, gateway: desk, duty_leader: a}}
  - {{code: water, name: {{zh: 水务局, en: Water}}, gateway: http, duty_leader: b, url: "{url}"{private}}}
"""


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A server of this machine that answers everything, and would tell what is nobody's business."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "127.1"])  # noqa: S104 - nobody binds
async def test_an_address_of_this_machine_is_not_called(host: str, port: int) -> None:
    """However it is written, a private address is refused, unless the entry that is called is listed as private."""
    async with outward_client() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://{host}:{port}/")
        answer = await client.get(f"http://127.0.0.1:{port}/", extensions={PRIVATE: True})
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://127.0.0.1:{port}/")  # nor by the connection that is open already

    assert answer.text == "secret"


async def test_a_name_that_changes_its_mind_gains_nothing(port: int) -> None:
    """A name is resolved once for a connection, and the connection goes to the very address that was looked at."""
    answers = [["127.0.0.1"], ["203.0.113.7", "127.0.0.1"]]
    asked: list[str] = []

    async def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return answers[len(asked) - 1]

    pool = httpcore.AsyncConnectionPool(network_backend=PublicOnly(httpcore.AnyIOBackend(), rebinding))
    async with pool:
        for _ in answers:  # neither address is public, so nobody is connected to, first or second
            with pytest.raises(httpcore.ConnectError, match="not a public address"):
                await pool.request("GET", f"http://rebinding.example:{port}/")
    assert asked == ["rebinding.example"] * 2


async def test_what_one_system_would_have_kept_is_brought_to_no_other() -> None:
    """A cookie of one department's system, for the whole domain: brought along to all of them it fills up their heads."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 No Content\r\nSet-Cookie: kept=for-ever; Path=/\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, outward_client() as client:
        for _ in range(2):
            assert (await client.get(f"http://127.0.0.1:{port}/", extensions={PRIVATE: True})).status_code == 204
        assert len(client.cookies) == 0
    assert [b"cookie" in head.lower() for head in heads] == [False, False]


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("2001:4860:4860::8888", True), ("10.1.2.3", False), ("172.16.0.1", False),
        ("192.168.1.1", False), ("169.254.169.254", False), ("100.64.0.1", False), ("0.0.0.0", False),  # noqa: S104 - nobody binds
        ("::1", False), ("fe80::1%eth0", False), ("fd00::1", False), ("::ffff:10.0.0.1", False),
        ("2002:0a00:0001::", False), ("224.0.0.1", False), ("nonsense", False),
        ("64:ff9b::a9fe:a9fe", False), ("64:ff9b::808:808", True), ("64:ff9b:1::1", False), ("::127.0.0.1", False),
        ("::10.0.0.1", False), ("fec0::1", False), ("2001:0:a00:1::1", False),
    ],
)  # fmt: skip
def test_what_is_private_is_known_in_every_form(address: str, public: bool) -> None:  # noqa: FBT001
    """Private, loopback, link local (a cloud's metadata), shared, multicast; IPv4 inside IPv6 too."""
    assert is_public(address) is public


def registered(folder: Path, url: str, private: str = "", base: str | None = None) -> DepartmentRegister:
    """A register with one department over HTTP."""
    (folder / "departments.yaml").write_text(REGISTER.format(url=url, private=private), encoding="utf-8")
    return load_departments(folder / "departments.yaml", base)


@pytest.mark.parametrize("host", ["10.0.0.5", "127.0.0.1:9", "localhost", "[::1]:8080"])
def test_policy_says_which_address_may_be_private(host: str, tmp_path: Path) -> None:
    """A private address without `private: true` keeps the town from starting; with it, and for the placeholder, it is called."""
    with pytest.raises(DepartmentPolicyFaults, match="private: true"):
        registered(tmp_path, f"http://{host}/water")

    assert registered(tmp_path, f"http://{host}/water", ", private: true").get("water").private
    assert registered(tmp_path, "{departments}/water", base=f"http://{host}").get("water").private
    assert not registered(tmp_path, "https://water.example/orders").get("water").private
