"""What a machine or container has left, read as the system writes it; and when a town says that it is too little."""

from pathlib import Path

import pytest

from local.town.machine_memory import FOR_WORK, MEBI, NEEDED, WITH_DEMO, available_memory, memory_shortage

ENOUGH = NEEDED + FOR_WORK


def machine(root: Path, available: int, cgroup: str = "0::/\n", **files: str) -> Path:
    """A system's files; of those of control groups `__` stands for a folder."""
    for name, text in {
        "proc/meminfo": f"MemTotal:       24683520 kB\nMemAvailable:   {available // 1024} kB\n",
        "proc/self/cgroup": cgroup,
        **{f"sys/fs/cgroup/{name.replace('__', '/')}": text for name, text in files.items()},
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def group(folder: str, most: str, used: int, unused: int, *, first: bool = False) -> dict[str, str]:
    """The files of one control group; of the first form of them, or as they are now."""
    names = ("memory.limit_in_bytes", "memory.usage_in_bytes") if first else ("memory.max", "memory.current")
    kind = "total_inactive_file" if first else "inactive_file"
    stat = f"anon 1\n{kind} {unused}\n"
    return {f"{folder}{names[0]}": most, f"{folder}{names[1]}": str(used), f"{folder}memory.stat": stat}


def test_a_machine_without_limits_has_what_is_available(tmp_path: Path) -> None:
    """`max` is no limit."""
    root = machine(tmp_path, 900 * MEBI, "0::/town\n", **group("town__", "max\n", 5, 0))

    assert available_memory(root) == 900 * MEBI


@pytest.mark.parametrize(
    ("cgroup", "files"),
    [
        ("0::/\n", group("", "1000000000", 700_000_000, 200_000_000)),
        ("0::/a/b\n", group("a__", "1000000000", 700_000_000, 200_000_000) | group("a__b__", "2000000000", 1, 0)),
        (
            "5:cpu:/x\n4:hugetlb,memory:/x\n0::/\n",
            group("memory__x__", "1000000000", 700_000_000, 200_000_000, first=True),
        ),
    ],
    ids=["of a container", "of a group above ours", "the first form of groups"],
)
def test_the_narrowest_limit_counts(tmp_path: Path, cgroup: str, files: dict[str, str]) -> None:
    """What is used already counts, but for pages of files that can be given back."""
    assert available_memory(machine(tmp_path, 24_000 * MEBI, cgroup, **files)) == 500_000_000


def test_a_system_that_does_not_say_is_believed_to_have_enough(tmp_path: Path) -> None:
    """Not Linux: no sentence."""
    assert available_memory(tmp_path) is None
    assert memory_shortage(demo=True, root=tmp_path) is None


@pytest.mark.parametrize(("demo", "needed"), [(False, ENOUGH), (True, ENOUGH + WITH_DEMO)])
def test_too_little_is_said_in_a_sentence_with_both_figures(tmp_path: Path, *, demo: bool, needed: int) -> None:
    """At the limit nothing is said; a mebibyte below it, what there is, what it takes and what to do."""
    assert memory_shortage(demo=demo, root=machine(tmp_path, needed)) is None

    said = memory_shortage(demo=demo, root=machine(tmp_path, needed - MEBI))
    assert said is not None
    assert f"{needed // MEBI - 1} MiB are left" in said
    assert f"needs {needed // MEBI} MiB" in said


def test_a_machine_of_a_gigabyte_is_enough_for_a_town() -> None:
    """Linux itself keeps some 150 MiB of it."""
    assert ENOUGH <= (1024 - 150) * MEBI
