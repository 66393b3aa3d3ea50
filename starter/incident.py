"""POST /api/v1/incidents 事件上报: a report becomes a case."""

from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from engine.vault.person_identity import IdentityUnusable, PersonIdentity
from engine.vault.vault import PersonDetails
from schemas.incident import INCIDENT
from schemas.incident_policy import IncidentPolicy
from schemas.incident_report import IncidentReport, KeptReport, open_incident, propose
from schemas.incident_state import IncidentState
from schemas.values.actor import Actor, Role
from schemas.values.refusals import Fault, say
from starter.http.authentication import Caller
from starter.http.bodies import together
from starter.http.database import Connection
from starter.http.documentation import body_of, responses
from starter.incident_categories import known_categories
from starter.incident_proposals import proposals_for
from starter.intake.areas import area_faults
from starter.intake.category_search import search
from starter.intake.filing import Filing, FilingOf
from starter.intake.intake import OpenCase, Sender
from starter.intake.starts import REPORTED, Opening, declared_opening

router = APIRouter(prefix="/api/v1/incidents", tags=["incidents"])


@router.post(
    "",
    summary="事件上报 Report an incident",
    status_code=201,
    responses=responses(
        REPORTED, "token-missing", "not-your-role", "bad-request",
        "key-reused", "body-too-large", "not-json", "database-away",
    ),
    openapi_extra=body_of(IncidentReport),
)  # fmt: skip
async def report_incident(request: Request, caller: Caller, filing: FilingOf) -> Response:
    """201 with the case when it stands at once, else 202; the same key and body again: 200 with the same case."""
    return await OPENING.start(request, caller, filing)


async def report_faults(filing: Filing, report: IncidentReport, actor: Actor) -> list[Fault]:
    """What is wrong with a report that has the right shape: for this role, in this town."""
    return together(_faults_by_role(report, actor.role), area_faults(filing.town.areas, report.location))


def _opens(filing: Filing, sender: Sender, report: IncidentReport) -> OpenCase:
    policy = filing.town.policies[INCIDENT.name]
    assert isinstance(policy, IncidentPolicy)  # noqa: S101 - the procedure says which policy is its own

    texts = {"description": report.description, "address": report.location.address}
    if report.category is not None and not policy.responsibility(report.category)[1]:
        texts["category"] = report.category

    async def open_case(connection: Connection, case_id: str, command_id: str, at: datetime) -> IncidentState:
        kept = await filing.vault.keep(
            connection,
            _identity(report, sender.actor),
            texts,
            _details(report),
            case_id=case_id,
        )
        used = await filing.dispatch_help.model(connection)
        rules = filing.dispatch_help.rules.dispatch_help
        proposed = None if used is None else propose(report, used.model, used.sha256, used.version, policy, rules)
        named = report.reporter is not None or sender.actor.role is Role.RESIDENT or report.on_behalf_of is not None
        return open_incident(
            report,
            KeptReport(
                person=kept.person if named else None,
                details=kept.details,
                category=kept.texts.get("category"),
                description=kept.texts["description"],
                address=kept.texts["address"],
            ),
            case_id=case_id,
            command_id=command_id,
            actor=sender.actor,
            policy=policy,
            charter=filing.town.charters[INCIDENT.name],
            at=at,
            proposed=proposed,
        )

    return open_case


def _fitting(filing: Filing, words: str) -> list[str]:
    """The categories of the responsibility list that fit words, the best first."""
    policy = filing.town.policies[INCIDENT.name]
    assert isinstance(policy, IncidentPolicy)  # noqa: S101 - the procedure says which policy is its own
    known = known_categories(policy, filing.town.departments, filing.town.synonyms)
    return [each.category for each in search(known, words)]


OPENING: Opening[IncidentReport] = declared_opening(
    INCIDENT, faults=report_faults, opens=_opens, finds=_fitting, proposes=proposals_for
)


def _identity(report: IncidentReport, actor: Actor) -> PersonIdentity | None:
    """By what the person whose report it is will be found again: the account, else the phone, else not at all.

    It links their reports, for export and erasing; what each of them says of the person stays its own.
    """
    account = actor.subject if actor.role is Role.RESIDENT else report.on_behalf_of
    try:
        if account is not None:
            return PersonIdentity.account(account)
        if report.reporter is not None and report.reporter.phone:
            return PersonIdentity.phone(report.reporter.phone)
    except IdentityUnusable:
        return None  # a masked number, for instance: it is kept as it was given, and finds nobody
    return None


def _details(report: IncidentReport) -> PersonDetails | None:
    said = report.reporter
    name, phone = (said.name or None, said.phone or None) if said else (None, None)
    return PersonDetails(name=name, phone=phone) if name or phone else None


def _faults_by_role(report: IncidentReport, role: Role) -> list[Fault]:
    if report.on_behalf_of is None or role is not Role.RESIDENT:
        return []
    return [
        Fault(
            field="on_behalf_of",
            reason=say("居民只能为自己上报", "residents report for themselves"),
            remedy=say("请删除,或由工作人员代报", "leave it out, or let staff enter it"),
        )
    ]
