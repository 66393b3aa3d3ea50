"""Law: replies in a file are played by the calendar of their year, and what is not known yet is said to be provisional.

How files are read: tests/laws/test_law_files.py.
"""

import json
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from temporalio.client import Client

from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from local.real.replies import play_replies
from local.real.reply_file import ReplyColumns, read_replies
from local.real.reply_stage import ReplyTown
from schemas.clocks.calendar import SHANGHAI
from tests.local.test_replies import Quiet

HEADER = "message_id,user,subject,submitted_at,text,category,reply,replied_at\n"


@pytest.fixture
def replies_town(settings: Settings, keys: Keys, pool: asyncpg.Pool, temporal: Client, worker: None) -> ReplyTown:
    """The tests' own town, with its worker."""
    return ReplyTown(settings, keys, pool, temporal)


def _reply(name: str, submitted: datetime, days: int) -> str:
    return f"{name},u,路灯,{submitted.isoformat()},路灯不亮,城乡建设,已修复,{(submitted + timedelta(days=days)).isoformat()}\n"


async def test_replies_of_this_year_are_played_and_next_year_is_provisional(
    tmp_path: Path, replies_town: ReplyTown
) -> None:
    """This year by its notice, limits into the next by what is known of it, and said to be so; 2003 alone is refused."""
    noon = datetime(2026, 3, 2, 12, tzinfo=SHANGHAI)
    rows = (
        _reply("old", noon.replace(year=2003), 2),
        _reply("spring", noon, 2),
        _reply("year's end", noon.replace(month=12, day=30), 2),
    )
    file = tmp_path / "replies.csv"
    file.write_text(HEADER + "".join(rows), encoding="utf-8")
    report = await play_replies(read_replies(file, ReplyColumns()), replies_town, 8, Quiet())
    played = {each.answered.message.message_id: each for each in report.played}

    assert [(fault.line, fault.field) for fault in report.refused] == [(2, "submitted_at")]
    assert "2004" in report.refused[0].reason
    assert {each.fault for each in report.played} == {None}
    assert set(played) == {"spring", "year's end"}
    due = played["year's end"].clocks["finish"].due_at
    assert due is not None
    assert due.year == 2027
    assert report.provisional[0].startswith("2027-01-01/")
    assert json.dumps(report.provisional).count("2026") == 0
