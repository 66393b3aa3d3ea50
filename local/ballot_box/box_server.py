"""The ballot box as a service, behind one address: `/<code>/ballots/...`. The wire is docs/ballot-box.md.

    POST /<code>/ballots                      open a vote: its roll is here, and is the one announced            signed
    PUT  /<code>/ballots/<id>/roll            the units, before it is open                                       signed
    POST /<code>/ballots/<id>/issues          mark a unit, once over all channels, and sign a blinded serial     signed
    POST /<code>/ballots/<id>/close           close it and count, or say that too few have come                  signed
    PUT  /<code>/ballots/<id>/words           the question and the choices in words, for the page                signed
    GET  /<code>/vote/<id>                    the page on which the choice is made (local/ballot_box/vote_page.py)
    GET  /<code>/ballots/<id>                 the key, the choices, whether it is open
    POST /<code>/ballots/<id>/votes           cast: serial, signature, choices; no account, no unit, no time
    GET  /<code>/ballots/<id>/tally           totals and root, of a vote that is closed
    GET  /<code>/ballots/<id>/proofs/<held>   where one's own vote stands in the tree, of a vote that is closed
    GET  /healthz

Nothing is logged of who asks, and nothing is kept of when.

| character | word     | does, as a twin for tests and demos                                            |
|-----------|----------|--------------------------------------------------------------------------------|
| prompt    | 按时     | answers                                                                        |
| losing    | 丢失     | does the first request of each kind, and never answers it                      |
| echoing   | 重复     | does each request twice, as if it had come twice                               |
| falling   | 截止故障 | closes a vote and is out of order then, three times, before it says the tally  |
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import closing
from enum import StrEnum
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.ballot_box.blind_rsa import KEY_BITS, BlindingFault, blind_sign, new_key, verified
from local.ballot_box.box_book import BoxBook, KeptBallot, Mark, Taken
from local.ballot_box.roll_file import roll_digest
from local.ballot_box.vote_page import page_file, vote_page
from local.simulation.quiet_server import listen, quiet_server, url_of
from local.simulation.signed_server import believed, never, problem
from schemas.contracts.ballot_box import BallotBody, CastBody, Channel, CloseBody, IssueBody, RollBody, Tally, VoteWords
from schemas.contracts.signature import read_secrets
from schemas.parts.quorum import shown_cells

LONGEST_BODY_BYTES = 8 * 1024 * 1024
FALLS = 3
RETRY_SECONDS = 1

Handler = Callable[["RunningBallotBox", Request, bytes], Awaitable[Response]]


class BoxCharacter(StrEnum):
    """How a box treats what it is asked: of the real one, always promptly."""

    PROMPT = "prompt"
    LOSING = "losing"
    ECHOING = "echoing"
    FALLING = "falling"


class BallotBoxSettings(BaseModel):
    """A box to run: its code, its key with the town, its book."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    key_file: Path
    book: Path
    host: str = "127.0.0.1"
    port: int = 0
    character: BoxCharacter = BoxCharacter.PROMPT
    key_bits: int = KEY_BITS


