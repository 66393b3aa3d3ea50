"""派单 orders: work that is given to departments, signed for, given back, reported done and done again.

A department acts at its desk or through its own system, whose callbacks are the same commands. What a procedure calls them, and
what comes of them, is its own; what they say, by whom and under which reports, stands here once.
What the workflow does with it stands in `workflows/parts/orders.py`.
"""

import operator
from collections.abc import Sequence
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from schemas.contracts.department import CallbackAct, ReworkCause
from schemas.contracts.work_orders import Asked, Order
from schemas.kernel.acts import Act, Nothing, Stages, Tells, act
from schemas.kernel.entries import EntryKind, entry
from schemas.kernel.parties import COORDINATOR, HOLDING_DEPARTMENT, THE_DEPARTMENT, desk_of
from schemas.kernel.procedure import Command
from schemas.kernel.rules import Condition
from schemas.kernel.state import DeclaredState
from schemas.values.document import Document
from schemas.values.references import TextReference

OrderT = TypeVar("OrderT", bound=Order)


# ---- what a case remembers ------------------------------------------------------------------------------------------


class OrderedState(DeclaredState, Generic[OrderT]):
    """A case that gives work orders; the one with number n stands at place n - 1.

    `last_recall`: the order whose recall the workflow waits for although nothing can be done any more.
    """

    orders: list[OrderT] = []
    last_recall: int | None = None

    @property
    def order(self) -> OrderT:
        """The order that counts now."""
        return self.orders[-1]

    def involved(self) -> frozenset[str]:
        """Return every department that an order went to."""
        return super().involved() | {order.department for order in self.orders}


class Rework(BaseModel):
    """返工: the work of an order is to be done again. Its key is `CASE/order-ORDER/rework-NUMBER`."""

    model_config = ConfigDict(extra="forbid")

    number: int
    order: int
    cause: ReworkCause
    reason: TextReference | None = None
    receipt: str | None = None
    asked: Asked | None = None


class ReworkedState(OrderedState[OrderT], Generic[OrderT]):
    """A case whose work may have to be done again."""

    rework_orders: list[Rework] = []


# ---- what departments say -------------------------------------------------------------------------------------------


class GiveBack(Command):
    """A department says that the order is not its own, why, and by which law."""

    reason: TextReference
    legal_basis: TextReference


class ReportDone(Command):
    """A department reports the work done."""

    result: TextReference
    # Left out when empty: the digest of a command covers its fields, and cases of an earlier day had none of these.
    documents: tuple[Document, ...] = Field(default=(), max_length=10, exclude_if=operator.not_)


# ---- its entries ------------------------------------------------------------------------------------------------------


class OrderEntries:
    """What became of an order with the department's own system: `class Kind(OrderEntries, EntryKinds, procedure="NAME")`."""

    ORDER_RECEIVED = entry("order_received", "部门接单")
    ORDER_REFUSED = entry("order_refused", "派单未能送达")
    ORDER_RECALLED = entry("order_recalled", "撤回派单")


class ReworkEntries(OrderEntries):
    """The same of work that is to be done again."""

    REWORK_RECEIVED = entry("rework_received", "部门接返工")
    REWORK_REFUSED = entry("rework_refused", "返工通知未能送达")


# ---- its lines ------------------------------------------------------------------------------------------------------


def signing(
    name: str, title: str, meaning: str, entry: EntryKind, *, at: Stages, to: Stages, stops: Sequence[str]
) -> Act:
    """The department says that it has the order."""
    return act(
        Nothing, title, name=name, meaning=meaning,
        by=HOLDING_DEPARTMENT, at=at, to=to, stops=stops, holder=THE_DEPARTMENT, entry=entry, adds=["department"],
        reported_as=CallbackAct.SIGNED,
    )  # fmt: skip


def giving_back(
    model: type[GiveBack],
    title: str,
    entry: EntryKind,
    *,
    at: Stages,
    to: Stages,
    when: Condition | Sequence[Condition],
    stops: Sequence[str],
    template: str,
    starts: Sequence[str] = (),
    adds: Sequence[str] = (),
) -> Act:
    """The department says that it is not its own; the coordinator has it then, and is told by `template`."""
    desk = desk_of(COORDINATOR)
    return act(
        model, title, by=HOLDING_DEPARTMENT, at=at, to=to, when=when, stops=stops, starts=starts, holder=desk, entry=entry,
        adds=["department", *adds], tells=Tells(desk, template, ("department",)), reported_as=CallbackAct.RETURNED,
    )  # fmt: skip


def arriving(
    entry: EntryKind,
    *,
    at: Stages,
    stops: Sequence[str],
    to: Stages = (),
    when: Condition | Sequence[Condition] = (),
    starts: Sequence[str] = (),
    holder: str | None = None,
) -> Act:
    """到场: the department's people are there."""
    return act(
        Nothing, "到场", name="arrive", meaning="the department's people are on the spot.",
        by=HOLDING_DEPARTMENT, at=at, to=to, when=when, stops=stops, starts=starts, holder=holder,
        entry=entry, adds=["department"], reported_as=CallbackAct.ARRIVED,
    )  # fmt: skip


def finishing(
    model: type[ReportDone],
    entry: EntryKind,
    *,
    at: Stages,
    to: Stages,
    when: Condition | Sequence[Condition] = (),
    stops: Sequence[str] = (),
    starts: Sequence[str] = (),
    holder: str | None = None,
    tells: Tells | None = None,
) -> Act:
    """办结: the department reports its work done."""
    return act(
        model, "办结", by=HOLDING_DEPARTMENT, at=at, to=to, when=when, stops=stops, starts=starts, holder=holder,
        entry=entry, adds=["department"], tells=tells, reported_as=CallbackAct.FINISHED,
    )  # fmt: skip
