"""Messages of a file as examples to learn from: by the columns and the category map of an import."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.advice.examples import Example
from engine.advice.own_cases import length_of
from local.real.message_file import ColumnMap, LineFault, read_messages
from schemas.values.tidy_text import tidy


@dataclass(frozen=True)
class FileExamples:
    """What a file has to teach. `sha256`: of its bytes. `strange`: categories that no line of the responsibility list has."""

    examples: list[Example]
    sha256: str
    faults: tuple[LineFault, ...]
    strange: tuple[str, ...]


def read_examples(
    file: Path, columns: ColumnMap, translated: Mapping[str, str], categories: Collection[str]
) -> FileExamples:
    """Read a file of messages. Raises UnreadableFile as an import of it."""
    read = read_messages(file, columns)
    ours = [(each, translated.get(tidy(each.category), each.category)) for each in read.messages]
    return FileExamples(
        examples=[
            Example(
                text=message.description,
                category=category,
                who=message.user or message.message_id,
                groups={"length": length_of(message.description)},
            )
            for message, category in ours
            if category in categories
        ],
        sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
        faults=read.faults,
        strange=tuple(sorted({category for _, category in ours if category not in categories})),
    )
