"""Is a sealed bundle of a case whole? Needs Python 3.11 and `cryptography`, nothing of Jiceng's, no server, no database.

    python check.py BUNDLE.zip [--keys KEYS.json]

Exit code 0: nothing was found; 1: each finding is a line `class: place: what`. `--keys`: the town's public keys as you got
them by another way; without it the keys in the bundle are believed, and their fingerprints are printed to compare.

It stands in one file so that it can be read whole and kept for years; the checks of a running town (audit/verify/verify.py)
use the same functions. Formats: docs/audit.md.
"""

import argparse
import base64
import hashlib
import json
import sys
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

GENESIS = "0" * 64
FOREIGN = ("case:terminated", "case:reset")
"""Entries that the archiver writes about a case, not the case itself."""

ON_ITS_WAY = timedelta(minutes=10)
"""What a case told with its answer to a command is written by whoever delivered that, or delivers it again: within so long."""

CUT_OFF = ("terminated", "timed_out")
ENDINGS = {
    "WORKFLOW_EXECUTION_COMPLETED": "completed",
    "WORKFLOW_EXECUTION_FAILED": "failed",
    "WORKFLOW_EXECUTION_TIMED_OUT": "timed_out",
    "WORKFLOW_EXECUTION_TERMINATED": "terminated",
    "WORKFLOW_EXECUTION_CANCELED": "canceled",
    "WORKFLOW_EXECUTION_CONTINUED_AS_NEW": "continued_as_new",
}
TYPES = {
    "WORKFLOW_EXECUTION_STARTED": 1,
    "WORKFLOW_EXECUTION_COMPLETED": 2,
    "WORKFLOW_EXECUTION_FAILED": 3,
    "WORKFLOW_EXECUTION_TIMED_OUT": 4,
    "ACTIVITY_TASK_SCHEDULED": 10,
    "ACTIVITY_TASK_COMPLETED": 12,
    "WORKFLOW_EXECUTION_CANCELED": 21,
    "MARKER_RECORDED": 25,
    "WORKFLOW_EXECUTION_SIGNALED": 26,
    "WORKFLOW_EXECUTION_TERMINATED": 27,
    "WORKFLOW_EXECUTION_CONTINUED_AS_NEW": 28,
    "WORKFLOW_EXECUTION_UPDATE_ACCEPTED": 41,
    "WORKFLOW_EXECUTION_UPDATE_COMPLETED": 43,
    "WORKFLOW_EXECUTION_UPDATE_ADMITTED": 47,
}
"""The types of events that are looked into, and their numbers in Temporal's protocol."""

# The encoding of protocol buffers: a varint has seven bits a byte and goes on while the eighth is set.
LONGEST_VARINT, GOES_ON, SEVEN_BITS = 10, 0x80, 0x7F
VARINT, DELIMITED, FIXED = 0, 2, {1: 8, 5: 4}

Values = dict[str, Any]
PublicKeys = Mapping[str, bytes]


# ---- hashes, signatures and trees -----------------------------------------------------------------------------------


def canonical(value: Any) -> bytes:
    """A JSON value in the one form in which it is hashed and signed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256(content: bytes | str) -> str:
    """SHA-256 as 64 hex digits."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def signed(keys: PublicKeys, key_id: str, signature: str, content: bytes) -> bool:
    """Whether the key of that id signed exactly this."""
    raw = keys.get(key_id)
    if raw is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(raw).verify(base64.b64decode(signature, validate=True), content)
    except (InvalidSignature, ValueError):
        return False
    return True


def root_by_path(leaf: bytes, index: int, size: int, path: Sequence[str]) -> str | None:
    """The root of the Merkle tree (RFC 6962) to which a path leads from leaf `index` of `size`; None: not such a path."""
    if not 0 <= index < size:
        return None
    above, rest, last = hashlib.sha256(b"\x00" + leaf).digest(), list(path), size - 1
    while last > 0:
        if index % 2 == 1 or index < last:
            if not rest:
                return None
            beside = bytes.fromhex(rest.pop(0))
            pair = beside + above if index % 2 == 1 else above + beside
            above = hashlib.sha256(b"\x01" + pair).digest()
        index, last = index // 2, last // 2
    return above.hex() if not rest else None


# ---- the ledger of one case -----------------------------------------------------------------------------------------


def chain_of(rows: Iterable[Values], head: tuple[int, str]) -> list[Values]:
    """The rows that lead to the head, the first entry first; as far back as they are there."""
    standing = {(row["seq"], row["hash"]): row for row in rows}
    chain: list[Values] = []
    place = head
    while (row := standing.get(place)) is not None and place[0] > 0:
        chain.insert(0, row)
        place = (row["seq"] - 1, row["prev_hash"])
    return chain


