"""Children: cases that another case starts, lives beside, hears of and may wait for.

A child has a number of its own under its parent's and lives on by itself; they talk by messages. A message may be overtaken on its
way, so each says how much its sender knew, and older news loses. A parent waits for its children so long and no longer: one
that never says anything is silent, on the record.
What the workflow does with them stands in `workflows/parts/children.py`.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from schemas.kernel.acts import Stages, Step, step
from schemas.kernel.case import CaseState, child_id
from schemas.kernel.entries import entry
from schemas.kernel.state import DeclaredState
from schemas.values.actor import Stamp
from schemas.values.model import Model

StateT = TypeVar("StateT", bound=CaseState)


class Numbered(Protocol):
    """What a parent remembers of a child, as far as every parent does: the one with number n stands at place n - 1."""

    number: int


def open_child(
    state: type[StateT],
    parent: CaseState,
    code: str,
    *,
    stamp: Stamp,
    at: datetime,
    department: str | None,
    area: str | None = None,
    **facts: Any,
) -> StateT:
    """Return the state that a child starts with: by its parent's rules, under the stamp of whoever asked for it.

    `area`: where it lies; None: in its parent's.
    """
    return state(
        case_id=child_id(parent.case_id, code),
        parent=parent.case_id,
        charter=parent.charter,
        opening=stamp,
        area=area or parent.area,
        department=department,
        opened_at=at,
        **facts,
    )


# ---- for a parent that waits for all of them ----------------------------------------------------------------------------


class Child(BaseModel):
    """A child that was asked for, and what it last told of itself.

    `heard` counts the entries that the child had then. `over`: nothing more is to come of it; `silent`: it is not waited for
    any more although it never said so.
    """

    model_config = ConfigDict(extra="forbid")

    number: int
    code: str
    stamp: Stamp
    asked_at: datetime
    started: bool = False
    stage: str = ""
    heard: int = 0
    over: bool = False
    silent: bool = False


class ParentState(DeclaredState):
    """A case that waits for its children."""

    children: list[Child] = []

    def find_child(self, code: str) -> Child | None:
        """Return what is known of a child; None: it was never asked for."""
        return next((each for each in self.children if each.code == code), None)

    def waited_for(self) -> list[Child]:
        """Return the children that may still have something to say."""
        return [each for each in self.children if not (each.over or each.silent)]


class Subject(StrEnum):
    """What a message is about."""

    CHILD_REPORTED = "child_reported"
    PARENT_OVER = "parent_over"


class ChildReport(Model):
    """A child to its parent: where it stands. `heard` is how many entries it had, so that older news loses."""

    child: str
    stage: str
    heard: int
    over: bool = False


class ChildrenEntries:
    """The entries of a parent: `class Kind(ChildrenEntries, EntryKinds, procedure="NAME")`."""

    CHILD_STANDS = entry("child:stands", "子案立案")
    CHILD_REPORTED = entry("child:reported", "子案报告")
    CHILD_SILENT = entry("child:silent", "子案未答复")


def children_lines(
    kinds: type[ChildrenEntries], *, at: Stages, to: Stages, clock: str = "children"
) -> tuple[Step, ...]:
    """What the parent does by itself: it goes on when all have said their last word, or the window `clock` is over."""
    return (
        step("hear_children", "子案了结", at=at, to=to, entry=kinds.CHILD_REPORTED),
        step("stop_waiting_for_children", "子案逾期未答复", at=at, to=to, entry=kinds.CHILD_SILENT, clock=clock),
    )