class RunningBallotBox:
    """The box with its server, open from the moment it is made. Needs a running event loop. Port 0 lets the system choose."""

    def __init__(self, box: BallotBoxSettings) -> None:
        self._box = box
        self._secrets = read_secrets(box.key_file.read_text(encoding="ascii"))
        self._listener = listen(box.host, box.port)
        self.url = url_of(self._listener)
        self._book = BoxBook(box.book)
        self._keys: dict[str, rsa.RSAPrivateKey] = {}
        self._seen: Counter[str] = Counter()
        base = f"/{box.code}/ballots"
        routes = [
            Route(base, self._door("open", _open, signed=True), methods=["POST"]),
            Route(f"{base}/{{ballot}}", self._door("look", _look), methods=["GET"]),
            Route(f"{base}/{{ballot}}/roll", self._door("roll", _keep_roll, signed=True), methods=["PUT"]),
            Route(f"{base}/{{ballot}}/words", self._door("words", _keep_words, signed=True), methods=["PUT"]),
            Route(f"{base}/{{ballot}}/issues", self._door("issue", _issue, signed=True), methods=["POST"]),
            Route(f"{base}/{{ballot}}/votes", self._door("vote", _cast), methods=["POST"]),
            Route(f"{base}/{{ballot}}/close", self._door("close", _close, signed=True), methods=["POST"]),
            Route(f"{base}/{{ballot}}/tally", self._door("tally", _tally), methods=["GET"]),
            Route(f"{base}/{{ballot}}/proofs/{{held}}", self._door("proof", _proof), methods=["GET"]),
            Route(f"/{box.code}/vote/{{ballot}}", self._door("page", _page), methods=["GET"]),
            Route(f"/{box.code}/page/{{name}}", _file, methods=["GET"]),
            Route("/healthz", self._health),
        ]
        self._server = quiet_server(Starlette(routes=routes), box.host)
        self.task = asyncio.create_task(self._run(), name="ballot box")

    @property
    def book(self) -> BoxBook:
        """What it keeps."""
        return self._book

    @property
    def key_bits(self) -> int:
        """How long the keys of its votes are."""
        return self._box.key_bits

    def key_of(self, ballot: str, kept: KeptBallot) -> rsa.RSAPrivateKey:
        """The key of a vote that is open; it was made here, and is read once."""
        if ballot not in self._keys:
            key = serialization.load_der_private_key(kept.private_key, None, unsafe_skip_rsa_key_validation=True)
            if not isinstance(key, rsa.RSAPrivateKey):
                raise TypeError("the key of a vote is an RSA key")
            self._keys[ballot] = key
        return self._keys[ballot]

    def forget_key(self, ballot: str) -> None:
        """Of a vote that is closed."""
        self._keys.pop(ballot, None)

    def stop(self) -> None:
        """Close the server; what was cast stays in the book."""
        self._server.should_exit = True

    async def _run(self) -> None:
        with self._book, closing(self._listener):
            await self._server.serve(sockets=[self._listener])

    def _door(self, kind: str, handler: Handler, *, signed: bool = False) -> Callable[[Request], Awaitable[Response]]:
        async def door(request: Request) -> Response:
            raw = await request.body()
            if len(raw) > LONGEST_BODY_BYTES:
                return problem(413, "too-long")
            if signed and not believed(self._box.code, self._secrets, request, raw):
                return problem(401, "bad-signature")
            try:
                answer = await handler(self, request, raw)
                if self._box.character is BoxCharacter.ECHOING:
                    answer = await handler(self, request, raw)
            except ValidationError:
                return problem(400, f"unreadable-{kind}")
            return await self._given(kind, request, answer)

        return door

    async def _given(self, kind: str, request: Request, answer: Response) -> Response:
        """The answer as its character gives it."""
        self._seen[kind] += 1
        if self._box.character is BoxCharacter.LOSING and self._seen[kind] == 1:
            return await never(request)
        if self._box.character is BoxCharacter.FALLING and kind == "close" and self._seen[kind] <= FALLS:
            return problem(503, "out-of-order", RETRY_SECONDS)
        return answer

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"ballot_box": self._box.code})


def _ballot_of(request: Request) -> str:
    return str(request.path_params["ballot"])


async def _keep_roll(box: RunningBallotBox, request: Request, raw: bytes) -> Response:
    """Before the vote is open; then it is frozen, and only the same one is taken."""
    ballot, body = _ballot_of(request), RollBody.model_validate_json(raw)
    if body.ballot_id != ballot:
        return problem(409, "another-ballot")
    if any(line.owner is not None or line.area_hundredths for line in body.lines):
        # Here each unit votes once: who has sixteen flats would vote sixteen times, and an area names its owner.
        return problem(422, "owners-vote-signed")
    digest = roll_digest(body.lines)
    if box.book.ballot(ballot) is not None:
        same = (box.book.roll_of(ballot) or ("", 0))[0] == digest
        return JSONResponse({"roll_digest": digest}) if same else problem(409, "roll-is-frozen")
    box.book.keep_roll(ballot, digest, body.lines)
    return JSONResponse({"roll_digest": digest, "units": len(body.lines)})


