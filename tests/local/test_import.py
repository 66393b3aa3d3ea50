"""`jiceng import`: each row becomes one case, whatever else is in the file and whatever happens on the way."""

import asyncio
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client

from engine.keys.keys import Keys
from engine.keys.tokens import issue
from local.real.category_map import read_category_map, read_column_map
from local.real.csv_records import UnreadableFile
from local.real.importer import NOT_STATED, ImportOptions, ImportReport, import_file, row_key
from local.real.message_file import ColumnMap, read_messages
from schemas.incident_state import OFF_THE_LIST
from schemas.values.actor import Role
from starter.cases.views import TimelineEntry
from starter.client import TownClient
from tests.api_callers import OwnTown, api_of
from tests.waiting import eventually
from worker import town_worker

pytest_plugins = ("tests.api_fixture",)

HEADER = "message_id,user,subject,submitted_at,text,category\n"
REAL_MESSAGES = Path(__file__).resolve().parents[3] / "shared" / "data" / "messages.csv"


def row(message_id: str, text: str = "路灯不亮", category: str = "城乡建设", user: str = "A0001") -> str:
    return f"{message_id},{user},请修路灯,2019-11-27T23:25:09+08:00,{text},{category}\n"


def written(folder: Path, *rows: str, header: str = HEADER, encoding: str = "utf-8") -> Path:
    file = folder / f"{uuid.uuid4().hex}.csv"
    file.write_bytes((header + "".join(rows)).encode(encoding))
    return file


class Progress:
    """Remembers the sums it was told; calls back at every look at what is still open."""

    def __init__(self, on_waiting: Callable[[int], None] = lambda _: None) -> None:
        self.rows = 0
        self.done = 0
        self._on_waiting = on_waiting

    def begun(self, rows: int) -> None:
        """So many rows will be sent."""
        self.rows = rows

    def sent(self) -> None:
        """One more is dealt with."""
        self.done += 1

    def waiting(self, closed: int, total: int) -> None:  # noqa: ARG002 - as the protocol has it
        """So many are closed."""
        self._on_waiting(closed)


@dataclass
class Lossy(httpx.AsyncBaseTransport):
    """A connection on which things get lost: a report `before` it arrives, or its answer `after` it was carried out."""

    api: httpx.AsyncBaseTransport
    before: set[int] = field(default_factory=set)
    after: set[int] = field(default_factory=set)
    reports: int = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Lose what is to be lost; pass the rest on."""
        number = self.reports = self.reports + (request.method == "POST")
        if number in self.before:
            raise httpx.ConnectError("refused", request=request)
        response = await self.api.handle_async_request(request)
        if number in self.after:
            await response.aread()
            raise httpx.ReadError("reset", request=request)
        return response


@dataclass
class Desk:
    """An account that imports, against the real API."""

    http: httpx.AsyncClient
    keys: Keys
    columns: ColumnMap = field(default_factory=lambda: ColumnMap(source=f"test-{uuid.uuid4().hex[:12]}"))

    def token(self, role: Role = Role.WINDOW_CLERK, subject: str = "importer") -> Callable[[], str]:
        """Tokens of one account."""
        return lambda: issue(self.keys, subject=subject, role=role)

    def options(self, file: Path) -> ImportOptions:
        """Import this file as this desk."""
        return ImportOptions(
            file=file, api_url=str(self.http.base_url), token=self.token(), columns=self.columns, patience_seconds=20
        )

    async def imports(
        self, file: Path, http: httpx.AsyncClient | None = None, progress: Progress | None = None, **options: object
    ) -> ImportReport:
        """Import a file, with other options where they are given."""
        chosen = replace(self.options(file), **options)  # type: ignore[arg-type]
        return await import_file(chosen, progress or Progress(), http or self.http)

    def client(self, role: Role = Role.COORDINATOR, subject: str = "coordinator") -> TownClient:
        """Somebody's way to the API."""
        return TownClient(str(self.http.base_url), self.token(role, subject), self.http)

    async def openings(self, user: str, number: int) -> list[TimelineEntry]:
        """The first entries of the cases of one account, oldest first, when so many stand."""

        async def cases() -> list[str]:
            return [row.case_id async for row in self.client(Role.RESIDENT, user).cases()]

        async def stand() -> bool:
            return len(await cases()) >= number

        await eventually(stand)
        own = await cases()
        return [(await self.client().timeline(case_id))[0] for case_id in sorted(own)]


