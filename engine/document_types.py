"""What kind of file it is, by its content. What a sender calls it counts for nothing."""

import io
import zipfile

import puremagic

from schemas.document import DOCX, RECOGNISED, XLSX

_ZIP = b"PK\x03\x04"
_ENTRIES_MAX = 10_000
_OFFICE = {"word/document.xml": DOCX, "xl/workbook.xml": XLSX}
_SAME = {"image/heif": "image/heic"}
"""Photos of phones are HEIC, which is one kind of HEIF."""


def recognise(content: bytes) -> str | None:
    """Return the media type, one of `RECOGNISED`; None for everything else, office files with macros included."""
    if content.startswith(_ZIP):
        return _office_type(content)
    try:
        matches = puremagic.magic_string(content)
    except puremagic.PureError:
        return None
    # Sorted by confidence: a weaker match behind a stronger one is a coincidence of a few bytes.
    found = _SAME.get(matches[0].mime_type, matches[0].mime_type)
    return found if found in RECOGNISED else None


def _office_type(content: bytes) -> str | None:
    """Look into the table of contents only: nothing is unpacked, so nothing can be blown up."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist()[:_ENTRIES_MAX])
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return None
    if "[Content_Types].xml" not in names or any("vbaproject" in name.lower() for name in names):
        return None
    found = [media_type for name, media_type in _OFFICE.items() if name in names]
    return found[0] if len(found) == 1 else None
