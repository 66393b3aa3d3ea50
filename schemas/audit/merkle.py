"""Merkle trees as RFC 6962 draws them: one hash over many leaves, and short proofs that a leaf is among them.

A leaf is hashed with the byte 0 before it and a pair with the byte 1, so that no inner node can be passed off as a leaf.
audit/bundle/check_bundle.py has the checking half once more, because it must run without us.
"""

import hashlib
from collections.abc import Sequence

EMPTY_ROOT = hashlib.sha256(b"").hexdigest()
"""The root of a tree without leaves."""


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf (RFC 6962, 2.1)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def merkle_root(leaves: Sequence[bytes]) -> str:
    """The root over the leaves in this order, as 64 hex digits."""
    return _root([leaf_hash(leaf) for leaf in leaves]).hex() if leaves else EMPTY_ROOT


class MerkleTree:
    """A tree whose levels are kept: for many paths of one tree, each of which then costs no more than it is long."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self._levels = [[leaf_hash(leaf) for leaf in leaves]]
        while len(self._levels[-1]) > 1:
            self._levels.append(_level_above(self._levels[-1]))

    def path(self, index: int) -> list[str]:
        """What is needed, from the leaf upwards, to come from leaf `index` (from 0) to the root. Raises IndexError."""
        if not 0 <= index < len(self._levels[0]):
            raise IndexError(f"leaf {index} of {len(self._levels[0])}")
        path: list[str] = []
        for level in self._levels:
            if (beside := index ^ 1) < len(level):
                path.append(level[beside].hex())
            index //= 2
        return path


def inclusion_path(leaves: Sequence[bytes], index: int) -> list[str]:
    """The path of one leaf alone (`MerkleTree.path`). Raises IndexError."""
    return MerkleTree(leaves).path(index)


def root_by_path(leaf: bytes, index: int, size: int, path: Sequence[str]) -> str | None:
    """The root to which a path leads from leaf `index` of `size`; None when the path has not the length of such a path."""
    if not 0 <= index < size:
        return None
    above, rest, last = leaf_hash(leaf), list(path), size - 1
    while last > 0:
        if index % 2 == 1 or index < last:
            if not rest:
                return None
            beside = bytes.fromhex(rest.pop(0))
            above = node_hash(beside, above) if index % 2 == 1 else node_hash(above, beside)
        index, last = index // 2, last // 2
    return above.hex() if not rest else None


def _root(level: list[bytes]) -> bytes:
    while len(level) > 1:
        level = _level_above(level)
    return level[0]


def _level_above(level: list[bytes]) -> list[bytes]:
    """Pairs become nodes; a last one without a partner moves up as it is: the same tree as the RFC's recursion."""
    above = [node_hash(level[place], level[place + 1]) for place in range(0, len(level) - 1, 2)]
    return above + level[-1:] if len(level) % 2 else above
