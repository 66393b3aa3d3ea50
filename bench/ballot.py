"""A vote of a whole town under load, whose ballot box is killed meanwhile: what it costs, and whether every vote counts once.

    python -m bench.ballot [--units 5000] [--votes 3000] [--kills 3] [--minutes 10] [--at-once 8]

`--minutes`: so long the vote is open, by the real clock; its seven days are that fast. Voters come as fast as they are served. The
ratio is what the box spends on a ballot and its vote against the bare cryptography of both, in this run on this machine.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from bench.contender import cpu_seconds
from bench.crowd import Course, Crowd, Voter, electorate, lines_of, register_of
from bench.poll import Poll, open_poll
from bench.processes import megabytes, pids_of
from bench.waiting import until
from local.ballot_box.blind_rsa import blind, blind_sign, finalize, new_key, verified
from schemas.audit.merkle import merkle_root, root_by_path

SEED = 20261130
BOX = "ballot-box"
SERVING = ("temporal", "postgres", "worker", "api")
BARE_TIMES = 50
RECEIPTS_AT_ONCE = 4
AFTER_THE_WINDOW_SECONDS = 180


@dataclass(frozen=True)
class Form:
    """How large a vote is."""

    units: int
    votes: int
    kills: int
    minutes: float
    at_once: int = 8


@dataclass(frozen=True)
class Held:
    """A vote that was held. CPU in milliseconds a vote, memory in MB while it was open; `faults`: what did not come out right."""

    form: Form
    voters: Sequence[Voter]
    course: Course
    cpu: Mapping[str, float]
    memory: Mapping[str, float]
    bare: float
    receipts_seconds: float
    kills: int
    faults: Sequence[str]


async def hold(poll: Poll, voters: Sequence[Voter], form: Form) -> Held:
    """Have everybody vote while the box is killed; then close, and look whether every vote was counted once."""
    crowd = Crowd(poll, voters, form.at_once, SEED)
    box = KilledBox(poll, crowd.course, form)
    serving = pids_of(poll.town, *SERVING)
    before = cpu_seconds(serving)
    killing = asyncio.create_task(box.kill_in_turn())
    try:
        course = await crowd.vote()
        await killing
    finally:
        killing.cancel()
    spent = {name: each - before[name] for name, each in cpu_seconds(serving).items()} | {"box": await box.spent()}
    memory = megabytes(serving | {"box": await box.pid()})
    state = await poll.certified(form.minutes * 60 + AFTER_THE_WINDOW_SECONDS)
    began = time.perf_counter()
    faults = [*_counted(voters, course, state), *await _receipts(poll, voters, str(state["merkle_root"]))]
    if (greedy := sum(each.greedy for each in voters)) != course.second_ballots_refused:
        faults.append(f"{greedy} asked for a second ballot, {course.second_ballots_refused} were refused")
    if greedy != course.second_votes_refused:
        faults.append(f"{greedy} voted once more, {course.second_votes_refused} were refused")
    return Held(
        form=form,
        voters=voters,
        course=course,
        cpu={name: each * 1000 / len(voters) for name, each in spent.items()},
        memory=memory,
        bare=bare_milliseconds(),
        receipts_seconds=time.perf_counter() - began,
        kills=box.kills,
        faults=faults,
    )


class KilledBox:
    """The box's process, which the town starts anew whenever it dies."""

    def __init__(self, poll: Poll, course: Course, form: Form) -> None:
        self._poll, self._course, self._form = poll, course, form
        self._before = 0.0
        self._spent_dead = -_seconds(poll.town.supervisor.pid_of(BOX))
        self.kills = 0

    async def kill_in_turn(self) -> None:
        """Kill -9, so often, at equal shares of the votes."""
        for share in range(1, self._form.kills + 1):
            least = self._form.votes * share // (self._form.kills + 1)

            async def voted(wanted: int = least) -> bool:
                return len(self._course.cast) >= wanted

            await until(voted, self._form.minutes * 60)
            pid = await self.pid()
            self._spent_dead += _seconds(pid)
            os.kill(pid, signal.SIGKILL)
            self.kills += 1

            async def stands_again(killed: int = pid) -> bool:
                return (self._poll.town.supervisor.pid_of(BOX) or killed) != killed

            await until(stands_again, AFTER_THE_WINDOW_SECONDS)

    async def pid(self) -> int:
        """Its process, once it stands."""

        async def stands() -> int | None:
            return self._poll.town.supervisor.pid_of(BOX)

        return await until(stands, AFTER_THE_WINDOW_SECONDS)

    async def spent(self) -> float:
        """Seconds of CPU of all its lives since the vote began, those of the starts included."""
        return self._spent_dead + _seconds(await self.pid())


def _seconds(pid: int | None) -> float:
    with contextlib.suppress(psutil.NoSuchProcess):
        return cpu_seconds({"box": pid})["box"] if pid is not None else 0.0
    return 0.0


