"""Tables as files for spreadsheet programs: read right in China, and without a cell that one would take for a formula."""

import csv
import io
from collections.abc import Sequence

BOM = "\ufeff"
"""Without a byte order mark spreadsheet programs in China read UTF-8 as GBK."""

CSV_TYPE = "text/csv; charset=utf-8"
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def harmless(text: str) -> str:
    """A cell that no spreadsheet program takes for a formula, whatever a code may one day be."""
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) else text


def csv_text(rows: Sequence[Sequence[str]]) -> str:
    """Rows as CSV."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
