"""A vote in a whole town, with a box that dies on the way: every vote counts once, and nothing that is kept tells whose it was.

Read is whatever is left when it is over: every table, the histories of motion and vote, from Temporal and from the archive, what
all processes have said, and every file of the town byte by byte, the stores of Postgres and Temporal and the box's own among them.
"""

import base64
import hashlib
import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from audit.archive.decoded import decoded_events
from audit.replay.kept_histories import archived_histories
from audit.replay.replay import runs_of
from bench.ballot import SEED, Form, Held, hold
from bench.crowd import FROM_THIS_SITE, Voter, electorate, lines_of, register_of
from bench.poll import Poll, open_poll
from engine.execution.codec import data_converter
from engine.execution.temporal import connect
from engine.store.archive import open_archive
from starter.cases.resident_codes import ResidentCodes
from starter.intake.votes import slip_code
from tests.box_files import by_place, everything_in, put_in_order

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

FORM = Form(units=300, votes=160, kills=1, minutes=1.5)
"""More than half of the units, so that the vote is over when its window is."""

WHO_SIGNS_IN = "sessions"
"""The one table that names accounts: who was signed in, and when. It says nothing of a vote."""

WINDOW = 16
"""So many hex digits in common are no accident."""


@dataclass(frozen=True)
class Left:
    """What is left of a vote. Records by where they are kept: each row, history and line of a log as text.

    `late`: what a unit was answered that came when it was over.
    """

    held: Held
    records: Mapping[str, Sequence[str]]
    box: Mapping[str, Sequence[tuple[object, ...]]]
    box_file: Path
    folder: Path
    began: float
    late: httpx.Response

    def elsewhere(self) -> Iterator[tuple[str, str]]:
        """Every record outside the box."""
        return ((place, record) for place, records in self.records.items() for record in records)


async def read(poll: Poll) -> dict[str, list[str]]:
    """Every row of every table, and motion and vote as Temporal and the archive have them, opened."""
    kept: dict[str, list[str]] = {}
    for row in await poll.pool.fetch("select tablename from pg_tables where schemaname = 'public'"):
        name = row["tablename"]
        rows = await poll.pool.fetch(f'select to_jsonb(t)::text as row from "{name}" t')  # noqa: S608 - its own names
        kept[name] = [each["row"] for each in rows]
    settings = poll.town.settings
    client = await connect(settings, poll.keys)
    codec = data_converter(poll.keys).payload_codec
    assert codec is not None
    archive = archived_histories(poll.pool, poll.keys, open_archive(settings))
    for case_id in (poll.motion, poll.ballot):
        for place, runs in (("temporal", await runs_of(client, case_id)), ("archive", await archive(case_id))):
            opened = [await decoded_events(list(run.events), codec) for run in runs]
            kept[f"{place} {case_id}"] = [json.dumps(each, default=str, ensure_ascii=False) for each in opened]
    return kept


async def comes_late(poll: Poll) -> httpx.Response:
    """A unit with its slip, of those that had not come."""
    came = {each.unit for each in electorate(FORM.units, FORM.votes, SEED)}
    unit = next(line.unit for line in lines_of(FORM.units) if line.unit not in came)
    form = {
        "unit": unit,
        "code": slip_code(ResidentCodes(poll.keys, poll.pool), poll.ballot, unit),
        "blinded": "ab" * 384,
    }
    return await poll.http.post(f"/votes/{poll.ballot}/taken", data=form, headers=FROM_THIS_SITE)


@pytest.fixture(scope="module")
async def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    """A vote that was held; its town has stopped."""
    folder = tmp_path_factory.mktemp("vote")
    voters = electorate(FORM.units, FORM.votes, SEED)
    began = time.time()
    async with open_poll(folder, lines_of(FORM.units), register_of(voters), FORM.minutes) as poll:
        held = await hold(poll, voters, FORM)
        late = await comes_late(poll)
        await poll.annul_motion()
        await poll.archived()
        records = await read(poll)
        town, book = poll.town.settings.data, poll.box_book
    for log in (town / "logs").iterdir():
        records[log.name] = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return Left(held, records, everything_in(book), book, town, began, late)


