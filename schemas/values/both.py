"""Words in both languages in one text: written as ever, and never to be taken apart by guessing."""

from typing import Any, Protocol, Self


class Both(str):
    """A text of ours that knows itself in Chinese and in English. As a `str` it is what stands where both are shown.

    `written`: how that is, `中文 English` where nothing is said. Whatever is kept, sent or compared is that text alone: who only
    knows `str` sees no difference. It ends where texts are put together by `+`, `join` or in an f-string: see `together`.
    """

    __slots__ = ("en", "zh")
    zh: str
    en: str

    def __new__(cls, zh: str, en: str, written: str | None = None) -> Self:
        """Words in both languages."""
        both = super().__new__(cls, f"{zh} {en}" if written is None else written)
        both.zh, both.en = str(zh), str(en)
        return both

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.zh, self.en, str(self)))


def spoken(code: str) -> str:
    """A code of ours as English words: `return_order` is said `return order`."""
    return code.replace("_", " ")


def chinese_of(text: str) -> str:
    """A text in Chinese; one that is not in both languages as it is."""
    return text.zh if isinstance(text, Both) else text


def english_of(text: str) -> str:
    """A text in English; one that is not in both languages as it is."""
    return text.en if isinstance(text, Both) else text


def together(between: str, texts: Any) -> str:
    """Texts put together, in each language by itself: what `between.join(texts)` would write, and it knows both."""
    parts = list(texts)
    if not any(isinstance(each, Both) for each in (between, *parts)):
        return between.join(parts)
    return Both(
        chinese_of(between).join(chinese_of(each) for each in parts),
        english_of(between).join(english_of(each) for each in parts),
        between.join(parts),
    )


class Worded(Protocol):
    """Whatever has words in both languages."""

    @property
    def zh(self) -> str:
        """In Chinese."""

    @property
    def en(self) -> str:
        """In English."""


def shown(words: Worded) -> Both:
    """Words where there is room for one language: where both are shown the Chinese stands alone."""
    return Both(words.zh, words.en, words.zh)


def titled(title: str, code: str) -> str:
    """What is declared with a Chinese title and a code, such as a command: the code is its English."""
    return Both(title, spoken(code).capitalize(), title)


def described(text: str) -> str:
    """What a command says of itself, `退单: the department says why.`: in English alone, and without its Chinese name there."""
    name, colon, english = text.partition(": ")
    return Both("", english[:1].upper() + english[1:] if colon and not name.isascii() else text, text)


LISTED = Both("、", ", ", "、")
"""Stands between things that are listed."""
