"""Those whose word is an official warning (policies/warning.yaml), and the keys that they sign with."""

from engine.keys.counterpart_keys import (
    Counterpart,
    CounterpartKeys,
    found_counterpart_keys,
    key_file,
    load_counterpart_keys,
)
from engine.policies.department_policy import load_departments
from engine.policies.policies import load_policy
from engine.runtime.settings import Settings
from schemas.warning import WARNING
from schemas.warning_terms import WarningPolicy


def issuers_of(settings: Settings) -> tuple[str, ...]:
    """Return the codes of those who issue. Raises PolicyFaults."""
    register = load_departments(settings.policies / "departments.yaml", settings.departments_url)
    policy = load_policy(WARNING, settings.policies, tuple(each.code for each in register.departments))
    assert isinstance(policy, WarningPolicy)  # noqa: S101 - that of warnings
    return tuple(policy.issuers)


def found_issuer_keys(settings: Settings) -> None:
    """Make a key for each of them that has none: when a local town is founded. Keeps what is there."""
    found_counterpart_keys(settings.key_folder, issuers_of(settings), Counterpart.ISSUER)


def load_issuer_keys(settings: Settings) -> CounterpartKeys:
    """Read the keys of those that have one; without one nothing is believed. Raises CounterpartKeyFaults: a bad one."""
    folder = settings.key_folder
    with_key = [code for code in issuers_of(settings) if key_file(folder, code, Counterpart.ISSUER).exists()]
    return load_counterpart_keys(folder, with_key, Counterpart.ISSUER)
