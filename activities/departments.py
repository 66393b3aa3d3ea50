"""Work orders: places, recalls, reworks. Reads the texts at the last moment, calls the gateway, returns what happened."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from engine.outside.gateways import GatewayRefused, GatewayUnavailable, HttpGateway, OrderLost
from schemas.contracts.department import (
    Gateway,
    OrderReceipt,
    Place,
    PlaceOrder,
    RecallOrder,
    RecallReceipt,
    Rework,
    ReworkOrder,
    ReworkReceipt,
    WorkOrder,
    callback_path,
)
from schemas.contracts.department_policy import DepartmentPolicy, DepartmentRegister, NoSuchDepartment
from schemas.values.references import TextReference

log = structlog.get_logger()

UNAVAILABLE = "DepartmentUnavailable"
"""The type of the error that Temporal retries."""

ReadTexts = Callable[[Sequence[TextReference], str, str], Awaitable[Mapping[TextReference, str]]]
"""`read_texts(references, purpose, case_id)`: the texts by reference, of this case only; the vault records each reading."""

CountCall = Callable[[str, str, str], None]
"""`count_call(department, act, outcome)`: for the metrics; codes only."""


class Departments:
    """The doers for departments. Each is idempotent by case and step; a refusal is a result, an absence is an error.

    Give these activities a start-to-close limit longer than twice the longest `timeout_seconds` of the departments: a
    call may wait that long for its place and take that long itself.
    """

    def __init__(
        self,
        register: DepartmentRegister,
        gateway: HttpGateway,
        read_texts: ReadTexts,
        callback_base: str,
        count_call: CountCall,
    ) -> None:
        self._register = register
        self._gateway = gateway
        self._read_texts = read_texts
        self._callback_base = callback_base.rstrip("/")
        self._count_call = count_call

    @activity.defn
    async def place_order(self, order: PlaceOrder) -> OrderReceipt:
        """Give a department its order. Raises ApplicationError(type=DepartmentUnavailable) to be tried again."""
        department = self._department(order.department)
        if department.gateway is Gateway.DESK:
            self._count_call(department.code, "place", "desk")
            return OrderReceipt(
                order_id=order.order_id,
                department=department.code,
                gateway=Gateway.DESK,
                accepted=True,
                receipt=f"desk:{order.order_id}",
                accepted_at=order.as_of,
            )
        work_order = await self._work_order(order, department)
        try:
            outcome = await self._gateway.place(department, work_order)
        except GatewayUnavailable as error:
            raise self._unavailable(department, "place", order.order_id, error) from None
        self._tell(department, "place", order.order_id, outcome)
        if isinstance(outcome, GatewayRefused):
            return OrderReceipt(
                order_id=order.order_id,
                department=department.code,
                gateway=Gateway.HTTP,
                accepted=False,
                code=outcome.code,
                reason=outcome.reason,
            )
        return OrderReceipt(
            order_id=order.order_id,
            department=department.code,
            gateway=Gateway.HTTP,
            accepted=True,
            receipt=outcome.receipt,
            accepted_at=outcome.accepted_at,
        )

    @activity.defn
    async def recall_order(self, recall: RecallOrder) -> RecallReceipt:
        """Take an order back. Raises ApplicationError(type=DepartmentUnavailable) to be tried again."""
        department = self._department(recall.department)
        if department.gateway is Gateway.DESK:
            self._count_call(department.code, "recall", "desk")
            return RecallReceipt(order_id=recall.order_id, department=department.code, done=True)
        try:
            outcome = await self._gateway.recall(department, recall.order_id)
        except GatewayUnavailable as error:
            raise self._unavailable(department, "recall", recall.order_id, error) from None
        self._tell(department, "recall", recall.order_id, outcome)
        if isinstance(outcome, GatewayRefused):
            return RecallReceipt(
                order_id=recall.order_id,
                department=department.code,
                done=False,
                code=outcome.code,
                reason=outcome.reason,
            )
        return RecallReceipt(order_id=recall.order_id, department=department.code, done=True)

    @activity.defn
    async def rework_order(self, rework: ReworkOrder) -> ReworkReceipt:
        """Ask for work to be done again. Raises ApplicationError(type=DepartmentUnavailable) to be tried again."""
        department = self._department(rework.department)
        if department.gateway is Gateway.DESK:
            self._count_call(department.code, "rework", "desk")
            return ReworkReceipt(
                order_id=rework.order_id,
                department=department.code,
                accepted=True,
                receipt=f"desk:{rework.order_id}",
            )
        asked = await self._rework(rework, department)
        try:
            outcome = await self._gateway.rework(department, asked)
        except GatewayUnavailable as error:
            raise self._unavailable(department, "rework", rework.order_id, error) from None
        self._tell(department, "rework", rework.order_id, outcome)
        if isinstance(outcome, OrderLost):
            return ReworkReceipt(order_id=rework.order_id, department=department.code, accepted=False, lost=True)
        if isinstance(outcome, GatewayRefused):
            return ReworkReceipt(
                order_id=rework.order_id,
                department=department.code,
                accepted=False,
                code=outcome.code,
                reason=outcome.reason,
            )
        return ReworkReceipt(
            order_id=rework.order_id, department=department.code, accepted=True, receipt=outcome.receipt
        )

    def _department(self, code: str) -> DepartmentPolicy:
        try:
            return self._register.get(code)
        except NoSuchDepartment as error:
            # Retried all the same: the worker may run with older policies than the one that dispatched.
            raise ApplicationError(str(error), type="NoSuchDepartment") from None

    async def _work_order(self, order: PlaceOrder, department: DepartmentPolicy) -> WorkOrder:
        texts = await self._read_texts(order.texts, f"work-order-{department.code}", order.case_id)
        return WorkOrder(
            order_id=order.order_id,
            case_id=order.case_id,
            step=order.step,
            procedure=order.procedure,
            category=order.category,
            urgency=order.urgency,
            title=None if order.title is None else texts[order.title],
            description=texts[order.description],
            location=Place(
                address=None if order.address is None else texts[order.address],
                latitude_microdegrees=order.latitude_microdegrees,
                longitude_microdegrees=order.longitude_microdegrees,
            ),
            due=order.due,
            as_of=order.as_of,
            callback_url=self._callback_base + callback_path(department.code),
        )

    async def _rework(self, rework: ReworkOrder, department: DepartmentPolicy) -> Rework:
        references = [] if rework.reason is None else [rework.reason]
        texts = await self._read_texts(references, f"rework-{department.code}", rework.case_id) if references else {}
        return Rework(
            order_id=rework.order_id,
            case_id=rework.case_id,
            step=rework.step,
            number=rework.number,
            cause=rework.cause,
            reason=None if rework.reason is None else texts[rework.reason],
            due=rework.due,
            as_of=rework.as_of,
            callback_url=self._callback_base + callback_path(department.code),
        )

    def _unavailable(
        self, department: DepartmentPolicy, act: str, order_id: str, error: GatewayUnavailable
    ) -> ApplicationError:
        self._count_call(department.code, act, "unavailable")
        log.warning("department unavailable", department=department.code, act=act, order=order_id, reason=error.reason)
        return ApplicationError(
            f"{department.code}: {error.reason}", type=UNAVAILABLE, next_retry_delay=error.retry_after
        )

    def _tell(self, department: DepartmentPolicy, act: str, order_id: str, outcome: object) -> None:
        verdict = {GatewayRefused: "refused", OrderLost: "lost"}.get(type(outcome), "done")
        self._count_call(department.code, act, verdict)
        log.info(
            "department answered",
            department=department.code,
            act=act,
            order=order_id,
            refused=outcome.code if isinstance(outcome, GatewayRefused) else None,
        )