def ledger_faults(
    case_id: str, rows: Sequence[Values], head: tuple[int, str], stamp_keys: PublicKeys | None
) -> Iterator[str]:
    """What is wrong with the entries of a case, on its chain and beside it.

    `head`: seq and hash that the row names. `stamp_keys` None: signatures are not looked at.
    """
    for row in rows:
        yield from entry_faults(case_id, row, rows, stamp_keys)
    chain = chain_of(rows, head)
    if not chain:
        yield f"entry-deleted: {case_id} entry {head[0]}: the head that the row names is not in the ledger"
        return
    first = chain[0]
    if first["seq"] != 1:
        yield f"entry-deleted: {case_id} entry {first['seq'] - 1}: entry {first['seq']} follows it, and it is not there"
    elif first["prev_hash"] != GENESIS:
        yield f"entry-changed: {case_id} entry 1: it follows another entry"
    on_chain = {(row["seq"], row["hash"]) for row in chain}
    standing = {(row["seq"], row["hash"]) for row in rows}
    for row in rows:
        place, before = (row["seq"], row["hash"]), (row["seq"] - 1, row["prev_hash"])
        if place in on_chain:
            continue
        if before == head:
            yield f"entry-inserted: {case_id} entry {row['seq']}: it follows the head, and the case did not go on to it"
        elif before not in standing and row["seq"] != 1:
            yield f"entry-inserted: {case_id} entry {row['seq']}: it follows no entry that is there"


def entry_faults(case_id: str, row: Values, rows: Sequence[Values], stamp_keys: PublicKeys | None) -> Iterator[str]:
    """What is wrong with one entry: its place, its hash, its columns, and the word for who acted."""
    place = f"{case_id} entry {row['seq']}"
    try:
        entry = json.loads(row["body"])
        actor, said = entry["actor"], entry["seq"]
    except (ValueError, KeyError, TypeError):
        yield f"entry-changed: {place}: its content cannot be read"
        return
    if entry["case_id"] != case_id:
        yield f"entry-of-another-case: {place}: its content is of {entry['case_id']}"
    if said != row["seq"]:
        swapped = any(other["seq"] == said and _read(other).get("seq") == row["seq"] for other in rows)
        kind = "entries-swapped" if swapped else "entry-inserted"
        yield f"{kind}: {place}: its content is that of entry {said}"
    if sha256(row["body"]) != row["hash"]:
        yield f"entry-changed: {place}: its content does not have the hash it carries"
    columns = {"kind": entry["kind"], "actor": f"{actor['role']}:{actor['subject']}", "prev_hash": entry["prev_hash"]}
    differing = [name for name, content in columns.items() if row[name] != content]
    if _instant(row["at"]) != _instant(entry["at"]):
        differing.append("at")
    for column in differing:
        yield f"column-changed: {place}: the column {column} differs from the entry"
    yield from _actor_faults(place, case_id, entry, stamp_keys)


def _actor_faults(place: str, case_id: str, entry: Values, stamp_keys: PublicKeys | None) -> Iterator[str]:
    actor, stamp = entry["actor"], entry["stamp"]
    named = f"{actor['role']}:{actor['subject']}"
    if stamp is None:
        if actor["role"] != "engine":
            yield f"actor-exchanged: {place}: {named} acted without a stamp"
    elif stamp["actor"] != actor:
        signer = f"{stamp['actor']['role']}:{stamp['actor']['subject']}"
        yield f"actor-exchanged: {place}: it names {named}, the stamp {signer}"
    elif stamp_keys is not None and not stamp_holds(stamp, case_id, entry["seq"], stamp_keys):
        yield f"actor-exchanged: {place}: no key of the town signed the stamp of {named}"


def stamp_holds(stamp: Values, case_id: str, seq: int, keys: PublicKeys) -> bool:
    """Whether the API signed this stamp, for this case; a child is opened by a command to its parent."""
    if stamp["case_id"] != case_id and not (seq == 1 and case_id.startswith(f"{stamp['case_id']}.")):
        return False
    text = b"jiceng stamp 1\n" + canonical({name: value for name, value in stamp.items() if name != "signature"})
    return signed(keys, stamp["key_id"], stamp["signature"], text)


def _read(row: Values) -> Values:
    """The entry of a row; empty when it cannot be read, which `entry_faults` says."""
    try:
        entry = json.loads(row["body"])
    except ValueError:
        return {}
    return entry if isinstance(entry, dict) else {}


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


# ---- archived runs --------------------------------------------------------------------------------------------------


def run_faults(case_id: str, run: Values) -> Iterator[str]:
    """What is wrong with one archived run by itself: `manifest` (text), `manifest_hash`, `run_id`, `sha256` (of its bytes)."""
    place = f"{case_id} run {run['run_id']}"
    if sha256(run["manifest"]) != run["manifest_hash"]:
        yield f"manifest-changed: {place}: the manifest does not have the hash it carries"
    said = json.loads(run["manifest"])
    if said["case_id"] != case_id or said["run_id"] != run["run_id"]:
        yield f"history-of-another-case: {place}: the manifest is of {said['case_id']} run {said['run_id']}"
    if said["sha256"] != run["sha256"]:
        yield f"archive-changed: {place}: its bytes do not have the hash that the manifest names"


def run_chain_faults(case_id: str, manifests: Sequence[Values], *, ended: bool) -> Iterator[str]:
    """Where one run of a case does not go on in the next. `ended`: nothing may be missing at the end."""
    known = {manifest["run_id"]: manifest for manifest in manifests}
    for manifest in manifests:
        place, before = f"{case_id} run {manifest['run_id']}", manifest["previous_run_id"]
        if before is not None:
            if before not in known:
                yield f"run-missing: {place}: it continues run {before}, which is not in the archive"
            elif manifest["previous_sha256"] != known[before]["sha256"]:
                yield f"archive-changed: {place}: run {before}, which it continues, had another hash"
        after = manifest["next_run_id"]
        if ended and after is not None and after not in known:
            yield f"run-missing: {place}: it goes on in run {after}, which is not in the archive"


