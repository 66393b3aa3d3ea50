"""What kind of file it is, by its content, and whether it would do something by itself. What a sender calls it counts for nothing.

Everything here is bounded: a file is looked into as far as the limits below go, and what needs more is not taken. It is work
for a thread, not for the event loop.
"""

from dataclasses import dataclass

import puremagic

from engine.vault.active_content import Active
from engine.vault.office_files import examine_office
from engine.vault.pdf_files import examine_pdf
from schemas.values.document import RECOGNISED

_ZIP = b"PK\x03\x04"
_PDF = "application/pdf"

_HEIC = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_HEIF = frozenset({b"mif1", b"msf1", b"mif2"})
"""Any picture of this family: an iPhone's, or AVIF, which its other brands say."""
_AVIF = frozenset({b"avif", b"avis"})
_MP4 = frozenset({b"isom", *(f"iso{number}".encode() for number in range(2, 10)), b"mp41", b"mp42", b"mp71", b"avc1",
                  b"dash", b"mmp4", b"MSNV", b"NDAS", b"M4V ", b"M4VH", b"M4VP", b"M4A ", b"F4V "})  # fmt: skip
_QUICKTIME = b"qt  "
_PHONE = (b"3gp", b"3ge", b"3gg", b"3gr", b"3gs", b"3g2")
_BRANDS_AT = 16
_BRANDS_MAX = 64


@dataclass(frozen=True)
class Examined:
    """What a file was found to be; None: nothing that is taken anywhere. `active`: what of it would run by itself."""

    media_type: str | None
    active: Active | None = None


def recognise(content: bytes) -> str | None:
    """Return the media type, one of `RECOGNISED`; None for everything else, files with active content included."""
    found = examine(content)
    return found.media_type if found.active is None else None


def examine(content: bytes) -> Examined:
    """Look into a file."""
    if content.startswith(_ZIP):
        return Examined(*examine_office(content))
    if content[4:8] == b"ftyp":
        return Examined(_brand_type(content))
    try:
        matches = puremagic.magic_string(content)
    except puremagic.PureError:
        return Examined(None)
    # Sorted by confidence: a weaker match behind a stronger one is a coincidence of a few bytes.
    found = matches[0].mime_type if matches[0].mime_type in RECOGNISED else None
    return Examined(found, examine_pdf(content) if found == _PDF else None)


def _brand_type(content: bytes) -> str | None:
    """ISO 14496-12, 4.3: size, `ftyp`, the major brand, its version, the brands that it is compatible with."""
    size = int.from_bytes(content[:4], "big")
    if not _BRANDS_AT <= size <= _BRANDS_AT + 4 * _BRANDS_MAX or size % 4 or size > len(content):
        return None
    major = content[8:12]
    compatible = {content[at : at + 4] for at in range(_BRANDS_AT, size, 4)}
    if major in _HEIC or (major in _HEIF and not (compatible | {major}) & _AVIF):
        return "image/heic"
    if major in _MP4:
        return "video/mp4"
    if major == _QUICKTIME:
        return "video/quicktime"
    return "video/3gpp" if major.startswith(_PHONE) else None
