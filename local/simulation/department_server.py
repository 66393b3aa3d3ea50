"""The HTTP server of one simulated department: takes orders as its character has it, recalls, shows its journal."""

import asyncio
import hashlib
import json
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import httpx
import structlog
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.simulation.characters import Character, PlannedAct, UnreadableDirection, character_for, plan, plan_rework
from local.simulation.department_book import BookedOrder, DepartmentBook, DepartmentReport, OrderStatus
from local.simulation.department_post import ReportPost
from local.simulation.quiet_server import listen, quiet_server, url_of
from local.simulation.signed_server import SLOW_ANSWER_SECONDS, believed, never, problem
from schemas.contracts.department import (
    IDEMPOTENCY_HEADER,
    Receipt,
    Rework,
    WorkOrder,
    idempotency_key,
    order_id,
    rework_key,
    rework_step,
)
from schemas.contracts.signature import read_secrets

log = structlog.get_logger()

REPORT_TIMEOUT_SECONDS = 10.0


class SimulatedDepartment(BaseModel):
    """One department to play. `speed` is town seconds per real second; port 0 lets the system choose."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    key_file: Path
    book: Path
    character: Character = Character.PROMPT
    speed: float = 1.0
    host: str = "127.0.0.1"
    port: int = 0


class RunningDepartment:
    """One department with its server, open from the moment it is made. Needs a running event loop."""

    def __init__(self, department: SimulatedDepartment) -> None:
        self._department = department
        self._secrets = read_secrets(department.key_file.read_text(encoding="ascii"))
        self._listener = listen(department.host, department.port)
        self.url = url_of(self._listener)
        self._book = DepartmentBook(department.book)
        self._server = quiet_server(
            Starlette(
                routes=[
                    Route("/work-orders", self._place, methods=["POST"]),
                    Route("/work-orders/{order_id}", self._recall, methods=["DELETE"]),
                    Route("/work-orders/{order_id}/reworks", self._rework, methods=["POST"]),
                    Route("/journal", self._journal),
                    Route("/healthz", self._health),
                ]
            ),
            department.host,
        )
        self._post: ReportPost | None = None
        self.task = asyncio.create_task(self._run(), name=f"department {department.code}")

    def stop(self) -> None:
        """Close the server; what is not reported yet stays in the book."""
        self._server.should_exit = True

    async def _run(self) -> None:
        client = httpx.AsyncClient(timeout=REPORT_TIMEOUT_SECONDS, follow_redirects=False, trust_env=False)
        with self._book, closing(self._listener):
            async with client, asyncio.TaskGroup() as tasks:
                self._post = ReportPost(self._book, client, self._secrets[0], tasks)
                for order in self._book.unfinished():
                    self._post.attend(order)
                await self._server.serve(sockets=[self._listener])
                self._post.close()

    async def _place(self, request: Request) -> Response:
        body = await request.body()
        if not self._believed(request, body):
            return problem(401, "bad-signature")
        try:
            order = WorkOrder.model_validate_json(body)
        except ValidationError:
            return problem(400, "unreadable-order")
        key = request.headers.get(IDEMPOTENCY_HEADER)
        if key != idempotency_key(order.case_id, order.step) or order.order_id != order_id(order.case_id, order.step):
            return problem(400, "key-does-not-fit-order")
        try:
            character = character_for(order, self._department.code, self._department.character)
        except UnreadableDirection as error:
            log.warning("stage direction", order=order.order_id, fault=str(error))
            return self._refuse(order, 422, "unreadable-stage-direction")
        return await self._treat(request, order, character)

    async def _treat(self, request: Request, order: WorkOrder, character: Character) -> Response:
        """Take the order as the character has it. The order is told from others by all but the address for reports."""
        standing = self._book.standing(order.order_id, _digest(order))
        if standing is OrderStatus.RECALLED:
            return self._refuse(order, 410, "recalled")
        if standing is OrderStatus.DIFFERENT:
            return self._refuse(order, 409, "another-order-under-this-key")
        if character is Character.REFUSING:
            return self._refuse(order, 422, "not-our-kind-of-order")
        flaky = character is Character.FLAKY
        attempt = self._book.note_request(order.order_id, "POST", standing.value)
        if flaky and attempt == 1:
            return problem(503, "out-of-order")
        if standing is OrderStatus.NEW:
            self._accept(order, character)
        else:
            self._book.moved(order.order_id, order.callback_url)
        if flaky and attempt == 2:  # noqa: PLR2004 - the second try: work done, answer never seen
            return await never(request)
        if flaky:
            await asyncio.sleep(SLOW_ANSWER_SECONDS)
        number, accepted_at = self._book.receipt(order.order_id)
        content = {"receipt": number, "accepted_at": accepted_at}
        return JSONResponse(content, 201 if standing is OrderStatus.NEW else 200)

    def _accept(self, order: WorkOrder, character: Character) -> None:
        """Do the work that an order asks for: book it, with all that will be reported."""
        acts = plan(order, character, already_returned=self._book.returned_before(order.case_id))
        reports = self._reports(order, acts, order.order_id, 1)
        receipt = Receipt(receipt=f"{self._department.code}:{order.order_id}", accepted_at=order.as_of)
        self._book.accept(
            BookedOrder(
                order_id=order.order_id,
                case_id=order.case_id,
                digest=_digest(order),
                character=character,
                receipt=receipt.receipt,
                accepted_at=receipt.accepted_at.isoformat(),
                callback_url=order.callback_url,
                returned=any(act.act == "returned" for act in acts),
            ),
            reports,
        )
        self._attend(order.order_id)

    async def _rework(self, request: Request) -> Response:
        """Do the work of an order again, once for each rework that is asked for."""
        body = await request.body()
        if not self._believed(request, body):
            return problem(401, "bad-signature")
        try:
            rework = Rework.model_validate_json(body)
        except ValidationError:
            return problem(400, "unreadable-rework")
        key = rework_key(rework.case_id, rework.step, rework.number)
        order = rework.order_id
        if (
            order != request.path_params["order_id"]
            or order != order_id(rework.case_id, rework.step)
            or request.headers.get(IDEMPOTENCY_HEADER) != key
        ):
            return problem(400, "key-does-not-fit-rework")
        known = self._book.order_standing(order)
        if known is not OrderStatus.KNOWN:
            self._book.note_request(order, "REWORK", known.value)
            gone = known is OrderStatus.RECALLED
            return problem(410, "recalled") if gone else problem(404, "no-such-order")
        return await self._treat_rework(request, rework)

    async def _treat_rework(self, request: Request, rework: Rework) -> Response:
        order = rework.order_id
        standing = self._book.rework_standing(order, rework.number, _digest(rework))
        attempt = self._book.note_request(order, "REWORK", standing.value)
        if standing is OrderStatus.DIFFERENT:
            return problem(409, "another-rework-under-this-key")
        character = Character(self._book.character(order))
        flaky = character is Character.FLAKY
        if flaky and attempt == 1:
            return problem(503, "out-of-order")
        self._book.moved(order, rework.callback_url)
        if standing is OrderStatus.NEW:
            step = rework_step(rework.number)
            reports = self._reports(
                rework, plan_rework(rework, character), f"{order}.{step}", self._book.next_position(order)
            )
            self._book.accept_rework(order, rework.number, _digest(rework), reports)
            self._attend(order)
        if flaky and attempt == 2:  # noqa: PLR2004 - the second try: work done, answer never seen
            return await never(request)
        content = {
            "receipt": f"{self._book.receipt(order)[0]}.{rework.number}",
            "accepted_at": rework.as_of.isoformat(),
        }
        return JSONResponse(content, 201 if standing is OrderStatus.NEW else 200)

    def _reports(
        self, about: WorkOrder | Rework, acts: Sequence[PlannedAct], prefix: str, position: int
    ) -> list[DepartmentReport]:
        """What will be sent about an order or a rework, ready to be put on the wire."""
        now = time.time()
        reports: list[DepartmentReport] = []
        for number, act in enumerate(acts, start=1):
            callback_id = f"{prefix}.{number}"
            body = json.dumps(
                {
                    "callback_id": callback_id,
                    "order_id": about.order_id,
                    "case_id": about.case_id,
                    "act": act.act,
                    "by": f"{self._department.code}.officer-1",
                    "as_of": act.at.isoformat(),
                    **act.texts,
                },
                ensure_ascii=False,
            ).encode()
            due = now + (act.at - about.as_of) / timedelta(seconds=self._department.speed)
            for _ in range(2 if act.twice else 1):
                reports.append(
                    DepartmentReport(about.order_id, position + len(reports), callback_id, act.act, body, due)
                )
        return reports

    def _attend(self, order: str) -> None:
        assert self._post is not None, "requests come while the server runs"  # noqa: S101 - states the order of things
        self._post.attend(order)

    async def _recall(self, request: Request) -> Response:
        order = request.path_params["order_id"]
        if not self._believed(request, order.encode()):
            return problem(401, "bad-signature")
        known = self._book.recall(order)
        self._book.note_request(order, "DELETE", "recalled" if known else "unknown")
        return Response(status_code=204) if known else problem(404, "no-such-order")

    async def _journal(self, _: Request) -> Response:
        department = self._department
        content = {"department": department.code, "character": department.character, "orders": self._book.journal()}
        return JSONResponse(content)

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"department": self._department.code})

    def _believed(self, request: Request, signed: bytes) -> bool:
        return believed(self._department.code, self._secrets, request, signed)

    def _refuse(self, order: WorkOrder, status: int, code: str) -> Response:
        self._book.note_request(order.order_id, "POST", code)
        return problem(status, code)


def _digest(order: WorkOrder | Rework) -> str:
    return hashlib.sha256(order.model_dump_json(exclude={"callback_url"}).encode()).hexdigest()
