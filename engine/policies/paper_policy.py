"""The papers that a town hands over: policies/papers/KIND.yaml."""

from collections.abc import Mapping
from pathlib import Path

from engine.policies.policies import PolicyFaults
from engine.policies.policy_files import read_rules
from schemas.contracts.paper import Paper

FOLDER = "papers"


def load_papers(folder: Path) -> Mapping[str, Paper]:
    """Every paper by its kind, which is the name of its file; none where a town has no such folder. Raises PolicyFaults."""
    found, faults = dict[str, Paper](), list[str]()
    for file in sorted((folder / FOLDER).glob("*.yaml")):
        try:
            found[file.stem] = read_rules(file, Paper, Paper.faults)
        except PolicyFaults as wrong:
            faults += wrong.faults
    if faults:
        raise PolicyFaults(faults)
    return found
