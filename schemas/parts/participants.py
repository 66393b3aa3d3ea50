"""参与人 participants: seats in one case, with rights of their own: a party, an agent, a mediator, somebody who is invited.

    seat -> left            by itself, when an invitation ends; or because somebody says so

Each acts as itself: a row of the table is `by` a seat of a kind (`seated(Role.RESIDENT, PARTY)`), the case asks whose seat it is,
and who has no account acts through staff, who say that this person is there. What one says is heard by its audience and by
nobody else (`schemas/kernel/participants.py`), where the procedure is `confidential`.

Sources: 人民调解法 第十八、二十三条 (the parties choose, consent and end, each for itself), L for the end of an invitation. A
procedure gives its state `ParticipantsState`, its clocks `participant_timers()` and its workflow `Participants`
(workflows/parts/participants.py).
"""

from collections.abc import Mapping

from schemas.kernel.participants import Participant, kind_code, side_code
from schemas.kernel.people import Part, among, same_account
from schemas.kernel.state import DeclaredState
from schemas.kernel.timers import Timer, window

PARTY, AGENT, MEDIATOR, SPECIALIST = "party", "agent", "mediator", "specialist"
"""Kinds of seats: a side itself, who speaks for a side, who stands between the sides, and who is invited."""

OF_A_SIDE = (PARTY, AGENT)
INVITATION = "invitation"
"""The clock of an invited person's seat, `invitation:NUMBER`."""


class ParticipantsState(DeclaredState):
    """A case in which people have seats.

    `participants`: every seat that there ever was, in order. `written_for`: the accounts of staff who have written down what a side
    said that has no account, by side.
    """

    participants: list[Participant] = []
    written_for: dict[str, list[str]] = {}

    def seats(self) -> tuple[Participant, ...]:
        """Return the seats that are somebody's now."""
        return tuple(seat for seat in self.participants if seat.left_at is None)

    def seats_of(self, *kinds: str) -> tuple[Participant, ...]:
        """Return the seats of these kinds."""
        return tuple(seat for seat in self.seats() if seat.kind in kinds)

    @property
    def sides(self) -> tuple[str, ...]:
        """The codes of the sides, in the order in which they came."""
        return tuple(dict.fromkeys(seat.side for seat in self.seats_of(PARTY) if seat.side is not None))

    def side_of(self, subject: str) -> str | None:
        """Return the side on which somebody sits, by their account; None: on none."""
        return next((seat.side for seat in self.seats_of(*OF_A_SIDE) if same_account(subject, seat.subject)), None)

    def accounts_on(self, side: str) -> tuple[str, ...]:
        """Return the accounts of a side; none where nobody there has one."""
        return tuple(seat.subject for seat in self.seats_of(*OF_A_SIDE) if seat.side == side and seat.subject)

    def writes_for_another(self, subject: str, side: str) -> bool:
        """Whether somebody has written down what another side said: one person is not the pen of two."""
        return any(among(subject, who) for other, who in self.written_for.items() if other != side)

    def all_sides(self) -> tuple[str, ...]:
        """Return the audience of what every side hears."""
        return tuple(side_code(side) for side in self.sides)

    def took_part(self) -> Mapping[Part, tuple[str, ...]]:
        """Who is, or was, of a side, and who stands, or stood, between them: by account."""
        of_sides = tuple(seat.subject for seat in self.participants if seat.kind in OF_A_SIDE and seat.subject)
        between = tuple(seat.subject for seat in self.participants if seat.kind == MEDIATOR and seat.subject)
        return {**super().took_part(), Part.SEATED: of_sides, Part.MEDIATED: between}

    def has_seat(self, subject: str) -> bool:
        """Whether somebody has a seat now, whatever way they act."""
        return among(subject, (seat.subject for seat in self.seats()))


def participant_timers() -> dict[str, Timer]:
    """The clock of an invitation, which ends by a date."""
    return {INVITATION: window("邀请", "invitation", None)}


def one_side(side: str, *also: str) -> tuple[str, ...]:
    """Return the audience of what one side alone says, and whoever else hears it, by kind."""
    return (side_code(side), *map(kind_code, also))
