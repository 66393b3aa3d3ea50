"""What a summons sends out: the work order to the department's own system, and word to the whistle of every step."""

from schemas.clocks import Limit, Tier
from schemas.orders import Matter, Order
from schemas.summons import SummonsState
from schemas.whistle_messages import Subject, SummonsReport
from schemas.whistle_policy import WhistleType
from workflows.orders import OrdersCase

URGENCIES = {WhistleType.DEMAND: "ordinary", WhistleType.ENFORCEMENT: "urgent", WhistleType.EMERGENCY: "emergency"}
"""How fast, in the words that departments' own systems know from other orders."""


class Orders(OrdersCase[SummonsState]):
    """The part of a summons that others hear of."""

    @property
    def their_department(self) -> str:
        """The department, as one who is told."""
        return f"department:{self.state.department}"

    def start_duty(self, name: str, limit: Limit, tiers: tuple[Tier, ...]) -> None:
        """Start a clock that somebody has to keep: late, it climbs the tiers."""
        self.clocks.start(name, limit, "engine", tiers=tiers)

    def give_order(self) -> None:
        """派单: the next order to the department; its own system is told of it."""
        number, department = len(self.state.orders) + 1, self.state.department or ""
        self.state.orders.append(Order(number=number, department=department, dispatched_at=self.now()))
        self.errand("place_order", number)

    def take_back_the_order(self) -> None:
        """Recall the order that counts; the workflow waits for this errand although the case is final."""
        self.state.last_recall = len(self.state.orders)
        self.errand("recall_order", self.state.last_recall)

    def orders_given(self) -> list[Order]:
        """Every order of the summons: the first, and one more when a ruling bound the department."""
        return self.state.orders

    def matter(self) -> Matter:
        """What the street called for."""
        return Matter(
            category=self.state.type,
            urgency=URGENCIES[self.state.type],
            description=self.state.matter,
            address=self.state.address,
            latitude_microdegrees=self.state.latitude_micro,
            longitude_microdegrees=self.state.longitude_micro,
        )

    def report(self) -> None:
        """Tell the whistle where this department stands; the last word counts, whatever order words arrive in."""
        state = self.state
        if state.parent is None or state.department is None:
            raise ValueError("a summons is a whistle's, to a department")
        report = SummonsReport(
            department=state.department,
            stage=state.stage,
            heard=state.seq,
            late=state.late,
            was_absent=state.was_absent,
            result=state.result,
        )
        self.tell(state.parent, Subject.SUMMONS_REPORTED, **report.model_dump(mode="json"))
