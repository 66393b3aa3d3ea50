"""What counts of what an issuer says to a warning that stands, in whatever order its messages come.

As CAP 1.2 has it a message names those that it goes on with or calls off (`references`). What stands is the latest word, by `sent`;
of one moment the graver one. A cancel ends what stands, and nothing that has replaced what it names. What is of a part of the
warning's area alone never makes the whole of it less.
"""

from collections.abc import Sequence
from datetime import datetime

from schemas.clocks.limits import Limit, Unit
from schemas.parts.agreed import limit_until
from schemas.warning_commands import HearIssuer, MessageType
from schemas.warning_state import Stage, WarningState
from schemas.warning_terms import WarningLevel

_DAY = 24 * 60 * 60


def is_later(state: WarningState, sent: datetime, level: WarningLevel, references: Sequence[str]) -> bool:
    """Whether it comes after what stands: sent later; or at the same moment, and graver, or naming what stands."""
    if state.sent_at is None or sent != state.sent_at:
        return state.sent_at is None or sent > state.sent_at
    return level.is_above(state.level) or (level is state.level and any(each in state.standing for each in references))


def still_stand(state: WarningState, cancel: HearIssuer) -> list[str]:
    """The numbers of the messages that hold after a cancel; of a part it calls off none."""
    named = () if cancel.part else cancel.references
    return [each for each in state.standing if each not in state.called_off and each not in named]


def counts(state: WarningState, said: HearIssuer) -> bool:
    """Whether a message changes the warning, or stands in its ledger alone."""
    if said.message_type is MessageType.CANCEL:
        return state.issuer_over is None and bool(state.standing) and not still_stand(state, said)
    if not is_later(state, said.sent, said.level, said.references):
        return False
    return not said.part or (not said.called_off and (said.level.is_above(state.level) or renews(state, said.level)))


def renews(state: WarningState, level: WarningLevel) -> bool:
    """Whether a word of this level says that it is not over: it calls, and somebody has said that it was over."""
    was_over = state.issuer_over is not None or state.cleared_by is not None
    was_over = was_over or state.stage in {Stage.CLEARING, Stage.RETURNING}
    return was_over and state.terms.levels[level].calls


def is_worse_again(state: WarningState, level: WarningLevel) -> bool:
    """Whether it renews what was over, and nobody is to go home: where all are out and no all clear holds, nobody does anyway."""
    nobody_goes_home = state.stage in {Stage.MOVING, Stage.SHELTERED} and state.cleared_by is None
    return renews(state, level) and not nobody_goes_home


def longer(one: datetime | None, other: datetime | None) -> datetime | None:
    """Which of two words runs out later; None: one of them does not."""
    return None if one is None or other is None else max(one, other)


def until_it_runs_out(now: datetime, expires: datetime) -> Limit:
    """The way to the end of its time, to the second while that is within a day; a second at the least."""
    seconds = int((expires - now).total_seconds())
    return Limit(amount=max(1, seconds), unit=Unit.SECONDS) if seconds <= _DAY else limit_until(now, expires)


def is_looked_at(state: WarningState, said: HearIssuer) -> bool:
    """Whether somebody has to look at a message that does not count: a cancel, a graver one, one of a part."""
    if said.called_off or (said.message_type is MessageType.CANCEL and state.issuer_over is not None):
        return False
    return said.message_type is MessageType.CANCEL or said.part or said.level.is_above(state.level)
