"""The report that opens an incident: what people send, who may send it, and the state that the case starts with."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from schemas.advice.advice_policy import DispatchHelpRules
from schemas.advice.dispatch_model import DispatchModel
from schemas.advice.proposals import PERCENT, Proposal, Proposed, decided, proposals
from schemas.incident_policy import IncidentPolicy
from schemas.incident_state import OFF_THE_LIST, IncidentState, Stage
from schemas.kernel.case import Charter
from schemas.kernel.reports import ReportFields
from schemas.values.account import AccountCode, is_guest
from schemas.values.actor import Actor, Channel, Role, Stamp
from schemas.values.canonical import digest
from schemas.values.case_number import MotionNumber
from schemas.values.free_text import FreeText, StatedName, StatedPhone
from schemas.values.location import AREA_UNKNOWN, Location
from schemas.values.model import Model
from schemas.values.references import PersonReference, TextReference
from schemas.values.typed_code import Category
from schemas.words.field_words import FieldWords

REPORT = "report"
"""The name of the opening in stamps; it is no command, for there is no case yet."""

REPORTERS = frozenset({Role.RESIDENT, Role.GRID_WORKER, Role.WINDOW_CLERK, Role.STREET_OFFICER, Role.COORDINATOR})
"""Who may report an incident (domain: incident). A hotline is a channel; its staff have one of these roles."""

AS_REPORTED = ReportFields(
    matter="category",
    description="description",
    address="location.address",
    area="location.area",
    latitude="location.lat",
    longitude="location.lon",
    name="reporter.name",
    phone="reporter.phone",
    done="finish",
    screened_at=(Stage.SCREENING,),
)
"""How a report that comes in by another system's door becomes an `IncidentReport`."""


def _not_the_gateway(channel: Channel) -> Channel:
    if channel is Channel.GATEWAY:
        raise PydanticCustomError("gateway_channel", "is for departments only")
    return channel


class Reporter(Model):
    """Who reported it, as far as they said. A name or number of which nothing can be seen was not stated."""

    name: StatedName | None = None
    phone: StatedPhone | None = None


class IncidentReport(Model):
    """The body of `POST /api/v1/incidents`.

    `on_behalf_of` is the account of the resident for whom staff enter the case; without one a person who is named as
    reporter cannot act on the case by themselves, and staff rate it for them. `motion`: what was decided there is to be done, and
    it hears how this ended. Without a `category` a model proposes one (docs/dispatch-help.md); where none is sure enough the
    coordination centre decides.
    """

    category: Category | None = None
    description: FreeText
    location: Location
    reporter: Reporter | None = None
    channel: Annotated[Channel, AfterValidator(_not_the_gateway)] = Channel.APP
    on_behalf_of: AccountCode | None = None
    motion: Annotated[MotionNumber | None, FieldWords("起因议案", "motion it came from")] = None

    def idempotency_content(self) -> dict[str, Any]:
        """What makes two reports the same, as canonical JSON can hold it."""
        plain = self.model_dump(mode="json")
        if self.motion is None:
            del plain["motion"]  # a report that is sent again after an upgrade is the same report
        plain["location"] |= {"lat": self.location.latitude_micro, "lon": self.location.longitude_micro}
        return plain


class KeptReport(Model):
    """What the vault gave for the report."""

    person: PersonReference | None
    details: TextReference | None
    category: TextReference | None
    description: TextReference
    address: TextReference


def open_incident(
    report: IncidentReport,
    kept: KeptReport,
    *,
    case_id: str,
    command_id: str,
    actor: Actor,
    policy: IncidentPolicy,
    charter: Charter,
    at: datetime,
    proposed: Proposed | None = None,
) -> IncidentState:
    """Return the state of the new case. Its opening is a stamp, not yet signed, whose digest covers all the rest.

    `proposed`: what a model said of the report; what it was taken for without a category of its own stands there.
    """
    category = category_of(report, proposed)
    responsibility, listed = policy.responsibility(category)
    own = actor.role is Role.RESIDENT
    unsigned = Stamp(case_id=case_id, command=REPORT, command_id=command_id, actor=actor, at=at, digest="")
    state = IncidentState(
        case_id=case_id,
        charter=charter,
        opening=unsigned,
        area=report.location.area or actor.area or AREA_UNKNOWN,
        # Whose it will be with its first order: so it stands in Temporal's lists from the start, at the price of no event.
        # What came in without an account is the coordination centre's until it has looked at it.
        department=policy.terms.fallback_department if is_guest(actor.subject) else responsibility.department,
        reporter_subject=actor.subject if own else report.on_behalf_of,
        opened_at=at,
        terms=policy.terms,
        departments=policy.departments,
        category=policy.name_of(category) if listed else OFF_THE_LIST,
        category_given=kept.category,
        listed=listed,
        responsibility=responsibility,
        urgency=responsibility.urgency,
        description=kept.description,
        address=kept.address,
        latitude_micro=report.location.latitude_micro,
        longitude_micro=report.location.longitude_micro,
        reporter=kept.person,
        statements={kept.person: kept.details} if kept.person and kept.details else {},
        channel=report.channel,
        on_behalf=not own and (report.on_behalf_of is not None or report.reporter is not None),
        proposed=proposed,
        motion=report.motion,
    )
    return state.model_copy(update={"opening": unsigned.model_copy(update={"digest": start_digest(state)})})


def category_of(report: IncidentReport, proposed: Proposed | None) -> str:
    """Return what a report is taken for: as whoever reported it says, else as proposed, else as on no list."""
    if report.category is not None:
        return report.category
    taken = proposed is not None and proposed.rank > 0
    return proposed.first[proposed.rank - 1].category if proposed is not None and taken else OFF_THE_LIST


def first_proposals(model: DispatchModel, text: str, policy: IncidentPolicy) -> tuple[Proposal, ...]:
    """Return the first three of the responsibility list for a text, with the departments that answer for them."""
    departments = {category: line.department for category, line in policy.categories.items()}
    return proposals(model.likelihoods(text), departments)


def propose(  # noqa: PLR0917 - of what, by which model, under which rules
    report: IncidentReport,
    model: DispatchModel,
    sha256: str,
    version: int,
    policy: IncidentPolicy,
    rules: DispatchHelpRules,
) -> Proposed:
    """Return what a model proposes for a report, and what is taken by the town's rules."""
    first = first_proposals(model, report.description, policy)
    threshold = rules.takes_above_percent * PERCENT
    given = None if report.category is None else policy.name_of(report.category)
    taken, _, rank = decided(first, given, threshold)
    return Proposed(model=sha256, version=version, takes_above_permille=threshold, first=first, taken=taken, rank=rank)


def start_digest(state: IncidentState) -> str:
    """SHA-256 over the whole start of a case but its opening stamp: what the stamp, and by it entry 1, vouches for."""
    return digest(state.model_dump(mode="json", exclude={"opening"}))
