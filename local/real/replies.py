"""`jiceng replies`: real messages with real replies become cases, reported and answered at their real dates.

Every case has a clock of its own, fitted to its dates and its length; database, Temporal and worker are one town's. The
file says when the reply came and nothing else, so the rest is assumed: `ASSUMPTIONS`.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Protocol

import httpx

from audit.verify.verify import verify_cases
from engine.policies.calendars import load_calendar
from engine.policies.office_hours import load_office_hours
from local.real.csv_records import UnreadableFile
from local.real.importer import ImportOptions, report_of
from local.real.message_file import LineFault
from local.real.past_calendar import known_years, past_calendar
from local.real.replay_pace import Pace
from local.real.reply_file import Answered, ReplyFile
from local.real.reply_record import PlayedReply, ReplyReport, provisional_days
from local.real.reply_stage import ADDRESS, Lags, ReplyStage, ReplyTown, reply_stage
from local.simulation.townspeople import AUDITOR, CLERK, COORDINATOR, Persona, officer
from schemas.clocks.calendar import Calendar, in_shanghai
from schemas.clocks.town_time import TownTime
from schemas.incident_policy import IncidentPolicy
from schemas.incident_state import FINAL, Stage
from schemas.values.refusals import RefusalCode, say
from starter.cases.views import Indicators
from starter.client import ApiError, Refused, TownClient

ASSUMPTIONS = (
    ("派单后立即签收", "the department signs at once"),
    ("答复前无到场记录,故答复即首次响应", "no visit is recorded: the reply is the first response"),
    ("答复时间即办结时间", "it reports the work done at the very time of the reply"),
    ("随即核查通过,评价为已解决、满意", "verified at once, rated solved and satisfied"),
)
"""What the file does not say. The rates of resolution and satisfaction follow from the last one and say nothing."""

SPARE = timedelta(days=10)
"""Holidays by which limits may move, so that a case has ended after its limits and this."""
OPENED_AT_ONCE = 2
SOON = timedelta(milliseconds=600)
ATTEMPTS = 5
AS_IMPORT = ImportOptions(file=Path(), api_url=ADDRESS, token=str)
"""A row becomes the same report that `jiceng import` makes of it."""


class ReplyProgress(Protocol):
    """Who is told how it goes."""

    def begun(self, cases: int) -> None:
        """So many cases will be played."""

    def over(self, played: PlayedReply) -> None:
        """One has been played."""


@dataclass(frozen=True)
class ReplyPart:
    """One row to be played. `lifetime`: after so much town time the limits have ended its case."""

    answered: Answered
    lifetime: timedelta
    pace: Pace

    @classmethod
    def fitted(cls, answered: Answered, policy: IncidentPolicy, seconds: float) -> "ReplyPart":
        """A part that takes so many real seconds, or fewer."""
        terms, urgency = policy.terms, policy.responsibility(answered.message.category)[0].urgency
        limits = (
            terms.urgencies[urgency].finish,
            *(tier.after for tier in terms.tiers_of(urgency)),
            terms.unresolved_after,
        )
        lifetime = sum((limit.counted for limit in limits), SPARE)
        return cls(answered, lifetime, Pace.fitted(min(answered.length, lifetime), seconds))

    @property
    def real_length(self) -> timedelta:
        """How long it takes."""
        return min(self.answered.length, self.lifetime) / self.pace.speed

    def town_time(self, start: datetime) -> TownTime:
        """A clock by which the report is of its real date at this real moment."""
        return TownTime.starting(self.pace.aim(self.answered.submitted_at), start, self.pace.speed)


async def play_replies(file: ReplyFile, town: ReplyTown, seconds: float, progress: ReplyProgress) -> ReplyReport:
    """Play every row that could be read; `seconds` of real time is what the longest case may take.

    A row of a year before the first published calendar is refused; limits that reach into years whose notice is not out
    are provisional, as those of living cases are. Raises UnreadableFile: no row can be played.
    """
    file = _with_a_calendar(file)
    if not file.answered:
        fault = next((f" Line {each.line}, {each.field}: {each.reason}." for each in file.faults), "")
        raise UnreadableFile(f"No row with a message, its reply and both dates.{fault}")
    began = time.monotonic()
    calendar = _calendar(file, town)
    progress.begun(len(file.answered))
    async with reply_stage(town, calendar) as stage:
        player = _Player(stage, await stage.rehearse(), progress)
        played = await player.play([ReplyPart.fitted(each, stage.policy, seconds) for each in file.answered])
        indicators = await _indicators(stage, file.answered)
    seconds_taken = round(time.monotonic() - began, 1)
    return ReplyReport(played, file.faults, indicators, seconds_taken, provisional_days(played, calendar))


def _with_a_calendar(file: ReplyFile) -> ReplyFile:
    """The file without what happened before the first calendar that is known: days off cannot be guessed backwards."""
    first = known_years()[0]
    early = [each for each in file.answered if in_shanghai(each.submitted_at).year < first]
    reason = say(f"早于最早的工作日历{first}年", f"before {first}, the first year whose days off are known")
    remedy = say("请删除此行", "leave this row out")
    faults = [LineFault(each.message.line, "submitted_at", reason, remedy) for each in early]
    return ReplyFile(
        tuple(each for each in file.answered if each not in early),
        tuple(sorted([*file.faults, *faults], key=lambda fault: fault.line)),
    )


def _calendar(file: ReplyFile, town: ReplyTown) -> Calendar:
    submitted = [in_shanghai(each.submitted_at) for each in file.answered]
    # A limit that begins in December ends in the next year.
    last = date(max(submitted).year + 1, 1, 1)
    calendar = past_calendar(min(submitted).date(), last, load_calendar(town.settings.policies / "calendars"))
    hours = load_office_hours(town.settings.policies)
    return calendar.model_copy(update={"version": f"{calendar.version}+hours-{hours.version}", "office_hours": hours})


async def _indicators(stage: ReplyStage, answered: Sequence[Answered]) -> Indicators:
    """What the API says of the cases reported on the file's days."""
    days = [each.submitted_at for each in answered]
    async with stage.api(TownTime.identity()) as http:
        return await stage.client(http, AUDITOR).indicators(
            opened_from=f"{min(days):%Y-%m-%d}", opened_to=f"{max(days):%Y-%m-%d}"
        )


