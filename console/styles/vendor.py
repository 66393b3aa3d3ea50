"""Take the styles of GOV.UK Frontend over, without what is theirs alone: the font, the crest, and the names of their service.

    npm pack govuk-frontend && tar xzf govuk-frontend-*.tgz
    python -m console.styles.vendor package/dist/govuk/govuk-frontend.min.css > console/assets/govuk-frontend.css

Run when a new release is taken over; the result is committed (tests/console/test_assets.py asks that nothing of theirs is in it).
Parts that need a script are left out too: there is none on our pages.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

FONT = "GDS Transport,arial,sans-serif"
OURS = "var(--town-font)"
"""Set in console/assets/town.css: the fonts that the machines of a town have."""

LEFT_OUT = (
    "accordion", "cookie-banner", "drop-zone", "exit-this-page", "footer__copyright-logo", "footer__crown", "footer__logo",
    "header", "logo-dot", "tabs", "password-input", "character-count", "language-navigation", "step-by-step",
)  # fmt: skip
_SELECTOR = re.compile(rf"\.govuk-(?:{'|'.join(LEFT_OUT)})(?![a-z])")


def vendored(css: str) -> str:
    """The styles as we serve them. Raises ValueError: something of theirs, or an address, is still in them."""
    plain = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    found = "".join(_kept(plain)).replace(FONT, OURS).strip() + "\n"
    for theirs in ("GDS", "crest", "url(", "@import", "@font-face"):
        if theirs in found:
            raise ValueError(f"{theirs} is still in the styles: see how this release writes it")
    return found


def _kept(css: str) -> Iterator[str]:
    """Each rule that is ours to take; of a block of rules, what is left of it."""
    for prelude, body in _rules(css):
        if body is None:
            yield "" if prelude.startswith("@charset") else f"{prelude};"
        elif prelude.startswith("@font-face"):
            continue
        elif "{" in body:
            inside = "".join(_kept(body))
            yield f"{prelude}{{{inside}}}" if inside else ""
        else:
            selectors = [each for each in prelude.split(",") if not _SELECTOR.search(each)]
            if selectors or prelude.startswith("@"):
                yield f"{','.join(selectors) if selectors else prelude}{{{body}}}"


def _rules(css: str) -> Iterator[tuple[str, str | None]]:
    """(what stands before the brace, what stands in it), one after the other; without a brace: None."""
    place = 0
    while place < len(css):
        found = re.compile(r"[{;]").search(css, place)
        if found is None:
            return
        prelude = css[place : found.start()].strip()
        if found[0] == ";":
            yield prelude, None
            place = found.end()
            continue
        end = _closing(css, found.start())
        yield prelude, css[found.end() : end]
        place = end + 1


def _closing(css: str, opening: int) -> int:
    depth = 0
    for brace in re.compile(r"[{}]").finditer(css, opening):
        depth += 1 if brace[0] == "{" else -1
        if not depth:
            return brace.start()
    raise ValueError("a brace is not closed")


if __name__ == "__main__":
    sys.stdout.write(vendored(Path(sys.argv[1]).read_text(encoding="utf-8")))
