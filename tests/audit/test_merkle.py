"""Merkle trees: one root for one list of leaves, and a proof for each leaf that fits nothing else."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.audit.merkle import EMPTY_ROOT, MerkleTree, inclusion_path, leaf_hash, merkle_root, node_hash, root_by_path

LEAVES = st.lists(st.binary(max_size=40), min_size=1, max_size=64)


def by_the_rfc(leaves: list[bytes]) -> bytes:
    """The recursion of RFC 6962, section 2.1, word by word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return hashlib.sha256(b"\x01" + by_the_rfc(leaves[:half]) + by_the_rfc(leaves[half:])).digest()


@given(LEAVES)
def test_the_root_is_that_of_the_rfc(leaves: list[bytes]) -> None:
    """The tree built level by level has the root of the recursion in RFC 6962."""
    assert merkle_root(leaves) == by_the_rfc(leaves).hex()


def test_the_roots_are_those_of_the_known_log() -> None:
    """The roots of the test leaves of Certificate Transparency's own reference implementation."""
    leaves = [bytes.fromhex(text) for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )]  # fmt: skip

    assert EMPTY_ROOT == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert merkle_root(leaves[:1]) == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert merkle_root(leaves[:2]) == "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
    assert merkle_root(leaves) == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@pytest.mark.parametrize("size", range(1, 65))
def test_every_leaf_of_every_size_has_a_proof(size: int) -> None:
    """From each leaf its path leads to the root, and at no other place of the tree."""
    leaves = [f"leaf {number}".encode() for number in range(size)]
    root, tree = merkle_root(leaves), MerkleTree(leaves)
    for index, leaf in enumerate(leaves):
        path = inclusion_path(leaves, index)

        assert tree.path(index) == path
        assert root_by_path(leaf, index, size, path) == root
        assert all(root_by_path(leaf, other, size, path) != root for other in range(size) if other != index)


@given(LEAVES, st.data())
def test_a_proof_fits_nothing_else(leaves: list[bytes], data: st.DataObject) -> None:
    """Another leaf, a changed, longer or shorter path lead to another root or to none."""
    index = data.draw(st.integers(0, len(leaves) - 1))
    root, path = merkle_root(leaves), inclusion_path(leaves, index)

    assert root_by_path(leaves[index] + b"!", index, len(leaves), path) != root
    assert root_by_path(leaves[index], index, len(leaves), [*path, "00" * 32]) is None
    if path:
        assert root_by_path(leaves[index], index, len(leaves), path[:-1]) is None
        place = data.draw(st.integers(0, len(path) - 1))
        changed = [*path[:place], hashlib.sha256(bytes.fromhex(path[place])).hexdigest(), *path[place + 1 :]]
        assert root_by_path(leaves[index], index, len(leaves), changed) != root


@given(st.lists(st.binary(max_size=20), min_size=2, max_size=2))
def test_an_inner_node_is_no_leaf(pair: list[bytes]) -> None:
    """What two leaves hash to is not what a leaf made of their hashes does: leaves and nodes are kept apart."""
    left, right = (leaf_hash(leaf) for leaf in pair)

    assert merkle_root(pair) == node_hash(left, right).hex()
    assert merkle_root([left + right]) != merkle_root(pair)
    assert merkle_root([b"\x01" + left + right]) != merkle_root(pair)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_a_place_outside_the_tree_has_no_proof(index: int, size: int) -> None:
    """A place that is not in the tree is refused, by the maker and by the checker."""
    with pytest.raises(IndexError):
        inclusion_path([b"leaf"] * size, index)
    assert root_by_path(b"leaf", index, size, []) is None
