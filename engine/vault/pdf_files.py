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

from engine.vault.active_content import Active

OBJECT_STREAM_BYTES_MAX = 8 * 1024 * 1024
OBJECT_STREAMS_BYTES_MAX = 32 * 1024 * 1024
STREAMS_MAX = 20_000
OPENINGS_MAX = 8
_DICTIONARY_BYTES_MAX = 4096
_DIGITS_MAX = 12
_NESTED_MAX = 8

_BLANK = rb"\0\t\n\x0b\f\r "
_COMMENT_BYTES_MAX = 255
_BETWEEN = rb"(?:[%s]++|%%[^\r\n]{0,%d}+[\r\n])*+" % (_BLANK, _COMMENT_BYTES_MAX)
"""What may stand between two words: blanks and comments (7.2.3, 7.2.4)."""
_UNREADABLE = rb"%%[^\r\n]{%d}" % (_COMMENT_BYTES_MAX + 1)
"""A comment so long that nobody looks for its end: what stands behind it counts as what is feared."""
_END = rb"(?=[%s/<>\[\](){}%%]|$)" % _BLANK
_REFERENCE = rb"\d{1,12}+" + _BETWEEN + rb"(?:\d{1,12}+" + _BETWEEN + rb"R|" + _UNREADABLE + rb")"
_HAS = _END + _BETWEEN + rb"(?:[<(\[]|" + _REFERENCE + rb"|" + _UNREADABLE + rb")"
"""Behind a short name, which the bytes of a picture may spell by chance: a value that such an entry has."""
_LONG = (
    (Active.SCRIPT, re.compile(rb"/(?:JavaScript|RichMedia|Rendition|OnInstantiate)" + _END)),
    (Active.SCRIPT, re.compile(rb"/(?:JS|AA)" + _HAS)),
    (Active.COMMAND, re.compile(rb"/(?:Launch|SubmitForm|ImportData|GoToE|GoToR)" + _END)),
    (Active.EMBEDDED, re.compile(rb"/(?:EmbeddedFiles?|XFA)" + _END)),
    (Active.EXTERNAL, re.compile(rb"/(?:Filespec|FS" + _BETWEEN + rb"/URL)" + _END)),
    (Active.HIDDEN, re.compile(rb"/Encrypt" + _HAS)),
)
_OPEN = re.compile(
    rb"/OpenAction" + _END + _BETWEEN + rb"(?:(\[)|(<<)|(\d{1,12}+)" + _BETWEEN + rb"(\d{1,12}+)" + _BETWEEN + rb"R)?"
)
_KIND_OF_ACTION = re.compile(rb"/S" + _END + rb"[%s]*+(/[^%s/<>\[\](){}%%]*+)?" % (_BLANK, _BLANK))
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_STREAM = re.compile(rb"(?<!end)stream[%s]++" % _BLANK)
"""Readers differ in which ends of a line they take here; nothing that is packed begins with one."""
_OBJECT_STREAM = re.compile(rb"/ObjStm" + _END)
_FIRST = re.compile(rb"/First" + _BETWEEN + rb"(\d{1,9}+)(?!" + _BETWEEN + rb"\d{1,12}+" + _BETWEEN + rb"R)")
"""Not the first of the bookmarks, which is an object of its own."""
_HAS_FILTER = re.compile(rb"/(?:Filter|F)" + _END)
_FILTER = re.compile(rb"/(?:Filter|F)" + _END + rb"[%s]*+(?:\[([^\]]*)\]|(/[^%s/<>\[\](){}%%]*))" % (_BLANK, _BLANK))
_ELSEWHERE = re.compile(rb"/F" + _END + _BETWEEN + rb"(?:[<(]|" + _REFERENCE + rb"|" + _UNREADABLE + rb")")
"""What a stream holds lies in another file or at an address."""
_NUMBERED = re.compile(rb"\d[%s]++\d++[%s]*+$" % (_BLANK, _BLANK))
_FLATE = re.compile(rb"/(?:FlateDecode|Fl)" + _END)
_PREDICTOR = re.compile(rb"/Predictor" + _BETWEEN + rb"(?!1\b)\d")
_STRING = re.compile(rb"\((?:[^()\\]|\\.)*+\)|(?<!<)<[0-9A-Fa-f%s]*+>" % _BLANK, re.DOTALL)
_MARK = re.compile(rb"<<|>>|[()%<>]")
_BLANKS = b"\0\t\n\x0b\f\r "


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
            action = text[found.start(2) : found.end() + _DICTIONARY_BYTES_MAX]
        elif number:
            headers = islice(_header_of(int(number), int(generation)).finditer(plain), OPENINGS_MAX)
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