@pytest.fixture
def desk(http: httpx.AsyncClient, keys: Keys) -> Desk:
    """A desk of its own for each test: rows of other tests are not known there."""
    return Desk(http, keys)


async def test_every_row_becomes_a_case_with_what_it_says(tmp_path: Path, desk: Desk) -> None:
    """Subject and text are the description, the user is the reporter; a place that is not stated is said to be so."""
    report = await desk.imports(
        written(tmp_path, row("1", user="Zhou-1"), row("2", text="第二盏也不亮", user="Zhou-1"))
    )
    openings = await desk.openings("Zhou-1", 2)

    assert (report.rows, report.started, report.known, report.refused) == (2, 2, 0, [])
    assert {entry.facts["description"] for entry in openings} == {"请修路灯\n路灯不亮", "请修路灯\n第二盏也不亮"}
    assert {entry.facts["address"] for entry in openings} == {NOT_STATED}
    assert {entry.facts["category"] for entry in openings} == {"城乡建设"}
    assert all(entry.facts["on_behalf"] for entry in openings)


async def test_importing_again_starts_nothing(tmp_path: Path, desk: Desk) -> None:
    """The same rows in another file, some of them new: the new ones start, the others are known."""
    await desk.imports(written(tmp_path, row("1"), row("2")))
    report = await desk.imports(written(tmp_path, row("2"), row("3"), row("1")))

    assert (report.rows, report.started, report.known) == (3, 1, 2)


async def test_lost_requests_and_lost_answers_lose_and_double_nothing(
    tmp_path: Path, own_town: OwnTown, keys: Keys, temporal: Client
) -> None:
    """Whether a report or only its answer was lost, each row has one case, and counts as started in this run.

    In a town of its own: the newest case decides what was there before, and other tests' clocks run ahead.
    """
    async with (
        town_worker(own_town.settings, keys, temporal, own_town.pool) as worker,
        worker,
        api_of(own_town.build()) as api,
    ):
        await _lose_and_import(tmp_path, Desk(api, keys))


async def _lose_and_import(tmp_path: Path, desk: Desk) -> None:
    user = f"user-{uuid.uuid4().hex[:8]}"
    file = written(tmp_path, *(row(str(number), user=user) for number in range(8)))
    assert isinstance(desk.http._transport, httpx.AsyncBaseTransport)  # noqa: SLF001 - the wire under the client
    lossy = Lossy(desk.http._transport, before={2, 3, 9}, after={1, 5, 10, 11})  # noqa: SLF001
    async with httpx.AsyncClient(transport=lossy) as http:
        report = await desk.imports(file, http)

    assert lossy.reports == 8 + 7
    assert (report.started, report.known, report.not_sent, report.refused) == (8, 0, 0, [])
    assert len(await desk.openings(user, 8)) == 8


async def test_what_cannot_be_sent_is_counted_and_started_by_the_next_run(tmp_path: Path, desk: Desk) -> None:
    """An API that stays away leaves rows unsent, and says so; the next run starts just these."""
    file = written(tmp_path, row("1"), row("2"), row("3"))
    lossy = Lossy(desk.http._transport, before=set(range(2, 1000)))  # noqa: SLF001
    async with httpx.AsyncClient(transport=lossy) as http:
        first = await desk.imports(file, http, patience_seconds=0.5, at_once=1)
    second = await desk.imports(file)

    assert (first.started, first.not_sent, first.well) == (1, 2, False)
    assert (second.started, second.known, second.well) == (2, 1, True)


async def test_a_message_under_two_categories_is_two_cases(tmp_path: Path, desk: Desk) -> None:
    """One message filed under two categories is two matters; filed twice under one it is a fault of the second line."""
    rows = (row("7"), row("7", category="交通运输"), row("7"))
    report = await desk.imports(written(tmp_path, *rows))

    assert (report.rows, report.started) == (3, 2)
    assert [(fault.line, fault.field) for fault in report.refused] == [(4, "message_id")]


