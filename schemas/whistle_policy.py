"""policies/whistle.yaml as data: the three types of whistle, their limits, and when a gathering is complete."""

from collections.abc import Iterator
from enum import StrEnum

from pydantic import Field

from schemas.clocks.clocks import Limit, Tier
from schemas.kernel.policy import Duty, OnCall, Policy
from schemas.values.model import Model


class WhistleType(StrEnum):
    """Why a street blows the whistle (H): a demand it cannot meet alone, joint enforcement, an emergency."""

    DEMAND = "demand"
    ENFORCEMENT = "enforcement"
    EMERGENCY = "emergency"


class GatheringRule(StrEnum):
    """When the departments have gathered."""

    ALL = "all"
    LEAD_AND_QUORUM = "lead_and_quorum"


class IncidentClocks(StrEnum):
    """What happens to the clocks of an incident that waits for a whistle."""

    PAUSE = "pause"
    RUN = "run"


class Gathering(Model):
    """The gathering rule of a type. `quorum_percent` of all that were summoned and not released; with `all` it is 100."""

    rule: GatheringRule
    quorum_percent: int = Field(default=100, ge=1, le=100)


class TypeTerms(Model):
    """The town's rules for one type of whistle.

    `respond`, `arrive`, `finish` are a department's, `arbitrate` the coordinator's, `begin` the lead's, `score` the street's.
    `given_up_after`: so long after its last tier a summons that nobody answers is no longer waited for. `street_tiers`: to
    whom a late street or coordinator is reported, where that is not as for all types.
    """

    respond: Limit
    arrive: Limit
    finish: Limit
    arbitrate: Limit
    begin: Limit
    score: Limit
    given_up_after: Limit
    tiers: tuple[Tier, ...]
    street_tiers: tuple[Tier, ...] | None = None
    gathering: Gathering
    incident_clocks: IncidentClocks


class WhistleTerms(Model):
    """The town's rules for whistles and their summonses. `street_tiers`: to whom a late street or coordinator is reported.

    `unscored_after`: a summons whose whistle tells it nothing any more ends by itself.
    """

    types: dict[WhistleType, TypeTerms]
    street_tiers: tuple[Tier, ...]
    unresolved_after: Limit
    unscored_after: Limit
    reason_below: int = Field(ge=0, le=100)
    departments_at_most: int = Field(ge=1)
    documents_at_most: int = Field(ge=1)
    reminders_a_day: int = Field(default=1, ge=0)

    def street_tiers_of(self, kind: WhistleType) -> tuple[Tier, ...]:
        """To whom a late street or coordinator is reported in a whistle of this type."""
        own = self.types[kind].street_tiers
        return self.street_tiers if own is None else own


class WhistlePolicy(Policy):
    """policies/whistle.yaml: the terms."""

    WINDOWS = frozenset({"given_up_after", "unresolved_after", "unscored_after"})

    terms: WhistleTerms

    def duties(self) -> Iterator[Duty]:
        """Every limit that somebody has to keep."""
        for kind, terms in self.terms.types.items():
            on_call = OnCall.EVERYBODY if kind is WhistleType.EMERGENCY else OnCall.NOBODY
            street = self.terms.street_tiers_of(kind)
            for name in ("respond", "arrive", "finish", "begin"):
                yield Duty(f"types.{kind}.{name}", getattr(terms, name), terms.tiers, on_call)
            for name in ("arbitrate", "score"):
                yield Duty(f"types.{kind}.{name}", getattr(terms, name), street, on_call)

    def faults(self) -> Iterator[str]:
        """Say which types are missing, and which gathering rules say two things at once."""
        yield from super().faults()
        for kind in WhistleType:
            if kind not in self.terms.types:
                yield f"terms.types.{kind}: is missing; write its limits, tiers and gathering rule"
        for kind, terms in self.terms.types.items():
            gathering = terms.gathering
            if gathering.rule is GatheringRule.ALL and gathering.quorum_percent < 100:  # noqa: PLR2004 - all of them
                yield f"terms.types.{kind}.gathering.quorum_percent: all have to come; leave it out"
