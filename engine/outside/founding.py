"""The keys that a town shares with others, made when it is founded; those that exist stay."""

from engine.keys.counterpart_keys import Counterpart, found_counterpart_keys
from engine.policies.bank_policy import load_bank
from engine.policies.department_policy import load_departments
from engine.policies.source_policy import load_sources
from engine.runtime.settings import Settings


def found_keys_of_others(settings: Settings) -> None:
    """One key for each department, source and bank. Raises the faults of their files."""
    departments = load_departments(settings.policies / "departments.yaml", settings.departments_url).departments
    sources = load_sources(settings.policies / "sources.yaml", settings.sources_url).sources
    bank = load_bank(settings.policies / "banks.yaml", settings.bank_url)
    for kind, codes in (
        (Counterpart.DEPARTMENT, [each.code for each in departments]),
        (Counterpart.SOURCE, [each.code for each in sources]),
        (Counterpart.BANK, [bank.code]),
    ):
        found_counterpart_keys(settings.key_folder, codes, kind)
