"""Did a story go as it is told? Found out from what others wrote down, never from the playing itself.

The timeline says which way the case went, the journals of the departments what they did, the ledger's chain that
nothing was changed, the replay that today's code leads to the same.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from local.simulation.journals import Journal
from local.stories.stories import repertoire_of
from local.stories.story import OrderExpectation, Story
from schemas.kernel.findings import Finding
from starter.cases.views import PublicCase, TimelineEntry

LOOKED_LATE = "who follows the case looked late and"
LATE = ("clock:", "moments of the clock", LOOKED_LATE)
"""How a fault begins that a busy machine can have made."""


@dataclass(frozen=True)
class Killing:
    """A process that was killed, and the one that took its place."""

    killed: int
    successor: int | None
    entries_before: int


@dataclass(frozen=True)
class Evidence:
    """What there is to judge by.

    `journals`: by order id, of all departments that have a system. `glimpses`: what was shown for number and code.
    """

    case_id: str
    entries: Sequence[TimelineEntry]
    journals: Mapping[str, tuple[str, Journal]]
    findings: Sequence[Finding]
    killing: Killing | None = None
    glimpses: Sequence[PublicCase] = ()
    children: Mapping[str, Sequence[TimelineEntry]] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """What was found. `faults` is empty when all went as told."""

    path: tuple[StrEnum, ...]
    town_time: timedelta
    faults: tuple[str, ...]

    @property
    def merely_late(self) -> bool:
        """Something was late, and nothing else was wrong."""
        return bool(self.faults) and all(fault.startswith(LATE) for fault in self.faults)

    @property
    def ok(self) -> bool:
        """Nothing is wrong."""
        return not self.faults


def judge(story: Story, evidence: Evidence) -> Verdict:
    """Compare the evidence with what the story says must be true."""
    entries = evidence.entries
    if not entries:
        return Verdict((), timedelta(0), ("the timeline is empty",))
    repertoire = repertoire_of(entries)
    path = repertoire.path_of(entries)
    faults = [
        *_path_faults(story, path),
        *_entry_faults(story, entries),
        *_moment_faults(story.moments, entries),
        *_child_faults(story, evidence),
        *_order_faults(story, evidence.journals),
        *_killing_faults(story, evidence),
        *_glimpse_faults(story, evidence),
        *(f"{finding.check}: {finding.detail}" for finding in evidence.findings if not finding.ok),
        *(f"{check}: was not checked" for check in ("ledger", "replay") if not _checked(evidence, check)),
    ]
    staged = [entry.at for entry in entries if entry.kind in repertoire.stage_after]
    took = staged[-1] - staged[0] if staged else timedelta(0)
    return Verdict(path, took, tuple(faults))


def _checked(evidence: Evidence, check: str) -> bool:
    return any(each.check == check and each.case_id == evidence.case_id for each in evidence.findings)


def _path_faults(story: Story, path: Sequence[StrEnum]) -> Iterator[str]:
    if tuple(path) != story.path:
        yield f"path {' > '.join(path)}, told {' > '.join(story.path)}"


def _entry_faults(story: Story, entries: Sequence[TimelineEntry]) -> Iterator[str]:
    counted = Counter(entry.kind for entry in entries)
    for kind, times in story.counts.items():
        if counted[kind] != times:
            yield f"{kind} {counted[kind]} times, told {times}"
    for forbidden in sorted(story.never):
        if counted[forbidden]:
            yield f"{forbidden} {counted[forbidden]} times, told never"
    if [entry.seq for entry in entries] != list(range(1, len(entries) + 1)):
        yield "the timeline has gaps"


def _child_faults(story: Story, evidence: Evidence) -> Iterator[str]:
    """Where each case that this one started stood in the end, and the moments of its clocks."""
    for code, expected in story.children.items():
        entries = evidence.children.get(f"{evidence.case_id}.{code}", ())
        kinds = [entry.kind for entry in entries]
        if tuple(kind for kind in kinds if kind in expected.kinds) != expected.kinds:
            yield f"{code}: {', '.join(kinds) or 'nothing'}, told {', '.join(expected.kinds)}"
        for fault in _moment_faults(expected.moments, entries):
            yield f"{code}: {fault}"


def _moment_faults(moments: Mapping[str, tuple[str, ...]], entries: Sequence[TimelineEntry]) -> Iterator[str]:
    for clock, told in moments.items():
        came = tuple(
            entry.facts["moment"]
            for entry in entries
            if entry.kind.startswith("clock:") and entry.facts.get("clock") == clock
        )
        if came != told:
            yield f"moments of the clock {clock}: {', '.join(came) or 'none'}, told {', '.join(told) or 'none'}"


def _order_faults(story: Story, journals: Mapping[str, tuple[str, Journal]]) -> Iterator[str]:
    orders = [journals[order_id] for order_id in sorted(journals, key=_order_number)]
    if len(orders) != len(story.orders):
        yield f"{len(orders)} orders in the departments' journals, told {len(story.orders)}"
        return
    for number, (expected, (department, journal)) in enumerate(zip(story.orders, orders, strict=True), start=1):
        for fault in _journal_faults(expected, department, journal):
            yield f"order {number}: {fault}"


def _journal_faults(expected: OrderExpectation, department: str, journal: Journal) -> Iterator[str]:
    if department != expected.department:
        yield f"went to {department}, told {expected.department}"
    if journal["work_done"] != 1 + expected.reworks:
        yield f"the work was done {journal['work_done']} times"
    asked = sum(request["method"] == "POST" for request in journal["requests"])
    if asked < expected.asked_at_least:
        yield f"asked {asked} times, told at least {expected.asked_at_least}"
    times = 2 if expected.said_twice else 1
    acknowledged = [report["act"] for report in journal["reports"] if report["acknowledged"]]
    told = [act for act in (*expected.reports, *("finished",) * expected.reworks) for _ in range(times)]
    if acknowledged != told:
        yield f"reports acknowledged: {', '.join(acknowledged) or 'none'}, told {', '.join(told) or 'none'}"
    if journal["stopped"]:
        yield f"a report was refused for good: {journal['stopped']}"


def _order_number(order_id: str) -> int:
    return int(order_id.rpartition("-")[2])


def _killing_faults(story: Story, evidence: Evidence) -> Iterator[str]:
    killing = evidence.killing
    if not story.kills_worker:
        return
    if killing is None:
        yield "nothing was killed"
        return
    if killing.successor in {None, killing.killed}:
        yield f"no other process took the place of {killing.killed}"
    if killing.entries_before >= len(evidence.entries):
        yield "nothing happened after the killing"


def _within(seen: Sequence[str], path: Sequence[str]) -> bool:
    """What was seen is the path, some of whose stages were over before anybody looked."""
    rest = iter(path)
    return all(stage in rest for stage in seen)


def _glimpse_faults(story: Story, evidence: Evidence) -> Iterator[str]:
    """Somebody with number and code saw every stage, what is due next while work is owed, and the answer once it stood."""
    glimpses = evidence.glimpses
    if not (story.followed or story.goes_into_another):
        return
    stages = [glimpse.stage for glimpse in glimpses]
    seen = [stage for stage, before in zip(stages, [None, *stages], strict=False) if stage != before]
    if story.followed and seen not in (list(story.path), list(story.path[1:])):
        looked_late = seen[-1:] == [story.path[-1]] and _within(seen, story.path)
        who = LOOKED_LATE if looked_late else "who follows the case"
        yield f"{who} saw {' > '.join(seen) or 'nothing'}, told {' > '.join(story.path)}"
    for glimpse in glimpses if story.followed else ():
        owed = [promise for promise in glimpse.promised if promise.done_at is None]
        if (glimpse.next_due is None) != (not owed):
            yield f"at {glimpse.stage} something is owed and nothing is due next, or the other way round"
        answered = glimpse.stage in story.answered_at
        if bool(glimpse.answers) != answered:
            yield f"at {glimpse.stage} who follows the case saw {len(glimpse.answers)} answers"
    kept = [promise.kept for promise in glimpses[-1].promised] if glimpses else []
    if story.followed and (False in kept or True not in kept):
        yield "who follows the case did not see at the end that what was promised was kept"
    if story.goes_into_another:
        followed = glimpses[-1].follows if glimpses else None
        if followed is None or followed.stage != story.follows_to:
            yield f"who reported a merged case saw of the other: {followed.stage if followed else 'nothing'}"
