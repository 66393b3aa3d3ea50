"""GET /api/v1/cases/export: a filtered list as a file for spreadsheet programs. Codes and times only, no texts of people."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import IO, Any

from fastapi import APIRouter
from starlette.responses import StreamingResponse

from starter.cases.case_lists import CaseLists, FiltersOf, Sort
from starter.cases.reading import ReadingOf
from starter.cases.views import CaseRow
from starter.http.authentication import Caller, acting
from starter.http.csv_files import BOM, CSV_TYPE, csv_text, harmless
from starter.http.documentation import SIGNED_IN, file_of, responses

COLUMNS = (
    ("案件编号", "case_id"), ("业务", "procedure"), ("环节", "stage"), ("当前责任方", "holder"), ("部门", "department"),
    ("区域", "area"), ("类别", "category"), ("紧急程度", "urgency"), ("渠道", "channel"), ("受理时间", "opened_at"),
    ("到期时间", "due_at"), ("计时项", "due_clock"), ("结案时间", "closed_at"), ("已终结", "ended"),
)  # fmt: skip
SHEET_ROWS_MAX = 1_048_576
"""What one sheet of a spreadsheet program holds, its heading included; the rest goes to further sheets."""

_CHUNK = 64 * 1024
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Value = str | datetime | None
router = APIRouter(prefix="/api/v1/cases", tags=["cases"])


class Format(StrEnum):
    """What kind of file."""

    CSV = "csv"
    XLSX = "xlsx"


@router.get(
    "/export",
    summary="导出 A filtered list as a file",
    response_class=StreamingResponse,
    responses=responses({}, *SIGNED_IN, "bad-request", "database-away") | file_of("text/csv", XLSX_TYPE),
)
async def export_cases(
    caller: Caller,
    reading: ReadingOf,
    filters: FiltersOf,
    format: Format = Format.CSV,  # noqa: A002 - the name of a query parameter
    sort: Sort = Sort.OPENED,
) -> StreamingResponse:
    """The list that `/api/v1/cases` would show with the same filters, all of it, read page by page while it is sent.

    A case that changes meanwhile is in it as it was when its page was read. Times are the town's, without offset.
    """
    now = reading.now()
    pages = CaseLists(reading.pool).all(acting(caller), filters, now, sort)
    first = await anext(pages)  # before anything is sent: a database that is away is still a 503
    name = f"cases-{now:%Y%m%d-%H%M%S}.{format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if format is Format.CSV:
        return StreamingResponse(csv_of(first, pages), headers=headers, media_type=CSV_TYPE)
    return StreamingResponse(xlsx_of(first, pages), headers=headers, media_type=XLSX_TYPE)


async def csv_of(first: Sequence[CaseRow], pages: AsyncIterator[Sequence[CaseRow]]) -> AsyncIterator[bytes]:
    """CSV with a byte order mark, without which spreadsheet programs in China read UTF-8 as GBK."""
    yield (BOM + csv_text([[title for title, _ in COLUMNS]])).encode()
    yield csv_text([_csv_values(row) for row in first]).encode()
    async for rows in pages:
        yield csv_text([_csv_values(row) for row in rows]).encode()


async def xlsx_of(
    first: Sequence[CaseRow], pages: AsyncIterator[Sequence[CaseRow]], sheet_rows_max: int = SHEET_ROWS_MAX
) -> AsyncIterator[bytes]:
    """XLSX. Its directory stands at its end, so it is written to a file first, row by row, and sent from there."""
    with tempfile.TemporaryFile() as file:
        # Rows leave memory as they are written; every text is written as a text, so nothing becomes a formula.
        # Where it is needed: eleven megabytes that few exports ever use. It has types, but no marker that says so.
        import xlsxwriter  # type: ignore[import-untyped]  # noqa: PLC0415

        book = xlsxwriter.Workbook(file, {"constant_memory": True, "default_date_format": "yyyy-mm-dd hh:mm:ss"})
        sheets = _Sheets(book, sheet_rows_max)
        await asyncio.to_thread(sheets.add, first)
        async for rows in pages:
            await asyncio.to_thread(sheets.add, rows)
        await asyncio.to_thread(book.close)
        file.seek(0)
        while chunk := await asyncio.to_thread(_read, file):
            yield chunk


class _Sheets:
    """The sheets of a workbook, a new one when the last is full."""

    def __init__(self, book: Any, rows_max: int) -> None:
        self._book = book
        self._rows_max = rows_max
        self._begin()

    def add(self, rows: Sequence[CaseRow]) -> None:
        for row in rows:
            if self._next == self._rows_max:
                self._begin()
            self._write([_value(row, field) for _, field in COLUMNS])

    def _begin(self) -> None:
        self._sheet, self._next = self._book.add_worksheet(), 0
        self._sheet.set_column(0, len(COLUMNS) - 1, 20)
        self._write([title for title, _ in COLUMNS])
        self._sheet.freeze_panes(1, 0)

    def _write(self, values: Sequence[Value]) -> None:
        for column, value in enumerate(values):
            if isinstance(value, datetime):
                self._sheet.write_datetime(self._next, column, value)
            elif value is not None:
                self._sheet.write_string(self._next, column, value)
        self._next += 1


def _read(file: IO[bytes]) -> bytes:
    return file.read(_CHUNK)


def _value(row: CaseRow, field: str) -> Value:
    value = getattr(row, field, row.labels.get(field))
    if isinstance(value, datetime):
        return value.replace(tzinfo=None, microsecond=0)
    if isinstance(value, bool):
        return "是" if value else "否"
    return None if value is None else str(value)


def _csv_values(row: CaseRow) -> list[str]:
    return [harmless(_text(_value(row, field))) for _, field in COLUMNS]


def _text(value: Value) -> str:
    return "" if value is None else f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else value
