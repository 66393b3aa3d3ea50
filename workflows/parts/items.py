"""Items of a case: listed once each, moved by a person's word, the later word on each counts (schemas/parts/items.py)."""

from datetime import datetime
from typing import Any, Generic, TypeVar

from schemas.kernel.case import ENGINE
from schemas.parts.items import Item, ItemsState, is_overtaken
from schemas.values.actor import Actor
from workflows.kernel.declared import DeclaredCase

ItemsT = TypeVar("ItemsT", bound=ItemsState[Any])
ItemT = TypeVar("ItemT", bound=Item)


class ItemsCase(DeclaredCase[ItemsT], Generic[ItemsT, ItemT]):
    """The part of a case that has items."""

    def list_item(self, item: ItemT) -> bool:
        """Put one on the list; False: what it is stands there already. Its number is the next one."""
        if self.state.item_called(item.code) is not None:
            return False
        item.number = len(self.state.items) + 1
        self.state.items.append(item)
        return True

    def list_again(self, item: ItemT, stage: str) -> None:
        """Somebody has to go there once more: it stands where items begin. No other way is without a person's word on it."""
        item.stage, item.since, item.by = stage, self.now(), ENGINE.subject

    def item(self, code: str) -> ItemT:
        """The item that a command names. Raises LookupError: its faults let a code pass that is none."""
        found: ItemT | None = self.state.item_called(code)
        if found is None:
            raise LookupError(f"there is no item {code}")
        return found

    def say_of(self, item: ItemT, stage: str, at: datetime, by: Actor) -> bool:
        """Take in a person's word on an item: where it stands, as of when; False: something later is known, and it stays as it is.

        Only within a command: nothing else moves an item. Raises RuntimeError elsewhere.
        """
        self._in_hand()
        if item.by is not None and is_overtaken(item, stage, at, self.state.graver):
            return False
        item.stage, item.since, item.by = stage, at, by.subject
        return True