@dataclass(frozen=True)
class _Player:
    """Plays parts on a stage."""

    stage: ReplyStage
    lags: Lags
    progress: ReplyProgress

    async def play(self, parts: Sequence[ReplyPart]) -> list[PlayedReply]:
        """Play all of them, what takes longest first; the results in the order of the file."""
        queue = iter(sorted(parts, key=lambda part: part.real_length, reverse=True))
        played: list[PlayedReply] = []
        async with asyncio.TaskGroup() as answering:

            async def open_one_after_the_other() -> None:
                for part in queue:  # shared: each takes the next one
                    each = PlayedReply(part.answered, speed=part.pace.speed)
                    played.append(each)
                    await self._open(part, each, answering)

            for _ in range(OPENED_AT_ONCE):
                answering.create_task(open_one_after_the_other())
        case_ids = [each.case.case_id for each in played if each.case]
        findings = {found.case_id: found async for found in verify_cases(self.stage.town.pool, case_ids)}
        for each in played:
            each.finding = findings.get(each.case.case_id) if each.case else None
        return sorted(played, key=lambda each: each.answered.message.line)

    async def _open(self, part: ReplyPart, played: PlayedReply, answering: asyncio.TaskGroup) -> None:
        """Report and sign; the reply comes in its own time. What was reported on a wrong day is rejected and comes again."""
        message = part.answered.message
        report = report_of(message, AS_IMPORT)
        for attempt in range(1, ATTEMPTS + 1):
            town_time = part.town_time(datetime.now(UTC) + SOON * attempt + self.lags.report)
            http = self.stage.api(town_time)
            try:
                await _until(town_time.real_epoch - self.lags.report)
                played.opened(await self.stage.report(http, report, message.line, attempt))
                if played.reported_on_its_day:
                    await self._act(http, officer(played.department), played, "sign", {})
                    answering.create_task(self._answer(part, played, http, town_time))
                    return
                # So the indicators set it aside, and nothing is said of any department.
                await self._act(http, COORDINATOR, played, "reject", {"reason": "重演时立案日期不符"})
            except ApiError as error:
                played.fault = f"{type(error).__name__}: {error}"
                return
        played.fault = f"reported on another day {ATTEMPTS} times: the machine is too busy, or --seconds too few"

    async def _answer(self, part: ReplyPart, played: PlayedReply, http: httpx.AsyncClient, town_time: TownTime) -> None:
        reply = town_time.to_real(part.pace.aim(played.answered.replied_at)) - self.lags.command
        auditor = self.stage.client(http, AUDITOR)
        async with aclosing(http):
            try:
                if part.answered.length < part.lifetime or not await self._ends_before(auditor, played, reply):
                    await _until(reply)
                await self._reply(http, played)
                played.ended(await auditor.case(played.case_id), await auditor.timeline(played.case_id))
            except ApiError as error:
                played.fault = f"{type(error).__name__}: {error}"
        self.progress.over(played)

    async def _reply(self, http: httpx.AsyncClient, played: PlayedReply) -> None:
        """Give the reply; when the case has ended before, hear that it is too late."""
        try:
            await self._act(http, officer(played.department), played, "finish", {"result": played.answered.reply})
        except Refused as refused:
            if refused.code != RefusalCode.CASE_ENDED:
                raise
            played.refusal = refused.detail
            return
        await self._act(http, COORDINATOR, played, "verify", {"passed": True})
        await self._act(http, CLERK, played, "rate", {"solved": "solved", "satisfied": "satisfied"})

    async def _act(
        self, http: httpx.AsyncClient, who: Persona, played: PlayedReply, command: str, body: dict[str, object]
    ) -> None:
        await self.stage.act(http, who, played.case_id, command, body, line=played.answered.message.line)

    async def _ends_before(self, auditor: TownClient, played: PlayedReply, reply: datetime) -> bool:
        """Wait until the case is final, or its reply is near. What is final stays so, however long the reply still takes."""
        while (left := (reply - SOON - datetime.now(UTC)).total_seconds()) > 0:
            case = await auditor.case(played.case_id, f"stage:{Stage.UNRESOLVED}", min(left, 20.0))
            if case.stage in FINAL:
                return True
        return False


async def _until(moment: datetime) -> None:
    await asyncio.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()))
