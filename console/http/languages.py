"""Pages in both languages beside each other, in Chinese alone and in English alone: which words of a template stand on them.

A template says each word of its own in a pair. `[[环节 :: Stage]]` has the English in a mark of its own beside the Chinese,
`[[返回 || Back]]` plainly behind it: in attributes, titles, options. Both sides may hold whatever a template holds. Of each
template there are three, read when it is first asked for; a page in one language was never in the other.

Words that come from elsewhere are a `Both` (schemas/values/both.py), and of it a page shows what it is in.
"""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from jinja2 import Environment
from jinja2.ext import Extension
from markupsafe import Markup

from schemas.values.both import Both, Worded, shown

_PAIR = re.compile(r"\[\[(?P<zh>.*?) ?(?P<how>::|\|\|) ?(?P<en>.*?)\]\]", re.DOTALL)
_MARKED = "::"
_ENGLISH = '<span class="town-en">'
_CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
_SENTENCE = re.compile(r"(?:[A-Za-z][a-z']+[,;:]? ){2,}[A-Za-z][a-z']+")
"""Three words of English: less may be a name, a code or a kind of file."""


class Language(StrEnum):
    """In what a page is. The values stand in the cookie."""

    BOTH = ""
    CHINESE = "zh"
    ENGLISH = "en"

    @property
    def tag(self) -> str:
        """What a browser is told that a page is in."""
        return "en" if self is Language.ENGLISH else "zh-CN"

    def of(self, value: Any) -> Any:
        """What of a value stands on a page: of words in both languages those of the page."""
        if not isinstance(value, Both) or self is Language.BOTH:
            return value
        return value.zh if self is Language.CHINESE else value.en


class Pairs(Extension):
    """Chooses of each pair of a template what its environment is in."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002 - as Jinja calls it
        """The template without pairs."""
        language: Language = self.environment.language  # type: ignore[attr-defined]  # `speak` sets it
        return _PAIR.sub(lambda pair: _chosen(pair, language), source)


def _chosen(pair: re.Match[str], language: Language) -> str:
    zh, en = pair["zh"], pair["en"]
    if language is not Language.BOTH:
        return zh if language is Language.CHINESE else en
    return f"{zh} {_ENGLISH}{en}</span>" if pair["how"] == _MARKED else f"{zh} {en}".strip(" ")


def speak(environment: Environment, language: Language) -> None:
    """Have all templates of an environment be in a language, and give them the words for it."""
    environment.extend(language=language)
    environment.finalize = language.of
    environment.filters.update(here=language.of, words=words, short=shown, theirs=_theirs(language))
    environment.globals.update(
        both=Both, beside=_beside(language), in_two_lines=_in_two_lines(language), tongue_of=_tongue_of(language)
    )


def words(of: Worded) -> str:
    """Something in words, both plainly beside each other; once where they are the same."""
    return Both(of.zh, of.en, of.zh if of.zh == of.en else None)


def _strange(language: Language, text: str) -> str:
    """The language that a text is in where its page is in another one alone; blank where it fits."""
    if language is Language.ENGLISH and _CHINESE.search(text):
        return "zh"
    return "en" if language is Language.CHINESE and _SENTENCE.search(text) and not _CHINESE.search(text) else ""


def _theirs(language: Language) -> Callable[[Any], Any]:
    """What people, the town or a machine wrote, where a mark can stand: in another language than the page it is said to be so."""

    def theirs(text: Any) -> Any:
        told = language.of(text)
        strange = _strange(language, str(told))
        return Markup('<span lang="{}">{}</span>').format(strange, told) if strange else told

    return theirs


def _tongue_of(language: Language) -> Callable[[Any], Any]:
    """The same where only an attribute can stand, in the tag of an option."""

    def tongue_of(text: Any) -> Any:
        strange = _strange(language, str(language.of(text)))
        return Markup(' lang="{}"').format(strange) if strange else ""

    return tongue_of


def _beside(language: Language) -> Callable[[Worded], Any]:
    """Words as a pair of a template has them: those of the town too, which may have no English."""
    theirs = _theirs(language)

    def beside(of: Worded) -> Any:
        if language is Language.BOTH and of.zh != of.en:
            return Markup("{} {}{}</span>").format(of.zh, Markup(_ENGLISH), of.en)  # noqa: S704 - our own mark
        return theirs(of.en if language is Language.ENGLISH else of.zh)

    return beside


def _in_two_lines(language: Language) -> Callable[[str, str, Worded], Markup]:
    """On paper: the Chinese in its tag, the English in a line below it; alone, whichever it is, in that tag."""

    def in_two_lines(tag: str, kind: str, of: Worded) -> Markup:
        opening = f'<{tag} class="{kind}">'
        text = of.en if language is Language.ENGLISH else of.zh
        line = Markup("{}{}</{}>").format(Markup(opening), text, Markup(tag))  # noqa: S704 - our own tag
        below = Markup('\n<p class="paper__en town-en">{}</p>').format(of.en)
        return line + below if language is Language.BOTH else line

    return in_two_lines


def speaking(make: Callable[[], Environment]) -> Mapping[Language, Environment]:
    """An environment for each language."""
    found = {language: make() for language in Language}
    for language, environment in found.items():
        speak(environment, language)
    return found
