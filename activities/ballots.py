"""Votes outside: opens them in the ballot box, closes them, returns its totals. Who voted is nobody's to know here."""

from collections.abc import Callable

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from engine.outside.ballot_boxes import BallotBoxGateway, TooFew
from engine.outside.signed_calls import GatewayRefused, GatewayUnavailable
from schemas.contracts.ballot_box import (
    BallotBody,
    BallotBoxPolicy,
    BoxStatus,
    CloseBody,
    CloseVote,
    OpenVote,
    StrikeInBox,
    StruckInBox,
    VoteOpened,
    VoteTally,
)
from schemas.contracts.department import Gateway

log = structlog.get_logger()

TAKEN = "already-taken"
UNAVAILABLE = "BallotBoxUnavailable"
"""What the box says of a unit that has its ballot; the type of the error that Temporal retries."""

CountCall = Callable[[str, str, str], None]
"""`count_call(box, act, outcome)`: for the metrics; codes only."""


class BallotBoxes:
    """The doers for the ballot box. Idempotent by vote; a refusal is a result, an absence is an error."""

    def __init__(self, box: BallotBoxPolicy, gateway: BallotBoxGateway, count_call: CountCall) -> None:
        self._box = box
        self._gateway = gateway
        self._count_call = count_call

    @activity.defn
    async def open_vote(self, request: OpenVote) -> VoteOpened:
        """Open a vote. Raises ApplicationError(type=BallotBoxUnavailable) to be tried again."""
        if self._box.gateway is Gateway.DESK:
            return VoteOpened(ballot=request.ballot, status=BoxStatus.NO_BOX)
        body = BallotBody(
            ballot_id=request.ballot,
            roll_digest=request.roll_digest,
            units=request.units,
            voters=request.voters,
            choices=request.choices,
            choices_at_most=request.choices_at_most,
            min_cell=request.min_cell,
        )
        try:
            found = await self._gateway.open(self._box, body, request.question)
        except GatewayUnavailable as error:
            raise self._unavailable("open", request.ballot, error) from None
        status = BoxStatus.REFUSED if isinstance(found, GatewayRefused) else BoxStatus.OPEN
        self._tell("open", request.ballot, status)
        if isinstance(found, GatewayRefused):
            return VoteOpened(ballot=request.ballot, status=status, code=found.code)
        return VoteOpened(ballot=request.ballot, status=status, key_digest=found)

    @activity.defn
    async def close_vote(self, request: CloseVote) -> VoteTally:
        """Close a vote and say what was cast. Raises ApplicationError as `open_vote`."""
        if self._box.gateway is Gateway.DESK:
            return VoteTally(ballot=request.ballot, status=BoxStatus.NO_BOX)
        body = CloseBody(ballot_id=request.ballot, question=request.question, unless_fewer=request.unless_fewer)
        try:
            found = await self._gateway.close(self._box, request.ballot, body, request.question)
        except GatewayUnavailable as error:
            raise self._unavailable("close", request.ballot, error) from None
        if isinstance(found, GatewayRefused):
            self._tell("close", request.ballot, BoxStatus.REFUSED)
            return VoteTally(ballot=request.ballot, status=BoxStatus.REFUSED, code=found.code)
        if isinstance(found, TooFew):
            self._tell("close", request.ballot, BoxStatus.TOO_FEW)
            return VoteTally(ballot=request.ballot, status=BoxStatus.TOO_FEW, issued=found.issued)
        self._tell("close", request.ballot, BoxStatus.TALLIED)
        return VoteTally(ballot=request.ballot, status=BoxStatus.TALLIED, **found.model_dump())

    @activity.defn
    async def strike_in_box(self, request: StrikeInBox) -> StruckInBox:
        """Give no ballot to a unit. Raises ApplicationError as `open_vote`."""
        if self._box.gateway is Gateway.DESK:
            return StruckInBox(ballot=request.ballot, status=BoxStatus.NO_BOX)
        try:
            refused = await self._gateway.strike(self._box, request.ballot, request.unit, request.question)
        except GatewayUnavailable as error:
            raise self._unavailable("strike", request.ballot, error) from None
        status = BoxStatus.OPEN if refused is None else BoxStatus.REFUSED
        self._tell("strike", request.ballot, status)
        taken = refused is not None and refused.code == TAKEN
        return StruckInBox(
            ballot=request.ballot, status=status, code=None if refused is None else refused.code, taken=taken
        )

    def _tell(self, act: str, ballot: str, outcome: str) -> None:
        self._count_call(self._box.code, act, outcome)
        log.info("ballot box answered", box=self._box.code, act=act, case_id=ballot, outcome=outcome)

    def _unavailable(self, act: str, ballot: str, error: GatewayUnavailable) -> ApplicationError:
        self._count_call(self._box.code, act, "unavailable")
        log.warning("ballot box unavailable", box=self._box.code, act=act, case_id=ballot, reason=error.reason)
        return ApplicationError(error.reason, type=UNAVAILABLE, next_retry_delay=error.retry_after)