async def test_a_row_that_changed_since_is_named_and_not_started_anew(tmp_path: Path, desk: Desk) -> None:
    """The same key with another text is a fault of its line: the case of then stays as it is."""
    await desk.imports(written(tmp_path, row("1")))
    report = await desk.imports(written(tmp_path, row("1", text="另外的事")))

    assert (report.started, report.known) == (0, 0)
    assert [(fault.line, fault.field) for fault in report.refused] == [(2, "message_id")]


async def test_what_only_the_town_can_refuse_is_told_by_line(tmp_path: Path, desk: Desk) -> None:
    """A wrong role is refused by the town: each line has its reason, and nothing is started."""
    report = await desk.imports(written(tmp_path, row("1"), row("2")), token=desk.token(Role.AUDITOR))

    assert report.started == 0
    assert [fault.line for fault in report.refused] == [2, 3]


async def test_waiting_ends_when_the_last_case_has_ended(tmp_path: Path, desk: Desk) -> None:
    """With `wait` the import returns when all are closed or ended otherwise, and says how many of each."""
    user = f"user-{uuid.uuid4().hex[:8]}"
    resident = desk.client(Role.RESIDENT, user)
    tasks: list[asyncio.Task[object]] = []

    async def both_stand() -> bool:
        return len([case async for case in resident.cases()]) == 2

    async def withdraw_all() -> None:
        await eventually(both_stand)
        async for case in resident.cases():
            await resident.command(case.case_id, "withdraw", {"reason": "已解决"}, "withdraw", settle_seconds=30)

    def on_waiting(_: int) -> None:
        if not tasks:
            tasks.append(asyncio.create_task(withdraw_all()))

    rows = (row("1", user=user), row("2", user=user))
    report = await desk.imports(written(tmp_path, *rows), progress=Progress(on_waiting), wait=True)
    await tasks[0]

    assert (report.started, report.closed, report.ended_otherwise) == (2, 0, {"withdrawn": 2})


async def test_categories_are_translated_and_unknown_ones_kept(tmp_path: Path, desk: Desk) -> None:
    """A category in the map becomes ours; one that is not is off the list, and goes to the coordination centre."""
    mapping = tmp_path / "categories.yaml"
    mapping.write_text("道路: 交通运输\n", encoding="utf-8")
    rows = (row("1", category="道路", user="Wu-1"), row("2", category="闻所未闻", user="Wu-2"))
    await desk.imports(written(tmp_path, *rows), categories=read_category_map(mapping))
    (road,), (unheard,) = await desk.openings("Wu-1", 1), await desk.openings("Wu-2", 1)

    assert (road.facts["category"], road.facts["listed"]) == ("交通运输", True)
    assert (unheard.facts["category"], unheard.facts["listed"]) == (OFF_THE_LIST, False)


# ---- reading the file -----------------------------------------------------------------------------------------------


def test_each_fault_has_its_line_and_stops_no_other_row(tmp_path: Path) -> None:
    """Every kind of fault is found at its line, all faults of a row at once, and the rows around it are read."""
    file = written(
        tmp_path,
        row("1"),
        '2,A,标题,2019-01-01,"没有结束的引号,城乡建设\n',
        row("3", text='"两行\n正文"'),
        "4,A,标题,2019-13-01, ,城乡建设\n",
        row("5", text="响\x07铃"),
        row("6", text="长" * 3996),
        "7,A,少一列,2019-01-01,正文\n",
        '8,A,标题,2019-01-01,"正文"后,城乡建设\n',
        ",A,标题,2019-01-01,正文,\n",
        row("10"),
        '11,A,标题,2019-01-01,"到文件结尾,城乡建设\n',
    )
    read = read_messages(file, ColumnMap())

    assert [message.message_id for message in read.messages] == ["1", "3", "10"]
    assert [(fault.line, fault.field) for fault in read.faults] == [
        (3, "row"), (6, "text"), (6, "submitted_at"), (7, "text"), (8, "text"), (9, "row"), (10, "row"),
        (11, "message_id"), (11, "category"), (13, "row"),
    ]  # fmt: skip
    assert read.rows == 11


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_files_are_read_in_the_encodings_people_save_them_in(tmp_path: Path, encoding: str) -> None:
    """UTF-8 with and without BOM and GB18030 give the same messages."""
    read = read_messages(written(tmp_path, row("1"), encoding=encoding), ColumnMap())

    assert [message.description for message in read.messages] == ["请修路灯\n路灯不亮"]


