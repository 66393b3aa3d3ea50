"""What stands on a page in a language that its reader has turned off."""

import re
from html.parser import HTMLParser

from console.http.languages import Language

_CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef“”]")
_SENTENCE = re.compile(r"(?:[A-Za-z][a-z']+[,;:]? ){2,}[A-Za-z][a-z']+")
_SAID = ("alt", "aria-label", "placeholder", "title")
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_NOT_WORDS = frozenset({"code", "pre", "script", "style", "textarea"})
"""What a machine reads, and what somebody has written into a form."""


class Spoken(HTMLParser):
    """Every text of a page, with the language that it is said to be in."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[tuple[str, str]] = []
        self._inside: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        language = said.get("lang") or (self._inside[-1][1] if self._inside else "")
        self.texts += [(language, said[name] or "") for name in _SAID if said.get(name)]
        if tag not in _VOID:
            self._inside.append((tag, language))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._inside and not any(tag in _NOT_WORDS for tag, _ in self._inside):
            self.texts.append((self._inside[-1][1], data.strip()))


def foreign(page: str, language: Language) -> list[str]:
    """The texts of a page in one language that are in the other one, and are not marked as such."""
    wrong, marked = (_CHINESE, "zh") if language is Language.ENGLISH else (_SENTENCE, "en")
    return [
        text
        for said, text in Spoken(page).texts
        if (found := wrong.search(text)) and _is_ours(found, said, marked, language)
    ]


def _is_ours(_found: re.Match[str], said: str, marked: str, language: Language) -> bool:
    return said == language.tag or not said.startswith(marked)
