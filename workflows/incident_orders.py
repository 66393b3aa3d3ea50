"""Work orders of an incident: given by the responsibility list, by the coordinator, or anew to a system that lost one.

What it asks for while it has one, more time and a pause, lapses with the order.
"""

from schemas.contracts.work_orders import Matter
from schemas.contracts.work_orders import Order as AnyOrder
from schemas.incident import Kind
from schemas.incident_state import IncidentState, Order, Stage
from workflows.parts.extension import RequestsCase
from workflows.parts.orders import ReworkCase


class Orders(ReworkCase[IncidentState], RequestsCase[IncidentState]):
    """The part of an incident that gives work to departments."""

    order_model = Order
    work_clocks = ("sign", "respond", "finish")

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
        number = self.next_order(department, binding=binding)
        self.state.department = department
        self.start_clock("sign")
        self.move(Stage.DISPATCHED, f"department:{department}")
        self.notify(f"department:{department}", "order_dispatched", order=number)

    def order_is_lost(self, order: AnyOrder) -> None:
        """A system that lost the order which still counts gets it as a new one."""
        if self.state.stage == Stage.HANDLING and self.state.order.number == order.number:
            self.give_order(order.department, binding=self.state.order.binding)
            self.record(Kind.DISPATCHED, department=order.department, order=self.state.order.number, anew=True)
