"""Tokens whose signature was checked before: the same person calls again and again with the same one.

To check one is a twentieth of what the API does in a busy town. Remembered is a token's digest and never the
token; by whom it was signed and how long it lasts is asked every time, so that a key that goes and a day that ends count at once.
"""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

import jwt

from engine.keys.token_keys import TokenKeys

HolderT = TypeVar("HolderT")

REMEMBERED_AT_MOST = 1024
"""More people than use a town's API on one day; whoever is one too many is checked anew."""


@dataclass(frozen=True)
class _Checked(Generic[HolderT]):
    holder: HolderT
    key_id: str
    algorithm: str
    key: jwt.PyJWK
    ends_at: datetime


class TokenMemory(Generic[HolderT]):
    """Who stands behind a token that was checked before."""

    def __init__(self, at_most: int = REMEMBERED_AT_MOST) -> None:
        """The one asked for longest ago goes first."""
        self._at_most = at_most
        self._checked: OrderedDict[bytes, _Checked[HolderT]] = OrderedDict()

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._checked)

    def keep(
        self, token: str, holder: HolderT, *, key_id: str, algorithm: str, key: jwt.PyJWK, ends_at: datetime
    ) -> None:
        """Remember a token that `key` was found to have signed; from `ends_at` on it is checked anew."""
        self._checked[_digest(token)] = _Checked(holder, key_id, algorithm, key, ends_at)
        while len(self._checked) > self._at_most:
            self._checked.popitem(last=False)

    def find(self, token: str, keys: TokenKeys, now: datetime) -> HolderT | None:
        """Who stands behind it, if that is still the town's word; None: check it."""
        name = _digest(token)
        checked = self._checked.get(name)
        if checked is None:
            return None
        if now >= checked.ends_at or keys.find(checked.key_id, checked.algorithm) is not checked.key:
            del self._checked[name]
            return None
        self._checked.move_to_end(name)
        return checked.holder


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
