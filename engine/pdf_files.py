"""PDF: whether a reader would run, load or open something of it by itself (ISO 32000, 7.5.7 and 12.6).

No PDF is built up here: its bytes are searched for the names by which actions, scripts and files must be called, also where names
are written by numbers (`/J#61vaScript`) and in object streams, which are unpacked in bounded memory. What cannot be looked into,
a locked PDF or an object stream packed in another way, is not taken.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from engine.active_content import Active

OBJECT_STREAM_BYTES_MAX = 8 * 1024 * 1024
OBJECT_STREAMS_BYTES_MAX = 32 * 1024 * 1024
STREAMS_MAX = 20_000
OPENINGS_MAX = 8
_DICTIONARY_BYTES_MAX = 4096
_DIGITS_MAX = 12

_END = rb"(?=[\s/<>\[\](){}%]|$)"
_LONG = (
    (Active.SCRIPT, re.compile(rb"/(?:JavaScript|RichMedia|Rendition)" + _END)),
    (Active.SCRIPT, re.compile(rb"/(?:JS|AA)\s*(?:<|\(|\d+\s+\d+\s+R)")),
    (Active.COMMAND, re.compile(rb"/(?:Launch|SubmitForm|ImportData|GoToE)" + _END)),
    (Active.EMBEDDED, re.compile(rb"/(?:EmbeddedFiles?|XFA)" + _END)),
    (Active.HIDDEN, re.compile(rb"/Encrypt\s*(?:<|\d+\s+\d+\s+R)")),
)
_OPEN = re.compile(rb"/OpenAction\s*(?:(\[)|(<<)|(\d+)\s+(\d+)\s+R)?")
_GO_TO = re.compile(rb"/GoTo" + _END)
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_STREAM = re.compile(rb"(?<!end)stream\r?\n")
_OBJECT_STREAM = re.compile(rb"/ObjStm" + _END)
_FIRST = re.compile(rb"/First\s+(\d{1,9})")
_FILTER = re.compile(rb"/Filter\s*(?:\[([^\]]*)\]|(/[^\s/<>\[\](){}%]*))")
_FLATE = re.compile(rb"/(?:FlateDecode|Fl)" + _END)
_PREDICTOR = re.compile(rb"/Predictor\s+(?!1\b)\d")
_OBJECT = rb"(?<!\d)%s\s+%s\s+obj\b"


class _Hidden(Exception):
    pass


@dataclass(frozen=True)
class _Packed:
    """An object stream, unpacked: numbers of objects and where each begins, counted from `first`; then the objects."""

    text: bytes
    first: int

    def object(self, number: int) -> bytes | None:
        """The object of a number; None: it is not in here."""
        said = self.text[: self.first].split()
        places = {
            int(which): int(where) for which, where in zip(said[::2], said[1::2], strict=False) if _both(which, where)
        }
        if number not in places:
            return None
        begins = self.first + places[number]
        ends = min((self.first + each for each in places.values() if each > places[number]), default=len(self.text))
        return _without_escapes(self.text[begins:ends]).strip()


def _both(which: bytes, where: bytes) -> bool:
    return which.isdigit() and where.isdigit() and len(which) < _DIGITS_MAX and len(where) < _DIGITS_MAX


def examine_pdf(content: bytes) -> Active | None:
    """What of a PDF is active; None: nothing that was found."""
    try:
        packed = list(_object_streams(content))
    except _Hidden:
        return Active.HIDDEN
    plain = _without_escapes(content)
    texts = [plain, *(_without_escapes(each.text) for each in packed)]
    for text in texts:
        for active, pattern in _LONG:
            if pattern.search(text):
                return active
    return Active.SCRIPT if any(_acts_when_opened(text, plain, packed) for text in texts) else None


def _acts_when_opened(text: bytes, plain: bytes, packed: list[_Packed]) -> bool:
    """Whether opening does more than to go to a page of the file itself. An action that cannot be found counts as one."""
    for number_of, found in enumerate(_OPEN.finditer(text)):
        if number_of >= OPENINGS_MAX:
            return True
        place, written, number, generation = found.groups()
        if place:
            continue
        if written:
            action = text[found.end() : found.end() + 2000].partition(b">>")[0]
        elif number:
            headers = islice(re.finditer(_OBJECT % (number, generation), plain), OPENINGS_MAX)
            objects = [plain[each.end() : each.end() + _DICTIONARY_BYTES_MAX] for each in headers]
            objects += [kept for each in packed if (kept := each.object(int(number))) is not None]
            # A later part of a file replaces objects of an earlier one: each must be harmless.
            if objects and all(_goes_to(each.partition(b"endobj")[0].strip()) for each in objects):
                continue
            return True
        else:
            action = b""
        if not _goes_to(action):
            return True
    return False


def _goes_to(action: bytes) -> bool:
    return action.startswith(b"[") or _GO_TO.search(action) is not None


def _object_streams(content: bytes) -> Iterator[_Packed]:
    """What stands in object streams: the objects of a PDF since version 1.5. Raises _Hidden for what cannot be unpacked."""
    left = OBJECT_STREAMS_BYTES_MAX
    for number_of, found in enumerate(_STREAM.finditer(content)):
        if number_of >= STREAMS_MAX:
            raise _Hidden
        before = content[max(0, found.start() - _DICTIONARY_BYTES_MAX) : found.start()]
        dictionary = _without_escapes(before[before.rfind(b"obj") + 3 :])
        if not (_OBJECT_STREAM.search(dictionary) or _FIRST.search(dictionary)):
            continue
        packed = _FILTER.search(dictionary)
        if packed is None:
            continue  # not packed: it was read with the rest
        filters = packed[1] or packed[2] or b""
        if _PREDICTOR.search(dictionary) or filters.count(b"/") != 1 or not _FLATE.search(filters):
            raise _Hidden
        limit = min(left, OBJECT_STREAM_BYTES_MAX)
        unpacking = zlib.decompressobj()
        try:
            text = unpacking.decompress(content[found.end() : content.find(b"endstream", found.end())], limit + 1)
        except zlib.error:
            raise _Hidden from None
        if len(text) > limit or not unpacking.eof:
            raise _Hidden
        left -= len(text)
        first = _FIRST.search(dictionary)
        yield _Packed(text, int(first[1]) if first else 0)


def _without_escapes(text: bytes) -> bytes:
    return _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), text)
