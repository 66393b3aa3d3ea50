"""Reading one file that is sent: as the body itself or as a part of a form, in memory, never more of it than allowed."""

from collections.abc import Callable

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from schemas.values.refusals import Fault, say
from starter.http.faults import fault
from starter.http.problems import Problem, ProblemCode, bad_request
from starter.http.upload_memory import Held

FORM_OVERHEAD_BYTES = 16 * 1024
DRAINED_BYTES_MAX = 4 * 1024 * 1024


async def read_file(request: Request, limit: int, held: Held) -> bytes:
    """The file of a request. Nothing of it touches the disk: what people send lies closed there, or not at all.

    `held` counts what lies in memory. Raises Problem: 429 when there is no room just now; 413 when it has more than `limit` bytes;
    422 when it is empty, or a form without one part `file`.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind == b"multipart/form-data":
        form = _Form(options.get(b"boundary", b""))
        whole = await _stream(request, limit + FORM_OVERHEAD_BYTES, held, form.write)
        content = form.file() if whole else b""
    else:
        raw = bytearray()
        whole = await _stream(request, limit, held, raw.extend)
        content = bytes(raw)
    if not whole or len(content) > limit:
        raise Problem(ProblemCode.BODY_TOO_LARGE, say(f"文件不得超过{limit}字节", f"a file has at most {limit} bytes"))
    if not content:
        raise bad_request([fault("file", "blank")])
    return content


async def _stream(request: Request, limit: int, held: Held, write: Callable[[bytes], None]) -> bool:
    """Hand on what comes, as far as the limit; whether that was all of it."""
    size = 0
    async for part in request.stream():
        size += len(part)
        if size <= limit:
            held.grow(len(part))
            write(part)
        elif size > limit + DRAINED_BYTES_MAX:
            break  # read on up to here, or the sender sees a broken connection instead of the answer
    return size <= limit


class _Form:
    """A form, read as it comes. Of its parts only `file` is looked at."""

    def __init__(self, boundary: bytes) -> None:
        self._content = bytearray()
        self._files = 0
        self._name, self._value = bytearray(), bytearray()
        self._is_file = self._ended = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                    "on_header_end": self._header,
                    "on_part_data": self._data,
                    "on_end": self._end,
                },
            )
        except FormParserError:
            raise bad_request([_not_one_file()]) from None

    def write(self, data: bytes) -> None:
        """Take the next bytes. Raises Problem when they are no form."""
        try:
            self._parser.write(data)
        except FormParserError:
            raise bad_request([_not_one_file()]) from None

    def file(self) -> bytes:
        """The file, when all has come. Raises Problem: cut short, or not one part `file`."""
        if self._files != 1 or not self._ended:
            raise bad_request([_not_one_file()])
        return bytes(self._content)

    def _begin(self) -> None:
        self._is_file = False

    def _header(self) -> None:
        if self._name.lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._value))
            self._is_file = options.get(b"name") == b"file"
            self._files += self._is_file
        self._name.clear()
        self._value.clear()

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._content += data[start:end]

    def _end(self) -> None:
        self._ended = True


def _not_one_file() -> Fault:
    return Fault(
        field="file",
        reason=say("表单中须有且只有一个名为 file 的文件", "the form does not have exactly one part named file"),
        remedy=say("请重新提交", "send the file as the part `file`, or as the body itself"),
    )
