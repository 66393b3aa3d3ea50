"""What the codes of a procedure are called, where they are declared: once, for screens, residents and notices alike."""

from enum import StrEnum
from typing import NamedTuple, Self


class StageWords(NamedTuple):
    """A stage in words: on screens, and for residents in Chinese and English."""

    screen: str
    zh: str
    en: str


class Promise(NamedTuple):
    """What a clock is for the resident: something promised to them, or theirs to use."""

    zh: str
    en: str


class ClockWords(NamedTuple):
    """A clock in words. `promise`: to the resident; None: it is the town's own business."""

    zh: str
    en: str
    promise: Promise | None = None


class DeclaredStage(StrEnum):
    """Where a case stands, with its words: `TAKEN = "taken", "已受理", "您的申报已受理", "your report is accepted"`.

    Code, on screens, for residents in Chinese and in English. Raises TypeError for a member that leaves one out.
    """

    words: StageWords

    def __new__(cls, code: str, screen: str = "", zh: str = "", en: str = "") -> Self:
        """Make a stage of what stands in its line. `Stage("taken")` finds the one of this code."""
        if not (screen and zh and en):
            raise TypeError(f"{code}: a stage has its words on screens, for residents in Chinese, and in English")
        stage = str.__new__(cls, code)
        stage._value_ = code
        stage.words = StageWords(screen, zh, en)
        return stage
