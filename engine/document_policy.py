"""What files a town takes, and how many: policies/documents.yaml."""

from pathlib import Path

from engine.policy_files import read_rules
from schemas.document import DocumentPolicy


def load_document_policy(folder: Path) -> DocumentPolicy:
    """Return policies/documents.yaml. Raises PolicyFaults."""
    return read_rules(folder / "documents.yaml", DocumentPolicy, DocumentPolicy.faults)
