"""Office files (OOXML): which of them it is, and what of it an office would run, load or open by itself.

The archive's table of contents is bounded before anybody reads it, so that 180,000 names cost what ten do. Of the parts only those
are unpacked that can hold active content, in bounded memory.
"""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from html import unescape
from typing import NoReturn
from xml.etree import ElementTree as ET

from engine.vault.active_content import Active
from schemas.values.document import DOCX, XLSX

ENTRIES_MAX = 4096
DIRECTORY_BYTES_MAX = 1024 * 1024
PART_BYTES_MAX = 24 * 1024 * 1024
PARTS_BYTES_MAX = 48 * 1024 * 1024
EMBEDDED_DEPTH_MAX = 1

_END = struct.Struct("<4s4H2LH")
_CONTENT_TYPES = "[Content_Types].xml"
_MAIN = {"word/document.xml": DOCX, "xl/workbook.xml": XLSX}
_IN_NAMES = (
    (Active.MACRO, ("vbaproject", "vbadata", "macrosheets/", "intlmacrosheet", "dialogsheets/", "customui/")),
    (Active.CONTROL, ("activex/", "ctrlprops/")),
    (Active.EMBEDDED, ("oleobject",)),
    (Active.EXTERNAL, ("xl/connections.xml", "xl/querytables/", "afchunk")),
)
_IN_TYPES = (
    (Active.MACRO, ("macroenabled", "vba", "macrosheet", "dialogsheet", "keymapcustomizations", "customui")),
    (Active.CONTROL, ("activex", "controlproperties")),
    (Active.EMBEDDED, ("oleobject", "afchunk")),
    (Active.EXTERNAL, ("externallink", "webextension")),  # of a workbook or of another program by DDE; an add-in
)
"""In content types and types of relationships: there a part is what it is, whatever it is called."""
_EMBEDDED = ("word/embeddings/", "xl/embeddings/")
_OTHER_OFFICES = frozenset({"mimetype", "meta-inf/manifest.xml"})
"""An archive that has these is an OpenDocument to some offices, and that nobody has looked into."""
_DDE = re.compile(r"(?<![A-Za-z])DDE(?:AUTO)?(?![A-Za-z])", re.IGNORECASE)
_SPELLED = re.compile(r"(?<![A-Za-z])QUOTE\s+(?:0x)?\d", re.IGNORECASE)
"""Words put together from the numbers of their letters: nobody writes so who has nothing to hide."""
_FIRST_WORD = re.compile(r"""[\s"\\*]*([A-Za-z]+)""")
_LOADING = frozenset(
    {"LINK", "INCLUDE", "INCLUDEPICTURE", "INCLUDETEXT", "IMPORT", "RD", "DATABASE", "EMBED", "HTMLACTIVEX", "CONTROL"}
)
_RUNNING = frozenset({"MACROBUTTON", "MACRO"})
_ARGUMENT = re.compile(r"""HYPERLINK\s+"?\s*(\S*)""", re.IGNORECASE)
_SCHEME = re.compile(r"\s*([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_LOADS = re.compile(r"(?:src|link)\s*=", re.IGNORECASE)
_FOLLOWED = frozenset({"http", "https", "mailto", "tel"})
_DECLARED = re.compile(r"""^<\?xml[^>]*?encoding\s*=\s*["']([^"']*)["']""", re.IGNORECASE)
_ENCODINGS = frozenset({"utf-8", "utf8", "utf-16", "us-ascii", "ascii"})


class _Found(Exception):
    def __init__(self, active: Active) -> None:
        super().__init__(active)
        self.active = active


def examine_office(content: bytes, depth: int = 0) -> tuple[str | None, Active | None]:
    """Which office file an archive is, and what of it is active; (None, None): it is none."""
    if not _small_directory(content):
        return None, None
    media_type: str | None = None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            media_type = _type_of(names)
            if media_type is not None:
                _look(archive, media_type, names, depth)
    except _Found as found:
        return media_type, found.active
    except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError, EOFError, OSError, zlib.error):
        return media_type, Active.HIDDEN
    return media_type, None


def _small_directory(content: bytes) -> bool:
    """Whether the archive ends as offices end theirs, with a table of contents of a size that an office file has.

    No comment and nothing behind it: so this reads the very end record that whoever opens the file reads.
    """
    if len(content) < _END.size:
        return False
    signature, disk, first_disk, here, entries, size, offset, comment = _END.unpack(content[-_END.size :])
    return (
        signature == b"PK\x05\x06"
        and (disk, first_disk, comment) == (0, 0, 0)
        and here == entries
        and 0 < entries <= ENTRIES_MAX
        and size <= DIRECTORY_BYTES_MAX
        and offset + size <= len(content) - _END.size
    )


def _type_of(names: list[str]) -> str | None:
    if _CONTENT_TYPES not in names or len(names) > ENTRIES_MAX:
        return None
    found = [media_type for name, media_type in _MAIN.items() if name in names]
    return found[0] if len(found) == 1 else None


def _look(archive: zipfile.ZipFile, media_type: str, names: list[str], depth: int) -> None:
    """Raise _Found for the first thing that is active."""
    plain = [name.lower().replace("\\", "/") for name in names]
    if len(set(plain)) != len(plain) or _OTHER_OFFICES & set(plain):
        raise _Found(Active.HIDDEN)  # of two parts of one name each reader takes another one
    for name in plain:
        _refuse_named(name, _IN_NAMES)
    parts = _Parts(archive)
    _refuse_named(parts.text(_CONTENT_TYPES).lower(), _IN_TYPES)
    for name, small in zip(names, plain, strict=True):
        if small.endswith(".rels"):
            _look_into_relationships(_decoded(parts.read(name)))
        elif small.startswith(_EMBEDDED) and not small.endswith("/"):
            _look_into_embedded(parts.read(name), depth)
        else:
            _look_into_words(parts.read(name), media_type)


