"""Exports: the list as a file that spreadsheet programs open as it was meant."""

import csv
import io
import zipfile
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

import asyncpg
import httpx
import pytest

from schemas.clocks.calendar import SHANGHAI
from schemas.values.actor import Actor, Role
from starter.auditors.case_export import COLUMNS, csv_of, xlsx_of
from starter.cases.case_lists import CaseLists, Filters, Sort
from starter.cases.views import CaseRow
from tests.api_callers import REPORT, As, Caller

pytest_plugins = ("tests.api_fixture",)

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
PATH = "/api/v1/cases/export"
TITLES = [title for title, _ in COLUMNS]


async def exported(caller: Caller, **query: Any) -> httpx.Response:
    """A file."""
    answer = await caller.get(PATH, **query)
    assert answer.status_code == 200, answer.text
    return answer


def rows_of_csv(content: bytes) -> list[list[str]]:
    """The rows, as a program reads them that knows the mark."""
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def cells_of(content: bytes, sheet: int = 1) -> list[dict[str, tuple[str, str]]]:
    """The rows of a sheet: kind and value of each cell by its column."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        tree = ET.fromstring(book.read(f"xl/worksheets/sheet{sheet}.xml"))  # noqa: S314 - our own file
        assert not tree.findall(f".//{MAIN}f")
    return [
        {
            cell.get("r", "").rstrip("0123456789"): (cell.get("t", "n"), "".join(cell.itertext()))
            for cell in row.findall(f"{MAIN}c")
        }
        for row in tree.findall(f".//{MAIN}row")
    ]


@pytest.fixture(scope="module")
async def some_cases(as_: As) -> list[str]:
    """Three cases of one area, the newest first."""
    place = REPORT["location"] | {"area": "850.1"}
    answers = [await as_(subject="exporter").report(REPORT | {"location": place}) for _ in range(3)]
    return [answer.json()["case_id"] for answer in reversed(answers)]


async def test_a_csv_opens_in_chinese(as_: As, some_cases: list[str]) -> None:
    """It begins with the byte order mark, has Chinese headings and a row per case of the filtered list, in its order."""
    answer = await exported(as_("coordinator"), area="850")
    rows = rows_of_csv(answer.content)

    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="cases-')
    assert rows[0] == TITLES
    assert [row[0] for row in rows[1:]] == some_cases
    assert {row[TITLES.index("类别")] for row in rows[1:]} == {"环境卫生"}


async def test_times_in_a_file_are_those_of_the_town(as_: As, some_cases: list[str]) -> None:
    """A time is the town's, to the second, in a form that spreadsheet programs take for a time."""
    opened = (await as_("coordinator").get(f"/api/v1/cases/{some_cases[0]}")).json()["opened_at"]
    rows = rows_of_csv((await exported(as_("coordinator"), area="850")).content)

    assert rows[1][TITLES.index("受理时间")] == opened[:19].replace("T", " ")


async def test_an_xlsx_has_the_rows_of_the_list(as_: As, some_cases: list[str]) -> None:
    """The same rows; texts are texts, times are numbers with a form, nothing is a formula."""
    answer = await exported(as_("coordinator"), area="850", format="xlsx")
    rows = cells_of(answer.content)

    assert [cell[1] for cell in rows[0].values()] == TITLES
    assert [row["A"][1] for row in rows[1:]] == some_cases
    assert {row["J"][0] for row in rows[1:]} == {"n"}
    assert {row["A"][0] for row in rows[1:]} == {"inlineStr"}


async def test_a_file_has_what_its_reader_sees(as_: As, some_cases: list[str]) -> None:
    """An export ends where the list of the caller ends: nothing of other areas or other residents."""
    elsewhere = rows_of_csv((await exported(as_("coordinator", area="851"), area="850")).content)
    stranger = rows_of_csv((await exported(as_(subject="somebody"), area="850")).content)

    assert (elsewhere, stranger) == ([TITLES], [TITLES])


async def test_an_empty_list_is_a_file_with_headings(as_: As) -> None:
    """No rows are no fault, in either form."""
    answer = await exported(as_("coordinator"), number="nothing", format="xlsx")

    assert len(cells_of(answer.content)) == 1


async def test_a_file_without_end_of_filters_is_refused_as_the_list_is(as_: As) -> None:
    """Wrong filters and forms are faults before anything is sent."""
    form = await as_("coordinator").get(PATH, format="pdf")
    day = await as_("coordinator").get(PATH, opened_from="someday")

    assert [(answer.status_code, answer.json()["faults"][0]["field"]) for answer in (form, day)] == [
        (422, "format"),
        (422, "opened_from"),
    ]


async def test_an_export_goes_over_pages(some_cases: list[str], pool: asyncpg.Pool) -> None:
    """Every case comes once, whatever the size of a page, in both orders; each page but the last is full."""
    actor, now = Actor(subject="exporter", role=Role.RESIDENT), datetime.now(SHANGHAI)
    for sort in Sort:
        pages = CaseLists(pool).all(actor, Filters(area="850"), now, sort, page_size=2)
        shown = [[row.case_id for row in page] async for page in pages]
        assert [len(page) for page in shown] == [2, 1]
        assert sorted(shown[0] + shown[1]) == sorted(some_cases)


def row(case_id: str, **other: Any) -> CaseRow:
    """A row of a list."""
    opened = datetime(2026, 11, 21, 9, 30, tzinfo=SHANGHAI)
    return CaseRow.model_validate(
        {
            "case_id": case_id, "procedure": "incident", "stage": "closed", "holder": "", "area": "850", "ended": False,
            "department": None, "opened_at": opened, "closed_at": None, "due_at": None, "due_clock": None, "seq": 1,
            "labels": {},
        }
        | other
    )  # fmt: skip


async def no_more(*pages: Sequence[CaseRow]) -> AsyncIterator[Sequence[CaseRow]]:
    """The pages after the first."""
    for page in pages:
        yield page


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
async def test_no_cell_becomes_a_formula(start: str) -> None:
    """What would be a formula stands behind an apostrophe in CSV, and as a text in XLSX."""
    trap = row("case", holder=f"{start}HYPERLINK(1)", labels={"category": f"{start}cmd"})
    text = b"".join([part async for part in csv_of([trap], no_more())])
    book = b"".join([part async for part in xlsx_of([trap], no_more())])

    [_, cells] = rows_of_csv(text)
    assert {cells[3][:2], cells[6][:2]} == {f"'{start}"}
    assert cells_of(book)[1]["D"][0] == "inlineStr"


async def test_what_no_sheet_holds_goes_to_the_next() -> None:
    """A sheet has only so many rows, headings included; the rest stands on further sheets, each with headings."""
    pages = [[row(f"case-{number}") for number in range(3)], [row(f"case-{number}") for number in range(3, 5)]]
    book = b"".join([part async for part in xlsx_of(pages[0], no_more(pages[1]), sheet_rows_max=3)])
    sheets = [[cells["A"][1] for cells in cells_of(book, sheet)] for sheet in (1, 2, 3)]

    assert sheets == [["案件编号", "case-0", "case-1"], ["案件编号", "case-2", "case-3"], ["案件编号", "case-4"]]