def current_runs(manifests: Sequence[Values]) -> list[Values]:
    """The runs that lead to the latest one, the first run first; a run from which somebody reset stands beside."""
    closed = {manifest["run_id"]: manifest for manifest in manifests}
    if not closed:
        return []
    continued = {manifest["previous_run_id"] for manifest in closed.values()}
    left = {manifest["reset_from"] for manifest in closed.values()}
    ends = [manifest for manifest in closed.values() if manifest["run_id"] not in continued | left]
    run: Values | None = max(ends or closed.values(), key=lambda manifest: _instant(manifest["started_at"]))
    runs: list[Values] = []
    while run is not None and run not in runs:
        runs.insert(0, run)
        run = closed.get(run["previous_run_id"])
    return runs


def history_faults(case_id: str, manifest: Values, events: Sequence[Values]) -> Iterator[str]:
    """What is wrong with the events of a run: their form, and whose run it is."""
    place = f"{case_id} run {manifest['run_id']}"
    if not events:
        yield f"history-truncated: {place}: no event"
        return
    for number, event in enumerate(events, start=1):
        if event["id"] != number:
            yield f"event-removed: {place}: event {event['id']} stands where event {number} should stand"
            break
    started = events[0]["attributes"]
    if events[0]["type"] != "WORKFLOW_EXECUTION_STARTED" or started.get("workflow_id") != case_id:
        yield f"history-of-another-case: {place}: event 1 is the start of {started.get('workflow_id')}"
    own = started.get("original_execution_run_id")
    if manifest["reset_from"] is None and own != manifest["run_id"]:
        yield f"history-of-another-case: {place}: event 1 is the start of run {own}"
    if len(events) != manifest["events"]:
        yield f"history-truncated: {place}: {len(events)} events, the manifest says {manifest['events']}"
    if manifest["closed_at"] is not None and ENDINGS.get(events[-1]["type"]) != manifest["status"]:
        yield f"history-truncated: {place}: event {events[-1]['id']} is not the end that the manifest names"


def receipts(events: Iterable[Values]) -> Iterator[tuple[int, int, str]]:
    """What the ledger answered to each flush of a run: event, seq and hash of the head."""
    for event in events:
        if event["type"] != "MARKER_RECORDED":
            continue
        for payload in event["attributes"].get("details", {}).get("result", {}).get("payloads", []):
            receipt = payload.get("value")
            if isinstance(receipt, dict) and set(receipt) - {"case_id"} == {"seq", "head_hash"}:
                yield event["id"], receipt["seq"], receipt["head_hash"]


def answers(events: Iterable[Values]) -> Iterator[tuple[Values, Values]]:
    """What a run told the ledger with its answers to commands, before the ledger had it: the event, and what it told.

    That has `after_seq`, `entries` and `head_hash`, which is the hash of the last of them.
    """
    for event in events:
        if event["type"] != "WORKFLOW_EXECUTION_UPDATE_COMPLETED":
            continue
        for payload in event["attributes"].get("outcome", {}).get("success", {}).get("payloads", []):
            answer = payload.get("value")
            told = answer.get("told") if isinstance(answer, dict) else None
            if isinstance(told, dict):
                yield event, told


def last_of(told: Values) -> tuple[int, str]:
    """Number and hash of the last entry that was told with an answer."""
    return told["after_seq"] + len(told["entries"]), told["head_hash"]


def heads_told(events: Sequence[Values]) -> list[tuple[int, str]]:
    """Every head of a run, in the order of their numbers: by the ledger's word, and by the case's."""
    by_ledger = [(seq, head) for _, seq, head in receipts(events)]
    return sorted([*by_ledger, *(last_of(told) for _, told in answers(events))], key=lambda head: head[0])


def command_digests(events: Iterable[Values]) -> Iterator[str]:
    """The digests of all that people did in a run: of its opening, and of every command with its stamp."""
    for event in events:
        said = event["attributes"]
        if event["type"] == "WORKFLOW_EXECUTION_STARTED":
            for payload in said.get("input", {}).get("payloads", []):
                state = payload.get("value")
                if isinstance(state, dict) and isinstance(state.get("opening"), dict):
                    yield state["opening"]["digest"]
        request = said.get("accepted_request") or said.get("request") or {}
        if event["type"].startswith("WORKFLOW_EXECUTION_UPDATE_"):
            given = [each.get("value") for each in request.get("input", {}).get("args", {}).get("payloads", [])]
            if len(given) > 1:
                # What the API said of the ledger travels with the stamp, and is no part of what the person did.
                stamp = {name: value for name, value in given[1].items() if name != "written"}
                yield sha256(canonical({"command": given[0], "stamp": stamp}))


