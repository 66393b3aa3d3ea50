"""Which ports a town listens on: those asked for, else those of the last run, else free ones."""

import errno
import random
import socket
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, contextmanager

import psutil

from engine.runtime.operator_error import OperatorError

LOOPBACK = "127.0.0.1"
# Below the ports from which Linux (32768) and others (49152) take one for every connection that a program opens: such
# a one could be gone again before our server listens on it, or while a server that died is started anew.
FREE_PORTS = range(20_000, 30_000)
TRIES = 200


class PortTaken(OperatorError):
    """Another program already listens on a port that was asked for."""

    def __init__(self, name: str, port: int) -> None:
        holder = holder_of(port)
        by = f" by {holder}" if holder else ""
        super().__init__(
            f"Port {port} (for {name}) is taken{by}. Stop that program, or choose another --port-base, "
            "or leave --port-base out: then free ports are chosen."
        )
        self.name = name
        self.port = port


@contextmanager
def hold_ports(
    names: Sequence[str], base: int | None, remembered: Mapping[str, int], unused: AbstractSet[str] = frozenset()
) -> Iterator[dict[str, int]]:
    """A port on the loopback address for each name that is not unused, ours until the end of the block.

    With a base, name number i gets `base + i`. Without, a name keeps its remembered port while that is free, so that
    bookmarks go on working; the others get free ones. Until a server listens on its port nobody would see that it is
    taken, and again while that server is started anew; so each port is held by a UDP socket of the same number, which
    goes with this process and which every other town on this machine respects.

    Raises:
        PortTaken: with a base only; the message names the port and, where it can be seen, who holds it.
    """
    with ExitStack() as held:
        chosen: dict[str, int] = {}
        for index, name in enumerate(names):
            if name in unused:
                continue
            if base is not None:
                # Asked for by a person: another program's UDP socket, which is in nobody's way, is no reason to refuse.
                _hold(base + index, held)
                if not _free(base + index):
                    raise PortTaken(name, base + index)
                chosen[name] = base + index
            else:
                before = remembered.get(name)
                chosen[name] = before if before is not None and _taken(before, held) else _any_port(held)
        yield chosen


def _any_port(held: ExitStack) -> int:
    for port in random.sample(FREE_PORTS, TRIES):
        if _taken(port, held):
            return port
    raise OSError(errno.EADDRINUSE, f"{TRIES} ports tried between {FREE_PORTS[0]} and {FREE_PORTS[-1]}: none is free")


def _taken(port: int, held: ExitStack) -> bool:
    return _hold(port, held) and _free(port)


def _hold(port: int, held: ExitStack) -> bool:
    """Keep it from other towns; False when one of them has it, or we have it already for another name."""
    mark = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    return _bound(mark, port)


def _free(port: int) -> bool:
    """Whether nobody listens on it."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        # The servers set this too: a connection of the last run that has not timed out yet is no reason to refuse.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return _bound(listener, port)


def _bound(end: socket.socket, port: int) -> bool:
    try:
        end.bind((LOOPBACK, port))
        if end.type == socket.SOCK_STREAM:
            # A bind alone does not see another socket that was bound with the same option and does not listen yet.
            end.listen(1)
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            return False
        raise
    return True


def holder_of(port: int) -> str | None:
    """Who listens on a port, as far as this user may see: `name (pid 123)`."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return None
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN and _port(connection.laddr) == port and connection.pid:
            try:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
            except psutil.Error:
                return f"pid {connection.pid}"
    return None


def _port(address: tuple[object, ...]) -> object:
    """The port of psutil's address, which is empty for a socket without one."""
    return address[1] if len(address) > 1 else None