def _counted(voters: Sequence[Voter], course: Course, state: Mapping[str, object]) -> list[str]:
    """Where what the case holds is not what was cast."""
    chosen = Counter(each.choice for each in voters)
    cast = state["online_cast"]
    if not isinstance(cast, Mapping):
        return ["the case has no tally of the box"]
    wanted = {
        "choices": {name: chosen[name] for name in ("approve", "oppose")},
        "papers": len(voters),
        "abstained": chosen[""],
    }
    faults = [
        f"{name}: {cast.get(name)} instead of {value}" for name, value in wanted.items() if cast.get(name) != value
    ]
    root = merkle_root([each.leaf for each in sorted(voters, key=lambda each: each.held.serial)])
    if state["merkle_root"] != root:
        faults.append("the root that the case holds is not that of the votes that were cast")
    if state["issued"] != len(voters) or not len({*course.cast}) == len(course.cast) == len(voters):
        faults.append(f"{len(voters)} came, {state['issued']} ballots were given out, {len(course.cast)} cast")
    if state["stage"] != "certified":
        faults.append(f"the vote is {state['stage']}")
    return faults


async def _receipts(poll: Poll, voters: Sequence[Voter], root: str) -> list[str]:
    """Whose vote is not found by its receipt under the root of the case."""
    lost: list[str] = []
    waiting = list(voters)

    async def look() -> None:
        while waiting:
            voter = waiting.pop()
            answer = await poll.http.get(f"{poll.box.url}/ballots/{poll.ballot}/proofs/{voter.receipt}")
            found = answer.json() if answer.is_success else {}
            shown = (found.get("index", 0), found.get("size", 0), found.get("path", ()))
            if root_by_path(voter.leaf, *shown) != root:
                lost.append(f"{voter.unit}: not found by its receipt ({answer.status_code})")

    await asyncio.gather(*(look() for _ in range(RECEIPTS_AT_ONCE)))
    return lost


def bare_milliseconds() -> float:
    """What the cryptography of the box's side takes for one ballot and its vote: sign blindly, verify when it is cast."""
    key = new_key()
    public = key.public_key()
    pairs = []
    for number in range(BARE_TIMES):
        serial = number.to_bytes(32)
        pairs.append((serial, blind(public, serial)))
    began = time.process_time()
    signed = [(serial, each, blind_sign(key, each.message)) for serial, each in pairs]
    half = time.process_time() - began
    finished = [(serial, finalize(public, serial, by, each.inverse)) for serial, each, by in signed]
    began = time.process_time()
    for serial, signature in finished:
        verified(public, serial, signature)
    return (half + time.process_time() - began) * 1000 / BARE_TIMES


def percentile(seconds: Sequence[float], part: float) -> float:
    """Milliseconds that so large a part stayed under."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] * 1000


def report(held: Held) -> None:
    """A table for people."""
    form, course = held.form, held.course
    console = Console(width=150)
    table = Table(
        title=f"{form.units} units, {form.votes} votes, {form.at_once} at once, box killed {held.kills} times"
    )
    for heading in ("", "p50 ms", "p95 ms", "longest s"):
        table.add_column(heading)
    for name, took in (("a unit takes its ballot (town and box)", course.issue), ("a vote is cast (box)", course.vote)):
        table.add_row(name, f"{percentile(took, 0.5):.0f}", f"{percentile(took, 0.95):.0f}", f"{max(took):.1f}")
    console.print(table)
    spent = ", ".join(f"{name} {each:.0f}" for name, each in held.cpu.items())
    sizes = ", ".join(f"{name} {each:.0f}" for name, each in held.memory.items())
    console.print(
        f"votes/s: {form.votes / course.seconds:.1f} ({course.seconds:.0f} s; asked again {course.asked_again} times)"
    )
    console.print(f"CPU ms a vote: {sum(held.cpu.values()):.0f} ({spent})")
    console.print(f"box against bare cryptography: {held.cpu['box'] / held.bare:.2f} ({held.bare:.1f} ms a vote)")
    console.print(f"memory MB: {sizes}")
    console.print(f"receipts: {form.votes / held.receipts_seconds:.0f} looked up a second")
    for fault in held.faults[:20]:
        console.print(f"[red]{fault}[/red]")
    console.print("every vote counted once, every receipt found" if not held.faults else f"{len(held.faults)} faults")


async def run(form: Form) -> Held:
    """Hold it in a town of its own."""
    voters = electorate(form.units, form.votes, SEED)
    with tempfile.TemporaryDirectory(prefix="jiceng-ballot-") as folder:
        async with open_poll(Path(folder), lines_of(form.units), register_of(voters), form.minutes) as poll:
            return await hold(poll, voters, form)


def main() -> None:
    """Read the command line, hold the vote, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=5000)
    parser.add_argument("--votes", type=int, default=3000)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--at-once", type=int, default=8)
    options = parser.parse_args()
    held = asyncio.run(run(Form(options.units, options.votes, options.kills, options.minutes, options.at_once)))
    report(held)
    sys.exit(1 if held.faults else 0)


if __name__ == "__main__":
    main()
