"""Somebody without an account: unknown, and told apart by the code of the case that they opened and by nothing else.

For each case an account is made that nobody can sign in with (schemas/values/account.py): it is whose keys the opening has, whose
the case is, and with whom its texts are kept in the vault. Whoever shows number and code of such a case acts as that account, in
that case. Of a case that somebody opened with an account of their own, or staff for somebody, the code shows where it stands, and
no more.
"""

import secrets
from dataclasses import dataclass

from schemas.kernel.case import CaseState
from schemas.values.account import GUEST, is_guest
from schemas.values.actor import Actor, Channel, Role

_RANDOM_BYTES = 16


@dataclass(frozen=True)
class Guest:
    """Who opens a case without an account, or comes back to it. Never a signed-in resident: no token is theirs."""

    subject: str
    identity: None = None
    role: Role = Role.RESIDENT

    @classmethod
    def new(cls) -> "Guest":
        """Somebody of whom nothing is known yet."""
        return cls(GUEST + secrets.token_hex(_RANDOM_BYTES))

    def actor(self, channel: Channel) -> Actor:
        """The same, acting by that way."""
        return Actor(subject=self.subject, role=self.role, channel=channel)


def guest_of(state: CaseState) -> Guest | None:
    """As whom somebody acts who has shown number and code of this case; None: the code gives them no say in it."""
    subject = state.reporter_subject
    return Guest(subject) if subject is not None and is_guest(subject) else None
