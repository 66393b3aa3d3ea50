"""The HTTP server of the simulated bank. The wire is docs/payments.md; its books (local/simulation/bank_book.py) are the truth.

POST /<code>/payments            pay, as the stage direction in the account or the name has it
POST /<code>/payment-batches     several, each judged by itself
GET  /<code>/payments/{key}      what became of one
GET  /<code>/statements/{month}  the books of a month
GET  /<code>/incoming/REFERENCE  what has come in under a reference
POST /<code>/receipts            somebody pays in, with a reference or at the counter, for tests and stories
POST /<code>/vouchers/MONTH      the treasury pays out by hand for a month, for tests
GET  /<code>/journal             all of the books, for tests and stories
GET  /healthz
"""

import asyncio
import hmac
import time
from contextlib import closing
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import structlog
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.simulation.bank_book import BankBook, BookedPayment, Movement
from local.simulation.bank_characters import BankCharacter, UnreadableDirection, character_for, plan
from local.simulation.department_post import ReportPost
from local.simulation.quiet_server import listen, quiet_server, url_of
from local.simulation.signed_server import SLOW_ANSWER_SECONDS, believed, never, problem
from schemas.contracts.department import IDEMPOTENCY_HEADER
from schemas.contracts.incoming import MoneyReference
from schemas.contracts.payment import STATEMENT_PAGE, BatchBody, PaymentBody, PayStatus, ReceiptLine, VoucherLine
from schemas.contracts.signature import read_secrets

log = structlog.get_logger()

NOTICE_TIMEOUT_SECONDS = 10.0
SHANGHAI = timezone(timedelta(hours=8))
NO_ANSWER = 0
"""The status of a line that gets none: alone the line is held, in a batch the line is missing."""