def written(value: bytes) -> set[bytes]:
    """The ways in which bytes can stand somewhere: in hex, base64, as they are, and as a digest of that."""
    spelled = {value, value.hex().encode()}
    digests = {hashlib.sha256(each).digest() for each in spelled}
    every = spelled | digests | {each.hex().encode() for each in digests}
    every |= {each.upper() for each in every if re.fullmatch(rb"[0-9a-f]+", each)}
    every |= {code(each) for each in (value, *digests) for code in (base64.b64encode, base64.urlsafe_b64encode)}
    # A part says as much; in a whole one a line may break.
    return {each[:24].partition(b"\n")[0] for each in every}


def of_vote(voter: Voter) -> list[bytes]:
    """What a vote is known by."""
    return [voter.held.serial, voter.held.signature, bytes.fromhex(voter.receipt)]


def of_unit(voter: Voter) -> list[str]:
    """What a unit is known by, and whoever took its ballot."""
    known = [voter.unit, voter.slip, voter.account, voter.held.blinded.message.hex()[:64]]
    return [each for each in known if each]


def files_with(folder: Path, values: Sequence[bytes], patterns: Path) -> set[Path]:
    """The files below a folder in which one of these values stands, in whatever way."""
    patterns.write_bytes(b"\n".join({part for value in values for part in written(value) if len(part) > 8}))
    command = ["grep", "-rlaF", "-f", str(patterns), str(folder)]
    found = subprocess.run(command, stdout=subprocess.PIPE, env={**os.environ, "LC_ALL": "C"}, check=False)
    assert found.returncode in {0, 1}
    return {Path(line) for line in found.stdout.decode().splitlines()}


# ---- it came out right -------------------------------------------------------------------------------------------------


def test_every_vote_is_counted_once_however_often_the_box_dies(left: Left) -> None:
    """Totals, ballots given out, receipts, and the root that the case holds; no second ballot, and no second vote."""
    assert left.held.faults == []
    assert left.held.kills == FORM.kills
    assert len({*left.held.course.cast}) == FORM.votes


def test_who_comes_when_it_is_over_takes_no_ballot(left: Left) -> None:
    """With the right code too; and the page says why."""
    assert left.late.status_code == 409
    assert "现在不能在线领票" in left.late.json()["said"]


# ---- and nobody knows whose it was ---------------------------------------------------------------------------------------


def test_no_file_of_the_town_but_the_boxs_has_anything_of_a_vote(left: Left, tmp_path: Path) -> None:
    """Neither serial, nor receipt, nor signature, nor a digest of one: in no store, log or archive. The box has no signature."""
    values = [value for voter in left.held.voters for value in of_vote(voter)]
    signatures = [voter.held.signature for voter in left.held.voters]

    assert files_with(left.folder, values, tmp_path / "patterns") == {left.box_file}
    assert files_with(left.folder, signatures, tmp_path / "patterns") == set()


def test_no_record_that_is_opened_has_anything_of_a_vote(left: Left) -> None:
    """Tables, histories and archive as who has all keys reads them: totals and a root, and nothing of any one vote."""
    known = {value.hex()[:WINDOW] for voter in left.held.voters for value in of_vote(voter)}
    known |= {base64.b64encode(value).decode()[:WINDOW] for voter in left.held.voters for value in of_vote(voter)}
    windows = re.compile("|".join(map(re.escape, known)))
    root = next(str(row[-1]) for row in left.box["ballots"])

    assert [place for place, record in left.elsewhere() if windows.search(record)] == []
    for case_id in {place.partition(" ")[2] for place in left.records if " " in place}:
        assert any(json.loads(root)["merkle_root"] in each for each in left.records[f"archive {case_id}"])


