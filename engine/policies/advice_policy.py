"""Reads policies/advice.yaml; a town without one goes by the defaults."""

from pathlib import Path

from engine.policies.policy_files import PolicyFile
from schemas.advice.advice_policy import AdvicePolicy

FILE = "advice.yaml"


def load_advice(folder: Path) -> AdvicePolicy:
    """How far the town lets figures advise it. Raises PolicyFaults with file, line and remedy of every fault."""
    file = folder / FILE
    return PolicyFile(file).read(AdvicePolicy) if file.exists() else AdvicePolicy()
