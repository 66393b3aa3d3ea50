"""policies/whistle.yaml as data: the three types of whistle, their limits, and when a gathering is complete."""

from collections.abc import Iterator
from enum import StrEnum

from pydantic import Field

from schemas.clock_schedule import BREACH, tier_name
from schemas.clocks import Limit, Tier
from schemas.model import Model
from schemas.policy import Policy


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
    `given_up_after`: so long after its last tier a summons that nobody answers is no longer waited for.
    """

    respond: Limit
    arrive: Limit
    finish: Limit
    arbitrate: Limit
    begin: Limit
    score: Limit
    given_up_after: Limit
    tiers: tuple[Tier, ...]
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


class WhistlePolicy(Policy):
    """policies/whistle.yaml: the terms."""

    terms: WhistleTerms

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


def last_moment(tiers: tuple[Tier, ...]) -> str:
    """The moment of a clock with these tiers after which nobody further is told."""
    later = sum(tier.after.amount > 0 for tier in tiers)
    return tier_name(later) if later else BREACH
