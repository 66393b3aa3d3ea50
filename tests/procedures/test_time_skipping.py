"""Real-length limits through the whole engine, on the time-skipping server: the ledger against dates reckoned by hand.

The town's clock runs as in life (speed 1) from a chosen day; the calendars are the published ones of policies/.
"""

import shutil
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus

from audit.replay.replay import replay_cases
from audit.verify.verify import verify_cases
from engine.keys.keys import Keys
from engine.policies.office_hours import load_town_calendar
from engine.runtime.settings import Settings
from tests.api_driver import Step
from tests.examples.incident import FINISHED, RATED, REPORTER
from tests.skipping_town import Happening, SkippingTown, skipping_town

OpenTown = Callable[..., AbstractAsyncContextManager[SkippingTown]]

IN_HAND = (Step("sign", "officer"), Step("arrive", "officer"))
"""Signed and arrived: of the clocks of the dispatch only `finish` runs."""


@pytest.fixture
def town_at(settings: Settings, keys: Keys) -> OpenTown:
    """A town whose clock shows what the test says: `async with town_at("2026-02-12 08:00") as town`."""

    def opened(start: str, **other: Any) -> AbstractAsyncContextManager[SkippingTown]:
        return skipping_town(settings.model_copy(update=other), keys, start)

    return opened


async def entry(town: SkippingTown, case_id: str, kind: str) -> tuple[str, dict[str, Any]]:
    """When the only entry of a kind was made, by minutes of the town's clock, and its facts."""
    (found,) = [each for each in await town.entries(case_id) if each["kind"] == kind]
    return f"{datetime.fromisoformat(found['at']):%Y-%m-%d %H:%M}", found["facts"]


async def ended_well(town: SkippingTown, case_id: str) -> bool:
    """Whether the workflow is complete, its chain holds, and it replays to the very same ledger."""
    described = await town.client.get_workflow_handle(case_id).describe()
    findings = [finding async for finding in verify_cases(town.pool, [case_id])]
    findings += [finding async for finding in replay_cases(town.client, town.keys, town.settings, town.pool, [case_id])]
    assert [finding.detail for finding in findings if not finding.ok] == []
    return described.status is WorkflowExecutionStatus.COMPLETED and len(findings) == 2


SILENT: list[Happening] = [
    ("2026-02-12 09:18", "sign", "warning"),  # the offices open at 8:30
    ("2026-02-12 09:30", "sign", "breach"),
    ("2026-02-12 15:30", "sign", "tier:1"),
    ("2026-02-13 19:12", "respond", "warning"),  # 80 % of Friday the 13th
    ("2026-02-14 00:00", "respond", "breach"),
    ("2026-02-14 09:30", "sign", "tier:2"),  # a worked Saturday; the case is the coordinator's: the final limit starts
    ("2026-02-14 14:30", "respond", "tier:1"),
    ("2026-02-18 14:24", "finish", "warning"),  # the sixth day, in the festival
    ("2026-02-24 17:30", "respond", "tier:2"),
    (
        "2026-02-25 00:00",
        "finish",
        "breach",
    ),  # the seventh is the 19th: Tuesday the 24th is the first worked day after it
    ("2026-02-25 14:30", "finish", "tier:1"),
    ("2026-02-26 17:30", "finish", "tier:2"),
    ("2026-04-04 00:00", "final", "warning"),  # 48 of 60 days
]


async def test_a_case_that_nobody_answers_goes_through_every_tier_to_the_final_limit(town_at: OpenTown) -> None:
    """Reported on a Thursday before Spring Festival and met with silence: every moment, and unresolved on 15 April."""
    async with town_at("2026-02-12 08:00") as town:
        case_id = await town.door.start()
        await town.until("2026-04-15 23:59")
        last_minute = await town.snapshot(case_id)
        await town.until("2026-04-16 01:00")

        assert await town.happened(case_id) == SILENT
        assert (last_minute["stage"], last_minute["holder"]) == ("dispatched", "role:coordinator")
        assert (await entry(town, case_id, "clock:final_limit"))[0] == "2026-02-14 09:30"
        assert (await entry(town, case_id, "incident:unresolved"))[0] == "2026-04-16 00:00"
        assert (await town.snapshot(case_id))["stage"] == "unresolved"
        assert await ended_well(town, case_id)


async def test_a_case_opened_anew_after_it_was_late_has_a_final_limit_again(town_at: OpenTown) -> None:
    """The final limit of the first round ends with its close; nobody acts in the second, and it ends unresolved too."""
    async with town_at("2026-03-02 08:00") as town:
        case_id = await town.door.start()
        await town.until("2026-03-04 12:00")
        await town.door.go(case_id, [*FINISHED, *RATED, Step("reopen", REPORTER)])
        await town.until("2026-07-01 00:00")

        assert [each["kind"] for each in await town.entries(case_id)].count("clock:final_limit") == 2
        assert (await entry(town, case_id, "incident:unresolved"))[0] == "2026-05-07 00:00"  # 4 May is a holiday
        assert await ended_well(town, case_id)


