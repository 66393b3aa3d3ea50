"""Which faults happen when: a pure function of the seed, so that whatever a run found can be looked for again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

SECOND_API = "api-2"
SAME_KEY_PAIRS = 4


class FaultKind(StrEnum):
    """What is done to a town."""

    KILL = "kill"
    """kill -9"""
    PAUSE = "pause"
    """SIGSTOP, longer than whoever waits for it is patient; then SIGCONT"""
    SLOW = "slow"
    """SIGSTOP and SIGCONT in turn: it does everything, a tenth as fast, as on a disk that is full of other work"""
    LEAVE = "leave"
    """SIGTERM, as in a rolling change: it finishes what it has taken in"""
    RELEASE = "release"
    """SIGTERM, and whoever comes after it is of the next release: one procedure is changed behind its patch"""
    SAME_KEY = "same-key"
    """the same report under the same key, through two APIs at once"""


@dataclass(frozen=True)
class Disturbance:
    """One fault: so many real seconds after the beginning, to which process, and for how long if it is a pause."""

    at_seconds: float
    kind: FaultKind
    target: str
    for_seconds: float = 0.0


PAUSES: Mapping[str, float] = {"worker": 12.0, "api": 12.0, SECOND_API: 12.0, "temporal": 9.0, "postgres": 12.0,
                               "departments": 8.0}  # fmt: skip
"""Longer than: a workflow task (4 s), a lease of the intake (10 s), an attempt of a delivery (7 s), of a flush (10 s), and
a call to a department (5 s)."""

SLOWED: Mapping[str, float] = {"postgres": 15.0, "temporal": 10.0}
"""Seconds of slowness: long enough that a flush outlasts its workflow task."""

LASTING = {FaultKind.PAUSE: PAUSES, FaultKind.SLOW: SLOWED}
"""Faults that end by themselves, and after how many seconds."""

KILLED = ("worker", "api", "temporal", "postgres", "departments", SECOND_API, "worker", "archiver", "postgres", "temporal",
          "sources", "bank", "people", "notices")  # fmt: skip
"""Those that a case passes through are killed twice as often."""

ALL_FAULTS: Sequence[tuple[FaultKind, str]] = (
    *((FaultKind.KILL, name) for name in KILLED),
    *((FaultKind.PAUSE, name) for name in PAUSES),
    *((FaultKind.SLOW, name) for name in SLOWED),
    *((FaultKind.LEAVE, name) for name in ("worker", "api", "departments")),
    (FaultKind.RELEASE, "worker"),
    *((FaultKind.SAME_KEY, "both APIs") for _ in range(3)),
)


def schedule(seed: int, faults: int, gap_seconds: float) -> tuple[Disturbance, ...]:
    """So many faults, on the average one every `gap_seconds`. Each kind on each target comes before any comes again.

    The gaps are uneven on purpose: what is just recovering is to be hit too.
    """
    random = Random(seed)
    dealt: list[tuple[FaultKind, str]] = []
    while len(dealt) < faults:
        deck = list(ALL_FAULTS)
        random.shuffle(deck)
        dealt += deck
    at = 0.0
    planned = []
    for kind, target in dealt[:faults]:
        at += gap_seconds * random.choice((0.1, 0.5, 1.0, 1.4, 2.0))
        planned.append(Disturbance(round(at, 2), kind, target, LASTING.get(kind, {}).get(target, 0.0)))
    return tuple(planned)
