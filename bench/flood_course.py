"""What happens in `bench.flood`, from the signal until the last household is seen at home, and the warning reviewed."""

import asyncio
import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from bench.flood_teams import TAKEN, Board, Course, Team
from bench.flooded_lists import Place
from bench.flooded_town import OFFICER, STRANGER, STREET_OFFICER, WAITED_SECONDS, FloodedTown
from bench.waiting import until
from engine.runtime.town_clock import read_town_time
from local.simulation.townspeople import Persona
from schemas.warning import WARNING, Kind

TIMES = 3
OF_TEN, SILENT, LEFT = 10, 1, 2
"""Of ten who lead one answers no call, nor does who stands in; another one leaves it to who stands in."""

REFUSED = {403, 404, 409, 422}
ORANGE, RED, OVER = "QX-1", "QX-2", "QX-3"
LOOKED_AT = {"safe": True, "finding": "墙体、电路正常"}


@dataclass
class Flood:
    """What happens, and when: real seconds since the signal."""

    town: FloodedTown
    places: Sequence[Place]
    board: Board
    course: Course
    kills: int
    at: dict[str, float] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    cpu: dict[str, float] = field(default_factory=dict)
    warning: str = ""

    async def happen(self) -> None:
        """Have it happen."""
        watching = asyncio.create_task(self.board.watch())
        killing = asyncio.create_task(self._kill())
        try:
            await self._signal()
            answering = asyncio.create_task(self._answer())
            await until(self._most_have_answered, WAITED_SECONDS)
            self.now("most leaders have answered")
            await self._must(OFFICER, "order_move", {"zones": ["a"]})
            self.now("ordered")
            teams = [Team(self.town, self.board, self.course, each) for each in self._of_teams()]
            walking = [asyncio.create_task(each.walk()) for each in teams]
            looking = asyncio.create_task(self._look_again())
            await self._grave()
            await asyncio.gather(*walking, answering)
            self.now("each door gone to")
            await self._all_clear()
            looking.cancel()
            await asyncio.gather(*(each.bring_home() for each in teams))
            self.now("each household home")
            await self._review()
            await killing
        finally:
            for each in (watching, killing):
                each.cancel()
            self.faults += self.course.faults

    def now(self, what: str) -> None:
        """Say what has come about."""
        self.at[what] = time.perf_counter() - self.course.began
        Console().print(f"{self.at[what]:7.1f} s  {what}")

    async def _must(self, by: Persona, command: str, body: Mapping[str, Any]) -> None:
        await self.course.must(self.town, by, self.warning, command, body)

    async def _says(self, identifier: str, sent: datetime, **said: object) -> None:
        message = {"sent": sent.isoformat(), "headline": "三小时雨量将达一百毫米", "references": [], **said}
        await asyncio.gather(*(self.town.says(identifier, **message) for _ in range(TIMES)))

    def _town_now(self) -> datetime:
        return read_town_time(self.town.town.settings).to_town(datetime.now(UTC))

    async def _signal(self) -> None:
        self._orange_at = self._town_now()
        self.course.began = time.perf_counter()
        await self._says(ORANGE, self._orange_at, type="alert", level="orange")
        self.now("the signal is taken")
        (issued,) = await until(lambda: self._told(Kind.ISSUED), WAITED_SECONDS)
        self.warning = str(issued["case"])
        await until(lambda: self._told(Kind.CALLED), WAITED_SECONDS)
        self.now("those who lead are called")

    async def _told(self, kind: str) -> list[Mapping[str, Any]]:
        return await self.town.facts(WARNING, kind)

    async def _answer(self) -> None:
        """Who leads, or stands in once the call has run out; somebody of elsewhere is refused each time."""

        async def answers(number: int, place: Place) -> None:
            body = {"point": place.code}
            if number % OF_TEN == SILENT:
                return
            if number % OF_TEN == LEFT:
                refused = await self.town.gives(STRANGER, self.warning, "acknowledge_call", body)
                if refused not in REFUSED:
                    self.faults.append(f"somebody of elsewhere answered for {place.code}: {refused}")
                await until(lambda: self._is_late(f"call:{place.code}"), WAITED_SECONDS)
                await self._must(place.deputy, "acknowledge_call", body)
                return
            await self._must(place.leader, "acknowledge_call", body)

        await asyncio.gather(*(answers(number, each) for number, each in enumerate(self.places)))

    async def _is_late(self, clock: str) -> bool:
        return any(each.get("clock") == clock for each in await self._told("clock:breach"))

    async def _most_have_answered(self) -> bool:
        prompt = sum(number % OF_TEN not in {SILENT, LEFT} for number in range(len(self.places)))
        return len(await self._told(Kind.ANSWERED)) >= prompt

    def _of_teams(self) -> list[list[Place]]:
        by_team: dict[str, list[Place]] = {}
        for each in self.places:
            by_team.setdefault(each.leader.subject, []).append(each)
        return list(by_team.values())

    async def _grave(self) -> None:
        """Red, when half of the first list is moved; an orange that comes once more changes nothing."""
        first = sum(zone == "a" for each in self.places for zone in each.households.values())
        await until(lambda: self._done_at_least(first // 2), WAITED_SECONDS)
        self.now("red is sent")
        await self._says(RED, self._town_now(), type="update", level="red", references=[ORANGE])
        await self._says(ORANGE, self._orange_at, type="alert", level="orange")
        await until(lambda: self._told(Kind.MOVED_BY_LEVEL), WAITED_SECONDS)
        self.now("red moves the other lists")

    async def _done_at_least(self, doors: int) -> bool:
        return len(self.course.doors) >= doors

    async def _kill(self) -> None:
        """The worker, with -9, at equal shares of the doors."""
        everybody = sum(len(each.households) for each in self.places)
        for share in range(1, self.kills + 1):
            await until(lambda wanted=everybody * share // (self.kills + 1): self._done_at_least(wanted), 3600)  # type: ignore[misc]
            pid = self.town.town.supervisor.pid_of("worker")
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
                self.now(f"worker killed, {share}")

    async def _look_again(self) -> None:
        """Somebody of the street sees each door that was drawn."""
        seen: set[tuple[str, str]] = set()
        while True:
            for case, drawn in list(self.board.drawn.items()):
                for code in drawn:
                    if (case, code) in seen:
                        continue
                    body = {"item": code, "as_written": True}
                    if await self.town.gives(STREET_OFFICER, case, "recheck", body) == TAKEN:
                        seen.add((case, code))
            await asyncio.sleep(1)

    async def _all_clear(self) -> None:
        await until(lambda: self._told(Kind.SWEPT), WAITED_SECONDS)
        await self._says(OVER, self._town_now(), type="cancel", level="red", references=[ORANGE, RED])
        await until(lambda: self._told(Kind.ISSUER_OVER), WAITED_SECONDS)
        await self._must(OFFICER, "declare_all_clear", {"despite": "未应答住户已入户查看,移交公安查找"})
        self.now("all clear")
        for place in self.places:
            seen = {**LOOKED_AT, "point": place.code}
            await self._must(OFFICER, "inspect_place", {**seen, "second": "officer-he"})
            await self._must(place.leader, "inspect_place", {**seen, "second": place.deputy.subject})
        await self._must(OFFICER, "permit_return", {"points": [each.code for each in self.places]})
        self.now("home is permitted")

    async def _review(self) -> None:
        await until(lambda: self._told(Kind.ALL_BACK), WAITED_SECONDS)
        await self._must(OFFICER, "review", {"findings": "名单、队伍均到位", "on_no_list": 0})