def test_one_broken_byte_is_the_fault_of_its_line_only(tmp_path: Path) -> None:
    """A UTF-8 file with one bad byte stays UTF-8: one row is lost to it, not the meaning of all."""
    file = written(tmp_path, row("1"), row("2"), row("3"))
    lines = file.read_bytes().split(b"\n")
    lines[2] = lines[2][:-5] + b"\xff" + lines[2][-4:]
    file.write_bytes(b"\n".join(lines))
    read = read_messages(file, ColumnMap())

    assert [message.message_id for message in read.messages] == ["1", "3"]
    assert [fault.line for fault in read.faults] == [3]


def test_dates_without_offset_are_town_time(tmp_path: Path) -> None:
    """A date as an office types it is understood, and meant in the town's own time."""
    rows = (
        f"{number},A,标题,{date},正文,类\n" for number, date in enumerate(["2019/11/27 23:25", "2019年11月27日", ""])
    )
    read = read_messages(written(tmp_path, *rows), ColumnMap())

    assert [message.submitted_at and message.submitted_at.isoformat() for message in read.messages] == [
        "2019-11-27T23:25:00+08:00",
        "2019-11-27T00:00:00+08:00",
        None,
    ]


def test_a_column_map_reads_other_headers(tmp_path: Path) -> None:
    """A file of another system is read by naming its columns; a location column is then the place."""
    mapping = tmp_path / "map.yaml"
    mapping.write_text(
        "{source: hotline, message_id: 编号, text: 内容, category: 类别, location: 地点}", encoding="utf-8"
    )
    file = written(tmp_path, "9,路灯不亮,城乡建设,东街\n", header="编号,内容,类别,地点\n")
    columns = read_column_map(mapping)
    (message,) = read_messages(file, columns).messages

    assert (message.description, message.location, message.user) == ("路灯不亮", "东街", None)
    assert row_key(message, columns).startswith("import:hotline:9:")


def test_files_of_no_use_say_what_to_do(tmp_path: Path) -> None:
    """Missing, empty, UTF-16, without a needed column, an unknown name in the map: one sentence each, no stack."""
    mapping = tmp_path / "map.yaml"
    mapping.write_text("{txt: 内容}", encoding="utf-8")
    unusable = {
        "Name a file": tmp_path / "missing.csv",
        "no header": written(tmp_path, header=""),
        "UTF-8": written(tmp_path, row("1"), encoding="utf-16"),
        "no column text": written(tmp_path, header="message_id,category\n"),
    }
    for words, file in unusable.items():
        with pytest.raises(UnreadableFile, match=words):
            read_messages(file, ColumnMap())
    with pytest.raises(UnreadableFile, match="It may say"):
        read_column_map(mapping)


def test_row_keys_are_fit_for_a_header_and_differ(tmp_path: Path) -> None:
    """Whatever stands in the id column, the key is plain ASCII, not long, and no two rows share one."""
    ids = ["1", "一", "a b", "x" * 300, "1:2"]
    rows = [row(message_id, category=category) for message_id in ids for category in ("城乡建设", "交通运输")]
    messages = read_messages(written(tmp_path, *rows), ColumnMap()).messages
    keys = {row_key(message, ColumnMap()) for message in messages}

    assert len(keys) == len(ids) * 2
    assert all(key.isascii() and key.isprintable() and " " not in key and len(key) <= 255 for key in keys)


def test_real_messages_are_read_without_a_fault() -> None:
    """The 380 real messages need no map: no row is refused, and every row has a key of its own."""
    if not REAL_MESSAGES.exists():
        pytest.skip(f"the real messages are not on this machine ({REAL_MESSAGES.name})")
    read = read_messages(REAL_MESSAGES, ColumnMap())

    assert (len(read.messages), read.faults) == (380, ())
    assert len({row_key(message, ColumnMap()) for message in read.messages}) == 380
    assert json.dumps(read.encoding) == '"utf-8"'