async def _open(box: RunningBallotBox, _: Request, raw: bytes) -> Response:
    """With the roll that was announced; the same vote again is the same one."""
    body = BallotBody.model_validate_json(raw)
    kept = box.book.ballot(body.ballot_id)
    if kept is None:
        roll = box.book.roll_of(body.ballot_id)
        if roll is None:
            return problem(202, "roll-not-here", RETRY_SECONDS)
        if roll != (body.roll_digest, body.units) or body.voters != body.units:
            return problem(409, "another-roll")
        key = new_key(box.key_bits)
        box.book.open(body.ballot_id, body.model_dump_json(), _private(key), _public(key))
        return JSONResponse({"ballot_id": body.ballot_id, "public_key": _public(key).decode("ascii")}, 201)
    if BallotBody.model_validate_json(kept.body) != body:
        return problem(409, "another-ballot-under-this-id")
    return JSONResponse({"ballot_id": body.ballot_id, "public_key": kept.public_key.decode("ascii")})


async def _look(box: RunningBallotBox, request: Request, _: bytes) -> Response:
    """What a voter has to know."""
    kept = box.book.ballot(_ballot_of(request))
    if kept is None:
        return problem(404, "no-such-ballot")
    body = BallotBody.model_validate_json(kept.body)
    return JSONResponse(
        {
            "ballot_id": body.ballot_id,
            "choices": body.choices,
            "choices_at_most": body.choices_at_most,
            "open": kept.tally is None,
            "public_key": kept.public_key.decode("ascii"),
        }
    )


async def _keep_words(box: RunningBallotBox, request: Request, raw: bytes) -> Response:
    """What the page shows. Whoever has seen one question votes on no other: the first words stay."""
    ballot, words = _ballot_of(request), VoteWords.model_validate_json(raw)
    if words.ballot_id != ballot:
        return problem(409, "another-ballot")
    if box.book.ballot(ballot) is None:
        return problem(404, "no-such-ballot")
    kept = box.book.keep_words(ballot, words.model_dump_json())
    return JSONResponse({}) if VoteWords.model_validate_json(kept) == words else problem(409, "other-words")


async def _page(box: RunningBallotBox, request: Request, _: bytes) -> Response:
    """For a voter's browser; the ballot in its address does not come here."""
    ballot = _ballot_of(request)
    kept, words = box.book.ballot(ballot), box.book.words_of(ballot)
    if kept is None:
        return problem(404, "no-such-ballot")
    told = None if words is None else VoteWords.model_validate_json(words)
    return vote_page(request, BallotBody.model_validate_json(kept.body), told, is_open=kept.tally is None)


async def _file(request: Request) -> Response:
    return page_file(str(request.path_params["name"])) or problem(404, "no-such-file")


async def _issue(box: RunningBallotBox, request: Request, raw: bytes) -> Response:
    """Mark the unit. The same asked again is answered the same: the answer may have been lost."""
    ballot, body = _ballot_of(request), IssueBody.model_validate_json(raw)
    if body.ballot_id != ballot:
        return problem(409, "another-ballot")
    kept = box.book.ballot(ballot)
    if kept is None or not box.book.has_unit(ballot, body.unit):
        return problem(404, "no-such-ballot" if kept is None else "no-such-unit")
    if (body.channel is Channel.ONLINE) != (body.blinded is not None):
        return problem(422, "a-serial-goes-with-an-online-ballot")
    mark = box.book.mark_of(ballot, body.unit)
    if mark is None and kept.tally is None:
        try:
            signature = (
                None
                if body.blinded is None
                else blind_sign(box.key_of(ballot, kept), bytes.fromhex(body.blinded)).hex()
            )
        except BlindingFault:
            return problem(422, "serial-does-not-fit-the-key")
        mark = box.book.mark(ballot, body.unit, Mark(body.channel, body.blinded, signature))
    if mark is None or (mark.channel, mark.blinded) != (body.channel, body.blinded):
        return problem(409, "closed" if mark is None else "already-taken")
    return JSONResponse({"blind_signature": mark.blind_signature})


