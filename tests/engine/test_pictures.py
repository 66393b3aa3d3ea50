"""Pictures of people are drawn anew, small, in a process that has nothing: what they show comes out, and nothing else."""

import io
from typing import Any

import psutil
import pytest
from PIL import Image

from engine.vault import draw_small as program
from engine.vault.pictures import NotDrawn, TooManyPixels, draw_small
from tests.waiting import lives

RED, BLUE = (220, 20, 20), (20, 20, 220)
SECRET = b"flat 502, canary in the yard"


def picture(kind: str, size: tuple[int, int] = (300, 200), **told: Any) -> bytes:
    """The left half red, the right half blue."""
    drawn = Image.new("RGB", size, RED)
    drawn.paste(BLUE, (size[0] // 2, 0, *size))
    written = io.BytesIO()
    drawn.save(written, kind, **told)
    return written.getvalue()


def told_of_itself() -> dict[str, Any]:
    """What a camera writes into its pictures: where, when, by whom; and that it was held upside down on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    exif[0x013B] = SECRET.decode()
    exif.get_ifd(0x8825)[2] = (32.0, 3.0, 36.0)
    return {"exif": exif, "comment": SECRET, "icc_profile": SECRET * 20}


def seen(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as opened:
        assert opened.format == "JPEG"
        opened.load()
        return opened


def near(colour: object, wanted: tuple[int, int, int]) -> bool:
    assert isinstance(colour, tuple)
    return all(abs(one - other) < 60 for one, other in zip(colour, wanted, strict=True))


async def test_nothing_comes_out_but_what_is_seen() -> None:
    """Place, time, camera, comment and profile are gone, and the picture stands upright without being told to."""
    sent = picture("JPEG", **told_of_itself())
    made = await draw_small(sent, 100)
    shown = seen(made)

    assert SECRET in sent
    assert SECRET not in made
    assert b"Exif" not in made
    assert dict(shown.getexif()) == {}
    assert not {"comment", "icc_profile", "exif", "photoshop", "xmp"} & set(shown.info)
    assert shown.size == (67, 100)
    assert near(shown.getpixel((33, 10)), RED)
    assert near(shown.getpixel((33, 90)), BLUE)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
async def test_each_kind_is_drawn_no_larger_than_it_is(kind: str) -> None:
    """A picture that is small already stays as it is; what can be seen through lies on white."""
    made = seen(await draw_small(picture(kind), 1600))
    glass = io.BytesIO()
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(glass, "PNG")
    on_white = seen(await draw_small(glass.getvalue(), 1600))

    assert made.size == (300, 200)
    assert near(made.getpixel((10, 10)), RED)
    assert near(on_white.getpixel((20, 20)), (255, 255, 255))


@pytest.mark.parametrize("edge", [9_000, 20_000], ids=["a wall", "a bomb"])
async def test_a_picture_that_claims_more_than_is_opened_is_refused(edge: int) -> None:
    """A few kilobytes that would be eighty or four hundred million pixels are not unpacked."""
    bomb = io.BytesIO()
    Image.new("1", (edge, edge)).save(bomb, "PNG")

    assert len(bomb.getvalue()) < 60_000
    with pytest.raises(TooManyPixels):
        await draw_small(bomb.getvalue(), 240)


@pytest.mark.parametrize(
    "content",
    [b"", picture("JPEG")[:400], b"GIF89a" + bytes(30), b"%PDF-1.7\n", picture("GIF"), picture("TIFF")],
    ids=["nothing", "cut short", "no gif", "pdf", "gif", "tiff"],
)
async def test_what_is_no_picture_of_ours_is_not_drawn(content: bytes) -> None:
    """Broken files, and kinds that the town does not take, open no decoder."""
    with pytest.raises(NotDrawn):
        await draw_small(content, 240)


async def test_a_drawing_that_takes_too_long_is_ended() -> None:
    """When its time is over nothing is shown, and no process of it goes on."""
    with pytest.raises(NotDrawn):
        await draw_small(picture("PNG", (3000, 3000)), 240, 0.001)
    left = [each for each in psutil.Process().children(recursive=True) if lives(each) and _draws(each)]

    assert left == []


def _draws(process: psutil.Process) -> bool:
    try:
        return str(program.__file__) in process.cmdline()
    except psutil.Error:
        return False
