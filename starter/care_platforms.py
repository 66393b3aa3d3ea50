"""The platforms whose devices may call (policies/care.yaml), and the keys that they sign with."""

from collections.abc import Iterable

from engine.keys.counterpart_keys import (
    Counterpart,
    CounterpartKeys,
    found_counterpart_keys,
    key_file,
    load_counterpart_keys,
)
from engine.policies.policies import load_policy
from engine.runtime.settings import Settings
from schemas.care import CARE
from schemas.care_terms import CarePolicy


def platforms_of(settings: Settings) -> tuple[str, ...]:
    """Return the codes of the town's platforms. Raises PolicyFaults."""
    policy = load_policy(CARE, settings.policies, ())
    assert isinstance(policy, CarePolicy)  # noqa: S101 - that of files
    return policy.terms.platforms


def found_platform_keys(settings: Settings) -> None:
    """Make a key for each platform that has none: when a local town is founded. Keeps what is there."""
    found_counterpart_keys(settings.key_folder, platforms_of(settings), Counterpart.PLATFORM)


def load_platform_keys(settings: Settings) -> CounterpartKeys:
    """Read the keys of those that have one; without one nothing is believed. Raises CounterpartKeyFaults: a bad one."""
    with_key = _with_key(settings, platforms_of(settings))
    return load_counterpart_keys(settings.key_folder, with_key, Counterpart.PLATFORM)


def _with_key(settings: Settings, platforms: Iterable[str]) -> list[str]:
    return [code for code in platforms if key_file(settings.key_folder, code, Counterpart.PLATFORM).exists()]