async def _cast(box: RunningBallotBox, request: Request, raw: bytes) -> Response:
    """Take a vote by its signature alone."""
    ballot, body = _ballot_of(request), CastBody.model_validate_json(raw)
    kept = box.book.ballot(ballot)
    if kept is None:
        return problem(404, "no-such-ballot")
    opened = BallotBody.model_validate_json(kept.body)
    if not verified(_public_key(kept), bytes.fromhex(body.serial), bytes.fromhex(body.signature)):
        return problem(403, "no-ballot-of-ours")
    chosen = set(body.choices)
    if len(chosen) != len(body.choices) or chosen - set(opened.choices) or len(chosen) > opened.choices_at_most:
        return problem(422, "no-such-choice")
    taken = box.book.cast(ballot, body.serial, body.choices, body.receipt or "")
    if taken in {Taken.OTHERWISE, Taken.CLOSED}:
        return problem(409, "voted-already" if taken is Taken.OTHERWISE else "closed")
    return JSONResponse({"taken": True}, 201 if taken is Taken.NOW else 200)


async def _close(box: RunningBallotBox, request: Request, raw: bytes) -> Response:
    """Close it, unless fewer have taken a ballot than were asked for."""
    ballot, body = _ballot_of(request), CloseBody.model_validate_json(raw)
    if body.ballot_id != ballot:
        return problem(409, "another-ballot")
    kept = box.book.ballot(ballot)
    if kept is None:
        return problem(404, "no-such-ballot")
    then = box.book.too_few_then(ballot, body.question)
    issued = box.book.issued(ballot, Channel.ONLINE) if then is None else then
    if kept.tally is None and (then is not None or issued < body.unless_fewer):
        box.book.note_too_few(ballot, body.question, issued)
        content = {"status": 409, "code": "too-few", "issued": issued}
        return JSONResponse(content, 409, media_type="application/problem+json")
    tally = box.book.close(ballot, BallotBody.model_validate_json(kept.body).choices)
    box.forget_key(ballot)
    return Response(tally.model_dump_json(), media_type="application/json")


async def _tally(box: RunningBallotBox, request: Request, _: bytes) -> Response:
    """The totals, when nobody can vote any more."""
    kept = box.book.ballot(_ballot_of(request))
    if kept is None:
        return problem(404, "no-such-ballot")
    if kept.tally is None:
        return problem(409, "still-open")
    told = Tally.model_validate_json(kept.tally)
    cells = shown_cells(
        {**told.totals, "abstained": told.abstained}, BallotBody.model_validate_json(kept.body).min_cell
    )
    shown = {} if told.paper else cells
    return JSONResponse({"totals": shown, **told.model_dump(mode="json", exclude={"totals", "abstained"})})


async def _proof(box: RunningBallotBox, request: Request, _: bytes) -> Response:
    """For whoever has the receipt, or the serial of a vote without one."""
    found = box.book.proof(_ballot_of(request), str(request.path_params["held"]))
    return problem(404, "no-such-vote") if found is None else JSONResponse(found)


def _private(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _public(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _public_key(kept: KeptBallot) -> rsa.RSAPublicKey:
    key = serialization.load_pem_public_key(kept.public_key)
    if not isinstance(key, rsa.RSAPublicKey):
        raise TypeError("the key of a vote is an RSA key")
    return key
