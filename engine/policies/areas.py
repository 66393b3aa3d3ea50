"""Reads policies/areas.yaml; every fault in it is told at once: file, line, remedy. Warnings do not keep a town from starting."""

from dataclasses import dataclass
from pathlib import Path

import structlog

from engine.policies.policies import PolicyFaults
from engine.policies.policy_files import PolicyFile
from schemas.values.areas import AreaPolicy, Areas

log = structlog.get_logger()
FILE = "areas.yaml"


@dataclass(frozen=True)
class LoadedAreas:
    """The areas, and what is not as the rules want it: file, line, what, remedy."""

    areas: Areas
    warnings: tuple[str, ...]


def read_areas(folder: Path) -> LoadedAreas:
    """Return policies/areas.yaml. Raises PolicyFaults."""
    rules = PolicyFile(folder / FILE)
    policy = rules.read(AreaPolicy)
    if faults := [rules.fault(*finding) for finding in policy.faults()]:
        raise PolicyFaults(faults)
    return LoadedAreas(Areas(policy), tuple(rules.fault(*finding) for finding in policy.warnings()))


def load_areas(folder: Path) -> Areas:
    """The areas for a process that starts; warnings go to its log. Raises PolicyFaults."""
    loaded = read_areas(folder)
    for warning in loaded.warnings:
        log.warning("area_warning", reason=warning)
    return loaded.areas
