"""Whether this machine, or the container we are in, has the memory that a town needs."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

MEBI = 1024 * 1024
NEEDED = 470 * MEBI
"""What a town keeps in which nobody does anything (docs/bench.md, measured)."""

FOR_WORK = 250 * MEBI
"""What it takes besides with some hundred cases open, for a large file, and for a backup: reckoned from other benches."""

WITH_DEMO = 150 * MEBI
"""What simulated departments, sources, bank, ballot box and people take besides (measured: 110)."""


def memory_shortage(*, demo: bool, root: Path = Path("/")) -> str | None:
    """One sentence for whoever starts a town that may be killed for want of memory; None where there is enough, or none knows.

    `root` has `proc` and `sys`.
    """
    left = available_memory(root)
    needed = NEEDED + FOR_WORK + (WITH_DEMO if demo else 0)
    if left is None or left >= needed:
        return None
    return (
        f"内存不足 Little memory: {left // MEBI} MiB are left to this town, and it needs {needed // MEBI} MiB "
        f"({NEEDED // MEBI} MiB while nobody does anything): the system may kill its processes. End other programs, "
        "or give the machine or container more."
    )


def available_memory(root: Path = Path("/")) -> int | None:
    """Bytes that can still be had: of the machine, and of each control group that we are in. None where the system does not say."""
    left = [*_of_machine(root), *_of_groups(root)]
    return min(left) if left else None


def _of_machine(root: Path) -> Iterator[int]:
    with suppress(OSError):
        for line in (root / "proc/meminfo").read_text("ascii").splitlines():
            name, _, value = line.partition(":")
            if name == "MemAvailable":
                yield int(value.split()[0]) * 1024


def _of_groups(root: Path) -> Iterator[int]:
    """Of the group of this process and of those above it; both forms of control groups, as the system mounts them."""
    with suppress(OSError):
        for line in (root / "proc/self/cgroup").read_text("utf-8").splitlines():
            _, controllers, group = line.split(":", 2)
            if controllers == "":
                yield from _above(root / "sys/fs/cgroup", group, "memory.max", "memory.current", "inactive_file")
            elif "memory" in controllers.split(","):
                names = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
                yield from _above(root / "sys/fs/cgroup/memory", group, *names)


def _above(folder: Path, group: str, limit: str, used: str, unused: str) -> Iterator[int]:
    """What is left in a group and in each above it. Pages of files that nobody used lately do not count: they are given back."""
    place = PurePosixPath(group.lstrip("/"))
    for each in (place, *place.parents):
        with suppress(OSError, ValueError):  # no limit is said as `max`; a container may not see the groups above it
            most = int((folder / each / limit).read_text("ascii"))
            spared = dict(line.split() for line in (folder / each / "memory.stat").read_text("ascii").splitlines())
            yield max(0, most - int((folder / each / used).read_text("ascii")) + int(spared.get(unused, 0)))
