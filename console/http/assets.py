"""Styles, pictures and scripts of the pages: ours to the last byte. Their address holds their hash, so browsers keep them for ever.

No page loads anything from elsewhere; `console/http/pages.py` tells browsers to load nothing else.
"""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from schemas.values.refusals import say
from starter.http.problems import Problem, ProblemCode

FOLDER = Path(__file__).parents[1] / "assets"
TYPES = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".js": "text/javascript; charset=utf-8"}
FOR_EVER = "public, max-age=31536000, immutable"
PATH = "/assets"
_HASH_CHARACTERS = 12

router = APIRouter(prefix=PATH, include_in_schema=False)


@dataclass(frozen=True)
class Asset:
    """A file as it is sent, compressed once when it is first asked for."""

    name: str
    media_type: str
    content: bytes
    compressed: bytes


@cache
def assets() -> Mapping[str, Asset]:
    """Every file by the name in its address: `town.1f2e3d4c5b6a.css`."""
    found = {}
    for file in sorted(each for each in FOLDER.iterdir() if each.suffix in TYPES):
        content = file.read_bytes()
        name = f"{file.stem}.{hashlib.sha256(content).hexdigest()[:_HASH_CHARACTERS]}{file.suffix}"
        found[name] = Asset(name, TYPES[file.suffix], content, gzip.compress(content, mtime=0))
    return found


@cache
def address_of(file: str) -> str:
    """Where a file of the folder is asked for. Raises LookupError: there is none of this name."""
    stem, _, suffix = file.rpartition(".")
    for name in assets():
        if name.startswith(f"{stem}.") and name.endswith(f".{suffix}") and name.count(".") == file.count(".") + 1:
            return f"{PATH}/{name}"
    raise LookupError(file)


@router.get("/{name}")
async def asset(name: str, request: Request) -> Response:
    """A style, a picture or a script, compressed for who takes that."""
    found = assets().get(name)
    if found is None:
        raise Problem(ProblemCode.NOT_FOUND, say("没有此文件", "there is no such file"))
    headers = {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.compressed, headers=headers | {"Content-Encoding": "gzip"}, media_type=found.media_type)
    return Response(found.content, headers=headers, media_type=found.media_type)
