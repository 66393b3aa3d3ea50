"""A voter's side of the wire (docs/ballot-box.md): draws a serial, has it signed blindly, and casts it later from wherever.

The model for the page on which residents vote; tests, demos and the load of a whole town vote by it.
"""

import hashlib
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from local.ballot_box.blind_rsa import Blinded, blind, finalize
from schemas.contracts.ballot_box import CastBody, Channel, IssueBody, Issued, RollBody, RollLine
from schemas.contracts.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from schemas.values.model import Model

SERIAL_BYTES = 32


@dataclass(frozen=True)
class TownSide:
    """Whoever may say that a unit takes its ballot: the town, by its key with the box."""

    http: httpx.AsyncClient
    base: str
    secret: bytes

    async def keep_roll(self, ballot: str, lines: Sequence[RollLine]) -> httpx.Response:
        """Send the units of the roll."""
        return await self._send("PUT", f"/ballots/{ballot}/roll", RollBody(ballot_id=ballot, lines=tuple(lines)))

    async def issue(self, ballot: str, unit: str, blinded: bytes | None) -> httpx.Response:
        """Mark a unit; with a blinded serial it votes online, without one on paper."""
        channel = Channel.PAPER if blinded is None else Channel.ONLINE
        hidden = None if blinded is None else blinded.hex()
        body = IssueBody(ballot_id=ballot, unit=unit, channel=channel, blinded=hidden)
        return await self._send("POST", f"/ballots/{ballot}/issues", body)

    async def _send(self, method: str, path: str, body: Model) -> httpx.Response:
        content = body.model_dump_json().encode()
        timestamp = str(int(time.time()))
        headers = {TIMESTAMP_HEADER: timestamp, SIGNATURE_HEADER: sign(self.secret, timestamp, content)}
        return await self.http.request(method, f"{self.base}{path}", content=content, headers=headers)


class AnotherKey(ValueError):
    """The box shows this voter another key than the case has told: by it the vote would be known again."""


async def key_of(http: httpx.AsyncClient, base: str, ballot: str, digest: str | None = None) -> rsa.RSAPublicKey:
    """The key of a vote; `digest`: what the case told of it when it was opened.

    Raises AnotherKey, with which nobody votes; TypeError: it is no RSA key; httpx.HTTPStatusError: there is no such vote.
    """
    answer = await http.get(f"{base}/ballots/{ballot}")
    shown = answer.raise_for_status().json()["public_key"].encode("ascii")
    if digest is not None and hashlib.sha256(shown).hexdigest() != digest:
        raise AnotherKey("this is not the key that the case has told: take no ballot here, and say so")
    key = serialization.load_pem_public_key(shown)
    if not isinstance(key, rsa.RSAPublicKey):
        raise TypeError("the key of a vote is an RSA key")
    return key


@dataclass
class Ballot:
    """One voter's ballot: blank, then signed by the box. The serial leaves the voter's hands when it is cast, and not before."""

    key: rsa.RSAPublicKey
    serial: bytes = field(default_factory=lambda: secrets.token_bytes(SERIAL_BYTES))
    blinded: Blinded = field(init=False)
    signature: bytes = b""

    def __post_init__(self) -> None:
        self.blinded = blind(self.key, self.serial)

    def signed(self, answer: httpx.Response) -> None:
        """Take the blind signature. Raises BlindingFault: it is none of this vote's key."""
        issued = Issued.model_validate_json(answer.content)
        self.signature = finalize(
            self.key, self.serial, bytes.fromhex(issued.blind_signature or ""), self.blinded.inverse
        )

    async def cast(self, http: httpx.AsyncClient, base: str, ballot: str, *choices: str) -> httpx.Response:
        """Cast it: no account, no unit, no time."""
        body = CastBody(serial=self.serial.hex(), signature=self.signature.hex(), choices=choices)
        return await http.post(f"{base}/ballots/{ballot}/votes", content=body.model_dump_json().encode())
