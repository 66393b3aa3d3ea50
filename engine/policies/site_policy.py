"""What the pages say of the town: policies/site.yaml."""

from pathlib import Path

from engine.policies.policy_files import PolicyFile
from schemas.contracts.site_policy import SitePolicy

FILE = "site.yaml"


def load_site_policy(folder: Path) -> SitePolicy:
    """Return policies/site.yaml. Raises PolicyFaults."""
    return PolicyFile(folder / FILE).read(SitePolicy)