def test_no_record_says_which_unit_voted_and_none_who_but_that_they_signed_in(left: Left) -> None:
    """The register went with the vote; no unit, slip or blinded message is kept, and an account only where sessions are."""
    known = re.compile("|".join(re.escape(each) for voter in left.held.voters for each in of_unit(voter)))
    found = {place for place, record in left.elsewhere() if known.search(record)}

    assert found == {WHO_SIGNS_IN}
    assert not any("approve" in record or "oppose" in record for record in left.records[WHO_SIGNS_IN])


def windows_of(rows: Sequence[tuple[object, ...]], but: Callable[[str], bool]) -> set[str]:
    """Every run of so many characters in these rows."""
    texts = [str(value) for row in rows for value in row if not but(str(value))]
    return {text[start : start + WINDOW] for text in texts for start in range(max(1, len(text) - WINDOW + 1))}


def test_in_the_box_no_mark_has_anything_in_common_with_a_vote(left: Left) -> None:
    """Neither a value nor a part of one, nor the digest of one in the other."""
    marks, votes = left.box["marks"], left.box["votes"]
    ballot = str(votes[0][0])

    def is_of_all(value: str) -> bool:
        return value in {ballot, "online", "approve", "oppose", ""}

    digests = [
        (hashlib.sha256(code).hexdigest(),)
        for row in marks
        for value in row
        for code in {
            str(value).encode(),
            bytes.fromhex(str(value)) if re.fullmatch("([0-9a-f]{2})+", str(value)) else b"",
        }
    ]

    assert (len(marks), len(votes)) == (FORM.votes, FORM.votes)
    assert windows_of(votes, is_of_all).isdisjoint(windows_of(marks, is_of_all) | windows_of(digests, is_of_all))
    assert {table: len(rows[0]) for table, rows in left.box.items() if table in {"marks", "votes"}} == {
        "marks": 5,
        "votes": 4,
    }


def test_votes_lie_in_no_order_but_that_of_their_serials(left: Left, tmp_path: Path) -> None:
    """Neither as rows nor as bytes do they lie as ballots were taken or cast; nor do marks."""
    by_unit = {voter.unit: voter for voter in left.held.voters}
    taken, cast = (
        [by_unit[unit].held.serial.hex() for unit in order] for order in (left.held.course.taken, left.held.course.cast)
    )
    rows = [str(row[1]) for row in left.box["votes"]]
    copy = put_in_order(left.box_file, tmp_path / "in-order.sqlite")
    marked = [f"{voter.unit}online{voter.held.blinded.message.hex()[:32]}" for voter in left.held.voters]

    assert rows == sorted(rows)
    assert rows not in (taken, cast)
    assert [str(row[1]) for row in left.box["marks"]] == sorted(by_unit)
    for words in (rows, marked):
        assert by_place(left.box_file, words) == by_place(copy, words)
    assert not any(path.stat().st_size for path in left.box_file.parent.glob("*-wal"))


def test_the_box_keeps_no_time_and_says_nothing(left: Left) -> None:
    """No value of it is a moment of that hour, in whatever unit; and its log does not grow with those who come."""
    moments = re.compile(r"20\d\d-\d\d-\d\d|\d\d:\d\d:\d\d")
    now = time.time()
    values = [value for rows in left.box.values() for row in rows for value in row]
    numbers = [value for value in values if isinstance(value, int | float)]
    numbers += [
        float(each) for value in values for each in re.findall(r"(?<![0-9a-f])\d{10,19}(?![0-9a-f])", str(value))
    ]

    assert [value for value in values if moments.search(str(value))] == []
    assert [each for each in numbers for unit in (1, 1e3, 1e6, 1e9) if left.began - 86_400 < each / unit < now] == []
    assert len(left.records["ballot-box.log"]) < 20
