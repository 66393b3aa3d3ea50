"""What every declared procedure asks of the town's rules for it: the last limit, the tiers, and how much a case takes."""

from collections.abc import Iterator

from pydantic import Field

from schemas.clocks.clock_schedule import Tier
from schemas.clocks.limits import Limit
from schemas.kernel.policy import Duty, Policy
from schemas.values.model import Model


class Terms(Model):
    """The town's rules that a case keeps. A subclass adds its own; a limit among them is somebody's duty unless it is a window."""

    unresolved_after: Limit
    tiers: tuple[Tier, ...]
    documents_at_most: int = Field(default=50, ge=1)
    reminders_a_day: int = Field(default=1, ge=0)


class TermsPolicy(Policy):
    """policies/NAME.yaml of a procedure whose rules are its terms alone. A subclass says of which model they are."""

    WINDOWS = frozenset({"unresolved_after"})

    terms: Terms

    def duties(self) -> Iterator[Duty]:
        """Every limit among the terms that is no window."""
        for name in type(self.terms).model_fields:
            limit = getattr(self.terms, name)
            if isinstance(limit, Limit) and name not in self.WINDOWS:
                yield Duty(f"terms.{name}", limit, self.terms.tiers)
