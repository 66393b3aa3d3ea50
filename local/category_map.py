"""What `jiceng import` needs to read a file that was not made for us: which column is what, which category is ours."""

import csv
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from engine.yaml_files import NoKeyTwiceLoader
from local.csv_records import UnreadableFile
from local.message_file import ColumnMap


def read_column_map(file: Path) -> ColumnMap:
    """A YAML file such as `{source: hotline, message_id: 编号, text: 内容, category: 类别}`. Raises UnreadableFile."""
    content = _yaml(file)
    try:
        return ColumnMap.model_validate(content)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        known = ", ".join(ColumnMap.model_fields)
        raise UnreadableFile(f"{file}: {faults}. It may say: {known}.") from error


def read_category_map(file: Path) -> Mapping[str, str]:
    """Foreign category -> ours: a YAML mapping, or a CSV with two columns. Raises UnreadableFile.

    A category that is not in it stays as it is: one that is on no responsibility list goes to the coordination centre.
    """
    content = _csv_pairs(file) if file.suffix.lower() == ".csv" else _yaml(file)
    blank = [foreign for foreign, ours in content.items() if not str(foreign).strip() or not str(ours or "").strip()]
    if blank:
        raise UnreadableFile(
            f"{file}: no category beside {', '.join(map(repr, blank))}. Fill it in or remove the line."
        )
    return {str(foreign).strip(): str(ours).strip() for foreign, ours in content.items()}


def _yaml(file: Path) -> dict[Any, Any]:
    try:
        content = yaml.load(_text(file), Loader=NoKeyTwiceLoader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        raise UnreadableFile(f"{file}: not readable as YAML: {error}. Mend the line it names.") from error
    if not isinstance(content, dict) or not content:
        raise UnreadableFile(f"{file}: no mapping. Write `name: value`, one a line.")
    return content


def _csv_pairs(file: Path) -> dict[str, str]:
    rows = [row for row in csv.reader(StringIO(_text(file)), strict=True) if any(cell.strip() for cell in row)]
    wrong = [str(number) for number, row in enumerate(rows, start=1) if len(row) != 2]  # noqa: PLR2004 - foreign and ours
    if wrong or not rows:
        raise UnreadableFile(f"{file}: row {', '.join(wrong) or 1}: write two columns, the foreign category and ours.")
    return {row[0]: row[1] for row in rows}


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        return file.read_text(encoding="gb18030")
    except OSError as error:
        raise UnreadableFile(f"{file}: {error.strerror}. Name a file that can be read.") from error
