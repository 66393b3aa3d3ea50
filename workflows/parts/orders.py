"""Work orders of a case: brought to a department's own system, and taken back. A silent department is a clock, not an error.

A procedure that gives orders says where it keeps them and what they are about; the rest is here.
"""

from collections.abc import Sequence
from typing import TypeVar

from schemas.contracts.department import PlaceOrder, RecallOrder
from schemas.contracts.work_orders import Asked, Matter, Order
from schemas.kernel.case import CaseState
from workflows.kernel import steps
from workflows.kernel.case import Case

StateT = TypeVar("StateT", bound=CaseState)

COORDINATOR = "role:coordinator"


class OrdersCase(Case[StateT]):
    """A case that gives work to departments."""

    def orders_given(self) -> Sequence[Order]:
        """Return every order of the case; the one with number n stands at place n - 1."""
        raise NotImplementedError

    def matter(self) -> Matter:
        """Return what its orders are about."""
        raise NotImplementedError

    def asked_now(self) -> Asked:
        """What a department is told of the time."""
        return Asked(due={view.name: view.due_at for view in self.state.clock_views() if view.due_at}, as_of=self.now())

    async def errand_place_order(self, number: int) -> None:
        """Bring the order to the department's own system."""
        order = self.orders_given()[number - 1]
        order.asked = order.asked or self.asked_now()
        receipt = await steps.place_order(
            PlaceOrder(
                case_id=self.state.case_id,
                step=f"order-{number}",
                department=order.department,
                procedure=self.procedure.name,
                due=order.asked.due,
                as_of=order.asked.as_of,
                **dict(self.matter()),
            )
        )
        if receipt.accepted:
            order.receipt = receipt.receipt
            self.record_order("order_received", order, receipt=receipt.receipt)
        else:
            order.refused = receipt.code
            self.record_order("order_refused", order, code=receipt.code)
            self.notify(COORDINATOR, "order_not_delivered", order=number, department=order.department)

    async def errand_recall_order(self, number: int) -> None:
        """Take the order back from a department that no longer holds the case."""
        await self.errand_done("place_order", number)
        order = self.orders_given()[number - 1]
        recall = RecallOrder(case_id=self.state.case_id, step=f"order-{number}", department=order.department)
        receipt = await steps.recall_order(recall)
        order.recalled = receipt.done
        self.record_order("order_recalled", order, done=receipt.done)

    def record_order(self, what: str, order: Order, **facts: str | bool | None) -> None:
        """Put what became of an order into the ledger, as an entry of this procedure."""
        kind = f"{self.procedure.name}:{what}"
        self.record(kind, order=order.number, department=order.department, **facts)
