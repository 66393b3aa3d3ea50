"""参与人 participants, as a case seats them (schemas/parts/participants.py); and what each of its entries says of who hears it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

from schemas.kernel.participants import AUDIENCE, Participant
from schemas.parts.agreed import limit_until
from schemas.parts.participants import INVITATION, ParticipantsState
from workflows.kernel.declared import DeclaredCase

StateT = TypeVar("StateT", bound=ParticipantsState)


class Participants(DeclaredCase[StateT]):
    """The part of a case in which people have seats."""

    _audience: Sequence[str] | None = None

    # ---- for procedures -------------------------------------------------------------------------------------------

    def heard_by(self, kind: str) -> Sequence[str]:  # noqa: ARG002 - the procedure's own rule looks at it
        """Return the audience of an entry of which nothing else is said: nobody, unless the procedure says."""
        return ()

    def on_invitation_ended(self, seat: Participant) -> None:
        """An invitation is over, and the seat nobody's. Nothing more, unless the procedure says."""

    # ---- seats ----------------------------------------------------------------------------------------------------

    def seat(
        self, kind: str, subject: str | None, *, side: str | None = None, until: datetime | None = None
    ) -> Participant:
        """Give somebody a seat; `until`: it is an invitation that ends then, by itself."""
        number = len(self.state.participants) + 1
        seat = Participant(number=number, kind=kind, subject=subject, side=side, until=until)
        self.state.participants.append(seat)
        if until is not None:
            self.start_clock(f"{INVITATION}:{number}", limit=limit_until(self.now(), until))
        return seat

    def unseat(self, seat: Participant) -> None:
        """The seat is nobody's from now on."""
        self.clocks.stop(f"{INVITATION}:{seat.number}", "engine")
        place = self.state.participants.index(seat)
        self.state.participants[place] = seat.model_copy(update={"left_at": self.now()})

    def on_clock_passed(self, clock: str) -> None:
        """邀请期满: the seat is nobody's."""
        kind, _, number = clock.partition(":")
        if kind != INVITATION:
            super().on_clock_passed(clock)
            return
        seat = self.state.participants[int(number) - 1]
        self.unseat(seat)
        self.on_invitation_ended(seat)

    # ---- who hears ------------------------------------------------------------------------------------------------

    def record(self, kind: str, /, **facts: Any) -> None:
        """Add an entry, and say who hears it: those to whom `say_to` gave it, else those who hear such an entry."""
        audience = self.heard_by(kind) if self._audience is None else self._audience
        super().record(kind, **{AUDIENCE: sorted(set(audience)), **facts})

    @contextmanager
    def heard_only_by(self, *audience: str) -> Iterator[None]:
        """Make entries that these hear, and nobody else."""
        self._audience = audience
        try:
            yield
        finally:
            self._audience = None

    def say_to(self, audience: Sequence[str], kind: str, **facts: Any) -> None:
        """Add an entry that these hear, and nobody else."""
        with self.heard_only_by(*audience):
            self.record(kind, **facts)

    def addresses_of(self, accounts: Sequence[str], otherwise: str) -> tuple[str, ...]:
        """Return the addresses at which people with seats are told; `otherwise`: where nobody of them has an account."""
        return tuple(f"participant:{account}" for account in accounts) or (otherwise,)
