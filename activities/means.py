"""Means checks: reads who it is about at the last moment, asks the source, returns what it said. Nobody's name stays here."""

from collections.abc import Awaitable, Callable

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from engine.outside.signed_calls import GatewayRefused, GatewayUnavailable
from engine.outside.sources import SourceGateway
from engine.vault.vault import PersonDetails
from schemas.contracts.department import Gateway
from schemas.contracts.means import (
    CheckAnswer,
    CheckBody,
    CheckedPerson,
    CheckRequest,
    CheckStatus,
    NoSuchSource,
    SourcePolicy,
    SourceRegister,
)
from schemas.values.references import PersonReference, TextReference, Tombstone

log = structlog.get_logger()

UNAVAILABLE = "SourceUnavailable"
PENDING = "SourceNotReady"
"""The types of the errors that Temporal retries: nobody answers; the source has the question and works on it."""

ReadPerson = Callable[[PersonReference, TextReference | None, str, str], Awaitable[PersonDetails | Tombstone | None]]
"""`read_person(person, statement, purpose, case_id)`: what was stated of a person in the case; the vault records each reading."""

CountCall = Callable[[str, str], None]
"""`count_call(source, outcome)`: for the metrics; codes only."""


class MeansChecks:
    """The doer for means checks. Idempotent by case, check and number; a refusal is a result, an absence is an error."""

    def __init__(
        self, register: SourceRegister, gateway: SourceGateway, read_person: ReadPerson, count_call: CountCall
    ) -> None:
        self._register = register
        self._gateway = gateway
        self._read_person = read_person
        self._count_call = count_call

    @activity.defn
    async def ask_source(self, request: CheckRequest) -> CheckAnswer:
        """Ask a source. Raises ApplicationError(type=SourceUnavailable or SourceNotReady) to be tried again."""
        source = self._source(request.check)
        if source.gateway is Gateway.DESK:
            self._count_call(source.code, "desk")
            return _answer(request, CheckStatus.DESK, receipt=f"desk:{request.check_id}")
        people = await self._people(request)
        if isinstance(people, str):
            self._count_call(source.code, "refused")
            return _answer(request, CheckStatus.REFUSED, code=people)
        try:
            outcome = await self._gateway.ask(source, _body(request, people))
        except GatewayUnavailable as error:
            raise self._unavailable(request, error) from None
        refused = isinstance(outcome, GatewayRefused)
        self._count_call(source.code, "refused" if refused else "answered")
        log.info("source answered", source=source.code, case_id=request.case_id, refused=refused)
        if isinstance(outcome, GatewayRefused):
            return _answer(request, CheckStatus.REFUSED, code=outcome.code)
        return CheckAnswer(
            check=request.check,
            number=request.number,
            status=outcome.status,
            facts=outcome.facts,
            receipt=outcome.receipt,
            answered_at=outcome.answered_at,
        )

    def _source(self, code: str) -> SourcePolicy:
        try:
            return self._register.get(code)
        except NoSuchSource as error:
            # Retried all the same: the worker may run with older policies than the one that asked.
            raise ApplicationError(str(error), type="NoSuchSource") from None

    async def _people(self, request: CheckRequest) -> tuple[CheckedPerson, ...] | str:
        """Who it is about, or the code of the refusal when a source could not tell them from others."""
        people = []
        for reference in (request.person, *request.others):
            details = await self._read_person(
                reference, request.statements.get(reference), f"check-{request.check}", request.case_id
            )
            if isinstance(details, Tombstone):
                return "person-erased"
            if details is None or not details.name or not details.identity_number:
                return "no-identity-number"
            people.append(
                CheckedPerson(
                    name=details.name,
                    identity_number=details.identity_number,
                    document_kind=details.document_kind,
                )
            )
        return tuple(people)

    def _unavailable(self, request: CheckRequest, error: GatewayUnavailable) -> ApplicationError:
        self._count_call(request.check, "pending" if error.pending else "unavailable")
        log.warning("source unavailable", source=request.check, case_id=request.case_id, reason=error.reason)
        return ApplicationError(
            f"{request.check}: {error.reason}",
            type=PENDING if error.pending else UNAVAILABLE,
            next_retry_delay=error.retry_after,
        )


def _body(request: CheckRequest, people: tuple[CheckedPerson, ...]) -> CheckBody:
    return CheckBody(
        check_id=request.check_id,
        case_id=request.case_id,
        check=request.check,
        number=request.number,
        people=people,
        facts=dict(request.facts),
        as_of=request.as_of,
    )


def _answer(
    request: CheckRequest, status: CheckStatus, *, receipt: str | None = None, code: str | None = None
) -> CheckAnswer:
    return CheckAnswer(
        check=request.check,
        number=request.number,
        status=status,
        receipt=receipt,
        answered_at=request.as_of,
        code=code,
    )
