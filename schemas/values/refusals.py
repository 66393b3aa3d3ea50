"""Why something is not accepted, in words a person can act on: Chinese first, English beside it."""

from enum import StrEnum

from schemas.values.both import Both
from schemas.values.model import Model

_BESIDE, _END, _WITHIN = " (", ")", "("


class RefusalCode(StrEnum):
    """The kinds of refusal; each is a problem type of the API (docs/problems.md)."""

    NOT_YOUR_ROLE = "not-your-role"
    NOT_YOUR_CASE = "not-your-case"
    NOT_NOW = "not-now"
    AGAINST_THE_RULES = "against-the-rules"
    BAD_COMMAND = "bad-command"
    NOT_WHAT_YOU_SAW = "not-what-you-saw"
    KEY_REUSED = "key-reused"
    CASE_ENDED = "case-ended"
    NOT_STAMPED = "not-stamped"
    ALREADY_HELD = "already-held"
    SET_ASIDE = "set-aside"
    OUT_OF_PLACE = "out-of-place"


class Fault(Model):
    """One thing wrong with a request: which field, why, and what to do about it."""

    field: str
    reason: str
    remedy: str


class Refusal(Model):
    """A command that was not accepted. Nothing of the case has changed.

    `stage` is where the case stands, `legal_commands` what this caller may do there now. `in_the_way`: the living cases that
    hold already what this one would have, as far as the caller may know of them.
    """

    code: RefusalCode
    detail: str
    command: str = ""
    stage: str = ""
    legal_commands: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    in_the_way: tuple[str, ...] = ()


class Refused(Exception):
    """A rule said no; carries the Refusal."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.detail)
        self.refusal = refusal


def say(chinese: str, english: str) -> str:
    """Chinese first, English beside it; `in_both` takes it apart.

    No Chinese sentence has a bracket behind a space; one that was put into it, with what somebody wrote, loses the space.
    """
    return f"{chinese.replace(_BESIDE, _WITHIN)}{_BESIDE}{english}{_END}"


def in_both(text: str) -> str:
    """A text that `say` made, in both languages again, to the letter; any other text as it is.

    What `say` wrote into a history or an answer of the API comes back as a plain text. It is taken apart at the first bracket
    behind a space: `say` leaves none in the Chinese. Only for texts of ours: what people
    wrote may look like anything.
    """
    chinese, beside, english = text.partition(_BESIDE)
    if isinstance(text, Both) or not beside or english == _END or not english.endswith(_END):
        return text
    return Both(chinese, english.removesuffix(_END), text)
