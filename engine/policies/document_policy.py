"""What files a town takes, and how many: policies/documents.yaml."""

from pathlib import Path

from engine.policies.policy_files import read_rules
from schemas.values.document import DocumentPolicy


def load_document_policy(folder: Path) -> DocumentPolicy:
    """Return policies/documents.yaml. Raises PolicyFaults."""
    return read_rules(folder / "documents.yaml", DocumentPolicy, DocumentPolicy.faults)
