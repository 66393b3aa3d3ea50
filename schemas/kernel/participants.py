"""People with rights of their own in one case: each has a seat in it, of a kind, perhaps on one side, and for so long.

Beside roles, which are the town's and hold in an area: a seat holds in one case and nowhere else. Also here: who hears a text that
is not for everybody who sees the case (`hears`).
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from schemas.kernel.people import same_account
from schemas.values.actor import Actor
from schemas.values.model import Model

AUDIENCE = "audience"
"""The fact of an entry that says who hears it: codes of `side_code`, `kind_code` and `role_code`."""


class Participant(Model):
    """A seat. `subject`: the account of whoever has it; None: somebody without an account, who acts through staff.

    `number` counts the seats of a case from 1. `side`: the code of the side they are on, of whoever is on one. `until`: an
    invitation's end. `left_at`: since when the seat is nobody's.
    """

    number: int
    kind: str
    subject: str | None = None
    side: str | None = None
    until: datetime | None = None
    left_at: datetime | None = None


def side_code(side: str) -> str:
    """All who are on a side."""
    return f"side:{side}"


def kind_code(kind: str) -> str:
    """All who have a seat of a kind."""
    return f"kind:{kind}"


def role_code(role: str) -> str:
    """All who see the case as this role."""
    return f"role:{role}"


def codes_of(actor: Actor, seats: Iterable[Participant]) -> frozenset[str]:
    """Return the codes under which somebody is told: of their role, and of the seats that they have now."""
    own = [seat for seat in seats if same_account(actor.subject, seat.subject)]
    sides = (side_code(seat.side) for seat in own if seat.side is not None)
    return frozenset((role_code(actor.role), *(kind_code(seat.kind) for seat in own), *sides))


def hears(audience: object, actor: Actor, seats: Iterable[Participant]) -> bool:
    """Whether somebody is among those who hear an entry; what says of no audience, nobody hears.

    `audience` is the fact of that name, as it stands in the entry.
    """
    if not isinstance(audience, Collection) or isinstance(audience, str):
        return False
    return not codes_of(actor, seats).isdisjoint(audience)