def ledger_against_history(
    case_id: str, chain: Sequence[Values], runs: Sequence[tuple[Values, Sequence[Values]]], now: datetime | None = None
) -> Iterator[str]:
    """Where ledger and recorded runs do not vouch for each other. `runs`: (manifest, events), the first run first.

    `now`: the real moment at which the ledger was read; what was told with an answer shortly before that is on its way. Without it,
    all of that is.
    """
    told = 0
    for manifest, events in runs:
        for event, seq, head in receipts(events):
            place = f"{case_id} entry {seq}"
            if seq > len(chain):
                yield f"entry-deleted: {place}: event {event} of run {manifest['run_id']} has it, the ledger does not"
            elif chain[seq - 1]["hash"] != head:
                yield f"chain-rewritten: {place}: event {event} of run {manifest['run_id']} has another hash"
            told = max(told, seq)
        for event_told, answer in answers(events):
            yield from _answer_faults_in_ledger(case_id, chain, manifest["run_id"], event_told, answer, now)
            told = max(told, last_of(answer)[0])
    known = {digest for _, events in runs for digest in command_digests(events)}
    whole = bool(runs) and runs[0][0]["previous_run_id"] is None
    ended = bool(runs) and runs[-1][0]["closed_at"] is not None and runs[-1][0]["next_run_id"] is None
    cut_off = bool(runs) and runs[-1][0]["status"] in CUT_OFF
    after = [row for row in chain if row["seq"] > told and row["kind"] not in FOREIGN]
    # A run that was cut off in the middle of a task leaves what that one task wrote, and no receipt for it.
    if ended and not (cut_off and len({(row["run_id"], row["task_at"]) for row in after}) == 1):
        for row in after:
            place = f"{case_id} entry {row['seq']}"
            yield f"entry-inserted: {place}: no run told it; the last that one told is entry {told}"
    for row in chain[:told] if whole else ():
        digest = _read(row).get("command_digest")
        if digest and digest not in known:
            yield f"command-changed: {case_id} entry {row['seq']}: no recorded command has its digest"


def _answer_faults_in_ledger(  # noqa: PLR0917 - an answer, all of it
    case_id: str, chain: Sequence[Values], run_id: str, event: Values, told: Values, now: datetime | None
) -> Iterator[str]:
    """Where the ledger does not have what a case told with an answer."""
    seq, head = last_of(told)
    place, where = f"{case_id} entry {seq}", f"event {event['id']} of run {run_id}"
    if seq > len(chain):
        if now is not None and is_late(event["time"], now):
            yield (
                f"entry-missing: {place}: {where} told it at {event['time']}, and the ledger does not have it; "
                "a command that still waits brings it (`jiceng stuck`), else it was taken out: "
                f"`jiceng audit rebuild {case_id}` writes it again"
            )
        return
    if chain[seq - 1]["hash"] != head:
        yield f"chain-rewritten: {place}: {where} has another hash"
        return
    for number, entry in enumerate(told["entries"], start=told["after_seq"] + 1):
        said = {name: entry.get(name) for name in ("at", "kind", "facts")}
        there = {name: _read(chain[number - 1]).get(name) for name in said}
        if said != there:
            yield f"command-answer-changed: {case_id} entry {number}: {where} tells another one"


def is_late(told_at: str, now: datetime) -> bool:
    """Whether what was told then would be in the ledger, if it were on its way."""
    return now - _instant(told_at) > ON_ITS_WAY


def foreign_faults(case_id: str, rows: Iterable[Values], manifests: Sequence[Values], *, ended: bool) -> Iterator[str]:
    """Entries of the archiver about terminations and resets that no archived run bears out."""
    known = {manifest["run_id"]: manifest for manifest in manifests}
    for row in rows:
        if row["kind"] not in FOREIGN:
            continue
        facts = _read(row).get("facts", {})
        place = f"{case_id} entry {row['seq']}"
        if row["kind"] == "case:terminated":
            run = known.get(facts.get("run"))
            if run is None or run["status"] != facts.get("status"):
                yield f"entry-inserted: {place}: no archived run was {facts.get('status')} as it says"
        else:
            run = known.get(facts.get("new_run"))
            if (run is None and ended) or (run is not None and run["reset_from"] != facts.get("run")):
                yield f"entry-inserted: {place}: no archived run was made by the reset that it tells of"


def turned_back_faults(case_id: str, runs: Sequence[tuple[Values, Sequence[Values]]]) -> Iterator[str]:
    """Runs that begin with another state than the run which they continue had come to: somebody gave them an older one.

    A run ends when the ledger has all that it told, so the next one begins at the last entry that it told.
    A run that a reset made has the start of the one that was reset.
    """
    known = {manifest["run_id"]: (manifest, events) for manifest, events in runs}
    for manifest, events in runs:
        before = known.get(manifest["previous_run_id"])
        begun = _begun_at(events)
        if before is None or begun is None:
            continue
        told = heads_told(before[1])
        left = told[-1] if told else _begun_at(before[1])
        if left is not None and begun != left:
            yield (
                f"turned-back: {case_id} run {manifest['run_id']}: it begins after entry {begun[0]}, and run "
                f"{before[0]['run_id']}, which it continues, had told entry {left[0]}"
            )


