"""POST /api/v1/welfare-applications 申请社会救助: an application becomes a case; its people go into the vault."""

from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from engine.store.likenesses import alike, keep_likenesses
from engine.vault.person_identity import IdentityKind, PersonIdentity
from engine.vault.vault import Kept, PersonDetails
from schemas.values.actor import Actor, Role
from schemas.values.identity_document import DocumentKind
from schemas.values.refusals import Fault, say
from schemas.welfare import WELFARE
from schemas.welfare_application import (
    Applicant,
    KeptApplication,
    Stated,
    WelfareApplication,
    open_welfare,
)
from schemas.welfare_policy import WelfarePolicy
from schemas.welfare_state import WelfareState
from starter.cases.documents import document_faults
from starter.http.authentication import Caller
from starter.http.bodies import together
from starter.http.database import Connection
from starter.http.documentation import body_of, responses
from starter.intake.areas import code_faults
from starter.intake.filing import Filing, FilingOf
from starter.intake.intake import OpenCase, Sender
from starter.intake.starts import REPORTED, Opening, declared_opening

router = APIRouter(prefix="/api/v1/welfare-applications", tags=["welfare"])


@router.post(
    "",
    summary="申请社会救助 Apply for a benefit",
    status_code=201,
    responses=responses(
        REPORTED, "token-missing", "not-your-role", "bad-request",
        "already-held", "key-reused", "body-too-large", "not-json", "database-away",
    ),
    openapi_extra=body_of(WelfareApplication),
)  # fmt: skip
async def apply(request: Request, caller: Caller, filing: FilingOf) -> Response:
    """201 with the case when it stands at once, else 202; the same key and body again: 200 with the same case.

    Missing documents are no fault: the case names them and waits. Everything else that is wrong is named at once. Whoever has
    a living case of the benefit, or of one that excludes it, is refused a second one.
    """
    return await OPENING.start(request, caller, filing)


async def application_faults(filing: Filing, application: WelfareApplication, actor: Actor) -> list[Fault]:
    """What is wrong with an application that has the right shape: for this role, in this town."""
    return together(
        list(application.faults(_policy(filing), filing.intake.now().date())),
        _role_faults(application, actor.role),
        code_faults(filing.town.areas, application.area),
        await document_faults(filing.attachments, application, actor),
    )


def _policy(filing: Filing) -> WelfarePolicy:
    policy = filing.town.policies[WELFARE.name]
    assert isinstance(policy, WelfarePolicy)  # noqa: S101 - the procedure says which policy is its own
    return policy


def _opens(filing: Filing, sender: Sender, application: WelfareApplication) -> OpenCase:
    async def open_case(connection: Connection, case_id: str, command_id: str, at: datetime) -> WelfareState:
        return open_welfare(
            application,
            await _keep(filing, connection, application, case_id),
            case_id=case_id,
            command_id=command_id,
            actor=sender.actor,
            policy=_policy(filing),
            charter=filing.town.charters[WELFARE.name],
            at=at,
            verified=sender.identity,
        )

    return open_case


async def _keep(
    filing: Filing, connection: Connection, application: WelfareApplication, case_id: str
) -> KeptApplication:
    """Put everybody and every text into the vault. By the identity number the same person is found again.

    What is said of them here is this application's: it is kept beside what others said, and changes nothing of that.
    """
    texts = {
        "account": application.account,
        "address": application.address,
        "reason": application.reason,
        "relation": application.relation_to_staff,
    }
    own = {kind: text for kind, text in texts.items() if text is not None}
    said = [(application.applicant, own), *((member, {}) for member in application.household)]
    found: dict[int, Kept] = {}
    # In one order, whoever names whom: of two who name each other at one moment each would wait for the other one's row.
    for place in sorted(range(len(said)), key=lambda place: _order(said[place][0])):
        person, of_them = said[place]
        found[place] = await filing.vault.keep(
            connection, _identity(person), of_them, _details(person), case_id=case_id
        )
    kept, *members = (found[place] for place in range(len(said)))
    people = (kept.person, *(member.person for member in members))
    stated = {
        person: filing.vault.likeness(*each.name_and_birth)
        for person, each in zip(people, application.people, strict=True)
    }
    await keep_likenesses(connection, case_id, stated)
    keys = [f"{scope}/{kept.person}" for scope in _policy(filing).reserves(application.benefit)]
    return KeptApplication(
        alike=tuple(await alike(connection, case_id, application.files, keys)),
        person=kept.person,
        members=tuple(member.person for member in members),
        statements={each.person: each.details for each in (kept, *members) if each.details is not None},
        account=kept.texts["account"],
        address=kept.texts["address"],
        reason=kept.texts["reason"],
        relation=kept.texts.get("relation"),
    )


OPENING: Opening[WelfareApplication] = declared_opening(
    WELFARE,
    faults=application_faults,
    opens=_opens,
    choices=lambda filing: {
        "benefit": list(_policy(filing).benefits),
        "documents.*.kind": list(_policy(filing).documents),
    },
)


def _identity(person: Stated) -> PersonIdentity | None:
    """By what the person will be found again; who has no document yet, not at all."""
    identity = person.identity
    return None if identity.number is None else PersonIdentity.document(IdentityKind(identity.kind), identity.number)


def _order(person: Stated) -> tuple[str, str]:
    """Where somebody stands among the people of an application while they are kept; it is written down nowhere."""
    identity = _identity(person)
    return ("", "") if identity is None else (identity.kind, identity.value)


def _details(person: Stated) -> PersonDetails:
    identity = person.identity
    return PersonDetails(
        name=person.name,
        phone=(person.phone or None) if isinstance(person, Applicant) else None,
        identity_number=identity.number,
        document_kind=None if identity.kind is DocumentKind.IDENTITY_NUMBER else identity.kind,
    )


def _role_faults(application: WelfareApplication, role: Role) -> list[Fault]:
    if application.on_behalf_of is None or role is not Role.RESIDENT:
        return []
    return [
        Fault(
            field="on_behalf_of",
            reason=say("居民只能为自己申请", "residents apply for themselves"),
            remedy=say("请删除,或由工作人员代办", "leave it out, or let staff enter it"),
        )
    ]