class SimulatedBank(BaseModel):
    """The bank to play. `speed` is town seconds per real second; port 0 lets the system choose."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    key_file: Path
    book: Path
    character: BankCharacter = BankCharacter.PROMPT
    speed: float = 1.0
    host: str = "127.0.0.1"
    port: int = 0


class PaidIn(ReceiptLine):
    """Money that somebody pays in; with what they wrote beside the transfer."""

    reference: MoneyReference | None = None


class RunningBank:
    """The bank with its server, open from the moment it is made. Needs a running event loop."""

    def __init__(self, bank: SimulatedBank) -> None:
        self._bank = bank
        self._secrets = read_secrets(bank.key_file.read_text(encoding="ascii"))
        self._listener = listen(bank.host, bank.port)
        self.url = url_of(self._listener)
        self._book = BankBook(bank.book)
        routes = [
            Route(f"/{bank.code}/payments", self._pay, methods=["POST"]),
            Route(f"/{bank.code}/payment-batches", self._pay_together, methods=["POST"]),
            Route(f"/{bank.code}/payments/{{key}}", self._status),
            Route(f"/{bank.code}/statements/{{month}}", self._statement),
            Route(f"/{bank.code}/incoming/{{reference}}", self._incoming),
            Route(f"/{bank.code}/receipts", self._pay_in, methods=["POST"]),
            Route(f"/{bank.code}/vouchers/{{month}}", self._pay_out, methods=["POST"]),
            Route(f"/{bank.code}/journal", self._journal),
            Route("/healthz", self._health),
        ]
        self._server = quiet_server(Starlette(routes=routes), bank.host)
        self._post: ReportPost | None = None
        self.task = asyncio.create_task(self._run(), name="bank")

    def stop(self) -> None:
        """Close the server; what was not told yet stays in the books."""
        self._server.should_exit = True

    async def _run(self) -> None:
        client = httpx.AsyncClient(timeout=NOTICE_TIMEOUT_SECONDS, follow_redirects=False, trust_env=False)
        with self._book, closing(self._listener):
            async with client, asyncio.TaskGroup() as tasks:
                self._post = ReportPost(self._book, client, self._secrets[0], tasks)
                for key in self._book.unfinished():
                    self._post.attend(key)
                await self._server.serve(sockets=[self._listener])
                self._post.close()

    async def _pay(self, request: Request) -> Response:
        raw = await request.body()
        if not believed(self._bank.code, self._secrets, request, raw):
            return problem(401, "bad-signature")
        try:
            body = PaymentBody.model_validate_json(raw)
        except ValidationError:
            return problem(400, "unreadable-payment")
        if request.headers.get(IDEMPOTENCY_HEADER) != body.payment_key:
            return problem(400, "key-does-not-fit-payment")
        status, content = await self._treat(body, together=False)
        if status == NO_ANSWER:
            return await never(request)
        return JSONResponse(content, status)

    async def _pay_together(self, request: Request) -> Response:
        raw = await request.body()
        if not believed(self._bank.code, self._secrets, request, raw):
            return problem(401, "bad-signature")
        try:
            bodies = BatchBody.model_validate_json(raw).payments
        except ValidationError:
            return problem(400, "unreadable-batch")
        if len({body.payment_key for body in bodies}) < len(bodies):
            return problem(400, "a-key-stands-twice")
        lines = []
        for body in bodies:
            status, content = await self._treat(body, together=True)
            if status != NO_ANSWER:
                paid = "payment_key" in content
                said = {"payment": content} if paid else {"code": content["code"]}
                lines.append({"payment_key": body.payment_key, "http_status": status, **said})
        return JSONResponse({"lines": lines})

    async def _treat(self, body: PaymentBody, *, together: bool) -> tuple[int, dict[str, Any]]:
        """Pay as the character has it: status and content of the answer, or NO_ANSWER."""
        try:
            character = character_for(body, self._bank.code, self._bank.character)
        except UnreadableDirection as error:
            log.warning("stage direction", case_id=body.case_id, fault=str(error))
            return self._refuse(body, "unreadable-stage-direction")
        attempt = self._book.note_request(body.payment_key, "pay", character)
        if character is BankCharacter.FLAKY and attempt == 1:
            return 503, {"status": 503, "code": "out-of-order"}
        known = self._book.payment(body.payment_key)
        if known is not None and (known.digest, known.case_id or body.case_id) != (self._digest(body), body.case_id):
            return _conflict("another-payment-under-this-key")
        if known is None and (conflict := self._replaced(body)) is not None:
            return conflict
        if known is None:
            self._book_payment(body, character)
        if self._gives_no_answer(character, attempt, together=together):
            return NO_ANSWER, {}
        if character is BankCharacter.FLAKY:
            await asyncio.sleep(SLOW_ANSWER_SECONDS)
        content = self._content(body.payment_key)
        refused = content["status"] == PayStatus.REFUSED
        return (422 if refused else 200 if known else 201), content

    @staticmethod
    def _gives_no_answer(character: BankCharacter, attempt: int, *, together: bool) -> bool:
        match character:
            case BankCharacter.TIMEOUT:
                return attempt == 1
            case BankCharacter.FLAKY:
                return attempt == 2  # noqa: PLR2004 - the second try: the money moved, the answer is never seen
            case BankCharacter.PARTIAL:
                return attempt == 1 and together
            case _:
                return False

    def _replaced(self, body: PaymentBody) -> tuple[int, dict[str, Any]] | None:
        """What stands against a new attempt: the one that it replaces was paid, or it was replaced itself."""
        if self._book.superseded(body.payment_key):
            return self._refuse(body, "superseded")
        if body.replaces is None:
            return None
        before = self._book.payment(body.replaces)
        if before is None:
            self._book.supersede(body.replaces)
            return None
        paid = self._content(body.replaces)["status"] == PayStatus.PAID
        return _conflict("already-paid") if paid else None

    def _book_payment(self, body: PaymentBody, character: BankCharacter) -> None:
        """Let the money move, and write down what will be said about it later."""
        planned = plan(body, character, now=time.time(), speed=self._bank.speed)
        movements = [
            Movement(
                number=0,
                payment_key=body.payment_key,
                amount_fen=body.amount_fen,
                bank_reference=f"{self._reference(body)}{suffix}",
                at=body.as_of.isoformat(),
                returns_at_real=planned.returns_at_real,
                returns_at=planned.returns_at,
                return_code=planned.return_code,
            )
            for suffix in planned.movements
        ]
        notices = planned.notices(self._reference(body))
        self._book.accept(self._booked(body, planned.refused), movements, notices, body.notice_url)
        if notices:
            assert self._post is not None, "requests come while the server runs"  # noqa: S101 - states the order of things
            self._post.attend(body.payment_key)

    def _refuse(self, body: PaymentBody, code: str) -> tuple[int, dict[str, Any]]:
        if self._book.payment(body.payment_key) is None:
            self._book.accept(self._booked(body, code), [], [], body.notice_url)
        return 422, self._content(body.payment_key)

    def _booked(self, body: PaymentBody, refused: str | None) -> BookedPayment:
        return BookedPayment(
            payment_key=body.payment_key,
            digest=self._digest(body),
            amount_fen=body.amount_fen,
            month=body.month,
            refused=refused,
            bank_reference=self._reference(body),
            at=body.as_of.isoformat(),
            case_id=body.case_id,
        )

    def _content(self, key: str) -> dict[str, Any]:
        """What became of a known payment, as it stands now."""
        payment, movement = self._book.payment(key), self._book.movement(key)
        assert payment is not None, "asked only for known payments"  # noqa: S101 - states the order of things
        status, at, code = PayStatus.PAID, payment.at, None
        if movement is None:
            status, code = PayStatus.REFUSED, payment.refused
        elif movement.returned(time.time()):
            status, at, code = PayStatus.RETURNED, movement.returns_at or payment.at, movement.return_code
        return {"payment_key": key, "status": status, "amount_fen": payment.amount_fen,
                "bank_reference": payment.bank_reference, "at": at, "code": code}  # fmt: skip

    async def _status(self, request: Request) -> Response:
        key = request.path_params["key"]
        if not believed(self._bank.code, self._secrets, request, key.encode()):
            return problem(401, "bad-signature")
        known = self._book.payment(key) is not None
        self._book.note_request(key, "status", "known" if known else "unknown")
        return JSONResponse(self._content(key)) if known else problem(404, "no-such-payment")

    async def _statement(self, request: Request) -> Response:
        month, after = request.path_params["month"], request.query_params.get("after")
        place = month if after is None else f"{month}?after={after}"
        if not believed(self._bank.code, self._secrets, request, place.encode()):
            return problem(401, "bad-signature")
        if after is not None and not after.isdecimal():
            return problem(400, "no-such-page")
        found = self._book.month(month, int(after or 0), STATEMENT_PAGE)
        now = time.time()
        lines = [
            {"payment_key": each.payment_key, "amount_fen": each.amount_fen, "bank_reference": each.bank_reference,
             "status": PayStatus.RETURNED if each.returned(now) else PayStatus.PAID,
             "at": each.returns_at if each.returned(now) else each.at}
            for each in found
        ]  # fmt: skip
        further = str(found[-1].number) if len(found) == STATEMENT_PAGE else None
        paid_in = self._book.receipts(month) if after is None else []
        paid_out = self._book.vouchers(month) if after is None else []
        return JSONResponse(
            {"month": month, "lines": lines, "receipts": paid_in, "vouchers": paid_out, "next": further}
        )

    async def _incoming(self, request: Request) -> Response:
        reference = request.path_params["reference"]
        if not believed(self._bank.code, self._secrets, request, reference.encode()):
            return problem(401, "bad-signature")
        return JSONResponse({"reference": reference, "lines": self._book.incoming(reference)})

    async def _pay_in(self, request: Request) -> Response:
        """Somebody pays in: no town sends this."""
        try:
            line = PaidIn.model_validate_json(await request.body())
        except ValidationError:
            return problem(400, "unreadable-receipt")
        if line.reference is not None:
            self._book.name_receipt(line.receipt, line.reference)
        self._book.pay_in(line.receipt, line.amount_fen, f"{line.at.astimezone(SHANGHAI):%Y-%m}", line.at.isoformat())
        return JSONResponse(line.model_dump(mode="json"), 201)

    async def _pay_out(self, request: Request) -> Response:
        """The treasury pays out by hand: no town sends this."""
        try:
            line = VoucherLine.model_validate_json(await request.body())
        except ValidationError:
            return problem(400, "unreadable-voucher")
        self._book.pay_out(line.voucher, line.amount_fen, request.path_params["month"], line.at.isoformat())
        return JSONResponse(line.model_dump(mode="json"), 201)

    async def _journal(self, _: Request) -> Response:
        return JSONResponse(self._book.journal())

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"bank": self._bank.code})

    def _digest(self, body: PaymentBody) -> str:
        """By which a payment is told from another beside its case: when, and where notices go make no difference."""
        said = body.model_dump_json(exclude={"case_id", "as_of", "notice_url"})
        return hmac.new(self._secrets[0], said.encode(), "sha256").hexdigest()

    def _reference(self, body: PaymentBody) -> str:
        """The bank's own number of a payment."""
        return "B" + hmac.new(self._secrets[0], body.payment_key.encode(), "sha256").hexdigest()[:15].upper()


def _conflict(code: str) -> tuple[int, dict[str, Any]]:
    return 409, {"status": 409, "code": code}
