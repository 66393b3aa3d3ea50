"""派单 orders of a case: given, brought to a department's own system, taken back, asked for again.

A silent department is a clock, not an error. A procedure says what its orders are about; the rest is here.
The next number is a new order; a rework is the same order once more.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, TypeVar

from temporalio import workflow

from schemas.contracts.department import PlaceOrder, RecallOrder, ReworkCause, ReworkOrder
from schemas.contracts.work_orders import Asked, Matter, Order
from schemas.kernel.parties import COORDINATOR as THE_COORDINATOR
from schemas.kernel.parties import desk_of
from schemas.parts.orders import OrderedState, ReportDone, Rework, ReworkedState
from schemas.values.references import TextReference
from workflows.kernel import steps
from workflows.kernel.declared import DeclaredCase

StateT = TypeVar("StateT", bound=OrderedState[Any])
ReworkedT = TypeVar("ReworkedT", bound=ReworkedState[Any])

COORDINATOR = desk_of(THE_COORDINATOR)

REWORK_IS_ASKED_FOR = "rework-is-asked-for"
"""Patch: before, a failed verification was a notice, and a department's own system never learned of it."""


class OrdersCase(DeclaredCase[StateT]):
    """The part of a case that gives work to departments. `order_model`: what its orders remember."""

    order_model: ClassVar[type[Order]] = Order

    def matter(self) -> Matter:
        """Return what its orders are about."""
        raise NotImplementedError

    def orders_given(self) -> Sequence[Order]:
        """Return every order of the case; the one with number n stands at place n - 1."""
        orders: list[Order] = self.state.orders
        return orders

    # ---- given and taken back -------------------------------------------------------------------------------------

    def next_order(self, department: str, **remembered: Any) -> int:
        """派单: give the next order to a department, and bring it to its own system; its number."""
        number = len(self.state.orders) + 1
        self.state.orders.append(
            self.order_model(number=number, department=department, dispatched_at=self.now(), **remembered)
        )
        self.errand("place_order", number)
        return number

    def take_back_the_order(self) -> None:
        """Recall the order that counts; the workflow waits for this errand although the case is final."""
        self.state.last_recall = len(self.state.orders)
        self.errand("recall_order", self.state.last_recall)

    async def order_let_go(self) -> None:
        """Wait until the department's own system has let go of the order, or could not be reached for it."""
        if self.state.last_recall is not None:
            await self.errand_done("recall_order", self.state.last_recall)

    def keep_evidence(self, command: ReportDone, evidence: list[str]) -> None:
        """办结材料: the documents by which a department shows its work stand in the case, and among its evidence."""
        for document in command.documents:
            self.keep_document(document)
            evidence.append(document.reference)

    # ---- with the department's own system ---------------------------------------------------------------------------

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


class ReworkCase(OrdersCase[ReworkedT]):
    """The part of a case whose work may have to be done again."""

    def order_is_lost(self, order: Order) -> None:
        """The department's own system does not know the order any more."""
        raise NotImplementedError

    def ask_again(self, cause: ReworkCause, reason: TextReference | None) -> None:
        """返工: the department's own system hears of it too, not only its people."""
        if not workflow.patched(REWORK_IS_ASKED_FOR):
            return
        number = len(self.state.rework_orders) + 1
        self.state.rework_orders.append(
            Rework(number=number, order=self.state.order.number, cause=cause, reason=reason)
        )
        self.errand("rework_order", number)

    async def errand_rework_order(self, number: int) -> None:
        """Ask the department's own system to do the work again. One that lost the order gets it as a new one."""
        rework = self.state.rework_orders[number - 1]
        order = self.orders_given()[rework.order - 1]
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
            self.record(f"{self.procedure.name}:rework_received", **facts, receipt=receipt.receipt)
            return
        refusal = "lost" if receipt.lost else receipt.code
        self.record(f"{self.procedure.name}:rework_refused", **facts, code=refusal)
        if receipt.lost:
            self.order_is_lost(order)
        else:
            self.notify(COORDINATOR, "rework_not_delivered", rework=number, department=order.department)