def _look_into_words(content: bytes, media_type: str) -> None:
    """Whether a part, wherever it lies, has a field by which Word asks another program or file, or loads what an address names."""
    begins = content[:64].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")
    if not begins.startswith(b"<"):
        return
    text = _decoded(content)
    if media_type != DOCX and _LOADS.search(text) is None:
        return  # the sheets of a workbook are long, and have no fields
    tree = _parsed(text)
    for said in _fields(tree):
        _refuse_field(said)
    for element in tree.iter():
        for name, value in element.attrib.items():
            own = name.rpartition("}")[2].lower()
            if (own == "src" and _is_elsewhere(value)) or (own == "link" and element.tag.endswith("}blip")):
                raise _Found(Active.EXTERNAL)


def _refuse_field(said: str) -> None:
    if _DDE.search(said) or _SPELLED.search(said):
        raise _Found(Active.COMMAND)
    first = _FIRST_WORD.match(said)
    word = first[1].upper() if first else ""
    if word in _RUNNING:
        raise _Found(Active.COMMAND)
    followed = _ARGUMENT.search(said)
    if word in _LOADING or (followed is not None and not _is_followed(followed[1])):
        raise _Found(Active.EXTERNAL)


def _look_into_relationships(text: str) -> None:
    for kind, target, external in _relationships(text):
        _refuse_named(kind, _IN_TYPES)
        if not _is_followed(target) if kind.endswith("/hyperlink") else external or _is_elsewhere(target):
            raise _Found(Active.EXTERNAL)


def _is_elsewhere(target: str) -> bool:
    """Whether it names an address, another machine or a disk: also where nothing says that it is outside the file."""
    return _SCHEME.match(target) is not None or target.strip().replace("\\", "/").startswith("//")


def _is_followed(target: str) -> bool:
    """Whether a link leads where a browser, a mail program or a telephone goes, or within its own folder; and to no machine."""
    scheme = _SCHEME.match(target)
    return scheme[1].lower() in _FOLLOWED if scheme else not _is_elsewhere(target)


def _look_into_embedded(content: bytes, depth: int) -> None:
    """The figures behind a chart are an office file in an office file; anything else there is somebody's program or file."""
    if depth >= EMBEDDED_DEPTH_MAX:
        raise _Found(Active.EMBEDDED)
    media_type, active = examine_office(content, depth + 1)
    if media_type is None or active is not None:
        raise _Found(Active.EMBEDDED)


def _refuse_named(text: str, named: tuple[tuple[Active, tuple[str, ...]], ...]) -> None:
    for active, words in named:
        if any(word in text for word in words):
            raise _Found(active)


def _relationships(text: str) -> Iterator[tuple[str, str, bool]]:
    """(type in small letters, target, is external) of each relationship."""
    for element in _parsed(text).iter():
        if element.tag.rpartition("}")[2] == "Relationship":
            said = {name.rpartition("}")[2].lower(): value for name, value in element.attrib.items()}
            external = said.get("targetmode", "").strip().lower() == "external"
            yield said.get("type", "").strip().lower(), said.get("target", ""), external


def _fields(tree: ET.Element) -> Iterator[str]:
    """The instruction of each field of a part, put together again however many runs it has; fields in fields by themselves."""
    open_fields: list[list[str]] = [[]]
    for element in tree.iter():
        tag = element.tag.rpartition("}")[2]
        if tag in {"instrText", "delInstrText"}:
            open_fields[-1].append(element.text or "")
        elif tag == "fldSimple":
            yield from (value for name, value in element.attrib.items() if name.rpartition("}")[2] == "instr")
        elif tag == "fldChar" and "begin" in element.attrib.values():
            open_fields.append([])
        elif tag == "fldChar" and "end" in element.attrib.values() and len(open_fields) > 1:
            yield "".join(open_fields.pop())
    yield from map("".join, open_fields)


class _Parts:
    """The parts of an archive, unpacked in bounded memory. Raises _Found for what cannot be."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._left = PARTS_BYTES_MAX

    def read(self, name: str) -> bytes:
        limit = min(PART_BYTES_MAX, self._left)
        with self._archive.open(name) as part:
            content = part.read(limit + 1)
        if len(content) > limit:
            raise _Found(Active.HIDDEN)
        self._left -= len(content)
        return content

    def text(self, name: str) -> str:
        """As text, characters that were written by their numbers included."""
        return unescape(_decoded(self.read(name)))


def _decoded(content: bytes) -> str:
    """XML as offices write it. Raises _Found: in an encoding, or with a declaration, that they never have."""
    wide = content[:2] in {b"\xff\xfe", b"\xfe\xff"} or b"\0" in content[:4]
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        _hidden()
    declared = _DECLARED.match(text)
    if declared is not None and declared[1].strip().lower() not in _ENCODINGS:
        _hidden()
    if "<!doctype" in text.lower() or "<!entity" in text.lower():
        _hidden()
    return text


def _parsed(text: str) -> ET.Element:
    try:
        return ET.fromstring(_DECLARED.sub("<?xml version='1.0'", text))  # noqa: S314 - no declarations: see _decoded
    except ET.ParseError:
        _hidden()


def _hidden() -> NoReturn:
    raise _Found(Active.HIDDEN) from None