def _header_of(number: int, generation: int) -> re.Pattern[bytes]:
    """Where an object of this number begins, however many noughts its numbers are written with."""
    ours = (rb"[+0]{0,12}%d" % each + _BETWEEN for each in (number, generation))
    return re.compile(rb"(?<!\d)" + b"".join(ours) + rb"obj\b")


def _goes_to(action: bytes) -> bool:
    if action.startswith(b"["):
        return True
    found = _dictionary(action)
    return found is not None and b"/Next" not in found[0] and set(_KIND_OF_ACTION.findall(found[0])) == {b"/GoTo"}


def _dictionary(text: bytes) -> tuple[bytes, bytes] | None:
    """The dictionary with which a text begins and what stands behind it, without strings; None where that cannot be told."""
    for _ in range(_NESTED_MAX):
        text, removed = _STRING.subn(b" ", text)
        if not removed:
            break
    depth = 0
    for found in _MARK.finditer(text):
        if found[0] not in {b"<<", b">>"} or (depth == 0 and found.start()):
            return None
        depth += 1 if found[0] == b"<<" else -1
        if depth == 0:
            return text[: found.end()], text[found.end() :]
    return None


def _object_streams(content: bytes) -> Iterator[_Packed]:
    """What stands in object streams: the objects of a PDF since version 1.5. Raises _Hidden for what cannot be unpacked."""
    left, last = OBJECT_STREAMS_BYTES_MAX, 0
    for number_of, found in enumerate(_STREAM.finditer(content)):
        if number_of >= STREAMS_MAX:
            raise _Hidden
        before, last = _without_escapes(content[last : found.start()]), found.end()
        if not (_OBJECT_STREAM.search(before) or _FIRST.search(before) or _ELSEWHERE.search(before)):
            continue
        dictionary = _dictionary_before_stream(before)
        if _ELSEWHERE.search(dictionary):
            raise _Hidden
        if not (_OBJECT_STREAM.search(dictionary) or _FIRST.search(dictionary)):
            continue
        if _HAS_FILTER.search(dictionary) is None:
            continue  # not packed: it was read with the rest
        limit = min(left, OBJECT_STREAM_BYTES_MAX)
        text = _unpacked(content[found.end() : content.find(b"endstream", found.end())], dictionary, limit)
        left -= len(text)
        first = _FIRST.search(dictionary)
        yield _Packed(text, int(first[1]) if first else 0)


def _dictionary_before_stream(before: bytes) -> bytes:
    """What an object says of its stream. Raises _Hidden: it is not written as programs write it, so readers may differ."""
    begins = before.rfind(b"obj")
    header = before[max(0, before.rfind(b"\n", 0, begins), before.rfind(b"\r", 0, begins)) : begins]
    written = before[begins + len(b"obj") :].strip(_BLANKS)
    if begins < 0 or b"%" in header or _NUMBERED.search(header) is None or len(written) > _DICTIONARY_BYTES_MAX:
        raise _Hidden
    found = _dictionary(written)
    if found is None or found[1]:
        raise _Hidden
    return written


def _unpacked(stream: bytes, dictionary: bytes, limit: int) -> bytes:
    packed = _FILTER.findall(dictionary)
    filters = b"".join(packed[0]) if len(packed) == 1 else b""
    if _PREDICTOR.search(dictionary) or filters.count(b"/") != 1 or not _FLATE.search(filters):
        raise _Hidden
    unpacking = zlib.decompressobj()
    try:
        text = unpacking.decompress(stream, limit + 1)
    except zlib.error:
        raise _Hidden from None
    if len(text) > limit or not unpacking.eof:
        raise _Hidden
    return text


def _without_escapes(text: bytes) -> bytes:
    return _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), text)
