"""派单建议: which category and department a report is probably for, by which model, and why (docs/dispatch-help.md)."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request

from engine.keys.tokens import Principal
from engine.store.dispatch_models import KeptModel, ModelRecord, list_models
from schemas.advice.proposals import PERCENT, Proposal, Proposed, proposals
from schemas.incident import INCIDENT
from schemas.incident_policy import IncidentPolicy
from schemas.incident_report import IncidentReport
from schemas.incident_state import IncidentState
from schemas.kernel.visibility import may_read_texts
from schemas.values.actor import OWN_CASES_ONLY
from schemas.values.free_text import FreeText
from schemas.values.model import Model
from schemas.values.refusals import Refusal, RefusalCode, say
from starter.cases.dispatch_help import DispatchHelp
from starter.cases.reading import ReadingOf
from starter.http.authentication import Caller, acting
from starter.http.bodies import read_body, read_model
from starter.http.database import database
from starter.http.documentation import SIGNED_IN, open_body_of, responses
from starter.http.problems import bad_request, refused
from starter.intake.filing import Filing, FilingOf
from starter.intake.proposers import ExplainProposals, ProposalsExplained, ProposalShown, ProposalsShown

PURPOSE = "explain-dispatch"
router = APIRouter(tags=["incidents"])


class ProposalAsked(Model):
    """What somebody reports, in their own words. Nothing of it is kept."""

    description: FreeText


class ProposalsAnswer(Model):
    """What the model in use proposes; None: the town has none, or wants no proposals."""

    proposals: ProposalsShown | None


class DispatchModels(Model):
    """The models of the town, the newest first: it is in use."""

    items: list[ModelRecord]


@router.post(
    "/api/v1/incidents/proposals",
    summary="派单建议 Which category and department a text is probably for",
    responses=responses(
        {200: ProposalsAnswer},
        *SIGNED_IN,
        "not-your-role",
        "bad-request",
        "body-too-large",
        "not-json",
        "database-away",
    ),
    openapi_extra=open_body_of(ProposalAsked),
)
async def propose_dispatch(request: Request, caller: Caller, filing: FilingOf) -> ProposalsAnswer:
    """Three at most, with the words that spoke for each. For staff; nothing of the text is kept, so there is no key."""
    _for_staff(caller)
    asked, faults = read_model(ProposalAsked, await read_body(request))
    if asked is None or faults:
        raise bad_request(faults)
    return ProposalsAnswer(proposals=await proposals_of(filing, asked.description))


@router.get(
    "/api/v1/cases/{case_id}/proposals",
    summary="派单依据 What was proposed when it was reported, by which model, and why",
    responses=responses({200: ProposalsExplained}, *SIGNED_IN, "not-your-role", "unknown-case", "database-away"),
)
async def explain_proposals(case_id: str, caller: Caller, filing: FilingOf) -> ProposalsExplained:
    """For staff who see the case; that its text is opened for it is on record. Of a case of years ago by the model of that time."""
    _for_staff(caller)
    actor = acting(caller)
    state = await filing.reader.state(case_id, actor)
    recorded = state.proposed if isinstance(state, IncidentState) else None
    found = ProposalsExplained(case_id=state.case_id, recorded=recorded, now=None, reproduced=None)
    if not isinstance(state, IncidentState) or not may_read_texts(actor):
        return found
    dispatch_help = filing.dispatch_help
    async with database(filing.attachments.pool) as connection:
        used = dispatch_help.model_of(connection, recorded.model) if recorded else dispatch_help.model(connection)
        kept = await used
        if kept is None:
            return found
        read = await filing.vault.read_texts(connection, [state.description], actor, PURPOSE, state.case_id)
    text = read[state.description]
    if not isinstance(text, str):
        return found
    if recorded is None:
        return found.model_copy(update={"now": _shown(kept, text, _answering(filing), _threshold(dispatch_help))})
    now = _anew(kept, text, recorded)
    return found.model_copy(update={"now": now, "reproduced": _said(now.first) == _said(recorded.first)})


EXPLAIN_PROPOSALS: ExplainProposals = explain_proposals


@router.get(
    "/api/v1/dispatch-models",
    summary="派单模型 The models of dispatch, with their scores by area and group",
    responses=responses({200: DispatchModels}, *SIGNED_IN, "not-your-role", "bad-request", "database-away"),
)
async def dispatch_models(
    caller: Caller, reading: ReadingOf, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> DispatchModels:
    """Each that was ever in use: from what it was learned, and how often it was right on what it had not seen. For staff."""
    _for_staff(caller)
    async with database(reading.pool) as connection:
        return DispatchModels(items=(await list_models(connection))[:limit])


async def proposals_for(filing: Filing, report: IncidentReport) -> ProposalsShown | None:
    """What the model in use proposes for a report that is not sent yet."""
    return await proposals_of(filing, report.description)


async def proposals_of(filing: Filing, text: str) -> ProposalsShown | None:
    """What the model in use proposes for a text; None: there is none, or the town wants no proposals."""
    async with database(filing.attachments.pool) as connection:
        kept = await filing.dispatch_help.model(connection)
    return None if kept is None else _shown(kept, text, _answering(filing), _threshold(filing.dispatch_help))


def _answering(filing: Filing) -> dict[str, str]:
    """Who answers for each category."""
    policy = filing.town.policies[INCIDENT.name]
    assert isinstance(policy, IncidentPolicy)  # noqa: S101 - the procedure says which policy is its own
    return {category: line.department for category, line in policy.categories.items()}


def _shown(kept: KeptModel, text: str, departments: dict[str, str], takes_above_permille: int) -> ProposalsShown:
    said = kept.model.likelihoods(text, departments)
    words = {each.category: each.words for each in said}
    first = proposals(said, departments)
    return ProposalsShown(
        model=kept.sha256,
        version=kept.version,
        takes_above_permille=takes_above_permille,
        first=tuple(ProposalShown(**each.model_dump(), words=words[each.category]) for each in first),
    )


def _anew(kept: KeptModel, text: str, recorded: Proposed) -> ProposalsShown:
    """What is on record, said anew; with the departments that answered then: who does today is another question."""
    said = {each.category: each for each in kept.model.likelihoods(text, [each.category for each in recorded.first])}
    return ProposalsShown(
        model=kept.sha256,
        version=kept.version,
        takes_above_permille=recorded.takes_above_permille,
        first=tuple(
            ProposalShown(
                category=each.category,
                department=each.department,
                permille=said[each.category].permille,
                department_permille=each.department_permille,
                words=said[each.category].words,
            )
            for each in recorded.first
            if each.category in said
        ),
    )


def _said(first: Sequence[Proposal]) -> list[tuple[str, int]]:
    return [(each.category, each.permille) for each in first]


def _threshold(dispatch_help: DispatchHelp) -> int:
    return dispatch_help.rules.dispatch_help.takes_above_percent * PERCENT


def _for_staff(caller: Principal) -> None:
    if acting(caller).role in OWN_CASES_ONLY:
        detail = say("派单建议仅供工作人员查看", "proposals are for staff")
        raise refused(Refusal(code=RefusalCode.NOT_YOUR_ROLE, detail=detail, command="read_proposals"))
