"""policies/incident.yaml as data: the town's terms for incidents and its responsibility list 权责清单."""

from collections.abc import Iterator
from enum import StrEnum

from pydantic import Field

from schemas.clocks.clocks import Limit, Tier, Unit
from schemas.kernel.policy import NOT_A_DEPARTMENT, Duty, OnCall, Policy
from schemas.values.model import Model
from schemas.values.tidy_text import is_blank, tidy


class Urgency(StrEnum):
    """How fast; the limits stand in the policy."""

    EMERGENCY = "emergency"
    URGENT = "urgent"
    ORDINARY = "ordinary"
    COMPLEX = "complex"


_ON_CALL = {Urgency.EMERGENCY: OnCall.EVERYBODY, Urgency.URGENT: OnCall.DUTY_LEADER}


class Responsibility(Model):
    """One line of the responsibility list 权责清单: who answers for a category, how fast, by which law.

    `evidence`: the work is not reported done without a document 办结须附材料.
    """

    department: str
    urgency: Urgency
    legal_basis: str
    evidence: bool = False


class Limits(Model):
    """The clocks of one urgency. `sign`, `screen` and `tiers`: where they are not as for all."""

    respond: Limit
    finish: Limit
    sign: Limit | None = None
    screen: Limit | None = None
    tiers: tuple[Tier, ...] | None = None


class IncidentTerms(Model):
    """The town's rules for incidents that do not depend on the category.

    The policy file names every one. A default is what a case goes by that started before its town had the rule.
    """

    sign: Limit
    verify: Limit
    rate: Limit
    reopen: Limit
    unresolved_after: Limit
    return_within: Limit
    returns_at_most: int = Field(ge=0)
    tiers: tuple[Tier, ...]
    urgencies: dict[Urgency, Limits]
    fallback_department: str
    extension_working_days_at_most: int = Field(default=10, ge=0)
    suspension: Limit = Limit(amount=30, unit=Unit.NATURAL_DAYS)
    supervise: Limit = Limit(amount=3, unit=Unit.WORKING_DAYS)
    documents_at_most: int = Field(default=50, ge=1)
    reminders_a_day: int = Field(default=1, ge=0)
    screen: Limit = Limit(amount=4, unit=Unit.WORKING_HOURS)

    def screen_within(self, urgency: Urgency) -> Limit:
        """How long the coordination centre has to look at what came in without an account."""
        own = self.urgencies[urgency].screen
        return self.screen if own is None else own

    def sign_within(self, urgency: Urgency) -> Limit:
        """How long a department has to take an order of this urgency."""
        own = self.urgencies[urgency].sign
        return self.sign if own is None else own

    def tiers_of(self, urgency: Urgency) -> tuple[Tier, ...]:
        """To whom lateness is reported in a case of this urgency; after the last one it is the coordinator's."""
        own = self.urgencies[urgency].tiers
        return self.tiers if own is None else own


class IncidentPolicy(Policy):
    """policies/incident.yaml: the terms and the responsibility list.

    `told_to_all`: of these categories everybody may hear that one is open in a community, before they report it once more.
    """

    WINDOWS = frozenset({"rate", "reopen", "return_within", "suspension", "unresolved_after"})

    terms: IncidentTerms
    categories: dict[str, Responsibility]
    told_to_all: tuple[str, ...] = ()

    def faults(self) -> Iterator[str]:
        """Say which departments, laws and urgencies the list names wrongly or not at all."""
        yield from super().faults()
        if self.terms.fallback_department not in self.departments:
            yield f"terms.fallback_department: {self.terms.fallback_department!r} {NOT_A_DEPARTMENT}"
        for category, responsibility in self.categories.items():
            if responsibility.department not in self.departments:
                yield f"categories.{category}.department: {responsibility.department!r} {NOT_A_DEPARTMENT}"
            if is_blank(responsibility.legal_basis):
                yield f"categories.{category}.legal_basis: is blank; name the law"
            if is_blank(category):
                yield "categories: one has no name; name it"
            if self.name_of(category) != category:
                yield f"categories.{category}: looks the same as {self.name_of(category)!r}; keep one of them"
        strange = (each for each in self.told_to_all if each not in self.categories)
        yield from (f"told_to_all: {each!r} is no category of the list; mend it or leave it out" for each in strange)
        for urgency in Urgency:
            if urgency not in self.terms.urgencies:
                yield f"terms.urgencies.{urgency}: is missing; write respond and finish"

    def duties(self) -> Iterator[Duty]:
        """Every limit that somebody has to keep."""
        for urgency, limits in self.terms.urgencies.items():
            tiers, on_call = self.terms.tiers_of(urgency), _ON_CALL.get(urgency, OnCall.NOBODY)
            own = {
                "screen": self.terms.screen_within(urgency),
                "sign": self.terms.sign_within(urgency),
                "respond": limits.respond,
                "finish": limits.finish,
            }
            for name, limit in (own | {"verify": self.terms.verify, "supervise": self.terms.supervise}).items():
                yield Duty(f"urgencies.{urgency}.{name}", limit, tiers, on_call)

    def searched(self) -> tuple[str, ...]:
        """The categories."""
        return tuple(self.categories)

    def is_told_to_all(self, matter: str) -> bool:
        """Of what lies in the open for everybody who walks by, and concerns nobody's home."""
        return self.name_of(matter) in self.told_to_all

    def name_of(self, category: str) -> str:
        """The name on the list that looks the same as this one, such as one in full width; the very one where there is none."""
        form = tidy(category)
        return next((name for name in self.categories if tidy(name) == form), category)

    def responsibility(self, category: str) -> tuple[Responsibility, bool]:
        """Who answers for a category, and whether it is on the list; what is not goes to the coordination centre."""
        listed = self.categories.get(self.name_of(category))
        if listed is not None:
            return listed, True
        return Responsibility(
            department=self.terms.fallback_department, urgency=Urgency.ORDINARY, legal_basis="权责清单未列明"
        ), False