def _begun_at(events: Sequence[Values]) -> tuple[int, str] | None:
    """The last entry of the state that a run was started with; None where it cannot be read, which is told elsewhere."""
    for payload in _payloads(events[0]["attributes"].get("input")) if events else []:
        state = payload.get("value")
        if isinstance(state, dict) and "seq" in state and "head_hash" in state:
            return state["seq"], state["head_hash"]
    return None


# ---- what was written for another place -----------------------------------------------------------------------------


def place_faults(case_id: str, run_id: str, events: Sequence[Values]) -> Iterator[str]:
    """What stands in a run and was written for another place, or not by this town: somebody copied it there, or made it up."""
    asked = {event["id"]: event["attributes"] for event in events if event["type"] == "ACTIVITY_TASK_SCHEDULED"}
    for event in events:
        place = f"{case_id} run {run_id} event {event['id']}"
        for kind, workflow, activity, payloads in _written(case_id, event, asked):
            for payload in payloads:
                if (fault := _place_fault(payload, workflow, activity)) is not None:
                    yield f"{kind}: {place}: {fault}"
        if event["type"] == "WORKFLOW_EXECUTION_SIGNALED":
            yield from (f"signal-copied: {place}: {fault}" for fault in _message_faults(case_id, event["attributes"]))
        if event["type"] == "ACTIVITY_TASK_COMPLETED":
            yield from (f"answer-copied: {place}: {fault}" for fault in _answer_faults(case_id, event["attributes"]))


def _written(
    case_id: str, event: Values, asked: Mapping[int, Values]
) -> Iterator[tuple[str, str, str | None, list[Values]]]:
    """What a case is told by an event: the class of a copy, the place it must be of (activity None: any), the payloads."""
    said = event["attributes"]
    match event["type"]:
        case "WORKFLOW_EXECUTION_STARTED":
            yield "start-copied", case_id, "", _payloads(said.get("input"))
        case "WORKFLOW_EXECUTION_SIGNALED":
            yield "signal-copied", case_id, "", _payloads(said.get("input"))
        case "WORKFLOW_EXECUTION_UPDATE_ACCEPTED" | "WORKFLOW_EXECUTION_UPDATE_ADMITTED":
            request = said.get("accepted_request") or said.get("request") or {}
            yield "command-copied", case_id, "", _payloads(request.get("input", {}).get("args"))
        case "WORKFLOW_EXECUTION_UPDATE_COMPLETED":
            yield "answer-copied", case_id, "", _payloads(said.get("outcome", {}).get("success"))
        case "ACTIVITY_TASK_COMPLETED":
            doer = asked.get(int(said.get("scheduled_event_id", 0)), {}).get("activity_type", {}).get("name")
            yield "answer-copied", case_id, doer, _payloads(said.get("result"))
        case "MARKER_RECORDED":
            yield "answer-copied", case_id, None, _payloads(said.get("details", {}).get("result"))
        case "WORKFLOW_EXECUTION_CONTINUED_AS_NEW":
            yield "start-copied", case_id, "", _payloads(said.get("input"))


def _payloads(of: Values | None) -> list[Values]:
    return [] if of is None else of.get("payloads", [])


def _place_fault(payload: Values, workflow: str, activity: str | None) -> str | None:
    if payload.get("closed") in {"PayloadDamaged", "PayloadOutOfPlace"} or "key" not in payload:
        return "it was not written by this town, or for no place"
    bound = payload.get("bound_to")
    if bound is None or (bound["workflow"] == workflow and activity in {None, bound["activity"]}):
        return None
    doer = f", activity {bound['activity']}" if bound["activity"] else ""
    return f"it was written for {bound['workflow'] or 'no case'}{doer}"


def _message_faults(case_id: str, said: Values) -> Iterator[str]:
    """A case is told by another one, and Temporal says by which; the town tells it what it set aside, and asks it to write."""
    if said.get("signal_name") in {"set_aside", "write"}:
        for payload in _payloads(said.get("input")):
            told = payload.get("value")
            if isinstance(told, dict) and told.get("case_id") != case_id:
                yield "it is for another case"
        return
    by = said.get("external_workflow_execution", {}).get("workflow_id")
    if by is None:
        yield "no case sent it"
    for payload in _payloads(said.get("input")):
        message = payload.get("value")
        if not isinstance(message, dict) or "sender" not in message:
            continue
        if message.get("to") not in {None, case_id}:
            yield f"it is for {message['to']}"
        if by is not None and message["sender"] != by:
            yield f"it is of {message['sender']}, and {by} sent it"


def _answer_faults(case_id: str, said: Values) -> Iterator[str]:
    for payload in _payloads(said.get("result")):
        answer = payload.get("value")
        question = answer.get("question") if isinstance(answer, dict) else None
        if question is not None and not str(question).startswith((f"{case_id}.", f"{case_id}/")):
            yield f"it is the answer to {question}"


def own_runs(
    rows: Iterable[Values], manifests: Sequence[Values], first_run_id: str | None
) -> tuple[list[Values], list[Values]]:
    """The runs of the case, and those of others that were started under its number.

    `first_run_id` as the row of the case has it; without it, that of the run which told entry 1 first.
    """
    told = sorted((row["task_at"], row["run_id"]) for row in rows if row["seq"] == 1)
    known = {manifest["run_id"]: manifest["first_run_id"] for manifest in manifests}
    first = first_run_id or next((known[run] for _, run in told if run in known), None)
    if first is None:
        return list(manifests), []
    return [each for each in manifests if each["first_run_id"] == first], [
        each for each in manifests if each["first_run_id"] != first
    ]


