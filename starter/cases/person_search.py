"""POST /api/v1/cases:find: the cases of a person, by a phone or the number of a document. Never in an address, always on record.

The number is compared by its blind index, as when a case comes in (engine/vault/person_identity.py): it finds who was entered
by it, and nobody by a part of it. Each case that is told is recorded as read, in the same statement that finds it.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request

from engine.store.database import Queries
from engine.vault.person_identity import IdentityKind, IdentityUnusable, PersonIdentity
from schemas.kernel.visibility import may_find_by
from schemas.values.actor import Actor
from schemas.values.model import Model
from schemas.values.refusals import Fault, Refusal, RefusalCode, say
from starter.cases.case_lists import sight
from starter.cases.reading import Reading, ReadingOf
from starter.cases.views import CaseRow
from starter.http.authentication import Caller, acting
from starter.http.bodies import read_body, read_model
from starter.http.database import database
from starter.http.documentation import SIGNED_IN, open_body_of, responses
from starter.http.problems import bad_request, refused

FOUND_AT_MOST = 50
PURPOSE = "find-person"
NUMBER_CHARACTERS_MAX = 60
router = APIRouter(tags=["cases"])


class SoughtBy(StrEnum):
    """By which kind of number somebody is looked for."""

    PHONE = "phone"
    IDENTITY_NUMBER = "identity_number"
    HK_MACAO_PERMIT = "hk_macao_permit"
    TAIWAN_PERMIT = "taiwan_permit"
    FOREIGN_RESIDENCE = "foreign_residence"
    PASSPORT = "passport"


class PersonSought(Model):
    """Whom to look for. `number` is whole: a part of one finds nobody."""

    by: SoughtBy
    number: Annotated[str, Field(min_length=1, max_length=NUMBER_CHARACTERS_MAX)]


class FoundCases(Model):
    """The cases of the person that the caller sees, the newest first; `more`: there are others beyond these."""

    items: list[CaseRow]
    more: bool


class PersonQueries(Queries):
    """engine/queries/people.sql."""

    cases_of_person: str


SQL = PersonQueries.load("people")


@dataclass(frozen=True)
class PersonSearch:
    """Finds the cases of a person for a caller. Raises Problem 503 without Postgres."""

    reading: Reading

    async def find(self, sought: PersonSought, actor: Actor) -> FoundCases:
        """What the caller sees of the person's cases. Raises Problem: not for this role, or a number that tells nobody apart."""
        if not may_search(actor, sought.by):
            detail = say("您的角色不能按此号码查找", "your role does not look for people by such a number")
            raise refused(Refusal(code=RefusalCode.NOT_YOUR_ROLE, detail=detail, command="find_cases"))
        identity = _identity(sought)
        area, _, department = sight(actor)
        async with database(self.reading.pool) as connection:
            person = await self.reading.vault.find_person(connection, identity)
            if person is None:
                return FoundCases(items=[], more=False)
            confidential = [each.name for each in self.reading.reader.procedures.values() if each.confidential]
            arguments = (
                person, area, department, actor.subject, actor.role.value, PURPOSE, FOUND_AT_MOST + 1, confidential,
            )  # fmt: skip
            rows = [
                CaseRow.model_validate(dict(row)) for row in await connection.fetch(SQL.cases_of_person, *arguments)
            ]
        return FoundCases(items=rows[:FOUND_AT_MOST], more=len(rows) > FOUND_AT_MOST)


@router.post(
    "/api/v1/cases:find",
    summary="按人查案 The cases of a person, by phone or document",
    responses=responses({200: FoundCases}, *SIGNED_IN, "not-your-role", "bad-request", "body-too-large", "not-json"),
    openapi_extra=open_body_of(PersonSought),
)
async def find_cases(request: Request, caller: Caller, reading: ReadingOf) -> FoundCases:
    """For staff who read that number whole in a case. Only cases that the caller sees; that they were told is recorded.

    A phone finds whom the town knows by that phone: who reported with an account, or with a document, is known by that.
    """
    actor = acting(caller)
    if not any(may_search(actor, by) for by in SoughtBy):
        detail = say("您的角色不能按人查案", "your role does not look for people")
        raise refused(Refusal(code=RefusalCode.NOT_YOUR_ROLE, detail=detail, command="find_cases"))
    sought, faults = read_model(PersonSought, await read_body(request))
    if sought is None or faults:
        raise bad_request(faults)
    return await PersonSearch(reading).find(sought, actor)


def may_search(actor: Actor, by: SoughtBy) -> bool:
    """Whether somebody may look for people by such a number."""
    return may_find_by(actor, "phone" if by is SoughtBy.PHONE else "identity_number")


def _identity(sought: PersonSought) -> PersonIdentity:
    try:
        if sought.by is SoughtBy.PHONE:
            return PersonIdentity.phone(sought.number)
        return PersonIdentity.document(IdentityKind(sought.by.value), sought.number)
    except IdentityUnusable:
        reason = say("不是完整的号码", "is no whole number")
        remedy = say("请填写完整的电话或证件号码", "write the whole phone number or number of the document")
        raise bad_request([Fault(field="number", reason=reason, remedy=remedy)]) from None
