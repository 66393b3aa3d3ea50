"""Draws a picture small and anew: stdin a file, stdout a JPEG. Run by its path, alone, in a process that has nothing else.

What comes out holds the pixels and nothing beside them: no place, no device, no time, no comment, no second picture behind the
first. What a broken or wicked file makes of the one who opens it ends with this process: it has no keys, no settings, no
connection, and its memory and its seconds of the processor are limited. It loads nothing of ours, so it begins quickly.
"""

import io
import resource
import sys

from PIL import Image, ImageOps, UnidentifiedImageError

TOO_LARGE, NO_PICTURE = 3, 4
"""Exit codes: more pixels than are opened; or no picture that can be."""

FORMATS = ("JPEG", "PNG", "WEBP")
PIXELS_MAX = 60_000_000
"""A camera's picture has 12 to 50 million; a few kilobytes can claim a thousand times that."""

MEMORY_MAX = 1024 * 1024 * 1024
SECONDS_MAX = 10
QUALITY = 82


def drawn(content: bytes, edge: int) -> bytes:
    """The picture with no edge longer than `edge`, upright, on white. Raises OverflowError: too large; OSError, ValueError."""
    with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
        if picture.width * picture.height > PIXELS_MAX:
            raise OverflowError
        picture.draft("RGB", (edge, edge))  # of a JPEG only an eighth of the pixels need be made
        picture.seek(0)
        upright = ImageOps.exif_transpose(picture)
        upright.thumbnail((edge, edge))
        if upright.has_transparency_data:
            seen = upright.convert("RGBA")
            flat = Image.new("RGB", upright.size, "white")
            flat.paste(seen, mask=seen)
        else:
            flat = upright.convert("RGB")
        flat.info.clear()  # where a file says of itself what would be written down again: comment, profile, place
    made = io.BytesIO()
    flat.save(made, "JPEG", quality=QUALITY)
    return made.getvalue()


def main() -> int:
    """Draw what comes in. Returns the exit code."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS_MAX, SECONDS_MAX))
    Image.MAX_IMAGE_PIXELS = PIXELS_MAX
    try:
        made = drawn(sys.stdin.buffer.read(), int(sys.argv[1]))
    except (OverflowError, Image.DecompressionBombError, MemoryError):
        return TOO_LARGE
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError):
        return NO_PICTURE
    sys.stdout.buffer.write(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
