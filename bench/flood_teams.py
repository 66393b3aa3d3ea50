"""The teams of `bench.flood`: each goes to the doors of its places, and sees each household home.

What their notices would tell them, which case is theirs and who stands on its list, they read from one board.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bench.flooded_lists import Place
from bench.flooded_town import STREET_OFFICER, WAITED_SECONDS, FloodedTown
from bench.waiting import until
from engine.runtime.town_clock import read_town_time
from local.simulation.townspeople import Persona
from schemas.sweep import SWEEP
from schemas.sweep import Kind as SweepKind

HEADS = 3
REFUSES, SILENT, CARRIED, LATE, RELATIVES = 10, 13, 11, 9, 7
"""One household in so many."""

TAKEN = 200
LOOK_SECONDS = 0.5


@dataclass
class Course:
    """How it goes. `doors`: who was gone to, in order; `first_doors`: seconds from the signal to the first one, by place."""

    began: float = 0.0
    doors: dict[str, float] = field(default_factory=dict)
    first_doors: dict[str, float] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    async def must(self, town: FloodedTown, by: Persona, case_id: str, command: str, body: Mapping[str, Any]) -> None:
        """Give a command; that it is refused is a fault."""
        status = await town.gives(by, case_id, command, body)
        if status != TAKEN:
            self.faults.append(f"{case_id}: {by.subject} {command} {dict(body)}: {status}")

    def went_to(self, place: str, household: str) -> None:
        """Somebody was at a door."""
        now = time.perf_counter() - self.began
        self.doors.setdefault(household, now)
        self.first_doors.setdefault(place, now)


@dataclass
class Board:
    """Which sweep goes to a place, who stands on its list, which doors were drawn, and where people may go home."""

    town: FloodedTown
    sweeps: dict[str, str] = field(default_factory=dict)
    listed: dict[str, list[str]] = field(default_factory=dict)
    drawn: dict[str, Sequence[str]] = field(default_factory=dict)
    released: set[str] = field(default_factory=set)

    async def watch(self) -> None:
        """Look again and again."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Read what the sweeps have told."""
        kinds = (SweepKind.SENT, SweepKind.ADDED, SweepKind.SWEPT, SweepKind.RELEASED)
        for each in await self.town.facts(SWEEP, *kinds):
            if each["told"] == SweepKind.SWEPT:
                self.drawn[each["case"]] = each["to_recheck"]
            elif each["told"] == SweepKind.RELEASED:
                self.released.add(each["case"])
            else:
                self._hear_list(each)

    def _hear_list(self, told: Mapping[str, Any]) -> None:
        for home in told["households"]:
            self.sweeps[home["point"]] = told["case"]
            codes = self.listed.setdefault(home["point"], [])
            if home["code"] not in codes:
                codes.append(home["code"])


@dataclass
class Team:
    """Who leads at some places, and who goes along."""

    town: FloodedTown
    board: Board
    course: Course
    places: Sequence[Place]
    out: set[str] = field(default_factory=set)
    done: set[str] = field(default_factory=set)
    unsafe: set[str] = field(default_factory=set)
    reported: dict[str, int] = field(default_factory=dict)

    async def walk(self) -> None:
        """Go from door to door as long as somebody is to be moved, and report it; who is listed meanwhile is gone to as well."""
        while not all(self.reported.get(each.code) == len(each.households) for each in self.places):
            for place in self.places:
                await self._walk(place)
            await asyncio.sleep(LOOK_SECONDS)

    async def _walk(self, place: Place) -> None:
        listed = list(self.board.listed.get(place.code, ()))
        if not listed:
            return
        case = self.board.sweeps[place.code]
        if place.code not in self.out:
            await self._gives(place, "set_out", {"team": [place.deputy.subject]})
            await self._gives(place, "set_out", {}, place.deputy)
            self.out.add(place.code)
        late: list[tuple[str, Mapping[str, Any]]] = []
        for code in listed:
            if code not in self.done:
                late += await self._go_to(place, code)
                self.done.add(code)
        for code, body in late:
            await self._door(place, code, body)
        if self.reported.get(place.code) != len(listed):
            unsafe = [code for code in listed if code in self.unsafe]
            if await self.town.gives(place.leader, case, "report_swept", {"unsafe": unsafe}) == TAKEN:
                self.reported[place.code] = len(listed)  # else somebody was listed meanwhile, who is gone to first

    async def _go_to(self, place: Place, code: str) -> list[tuple[str, Mapping[str, Any]]]:
        """Whatever comes about at a door; what is written down only when there is a signal again, with its time."""
        number = int(code.rpartition("-")[2])
        if number % REFUSES == 0:
            await self._door(place, code, _found("refused", 0))
            await self._gives(place, "persuade", {"item": code, "words": "再次上门"}, STREET_OFFICER)
            await self._door(place, code, _found("refused", 0))
            order = {"item": code, "police_order": f"JJ-{number}", "reason": "洪水已到院墙"}
            await self._gives(place, "order_removal", order, STREET_OFFICER)
        elif number % SILENT == 0:
            await self._door(place, code, _found("nobody", 0))
            inside = {
                "item": code, "calls": 3, "contacts_asked": True, "second": place.deputy.subject,
                "police_order": f"JJ-{number}", "finding": "屋内无人",
            }  # fmt: skip
            await self._gives(place, "search_house", inside)
            self.unsafe.add(code)
            return []
        elif number % CARRIED == 0:
            await self._door(place, code, _found("must_be_carried", 0))
        found = _found("with_relatives" if number % RELATIVES == 0 else "moved", HEADS)
        if number % LATE == 0:
            at = read_town_time(self.town.town.settings).to_town(datetime.now(UTC))
            return [(code, {**found, "done_at": at.isoformat()})]
        await self._door(place, code, found)
        return []

    async def _door(self, place: Place, code: str, found: Mapping[str, Any]) -> None:
        await self._gives(place, "record_door", {"item": code, **found})
        self.course.went_to(place.code, code)

    async def bring_home(self) -> None:
        """See each household home, once its place is released; whom nobody has found the police look for."""
        for place in self.places:
            case = self.board.sweeps[place.code]

            async def is_released(case: str = case) -> bool:
                return case in self.board.released

            await until(is_released, WAITED_SECONDS)
            for code in self.board.listed[place.code]:
                home: dict[str, Any] = {"item": code, "how": "at_home", "persons": HEADS}
                if code in self.unsafe:
                    home |= {"how": "with_police", "persons": 0, "police_order": f"JJ-{code}"}
                await self._gives(place, "confirm_back", home)

    async def _gives(self, place: Place, command: str, body: Mapping[str, Any], by: Persona | None = None) -> None:
        await self.course.must(self.town, by or place.leader, self.board.sweeps[place.code], command, body)


def _found(outcome: str, persons: int) -> Mapping[str, Any]:
    return {"outcome": outcome, "persons": persons, "words": "已通电话核实"}
