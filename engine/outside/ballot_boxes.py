"""How the ballot box is reached over HTTP (docs/ballot-box.md). Signature, limits and lanes: engine/outside/signed_calls.py."""

import hashlib
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import quote

import httpx
from pydantic import ConfigDict, ValidationError

from engine.keys.counterpart_keys import CounterpartKeys
from engine.outside.signed_calls import Answer, GatewayRefused, GatewayUnavailable, SignedCalls, refusal_code
from schemas.contracts.ballot_box import (
    BallotBody,
    BallotBoxPolicy,
    Channel,
    CloseBody,
    IssueBody,
    Issued,
    OpenBallot,
    Tally,
    VoteWords,
)
from schemas.values.model import Model

ModelT = TypeVar("ModelT", bound=Model)

_TAKEN = frozenset({HTTPStatus.OK, HTTPStatus.CREATED})
_TOO_FEW = "too-few"


@dataclass(frozen=True)
class TooFew:
    """The vote is open still. `issued`: units that have taken a ballot, over all channels."""

    issued: int


class BallotBoxGateway:
    """Our side of the contract. One for the whole worker."""

    def __init__(self, client: httpx.AsyncClient, keys: CounterpartKeys) -> None:
        self._calls = SignedCalls(client, keys, "ballot box")

    async def open(self, box: BallotBoxPolicy, body: BallotBody, key: str) -> GatewayRefused | str:
        """Open a vote; it is open with the key of this digest. Raises GatewayUnavailable."""
        answer = await self._calls.post(box, "/ballots", body.model_dump_json().encode(), key)
        if (not_ready := self._calls.not_ready(answer)) is not None:
            raise not_ready
        return _read(_Opened, answer).digest if answer.status in _TAKEN else _refused(answer)

    async def close(
        self, box: BallotBoxPolicy, ballot: str, body: CloseBody, key: str
    ) -> Tally | TooFew | GatewayRefused:
        """Close a vote and read its tally. Closed before, it says the same once more. Raises GatewayUnavailable."""
        path = f"/ballots/{quote(ballot, safe='')}/close"
        answer = await self._calls.post(box, path, body.model_dump_json().encode(), key)
        if (not_ready := self._calls.not_ready(answer)) is not None:
            raise not_ready
        if answer.status in _TAKEN:
            return _read(Tally, answer)
        if answer.status == HTTPStatus.CONFLICT and refusal_code(answer) == _TOO_FEW:
            return TooFew(_read(_Problem, answer).issued)
        return _refused(answer)

    async def strike(self, box: BallotBoxPolicy, ballot: str, unit: str, key: str) -> GatewayRefused | None:
        """Mark a unit so that it takes no ballot; None: it does not. Raises GatewayUnavailable."""
        body = IssueBody(ballot_id=ballot, unit=unit, channel=Channel.STRUCK)
        path = f"/ballots/{quote(ballot, safe='')}/issues"
        answer = await self._calls.post(box, path, body.model_dump_json().encode(), key)
        return None if answer.status in _TAKEN else _refused(answer)

    async def look(self, box: BallotBoxPolicy, ballot: str) -> OpenBallot | GatewayRefused:
        """The key and the choices of a vote, as the box has them. Raises GatewayUnavailable."""
        answer = await self._calls.call(box, "GET", f"/ballots/{quote(ballot, safe='')}", signed=b"")
        return _read(OpenBallot, answer) if answer.status in _TAKEN else _refused(answer)

    async def tell(self, box: BallotBoxPolicy, ballot: str, words: VoteWords) -> GatewayRefused | None:
        """Give the box the question and the choices in words; None: it has these. Raises GatewayUnavailable."""
        body = words.model_dump_json().encode()
        path = f"/ballots/{quote(ballot, safe='')}/words"
        headers = {"Content-Type": "application/json"}
        answer = await self._calls.call(box, "PUT", path, signed=body, headers=headers, content=body)
        return None if answer.status in _TAKEN else _refused(answer)

    async def issue(self, box: BallotBoxPolicy, ballot: str, body: IssueBody, key: str) -> Issued | GatewayRefused:
        """Have a unit take its ballot. Raises GatewayUnavailable: ask again with the same body."""
        path = f"/ballots/{quote(ballot, safe='')}/issues"
        answer = await self._calls.post(box, path, body.model_dump_json().encode(), key)
        return _read(Issued, answer) if answer.status in _TAKEN else _refused(answer)


class _Opened(Model):
    model_config = ConfigDict(extra="ignore")

    public_key: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.public_key.encode()).hexdigest()


class _Problem(Model):
    model_config = ConfigDict(extra="ignore")

    issued: int


def _refused(answer: Answer) -> GatewayRefused:
    return GatewayRefused(refusal_code(answer), f"the ballot box answered {answer.status}")


def _read(shape: type[ModelT], answer: Answer) -> ModelT:
    try:
        return shape.model_validate_json(answer.body)
    except ValidationError:
        raise GatewayUnavailable("the ballot box's answer is not readable") from None