def foreign_run_faults(
    case_id: str,
    rows: Iterable[Values],
    own: Sequence[Values],
    others: Sequence[Values],
    lost: Sequence[tuple[str, str]],
    *,
    whole: bool = False,
) -> Iterator[str]:
    """Runs under the number of a case that do not come from its first run, and entries that no run of the case wrote.

    `lost`: the moments between which a restored town's runs are known to nobody any more. `whole`: the runs are all there
    are; without it, only where the last of them is the end of the case.
    """
    for manifest in others:
        yield (
            f"foreign-run: {case_id} run {manifest['run_id']}: it does not come from the first run of the case; "
            f"it ended as {manifest['status']}"
        )
    current = current_runs(own)
    ends = bool(current) and current[-1]["closed_at"] is not None and current[-1]["next_run_id"] is None
    if not (current and (whole or ends)):
        return  # the case goes on in a run that is not looked at
    runs = {manifest["run_id"] for manifest in own}
    for row in rows:
        written = _instant(row["task_at"])
        restored = any(_instant(since) < written <= _instant(until) for since, until in lost)
        if row["run_id"] not in runs and row["kind"] not in FOREIGN and not restored:
            yield f"foreign-run: {case_id} entry {row['seq']}: run {row['run_id']} wrote it, which is no run of the case"


# ---- seals ----------------------------------------------------------------------------------------------------------


def seal_faults(seals: Sequence[Values], keys: PublicKeys) -> Iterator[str]:
    """What is wrong with the chain of seals: one missing, one changed, one that the town did not sign."""
    before = GENESIS
    for number, seal in enumerate(seals, start=1):
        place = f"seal {seal['number']}"
        said = json.loads(seal["body"])
        if seal["number"] != number:
            yield f"seal-removed: seal {number}: after it stands {place}"
            return
        if said["number"] != number or sha256(f"{seal['body']}\n{seal['signature']}") != seal["hash"]:
            yield f"seal-changed: {place}: it does not have the hash it carries"
        if said["previous"] != before:
            yield f"seal-removed: {place}: it does not hold the seal before it"
        if not signed(keys, said["key_id"], seal["signature"], seal["body"].encode()):
            yield f"seal-forged: {place}: no key of the town ({said['key_id']} is named) signed it"
        before = seal["hash"]


def proof_faults(proofs: Iterable[Values], seals: Sequence[Values]) -> Iterator[str]:
    """Which leaves are not in the seal that they are said to be in."""
    bodies = {seal["number"]: json.loads(seal["body"]) for seal in seals}
    for proof in proofs:
        leaf = proof["leaf"]
        body = bodies.get(proof["seal"])
        place = f"{leaf['case_id']} {leaf['kind']} {leaf['place']}"
        if body is None:
            yield f"seal-removed: seal {proof['seal']}: {place} is proved by it, and it is not there"
        elif proof["size"] != body["leaves"] or body["root"] != root_by_path(
            canonical(leaf), proof["index"], proof["size"], proof["path"]
        ):
            yield f"not-sealed: {place}: its proof does not lead to the root of seal {proof['seal']}"


def sealed_head_faults(
    case_id: str, sealed: Iterable[tuple[int, int, str]], rows: Sequence[Values], chain: Sequence[Values]
) -> Iterator[str]:
    """Which sealed heads (seal, seq, hash) the chain does not lead through, without a lost task or a reset that says why."""
    standing = {(row["seq"], row["hash"]): row for row in rows}
    on_chain = {(row["seq"], row["hash"]) for row in chain}
    was_reset = any(row["kind"] == "case:reset" for row in rows)
    for seal, seq, content in sealed:
        place = f"{case_id} entry {seq}"
        if (seq, content) in on_chain:
            continue
        if not rows:
            yield f"case-deleted: {place}: seal {seal} holds this head, the ledger has nothing of the case"
        elif (seq, content) not in standing:
            yield f"chain-rewritten: {place}: seal {seal} holds another hash, which is not in the ledger"
        elif not was_reset and not _of_one_lost_task((seq, content), standing, on_chain):
            yield f"chain-rewritten: {place}: seal {seal} holds another hash, and no lost task explains the difference"


def _of_one_lost_task(
    place: tuple[int, str], standing: Mapping[tuple[int, str], Values], on_chain: set[tuple[int, str]]
) -> bool:
    """A lost workflow task leaves beside the chain what it alone wrote; more than that was somebody's doing."""
    row = standing[place]
    task = (row["run_id"], row["task_at"])
    while place not in on_chain and place[0] > 0:
        row_here = standing.get(place)
        if row_here is None or (row_here["run_id"], row_here["task_at"]) != task:
            return False
        place = (place[0] - 1, row_here["prev_hash"])
    return True


# ---- raw histories --------------------------------------------------------------------------------------------------


