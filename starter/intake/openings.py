"""How cases of each procedure are started: by `starter/NAME.py` where it has faults of its own, else by what it declares."""

import importlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from importlib.util import find_spec
from typing import Any, cast

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from engine.vault.person_identity import IdentityUnusable, PersonIdentity
from engine.vault.vault import PersonDetails
from schemas.kernel.declaration import DeclaredProcedure
from schemas.kernel.openings import OpeningBody, Opens, open_state
from schemas.kernel.procedure import Procedure
from schemas.kernel.state import OpenedState
from schemas.values.actor import FOR_THEMSELVES, Actor, Role
from schemas.values.refusals import Fault, say
from starter.cases.documents import document_faults
from starter.http.authentication import Caller
from starter.http.bodies import together
from starter.http.command_bodies import CommandBody, command_body_of
from starter.http.database import Connection
from starter.http.documentation import body_of, responses
from starter.intake.areas import code_faults
from starter.intake.filing import Filing, FilingOf
from starter.intake.intake import OpenCase, Sender
from starter.intake.starts import REPORTED, Opening, declared_opening

_BLANK = "text:" + "0" * 26
"""Stands in for each text while the town's rules are asked, before anything is kept."""

_PROBLEMS = (
    "token-missing", "not-your-role", "bad-request", "already-held", "key-reused", "body-too-large", "not-json",
    "database-away",
)  # fmt: skip


def opening_of(procedure: Procedure) -> Opening[Any]:
    """How cases of a procedure are started. Raises TypeError: those of another procedure start them."""
    if find_spec(f"starter.{procedure.name}") is not None:
        opening: Opening[Any] = importlib.import_module(f"starter.{procedure.name}").OPENING
        return opening
    return derived_opening(procedure)


def derived_opening(procedure: Procedure) -> Opening[Any]:
    """The opening as it follows from what the procedure declares. Raises TypeError: it declares none."""
    return _derived(procedure, _opens(procedure))


def opening_routers(procedures: Iterable[Procedure]) -> list[APIRouter]:
    """The address of each opening, in the order of the procedures."""
    return [_router_of(each) for each in procedures if each.parent is None]


def _router_of(procedure: Procedure) -> APIRouter:
    if find_spec(f"starter.{procedure.name}") is not None:
        router: APIRouter = importlib.import_module(f"starter.{procedure.name}").router
        return router
    return router_of(procedure, opening_of(procedure))


def router_of(procedure: Procedure, opening: Opening[Any]) -> APIRouter:
    """The address of an opening, as its procedure declares it."""
    opens = _opens(procedure)

    async def start(request: Request, caller: Caller, filing: FilingOf) -> Response:
        return await opening.start(request, caller, filing)

    router = APIRouter(tags=[opens.address])
    router.add_api_route(
        opens.path,
        start,
        methods=["POST"],
        name=f"{procedure.name}_{opens.name}",
        summary=f"{opens.zh} {opens.en.capitalize()}",
        description="201 with the case when it stands at once, else 202; the same key and body again: 200 with the same case.",
        status_code=201,
        responses=responses(REPORTED, *_PROBLEMS),
        openapi_extra=body_of(opening.model),
    )
    return router


def _sent(given: BaseModel) -> OpeningBody:
    """What was sent, as what it is: the door of an opening has its fields (starter/http/command_bodies.py)."""
    return cast("OpeningBody", given)


def _opens(procedure: Procedure) -> Opens:
    opens = procedure.opens if isinstance(procedure, DeclaredProcedure) else None
    if opens is None:
        raise TypeError(f"{procedure.name} declares no opening")
    return opens


def _derived(procedure: Procedure, opens: Opens) -> Opening[Any]:
    if opens.body is None:
        raise TypeError(
            f"{procedure.name}: {opens.model.__name__} is no OpeningBody, and there is no starter/{procedure.name}.py"
        )
    body = opens.body
    door = command_body_of(body)

    async def faults(filing: Filing, given: BaseModel, actor: Actor) -> list[Fault]:
        return together(
            door.faults(given),
            _town_faults(filing, procedure, door, given),
            _role_faults(given, actor.role),
            code_faults(filing.town.areas, _sent(given).area),
            await document_faults(filing.attachments, given, actor),
        )

    def opens_case(filing: Filing, sender: Sender, given: BaseModel) -> OpenCase:
        return _opening(filing, procedure, opens, door, sender=sender, given=given)

    def choices(filing: Filing) -> Mapping[str, Sequence[str]]:
        return body.by_place(body.listed(filing.town.policies[procedure.name]))

    opening: Opening[Any] = declared_opening(
        cast("DeclaredProcedure", procedure), faults=faults, opens=opens_case, choices=choices
    )
    return opening.derived_from(door)


def _opening(
    filing: Filing, procedure: Procedure, opens: Opens, door: CommandBody, *, sender: Sender, given: BaseModel
) -> OpenCase:
    async def open_case(connection: Connection, case_id: str, command_id: str, at: datetime) -> OpenedState:
        account = sender.actor.subject if sender.actor.role in FOR_THEMSELVES else _sent(given).on_behalf_of
        name = None if opens.body is None or opens.body.person_name is None else getattr(given, opens.body.person_name)
        details = None if name is None else PersonDetails(name=name)
        kept = await filing.vault.keep(connection, _identity(account), door.texts_of(given), details, case_id=case_id)
        return open_state(
            opens,
            cast("type[OpenedState]", procedure.state),
            cast("OpeningBody", door.to_command(given, kept.texts)),
            person=kept.person,
            case_id=case_id,
            command_id=command_id,
            actor=sender.actor,
            policy=filing.town.policies[procedure.name],
            charter=filing.town.charters[procedure.name],
            at=at,
            statement=kept.details,
        )

    return open_case


def _identity(account: str | None) -> PersonIdentity | None:
    """By what whose case it is will be found again."""
    try:
        return None if account is None else PersonIdentity.account(account)
    except IdentityUnusable:
        return None


def _town_faults(filing: Filing, procedure: Procedure, door: CommandBody, given: BaseModel) -> list[Fault]:
    if door.faults(given):
        return []  # what has not even the right shape, no rule of the town can judge
    body = cast("OpeningBody", door.to_command(given, dict.fromkeys(door.texts_of(given), _BLANK)))
    return list(body.town_faults(filing.town.policies[procedure.name]))


def _role_faults(given: BaseModel, role: Role) -> list[Fault]:
    if _sent(given).on_behalf_of is None or role not in FOR_THEMSELVES:
        return []
    return [
        Fault(
            field="on_behalf_of",
            reason=say("居民只能为自己办理", "residents act for themselves"),
            remedy=say("请删除,或由工作人员代办", "leave it out, or let staff enter it"),
        )
    ]
