"""Reads policies/gauges.yaml; every fault in it is told at once: file, line, remedy."""

from pathlib import Path

from engine.policies.policy_files import read_rules
from schemas.contracts.gauges import GaugePolicy
from schemas.values.areas import Areas

FILE = "gauges.yaml"


def load_gauges(folder: Path, areas: Areas | None = None, categories: frozenset[str] | None = None) -> GaugePolicy:
    """The gauges of the town; none where it has no such file. Raises PolicyFaults.

    `areas` of the town and `categories` of the responsibility list; without them those are not asked.
    """
    if not (folder / FILE).exists():
        return GaugePolicy()
    return read_rules(folder / FILE, GaugePolicy, lambda policy: policy.faults(areas, categories))
