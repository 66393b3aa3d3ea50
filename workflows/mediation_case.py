"""mediation 人民调解: what all of it needs - who hears an entry, and at which addresses sides and mediators are told."""

from collections.abc import Sequence

from schemas.clocks.clock_schedule import WARNING
from schemas.kernel.participants import kind_code, role_code, side_code
from schemas.kernel.people import account_among
from schemas.mediation import COMMITTEE, Kind
from schemas.mediation_state import MediationState
from schemas.parts.agreed import DatedDuty
from schemas.parts.duties import ACCEPT, CURE, DUTY
from schemas.parts.participants import MEDIATOR, SPECIALIST
from schemas.values.actor import Actor, Role
from workflows.parts.duties import DatedDuties
from workflows.parts.orders import OrdersCase
from workflows.parts.participants import Participants

MEDIATORS = kind_code(MEDIATOR)
OF_COMMITTEE = role_code(Role.COMMITTEE_OFFICER)
OWN_WORDS = frozenset({str(Kind.COMMENTED), str(Kind.ATTACHED)})
"""Entries that are what somebody says of their own: heard by their own side and the mediators."""


class MediationCase(Participants[MediationState], DatedDuties[MediationState], OrdersCase[MediationState]):
    """Who hears, and who is told."""

    # ---- who hears ------------------------------------------------------------------------------------------------

    def heard_by(self, kind: str) -> Sequence[str]:
        """What is done, all sides hear, who mediates, who is invited, and the committee; what is said, one's own side."""
        if kind in OWN_WORDS:
            return self.of_speaker(self.stamp.actor)
        return (*self.state.all_sides(), MEDIATORS, kind_code(SPECIALIST), OF_COMMITTEE)

    def of_speaker(self, by: Actor) -> tuple[str, ...]:
        """Who hears what somebody says of their own: their side and the mediators; of who is on no side, their own role."""
        side = self.state.side_of(by.subject)
        own = role_code(by.role) if side is None else side_code(side)
        return (MEDIATORS,) if by.role is Role.MEDIATOR else (own, MEDIATORS)

    # ---- what is put to all ---------------------------------------------------------------------------------------

    def nothing_is_put(self) -> None:
        """Nobody's word is waited for any more; who agreed to it before has agreed to nothing."""
        self.clocks.stop("put_to_all", "engine")
        self.state.proposals = []

    def wrote_for(self, side: str, by: Actor) -> None:
        """Remember who wrote down what a side said."""
        self.state.written_for.setdefault(side, [])
        if not account_among(by.subject, self.state.written_for[side]):
            self.state.written_for[side].append(by.subject)

    # ---- who is told ----------------------------------------------------------------------------------------------

    def side_addresses(self, side: str) -> tuple[str, ...]:
        """Where a side is told; the committee calls on one of which nobody has an account."""
        return self.addresses_of(self.state.accounts_on(side), COMMITTEE)

    def all_addresses(self) -> tuple[str, ...]:
        """Where every side is told."""
        return tuple(dict.fromkeys(told for side in self.state.sides for told in self.side_addresses(side)))

    def mediator_addresses(self) -> tuple[str, ...]:
        """Where those are told who mediate; the committee where nobody does."""
        return self.addresses_of(self.state.mediators, COMMITTEE)

    def owed_by(self, duty: DatedDuty) -> Sequence[str]:
        """The side that owes it."""
        return self.side_addresses(self.state.clause_of(duty.code).debtor)

    def accepted_by(self, duty: DatedDuty) -> Sequence[str]:
        """The side that it is owed to."""
        return self.side_addresses(self.state.clause_of(duty.code).creditor)

    def told_for(self, holder: str, clock: str = "") -> tuple[str, ...]:
        """The addresses behind a holder: `reporter` is every side, and no other mediator is told than those of this case."""
        kind, _, code = clock.partition(":")
        if kind in {DUTY, CURE}:
            return tuple(self.owed_by(self.state.duty_of(code)))
        if kind == ACCEPT:
            return tuple(self.accepted_by(self.state.duty_of(code)))
        if holder == "reporter":
            return self.all_addresses()
        return self.mediator_addresses() if holder == "role:mediator" else (holder,)

    def urged(self) -> Sequence[str]:
        """Whoever holds it, each by their own address."""
        return self.told_for(self.state.holder)

    def on_clock(self, clock: str, milestone: str, recipient: str) -> None:
        """Everybody behind a holder is warned; it is recorded once."""
        if milestone != WARNING:
            super().on_clock(clock, milestone, recipient)
        elif self.timer_of(clock).warns:
            self.record("clock:warning", clock=clock, moment=milestone, told=recipient)
            for told in self.told_for(recipient, clock):
                self.notify(told, "clock_warning", clock=clock.partition(":")[0])