AROUND_NATIONAL_DAY: list[Happening] = [
    ("2026-10-06 14:24", "finish", "warning"),
    ("2026-10-08 19:12", "respond", "warning"),  # one working day from 30 September: 8 October
    ("2026-10-09 00:00", "finish", "breach"),  # the seventh day is 7 October, a holiday
    ("2026-10-09 00:00", "respond", "breach"),
    ("2026-10-09 14:30", "finish", "tier:1"),
    ("2026-10-09 14:30", "respond", "tier:1"),
    ("2026-10-10 17:30", "finish", "tier:2"),  # a worked Saturday
    ("2026-10-10 17:30", "respond", "tier:2"),
    ("2026-11-28 00:00", "final", "warning"),
]


async def test_days_and_working_days_over_national_day_end_with_the_first_day_after_it(town_at: OpenTown) -> None:
    """Signed on 30 September and left alone: one working day and seven natural days both end on 8 October at 24:00."""
    async with town_at("2026-09-30 17:00") as town:
        case_id = await town.door.start()
        await town.door.go(case_id, [Step("sign", "officer")])
        await town.until("2026-12-10 01:00")

        assert await town.happened(case_id) == AROUND_NATIONAL_DAY
        assert (await entry(town, case_id, "incident:unresolved"))[0] == "2026-12-10 00:00"
        assert await ended_well(town, case_id)


async def test_a_suspension_over_spring_festival_leaves_the_days_that_were_left(town_at: OpenTown) -> None:
    """Of seven days one, the 11th, was used; six more from the day of the resumption, the 25th, end on 2 March."""
    async with town_at("2026-02-10 09:00") as town:
        case_id = await town.door.start()
        await town.door.go(case_id, IN_HAND)
        await town.until("2026-02-12 10:00")
        await town.door.go(case_id, [Step("request_suspension", "officer"), Step("grant_suspension", "coordinator")])
        await town.until("2026-02-25 09:00")
        while_held = await town.happened(case_id)
        await town.door.go(case_id, [Step("resume", "officer")])
        await town.until("2026-03-04 18:00")

        assert while_held == []
        assert await town.happened(case_id) == [
            ("2026-03-01 14:24", "finish", "warning"),
            ("2026-03-03 00:00", "finish", "breach"),
            ("2026-03-03 14:30", "finish", "tier:1"),
            ("2026-03-04 17:30", "finish", "tier:2"),
        ]


async def test_a_suspension_that_nobody_ends_ends_at_its_limit(town_at: OpenTown) -> None:
    """Thirty days from 12 February are 14 March, a Saturday: resumed on Monday the 16th at 24:00, and `finish` goes on.

    The day of the resumption, the 17th, is the second counted; the seventh is Sunday the 22nd, so it ends on the 23rd.
    """
    async with town_at("2026-02-10 09:00") as town:
        case_id = await town.door.start()
        await town.door.go(case_id, IN_HAND)
        await town.until("2026-02-12 10:00")
        await town.door.go(case_id, [Step("request_suspension", "officer"), Step("grant_suspension", "coordinator")])
        await town.until("2026-03-24 01:00")

        assert (await entry(town, case_id, "incident:suspension:ended"))[0] == "2026-03-17 00:00"
        assert await town.happened(case_id) == [
            ("2026-03-09 00:00", "suspension", "warning"),  # 24 of 30 days
            ("2026-03-21 14:24", "finish", "warning"),
            ("2026-03-24 00:00", "finish", "breach"),
        ]


async def test_an_extension_in_working_days_steps_over_national_day(town_at: OpenTown) -> None:
    """Due on 30 September and extended by three working days: 8, 9 and the make-up Saturday 10 October.

    The warning had come for the old due time; it comes again at eight of ten counted days.
    """
    async with town_at("2026-09-23 10:00") as town:
        case_id = await town.door.start()
        await town.door.go(case_id, IN_HAND)
        await town.until("2026-09-30 09:00")
        await town.door.go(case_id, [Step("request_extension", "officer", {"working_days": 3, "reason": "等待配件"})])
        await town.door.go(case_id, [Step("grant_extension", "supervisor")])
        _, granted = await entry(town, case_id, "incident:extension:granted")
        await town.until("2026-10-13 18:00")

        assert granted["clocks"]["finish"]["due_at"] == "2026-10-11T00:00:00+08:00"
        assert await town.happened(case_id) == [
            ("2026-09-29 14:24", "finish", "warning"),
            ("2026-10-09 00:00", "finish", "warning"),
            ("2026-10-11 00:00", "finish", "breach"),
            ("2026-10-12 14:30", "finish", "tier:1"),  # the 11th is a Sunday
            ("2026-10-13 17:30", "finish", "tier:2"),
        ]


