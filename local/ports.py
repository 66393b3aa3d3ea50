"""Which ports a town listens on: those asked for, else those of the last run, else free ones."""

import errno
import socket
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack

import psutil

from engine.mendable import Mendable

LOOPBACK = "127.0.0.1"


class PortTaken(Mendable):
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


def choose_ports(
    names: Sequence[str], base: int | None, remembered: Mapping[str, int], unused: AbstractSet[str] = frozenset()
) -> dict[str, int]:
    """A port on the loopback address for each name that is not unused.

    With a base, name number i gets `base + i`. Without, a name keeps its remembered port while that is free, so that
    bookmarks go on working; the others get free ones.

    Raises:
        PortTaken: with a base only; the message names the port and, where it can be seen, who holds it.
    """
    with ExitStack() as held:
        chosen = {}
        for index, name in enumerate(names):
            if name in unused:
                continue
            wanted = remembered.get(name, 0) if base is None else base + index
            taken = _take(wanted, held)
            if taken is None and base is not None:
                raise PortTaken(name, wanted)
            chosen[name] = taken or _take(0, held) or 0
        return chosen


def _take(port: int, held: ExitStack) -> int | None:
    """Hold the port (0: any) until all are chosen, so that no two names get the same; None when it is taken."""
    listener = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    # The servers set this too: a connection of the last run that has not timed out yet is no reason to refuse.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
        # A bind alone does not see another socket that was bound with the same option and does not listen yet.
        listener.listen(1)
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            return None
        raise
    number: int = listener.getsockname()[1]
    return number


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
