"""Reading what a browser sends from a form: names and texts, and files where the form has some. Bounded, in memory only."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from schemas.values.refusals import Fault, say
from starter.http.problems import Problem, ProblemCode, bad_request

TEXT_BYTES_MAX = 1024 * 1024
"""4,000 Chinese characters are 36,000 bytes in a form; twenty such fields are less than this."""

FIELDS_MAX = 2000
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


@dataclass(frozen=True)
class Posted:
    """What was sent: texts by name, in their order, and the content of files by name."""

    texts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    files: Mapping[str, Sequence[bytes]] = field(default_factory=dict)

    def one(self, name: str) -> str:
        """The text of a field that comes once; blank where it did not come."""
        return next(iter(self.texts.get(name, ())), "")

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Every text with its name."""
        return ((name, text) for name, texts in self.texts.items() for text in texts)

    def with_texts(self, texts: Mapping[str, Sequence[str]]) -> "Posted":
        """The same with other texts beside."""
        return Posted({**self.texts, **texts}, self.files)


DRAINED_BYTES_MAX = 64 * 1024 * 1024
"""What is read of a form whose files are not kept: or its texts, which are wanted back, would be lost with them."""


async def read_posted(
    request: Request, files_bytes_max: int = 0, grow: Callable[[int], None] = lambda _: None
) -> Posted:
    """The form of a request. Files beyond `files_bytes_max` in all are refused; with 0 they are read and left out.

    `grow` is told of each part how many bytes it has: it counts what lies in memory.

    Raises Problem: 413 too large, 415 no form, 422 a form that is cut short.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind == URLENCODED.encode():
        body = bytearray()
        async for part in request.stream():
            body += part
            _refuse_beyond(TEXT_BYTES_MAX, len(body))
        return Posted(_by_name(_decoded(bytes(body))))
    if kind != MULTIPART.encode():
        raise Problem(ProblemCode.NOT_JSON, say("请使用页面上的表单", "send the form of the page"))
    parts = _Parts(options.get(b"boundary", b""), keeps_files=files_bytes_max > 0)
    size = 0
    async for part in request.stream():
        size += len(part)
        _refuse_beyond(TEXT_BYTES_MAX + (files_bytes_max or DRAINED_BYTES_MAX), size)
        grow(len(part) if files_bytes_max else 0)
        parts.write(part)
    return parts.posted()


async def _read_texts(request: Request) -> Posted:
    """The texts of a form, for pages whose form has no files. A GET has none."""
    return await read_posted(request)


PostedTexts = Annotated[Posted, Depends(_read_texts)]


def _refuse_beyond(limit: int, size: int) -> None:
    if size > limit:
        raise Problem(
            ProblemCode.BODY_TOO_LARGE, say(f"提交的内容不得超过{limit}字节", f"a form has at most {limit} bytes")
        )


def _decoded(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict")
    except ValueError:
        raise bad_request([_no_form()]) from None


def _by_name(pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, text in pairs:
        found.setdefault(name, []).append(text)
    return found


class _Parts:
    """A form of parts, read as it comes."""

    def __init__(self, boundary: bytes, *, keeps_files: bool) -> None:
        self._keeps_files = keeps_files
        self._texts: list[tuple[str, str]] = []
        self._files: dict[str, list[bytes]] = {}
        self._header, self._value, self._content = bytearray(), bytearray(), bytearray()
        self._name, self._is_file, self._ended, self._texts_size = "", False, False, 0
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                    "on_header_end": self._header_end,
                    "on_part_data": self._data,
                    "on_part_end": self._part_end,
                    "on_end": self._end,
                },
            )
        except FormParserError:
            raise bad_request([_no_form()]) from None

    def write(self, data: bytes) -> None:
        """Take the next bytes. Raises Problem when they are no form."""
        try:
            self._parser.write(data)
        except (FormParserError, UnicodeDecodeError):
            raise bad_request([_no_form()]) from None

    def posted(self) -> Posted:
        """The form, when all has come. Raises Problem: cut short."""
        if not self._ended:
            raise bad_request([_no_form()])
        return Posted(_by_name(self._texts), self._files)

    def _begin(self) -> None:
        self._name, self._is_file = "", False
        self._content.clear()

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._value))
            self._name = options.get(b"name", b"").decode()
            self._is_file = b"filename" in options
        self._header.clear()
        self._value.clear()

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._keeps_files or not self._is_file:
            self._content += data[start:end]
            self._texts_size += 0 if self._is_file else end - start
            _refuse_beyond(TEXT_BYTES_MAX, self._texts_size)

    def _part_end(self) -> None:
        if not self._is_file:
            self._texts.append((self._name, self._content.decode()))
        elif self._content:  # a field of a file that nobody chose is sent without content
            self._files.setdefault(self._name, []).append(bytes(self._content))
        if len(self._texts) > FIELDS_MAX:
            raise FormParserError("too many parts")

    def _end(self) -> None:
        self._ended = True


def _no_form() -> Fault:
    return Fault(
        field="form",
        reason=say("提交的表单不完整", "the form that was sent is not whole"),
        remedy=say("请返回页面重新提交", "go back to the page and send it again"),
    )
