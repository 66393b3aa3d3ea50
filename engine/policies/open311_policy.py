"""Reads policies/open311.yaml; every fault in it is told at once: file, line, remedy."""

from collections.abc import Collection
from pathlib import Path

from engine.policies.policy_files import read_rules
from schemas.contracts.open311 import Open311Policy
from schemas.values.actor import Role

FILE = "open311.yaml"


def load_open311(
    folder: Path, matters: Collection[str] | None = None, starters: frozenset[Role] = frozenset(Role)
) -> Open311Policy:
    """The town's rules for Open311; the closed ones where it has no such file. Raises PolicyFaults.

    `matters` that can be reported, and who may report; without them that is not asked.
    """
    if not (folder / FILE).exists():
        return Open311Policy()
    return read_rules(folder / FILE, Open311Policy, lambda policy: policy.faults(matters, starters))
