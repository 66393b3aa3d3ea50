"""The connections by which others' systems are called: no redirect, no proxy, and no way into the town's own network by accident.

A name is resolved when a connection is made, and the connection goes to the very address that was looked at: whoever answers
for the name differently a moment later (DNS rebinding) changes nothing. Addresses that are not public (loopback, private, link
local, also the machine's own metadata service) are connected to only for an entry that policy lists as `private: true`.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import httpcore
import httpx
import structlog

log = structlog.get_logger()
PRIVATE = "jiceng.private"
"""In a request's extensions: the entry it goes to may lie in a private network."""

KEPT_CONNECTIONS = 64
KEPT_SECONDS = 3.0
"""Less than servers keep an idle connection (Node, Apache and uvicorn 5): one that they close at the very moment costs an order or
a payment of which nobody knows the fate until it is asked for."""


INSIDE_IPV6 = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))
"""Where the last four bytes are an IPv4 address: of NAT64 (RFC 6052), and the form of old (RFC 4291, 2.5.5.1)."""

LOCAL_IPV6 = (IPv6Network("64:ff9b:1::/48"), IPv6Network("fec0::/10"))
"""Of a network's own, though `is_global` may not say so: NAT64 of its own prefix (RFC 8215), and the sites of old (RFC 3879)."""

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""(name, port) -> addresses."""


class PublicOnly(httpcore.AsyncNetworkBackend):
    """Connects to public addresses alone."""

    def __init__(self, inner: httpcore.AsyncNetworkBackend, resolve: Resolve | None = None) -> None:
        """`resolve`: who knows names; the machine's own resolver without it."""
        self._inner, self._resolve = inner, resolve or _resolve

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to an address of this name that is public. Raises httpcore.ConnectError: there is none, or none answers."""
        failed: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in _public_of(await self._resolve(host, port)):
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed or httpcore.ConnectError("not a public address")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Never: a socket of this machine is not public."""
        del path, timeout, socket_options
        raise httpcore.ConnectError("not a public address")

    async def sleep(self, seconds: float) -> None:
        """Wait, as httpcore asks for between attempts."""
        await self._inner.sleep(seconds)


async def _resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a name. Raises httpcore.ConnectError for a name that nobody knows."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise httpcore.ConnectError("the name is not known") from None
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def _public_of(addresses: Sequence[str]) -> Sequence[str]:
    public = [address for address in addresses if is_public(address)]
    if len(public) < len(addresses):
        log.warning("private_address_refused", count=len(addresses) - len(public))
    return public


def is_public(address: str) -> bool:
    """Whether this is an address of the public internet; an IPv4 address inside an IPv6 one counts as what it is."""
    try:
        found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        if any(found in network for network in LOCAL_IPV6):
            return False
        found = found.ipv4_mapped or found.sixtofour or _last_four(found) or found
    return found.is_global and not found.is_multicast


def _last_four(address: IPv6Address) -> IPv4Address | None:
    inside = any(address in network for network in INSIDE_IPV6)
    return IPv4Address(address.packed[-4:]) if inside else None


@cache
def _trusted() -> ssl.SSLContext:
    """Which authorities are believed; they are read once in a process."""
    return httpx.create_ssl_context(trust_env=False)


class Outward(httpx.AsyncBaseTransport):
    """Sends what may go to a private network one way, and everything else the other; they share no connection."""

    def __init__(self) -> None:
        limits = httpx.Limits(
            max_connections=None, max_keepalive_connections=KEPT_CONNECTIONS, keepalive_expiry=KEPT_SECONDS
        )
        trusted = _trusted()
        self._private = httpx.AsyncHTTPTransport(verify=trusted, limits=limits, trust_env=False)
        self._public = httpx.AsyncHTTPTransport(verify=trusted, limits=limits, trust_env=False)
        # httpx offers no place for a backend of one's own; the pool it would make is this one but for that.
        self._public._pool = httpcore.AsyncConnectionPool(  # noqa: SLF001
            ssl_context=trusted,
            max_connections=None,
            max_keepalive_connections=KEPT_CONNECTIONS,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=PublicOnly(httpcore.AnyIOBackend()),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        way = self._private if request.extensions.get(PRIVATE) is True else self._public
        return await way.handle_async_request(request)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._private.aclose()
        await self._public.aclose()


def outward_client() -> httpx.AsyncClient:
    """The client that calls to others share. The one who makes it closes it.

    It keeps no cookies: one of them could have its own, for the whole domain, brought to all the others until they refuse us.
    """
    nothing_kept = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    return httpx.AsyncClient(transport=Outward(), follow_redirects=False, trust_env=False, cookies=nothing_kept)