def wire_fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a protocol buffer message: number and value, without knowing what they mean. Raises ValueError."""
    place = 0

    def varint() -> int:
        nonlocal place
        value = 0
        for number in range(LONGEST_VARINT):
            if place >= len(message):
                raise ValueError("cut short")
            byte = message[place]
            place += 1
            value |= (byte & SEVEN_BITS) << (7 * number)
            if byte < GOES_ON:
                return value
        raise ValueError("no varint")

    while place < len(message):
        tag = varint()
        number, kind = tag >> 3, tag & 7
        if number == 0 or kind not in {VARINT, DELIMITED, *FIXED}:
            raise ValueError("no field")
        if kind == VARINT:
            yield number, varint()
            continue
        length = varint() if kind == DELIMITED else FIXED[kind]
        if place + length > len(message):
            raise ValueError("cut short")
        yield number, message[place : place + length]
        place += length


def pieces(message: bytes) -> Iterator[bytes]:
    """Everything in a message that may be a message itself, however deep."""
    try:
        inner = [value for _, value in wire_fields(message) if isinstance(value, bytes)]
    except ValueError:
        return
    for value in inner:
        yield value
        yield from pieces(value)


def raw_faults(case_id: str, run_id: str, raw: bytes, events: Sequence[Values]) -> Iterator[str]:
    """Where the opened history is not one of these bytes: other events, other types, payloads that are not in them."""
    place = f"{case_id} run {run_id}"
    try:
        bodies = [value for number, value in wire_fields(raw) if number == 1 and isinstance(value, bytes)]
        heads = [dict(wire_fields(body)) for body in bodies]
    except ValueError:
        yield f"archive-changed: {place}: its bytes are not a history"
        return
    if len(bodies) != len(events):
        yield f"decoded-differs: {place}: {len(events)} events opened, {len(bodies)} in the bytes"
        return
    for body, head, event in zip(bodies, heads, events, strict=True):
        here = f"{place} event {event['id']}"
        number = TYPES.get(event["type"])
        if event["raw_sha256"] != sha256(body) or head.get(1) != event["id"]:
            yield f"decoded-differs: {here}: it is not the event in the bytes"
        elif (number is not None or head.get(3) in TYPES.values()) and head.get(3) != number:
            yield f"decoded-differs: {here}: it is of another type in the bytes"
        else:
            there = {sha256(piece) for piece in pieces(body)}
            if not set(payload_hashes(event)) <= there:
                yield f"decoded-differs: {here}: a payload of it is not in the bytes"


def payload_hashes(value: Any) -> Iterator[str]:
    """The hashes of all payloads of an opened event."""
    if isinstance(value, dict):
        if "payload_sha256" in value:
            yield value["payload_sha256"]
        else:
            for each in value.values():
                yield from payload_hashes(each)
    elif isinstance(value, list):
        for each in value:
            yield from payload_hashes(each)


# ---- a bundle -------------------------------------------------------------------------------------------------------

LISTING, SIGNATURE = "bundle.json", "bundle.sig"


def bundle_faults(files: Mapping[str, bytes], trusted: Mapping[str, Mapping[str, str]] | None = None) -> Iterator[str]:
    """Everything that is wrong with a bundle, given its files. `trusted`: public keys that did not come with it."""
    missing = [name for name in (LISTING, SIGNATURE, "keys.json", "ledger.json", "seals.json") if name not in files]
    if missing:
        yield f"file-missing: {', '.join(missing)}: without it nothing can be checked"
        return
    keys = trusted or json.loads(files["keys.json"])
    seal_keys, stamp_keys = (_raw_keys(keys[name]) for name in ("seals", "stamps"))
    listing = json.loads(files[LISTING])
    yield from listing_faults(files, listing, seal_keys)
    case_id = listing["case_id"]
    rows = json.loads(files["ledger.json"])
    case, seals, proofs = (json.loads(files[f"{name}.json"]) for name in ("case", "seals", "proofs"))
    head = (case["seq"], case["head_hash"])
    chain = chain_of(rows, head)
    yield from ledger_faults(case_id, rows, head, stamp_keys)
    yield from seal_faults(seals, seal_keys)
    yield from proof_faults(proofs, seals)
    sealed = [
        (proof["seal"], int(proof["leaf"]["place"]), proof["leaf"]["hash"])
        for proof in proofs
        if proof["leaf"]["kind"] == "head"
    ]
    yield from sealed_head_faults(case_id, sealed, rows, chain)
    yield from bundled_history_faults(files, case_id, rows, chain, case, _instant(listing["exported_at"]))
    yield from unproved_faults(files, case_id, head, proofs)


def listing_faults(files: Mapping[str, bytes], listing: Values, seal_keys: PublicKeys) -> Iterator[str]:
    """What differs from the signed list of files."""
    if not signed(seal_keys, listing["key_id"], files[SIGNATURE].decode(), files[LISTING]):
        yield f"bundle-forged: {LISTING}: no key of the town ({listing['key_id']} is named) signed the list of files"
    for name in sorted(set(listing["files"]) | set(files) - {LISTING, SIGNATURE}):
        if name not in files:
            yield f"file-missing: {name}: it is listed"
        elif name not in listing["files"]:
            yield f"file-added: {name}: it is not listed"
        elif sha256(files[name]) != listing["files"][name]:
            yield f"file-changed: {name}: it does not have the hash in the list"


def bundled_history_faults(  # noqa: PLR0917 - the parts of a bundle
    files: Mapping[str, bytes],
    case_id: str,
    rows: Sequence[Values],
    chain: Sequence[Values],
    case: Values,
    exported_at: datetime,
) -> Iterator[str]:
    """What is wrong with the histories of a bundle, by themselves and against the ledger."""
    ended, first_run_id = case["ended"], case.get("first_run_id")
    lost = [(each["histories_at"], each["restored_at"]) for each in json.loads(files.get("restores.json", b"[]"))]
    events: dict[str, list[Values]] = {}
    manifests: list[Values] = []
    for name in sorted(name for name in files if name.startswith("manifests/")):
        run_id = name.removeprefix("manifests/").removesuffix(".json")
        manifest = json.loads(files[name])
        raw, opened = files.get(f"histories/{run_id}.pb"), files.get(f"histories/{run_id}.json")
        if raw is None or opened is None:
            yield f"file-missing: histories/{run_id}: a manifest is there, the history is not"
            continue
        manifests.append(manifest)
        events[manifest["run_id"]] = json.loads(opened)
        plain = {"run_id": run_id, "manifest": files[name].decode(), "sha256": sha256(raw)}
        yield from run_faults(case_id, plain | {"manifest_hash": sha256(files[name])})
        yield from raw_faults(case_id, run_id, raw, events[manifest["run_id"]])
        yield from history_faults(case_id, manifest, events[manifest["run_id"]])
        yield from place_faults(case_id, run_id, events[manifest["run_id"]])
    own, others = own_runs(rows, manifests, first_run_id)
    yield from foreign_run_faults(case_id, rows, own, others, lost)
    yield from run_chain_faults(case_id, own, ended=ended)
    yield from foreign_faults(case_id, rows, own, ended=ended)
    yield from turned_back_faults(case_id, [(manifest, events[manifest["run_id"]]) for manifest in own])
    current = [(manifest, events[manifest["run_id"]]) for manifest in current_runs(own)]
    yield from ledger_against_history(case_id, chain, current, exported_at)


def unproved_faults(
    files: Mapping[str, bytes], case_id: str, head: tuple[int, str], proofs: Sequence[Values]
) -> Iterator[str]:
    """Heads and runs for which the bundle has no proof that a seal holds them."""
    proved = {(proof["leaf"]["case_id"], proof["leaf"]["kind"], proof["leaf"]["hash"]) for proof in proofs}
    if (case_id, "head", head[1]) not in proved:
        yield f"not-sealed: {case_id} entry {head[0]}: no proof that a seal holds this head"
    for name in sorted(name for name in files if name.startswith("manifests/")):
        if (case_id, "run", sha256(files[name])) not in proved:
            yield f"not-sealed: {name}: no proof that a seal holds this run"


def read_bundle(file: Path) -> dict[str, bytes]:
    """The files of a bundle. Raises ValueError, zipfile.BadZipFile, OSError."""
    with zipfile.ZipFile(file) as bundle:
        names = bundle.namelist()
        if len(names) != len(set(names)):
            raise ValueError("a name stands in it twice")
        return {name: bundle.read(name) for name in names}


def check(file: Path, trusted: Mapping[str, Mapping[str, str]] | None = None) -> list[str]:
    """All findings about a bundle; none: nothing was found. What cannot be read is a finding too."""
    faults: list[str] = []
    try:
        faults.extend(bundle_faults(read_bundle(file), trusted))
    except (
        ValueError,
        KeyError,
        TypeError,
        IndexError,
        AttributeError,
        OSError,
        EOFError,
        zipfile.BadZipFile,
        zlib.error,
    ) as fault:
        faults.append(f"unreadable: {file.name}: {type(fault).__name__}: {fault}")
    return faults


def _raw_keys(ring: Mapping[str, str]) -> dict[str, bytes]:
    return {key_id: base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) for key_id, text in ring.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the bundle that is named, print what was found, and return the exit code."""
    parser = argparse.ArgumentParser(description="Is a sealed bundle of a case whole?")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--keys", type=Path, help="public keys of the town, as `jiceng audit keys` prints them")
    given = parser.parse_args(arguments)
    trusted = json.loads(given.keys.read_bytes()) if given.keys else None
    faults = check(given.bundle, trusted)
    for fault in faults:
        print(f"✗ {fault}")  # noqa: T201 - it is a program
    if faults:
        print(f"{len(faults)} findings: do not rely on this bundle.")  # noqa: T201
        return 1
    files = read_bundle(given.bundle)
    listing, seals = json.loads(files[LISTING]), json.loads(files["seals.json"])
    entries = len(json.loads(files["ledger.json"]))
    runs = sum(name.startswith("manifests/") for name in files)
    counted = f"{entries} entries, {runs} run(s), {len(seals)} seals, {len(files)} files"
    print(f"✓ {listing['case_id']}: {counted}: all hold.")  # noqa: T201
    if trusted is None:
        print("The keys came with the bundle. Compare them with those you got by another way, or give them by --keys:")  # noqa: T201
        for name, ring in json.loads(files["keys.json"]).items():
            for key_id, key in ring.items():
                print(f"  {name} {key_id} {key}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
