"""Work orders of an incident: given, taken back, asked for again. What goes out to departments goes out from here.

The next number is a new order; a rework is the same order once more. A department's own system is told of each, and
a silent one is a clock, not an error.
"""

from temporalio import workflow

from schemas.contracts.department import ReworkCause, ReworkOrder
from schemas.contracts.work_orders import Matter
from schemas.incident import Kind
from schemas.incident_state import IncidentState, Order, Rework, Stage
from schemas.values.references import TextReference
from workflows.kernel import steps
from workflows.kernel.declared import DeclaredCase
from workflows.parts.orders import COORDINATOR, OrdersCase

REWORK_IS_ASKED_FOR = "rework-is-asked-for"
"""Patch: before, a failed verification was a notice, and a department's own system never learned of it."""


class Orders(OrdersCase[IncidentState], DeclaredCase[IncidentState]):
    """The part of an incident that gives work to departments."""

    def orders_given(self) -> list[Order]:
        """Every order of the incident."""
        return self.state.orders

    def matter(self) -> Matter:
        """What was reported, and how fast it is to be dealt with."""
        return Matter(
            category=self.state.category,
            urgency=self.state.urgency,
            description=self.state.description,
            address=self.state.address,
            latitude_microdegrees=self.state.latitude_micro,
            longitude_microdegrees=self.state.longitude_micro,
        )

    def give_order(self, department: str, *, binding: bool = False) -> None:
        """Give the next order to a department: `sign` starts anew, whatever else runs goes on."""
        self.drop_requests()
        if self.state.orders and self.state.order.department != department:
            self.errand("recall_order", self.state.order.number)
        number = len(self.state.orders) + 1
        self.state.orders.append(Order(number=number, department=department, dispatched_at=self.now(), binding=binding))
        self.state.department = department
        self.start_clock("sign")
        self.move(Stage.DISPATCHED, f"department:{department}")
        self.errand("place_order", number)
        self.notify(f"department:{department}", "order_dispatched", order=number)

    def drop_requests(self) -> None:
        """What was asked for the work that is over now is asked no more."""
        for request in ("extension", "suspension"):
            if getattr(self.state, request) is not None:
                setattr(self.state, request, None)
                self.record(Kind.REQUEST_LAPSED, request=request)

    def ask_again(self, cause: ReworkCause, reason: TextReference | None) -> None:
        """返工: the department's own system hears of it too, not only its people."""
        if not workflow.patched(REWORK_IS_ASKED_FOR):
            return
        number = len(self.state.rework_orders) + 1
        self.state.rework_orders.append(
            Rework(number=number, order=self.state.order.number, cause=cause, reason=reason)
        )
        self.errand("rework_order", number)

    # ---- errands --------------------------------------------------------------------------------------------------

    async def errand_rework_order(self, number: int) -> None:
        """Ask the department's own system to do the work again. One that lost the order gets it as a new one."""
        rework = self.state.rework_orders[number - 1]
        order = self.state.orders[rework.order - 1]
        await self.errand_done("place_order", order.number)
        if order.receipt is None:
            return  # their system never had it; their people work at the desk
        rework.asked = rework.asked or self.asked_now()
        receipt = await steps.rework_order(
            ReworkOrder(
                case_id=self.state.case_id,
                step=f"order-{order.number}",
                number=number,
                department=order.department,
                cause=rework.cause,
                reason=rework.reason,
                due=rework.asked.due,
                as_of=rework.asked.as_of,
            )
        )
        rework.receipt = receipt.receipt
        facts = {"order": order.number, "rework": number, "department": order.department}
        if receipt.accepted:
            self.record(Kind.REWORK_RECEIVED, **facts, receipt=receipt.receipt)
            return
        self.record(Kind.REWORK_REFUSED, **facts, code="lost" if receipt.lost else receipt.code)
        if not receipt.lost:
            self.notify(COORDINATOR, "rework_not_delivered", rework=number, department=order.department)
        elif self.state.stage == Stage.HANDLING and self.state.order.number == order.number:
            self.give_order(order.department, binding=order.binding)
            self.record(Kind.DISPATCHED, department=order.department, order=self.state.order.number, anew=True)
