"""What a disturbed town looks like at rest: counted from what stands in its books, never from what the load believes.

Reports accepted against cases; the departments' own books against the ledger; every chain, archived run, row and history;
every moment of every clock.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from temporalio.client import Client

from audit.replay.replay import replay_cases
from audit.verify.verify import verify_archive, verify_cases
from audit.verify.verify_projection import verify_projection
from audit.verify.verify_reservations import verify_reservations
from audit.verify.verify_seals import verify_seals
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.archive import open_archive
from local.chaos.chaos_release import ANNOUNCED, NEXT
from local.simulation.journals import Journal
from schemas.kernel.timers import TimerKind
from starter.intake.stuck import stuck_cases
from workflows.registry import PROCEDURES

SHOWN_AT_MOST = 20
WINDOWS = frozenset(
    (case.procedure.name, clock)
    for case in PROCEDURES
    for clock, timer in getattr(case.procedure, "timers", {}).items()
    if timer.kind is not TimerKind.DUTY
)
"""Clocks of each procedure at whose end something happens to the case: that stands in its ledger, and not the moment."""

NEVER_WARNS = 100
"""The `warn_percent` of a window."""


@dataclass
class Count:
    """What was counted. All lists are empty when nothing was lost and nothing done twice."""

    accepted: int = 0
    cases: int = 0
    ended: int = 0
    orders: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    clocks: list[str] = field(default_factory=list)
    moments: int = 0
    payments: int = 0
    uneven: list[str] = field(default_factory=list)
    beside: int = 0
    announced: int = 0

    @property
    def well(self) -> bool:
        """Nothing lost, doubled, broken, stuck or told otherwise than once."""
        return not (self.lost or self.doubled or self.broken or self.stuck or self.clocks or self.uneven)

    def faults(self) -> Iterator[str]:
        """All that is not well, some of each sort."""
        for name in ("lost", "doubled", "broken", "stuck", "clocks", "uneven"):
            found: list[str] = getattr(self, name)
            for each in found[:SHOWN_AT_MOST]:
                yield f"{name}: {each}"
            if len(found) > SHOWN_AT_MOST:
                yield f"{name}: and {len(found) - SHOWN_AT_MOST} more"


async def count(  # noqa: PLR0917 - the parts of a town
    pool: asyncpg.Pool,
    client: Client,
    keys: Keys,
    settings: Settings,
    accepted: Mapping[str, Sequence[str]],
    journals: Mapping[str, Journal],
) -> Count:
    """Count everything. `accepted`: by key, the case numbers that its senders were told; `journals`: by order."""
    result = await count_books(pool, accepted, journals)
    await _audit(result, pool, client, keys, settings)
    result.stuck += [f"{each.case_id}: {each.why}" for each in await stuck_cases(pool, client)]
    return result


async def count_books(
    pool: asyncpg.Pool, accepted: Mapping[str, Sequence[str]], journals: Mapping[str, Journal]
) -> Count:
    """What was told, what stands in the ledger and what departments wrote down, against each other; no history is read."""
    result = Count(accepted=len(accepted))
    rows = {row["case_id"]: row for row in await pool.fetch("select case_id, procedure, ended, snapshot from cases")}
    result.cases, result.ended = len(rows), sum(row["ended"] for row in rows.values())
    _count_reports(result, accepted, rows)
    await _count_intake(result, pool)
    entries = {case_id: await _entries(pool, case_id) for case_id in rows}
    _count_orders(result, entries, journals)
    for case_id, row in rows.items():
        result.clocks += [
            f"{case_id}: {fault}" for fault in clock_faults(row["procedure"], entries[case_id], row["snapshot"])
        ]
        result.moments += sum("moment" in entry["facts"] for entry in entries[case_id])
        result.announced += any(entry["kind"] == ANNOUNCED for entry in entries[case_id])
    return result


def _count_reports(result: Count, accepted: Mapping[str, Sequence[str]], rows: Iterable[str]) -> None:
    standing = set(rows)
    told = {case_id for numbers in accepted.values() for case_id in numbers}
    result.lost += [f"{case_id} was accepted and is no case" for case_id in sorted(told - standing)]
    # The cases that a case starts carry its number, and a code after it.
    untold = [case_id for case_id in sorted(standing - told) if case_id.partition(".")[0] not in told]
    result.doubled += [f"{case_id} is a case that nobody was told of" for case_id in untold]
    result.doubled += [f"{key}: {sorted(set(numbers))}" for key, numbers in accepted.items() if len(set(numbers)) > 1]
    owners = Counter(case_id for numbers in accepted.values() for case_id in set(numbers))
    result.doubled += [f"{case_id} answers {often} keys" for case_id, often in owners.items() if often > 1]


async def _count_intake(result: Count, pool: asyncpg.Pool) -> None:
    """Every command that was delivered stands in its case's ledger once, by its stamp."""
    waiting = await pool.fetch("select case_id, command from intake where status = 'waiting'")
    result.stuck += [f"{row['case_id']}: {row['command']} is accepted and not delivered" for row in waiting]
    aside = await pool.fetch("select case_id, command from intake where status = 'set_aside'")
    result.lost += [f"{row['case_id']}: {row['command']} was set aside for what only an outage did" for row in aside]