def notice_of_2027() -> dict[str, Any]:
    """The calendar once the notice is out, in the form that `replan` takes: a longer festival, and a Sunday worked."""
    known = load_town_calendar(Settings().policies).model_dump(mode="json", exclude={"office_hours"})
    return known | {
        "version": "2025.1-2026.1-2027.1",
        "provisional": [],
        "holidays": [*known["holidays"], "2027-02-11/2027-02-13"],
        "makeup": [*known["makeup"], "2027-02-14"],
    }


async def test_a_published_calendar_moves_the_due_time_and_takes_a_breach_back(town_at: OpenTown) -> None:
    """By the provisional year due on 11 February, breached, told to one tier; by the notice due on the 14th, told anew.

    Both due times stand: the old in the facts of the clock, the new in the entry of the replan.
    """
    async with town_at("2027-01-29 10:00") as town:
        case_id = await town.door.start()
        await town.door.go(case_id, IN_HAND)
        _, dispatched = await entry(town, case_id, "incident:dispatched")
        await town.until("2027-02-12 15:00")
        breached = (await town.snapshot(case_id))["clocks"]["finish"]["fired"]
        await town.door.go(case_id, [Step("replan", "admin", {"calendar": notice_of_2027()})])
        _, replanned = await entry(town, case_id, "clock:replanned")
        after = await town.snapshot(case_id)
        await town.until("2027-02-16 18:00")

        assert dispatched["clocks"]["finish"]["due_at"] == "2027-02-12T00:00:00+08:00"
        assert breached == ["warning", "breach", "tier:1"]
        assert replanned["before"] == "2025.1-2026.1-2027.0+hours-2026.1"
        assert replanned["after"] == "2025.1-2026.1-2027.1"
        assert replanned["clocks"]["finish"]["due_at"] == "2027-02-15T00:00:00+08:00"
        assert replanned["clocks"]["finish"]["breached"] is False
        assert after["clocks"]["finish"]["facts"][-1]["due_before"] == "2027-02-12T00:00:00+08:00"
        assert after["charter"]["calendar"]["office_hours"]["hours"] == ["08:30-12:00", "14:00-17:30"]
        assert await town.happened(case_id) == [
            ("2027-02-04 14:24", "finish", "warning"),
            ("2027-02-12 00:00", "finish", "breach"),
            ("2027-02-12 14:30", "finish", "tier:1"),
            ("2027-02-15 00:00", "finish", "breach"),
            ("2027-02-15 14:30", "finish", "tier:1"),
            ("2027-02-16 17:30", "finish", "tier:2"),
        ]


async def test_unrated_for_seven_days_is_closed_and_over_when_the_reopen_window_has_passed(town_at: OpenTown) -> None:
    """Verified on 30 September: not rated by 8 October at 24:00 is closed; 72 hours later the workflow ends.

    An hour before the end of the window the reporter may still reopen; after it nobody may.
    """
    async with town_at("2026-09-30 10:00") as town:
        case_id = await town.door.start()
        await town.door.go(case_id, [*IN_HAND, Step("finish", "officer"), Step("verify", "grid_worker")])
        await town.until("2026-10-11 23:00")
        in_the_window = await town.door.legal(case_id, "reporter")
        closed = await town.snapshot(case_id)
        await town.until("2026-10-12 01:00")
        reopened = await town.door.give(case_id, Step("reopen", "reporter"))

        assert (await entry(town, case_id, "incident:not_rated"))[0] == "2026-10-09 00:00"
        assert (await entry(town, case_id, "incident:closed"))[0] == "2026-10-09 00:00"
        assert await town.happened(case_id) == [("2026-10-06 14:24", "rate", "warning")]
        assert (closed["stage"], closed["ended"]) == ("closed", False)
        assert "reopen" in in_the_window
        assert (await entry(town, case_id, "case:ended"))[0] == "2026-10-12 00:00"
        assert reopened.status_code == 409
        assert await ended_well(town, case_id)


async def test_working_hours_count_while_the_offices_are_open(
    town_at: OpenTown, settings: Settings, tmp_path: Path
) -> None:
    """Four working hours from the worked Saturday at 16:30: one until 17:30, three from 8:30 after the festival."""
    rules = Path(shutil.copytree(settings.policies, tmp_path / "policies"))
    text = (rules / "incident.yaml").read_text(encoding="utf-8")
    assert "sign: 1 working_hours " in text
    changed = text.replace("sign: 1 working_hours ", "sign: 4 working_hours ")
    (rules / "incident.yaml").write_text(changed, encoding="utf-8")
    async with town_at("2026-02-14 16:30", policies=rules) as town:
        case_id = await town.door.start()
        await town.until("2026-02-25 09:00")

        assert [each for each in await town.happened(case_id) if each[1] == "sign"] == [
            ("2026-02-24 10:42", "sign", "warning"),  # 80 %: three hours and twelve minutes
            ("2026-02-24 11:30", "sign", "breach"),
            (
                "2026-02-25 08:30",
                "sign",
                "tier:1",
            ),  # the report came a moment after 16:30: the last one counts next morning
        ]
