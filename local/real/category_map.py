"""What `jiceng import` needs to read a file that was not made for us: which column is what, which category is ours."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from engine.runtime.yaml_files import NoKeyTwiceLoader
from local.real.csv_records import BrokenRecord, Record, UnreadableFile, read_text, records
from local.real.message_file import ColumnMap
from schemas.values.tidy_text import is_blank, tidy


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

    By the tidy form of the foreign one, which stands once. A category that is not in it stays as it is: one that is on no
    responsibility list goes to the coordination centre.
    """
    pairs = _csv_pairs(file) if file.suffix.lower() == ".csv" else list(_yaml(file).items())
    written = [(str(foreign), "" if ours is None else str(ours)) for foreign, ours in pairs]
    blank = [foreign for foreign, ours in written if is_blank(foreign) or is_blank(ours)]
    if blank:
        raise UnreadableFile(
            f"{file}: no category beside {', '.join(map(repr, blank))}. Fill it in or remove the line."
        )
    foreign = [tidy(each) for each, _ in written]
    doubled = [each for place, each in enumerate(foreign) if each in foreign[:place]]
    if doubled:
        raise UnreadableFile(
            f"{file}: 类别重复 {', '.join(dict.fromkeys(doubled))} stands twice. 请保留一行 Keep one line of it."
        )
    return dict(zip(foreign, (ours.strip() for _, ours in written), strict=True))


def _yaml(file: Path) -> dict[Any, Any]:
    try:
        content = yaml.load(read_text(file), Loader=NoKeyTwiceLoader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        raise UnreadableFile(f"{file}: not readable as YAML: {error}. Mend the line it names.") from error
    if not isinstance(content, dict) or not content:
        raise UnreadableFile(f"{file}: no mapping. Write `name: value`, one a line.")
    return content


def _csv_pairs(file: Path) -> list[tuple[str, str]]:
    rows = list(records(read_text(file)))
    wrong = [str(row.line) for row in rows if isinstance(row, BrokenRecord) or len(row.fields) != 2]  # noqa: PLR2004 - foreign and ours
    if wrong or not rows:
        raise UnreadableFile(f"{file}: line {', '.join(wrong) or 1}: write two columns, the foreign category and ours.")
    return [(row.fields[0], row.fields[1]) for row in rows if isinstance(row, Record)]