def _count_orders(
    result: Count, entries: Mapping[str, Sequence[Mapping[str, Any]]], journals: Mapping[str, Journal]
) -> None:
    """Every order that a case says a department has taken is in its book, and its work was done once, and once per rework."""
    receipts = {
        receipt
        for story in entries.values()
        for entry in story
        if "order" in entry["facts"]
        and (receipt := entry["facts"].get("receipt"))
        and not str(receipt).startswith("desk:")
    }
    booked = {journal["receipt"]: journal["reworks"] for journal in journals.values() if journal["receipt"]}
    result.orders = len(booked)
    booked |= {f"{receipt}.{number}": [] for receipt, reworks in list(booked.items()) for number in reworks}
    result.lost += [f"receipt {receipt} is in no department's book" for receipt in sorted(receipts - set(booked))]
    for order_id, journal in journals.items():
        due = (1 if journal["receipt"] else 0) + len(journal["reworks"])
        if journal["work_done"] > due:
            result.doubled += [f"order {order_id}: work done {journal['work_done']} times, asked for {due} times"]
        if journal["work_done"] < due:
            result.lost += [f"order {order_id}: work done {journal['work_done']} times, asked for {due} times"]
        if journal["case_id"] and journal["case_id"] not in entries:
            result.lost += [f"order {order_id} is of a case that is not there"]
    for case_id, story in entries.items():
        result.doubled += [f"{case_id}: command {each} was carried out twice" for each in carried_out_twice(story)]


def carried_out_twice(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Commands whose entries do not stand together: a handler writes all of its own at once."""
    signed = [entry["stamp"]["command_id"] if entry["stamp"] else None for entry in entries]
    begins = Counter(each for each, before in zip(signed, [None, *signed], strict=False) if each and each != before)
    return [command for command, often in begins.items() if often > 1]


def clock_faults(procedure: str, entries: Sequence[Mapping[str, Any]], snapshot: Mapping[str, Any]) -> Iterator[str]:
    """Moments that were told twice in one life of a clock, or that came and were not told."""
    lives: dict[str, tuple[Any, ...]] = {}
    told: Counter[tuple[Any, ...]] = Counter()
    for entry in entries:
        facts = entry["facts"]
        for name, view in facts.get("clocks", {}).items():
            lives[name] = (view.get("started_at"), view.get("due_at") if view["status"] == "running" else None)
            missed = view["status"] == "stopped" and view["stopped_at"] >= view.get("due_at", "9")
            if missed and "breach" not in view["fired"]:
                yield f"{name} was stopped at {view['stopped_at']}, due {view['due_at']}, and no breach was told"
        if "moment" in facts:
            told[facts["clock"], facts["moment"], lives.get(facts["clock"])] += 1
    for (clock, moment, _), often in told.items():
        if often > 1:
            yield f"{clock} {moment} was told {often} times"
    for name, clock in snapshot.get("clocks", {}).items():
        started = lives.get(name, (None,))[0]
        said = {moment for (each, moment, life) in told if each == name and life is not None and life[0] == started}
        untold = set(clock["fired"]) - said
        window = (procedure, name.partition(":")[0]) in WINDOWS or clock["warn_percent"] == NEVER_WARNS
        if said - set(clock["fired"]) or (untold and not window):
            yield f"{name}: fired {sorted(clock['fired'])}, told {sorted(said)}"


async def _audit(result: Count, pool: asyncpg.Pool, client: Client, keys: Keys, settings: Settings) -> None:
    for findings in (
        verify_cases(pool, None, keys.stamp_ring),
        verify_archive(pool, keys, open_archive(settings)),
        verify_seals(pool, keys),
        verify_projection(pool),
        verify_reservations(pool),
        replay_cases(client, keys, settings, pool, procedures=NEXT),
    ):
        async for finding in findings:
            result.beside += "beside the chain" in finding.detail
            if not finding.ok:
                result.broken.append(f"{finding.check} {finding.case_id}: {finding.detail}")


async def _entries(pool: asyncpg.Pool, case_id: str) -> list[dict[str, Any]]:
    return [json.loads(row["body"]) for row in await pool.fetch("select body from chain_of($1) order by seq", case_id)]
