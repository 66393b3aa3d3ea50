"""What incidents of the same matter tell each other 并案: subjects, and the facts of each.

A case of the same matter offers itself:  MERGE_OFFERED -> MERGE_ANSWERED
Who took it in says how it goes:          FOLLOWED, as often as something becomes of it
Who was taken in says what it does:       FOLLOWER_LEFT, FOLLOWER_ACTED, FOLLOWING
"""

from enum import StrEnum

from schemas.values.model import Model


class Subject(StrEnum):
    """What a message is about."""

    MERGE_OFFERED = "merge_offered"
    MERGE_ANSWERED = "merge_answered"
    FOLLOWED = "followed"
    FOLLOWER_LEFT = "follower_left"
    FOLLOWER_ACTED = "follower_acted"
    FOLLOWING = "following"


class Told(StrEnum):
    """What became of the case that others follow. `GOES_ON`: its own reporter took back the report, or it is itself again."""

    RATING = "rating"
    CLOSED = "closed"
    REOPENED = "reopened"
    MERGED = "merged"
    GOES_ON = "goes_on"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"
    UNRESOLVED = "unresolved"


DEALT_WITH = frozenset({Told.RATING, Told.CLOSED})
"""The work is reported done: everybody who reported the matter may say whether it is."""

OVER = frozenset({Told.CLOSED, Told.WITHDRAWN, Told.REJECTED, Told.UNRESOLVED})
"""Nothing more is done about it: whoever is not content with that goes on alone."""


class FollowedTold(Model):
    """A case to those that went into it. `case`: the one it is about, at the end of all merges."""

    case: str
    told: Told


class FollowerActed(Model):
    """A case that went into another one, of its reporter or staff: `act` is the command they gave."""

    act: str
