"""How long a town keeps what it holds of persons: policies/privacy.yaml."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from engine.policies.policies import PolicyFaults
from engine.policies.policy_files import PolicyFile, read_rules
from schemas.kernel.privacy import PrivacyPolicy
from schemas.kernel.procedure import Procedure

FILE = "privacy.yaml"


def load_privacy_policy(folder: Path, procedures: Iterable[Procedure]) -> PrivacyPolicy:
    """policies/privacy.yaml; a procedure that it does not name is kept as declared.

    Raises PolicyFaults: also for a procedure without a time of keeping.
    """
    named = [procedure for procedure in procedures if procedure.parent is None]
    policy = read_rules(folder / FILE, PrivacyPolicy, PrivacyPolicy.faults)
    declared = {each.name: each.keep_years for each in named if each.keep_years is not None}
    policy = policy.model_copy(update={"keep_years": {**declared, **policy.keep_years}})
    if missing := list(policy.missing(each.name for each in named)):
        file = PolicyFile(folder / FILE)
        raise PolicyFaults([file.placed(fault) for fault in missing])
    return policy


def years_by_procedure(policy: PrivacyPolicy, procedures: Iterable[Procedure]) -> Mapping[str, int]:
    """The years of keeping of every procedure; one whose cases another starts goes by that one's."""
    return {each.name: policy.keep_years[each.parent or each.name] for each in procedures}
