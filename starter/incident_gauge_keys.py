"""Those who speak for the town's gauges (policies/gauges.yaml), and the keys that they sign with."""

from engine.keys.counterpart_keys import (
    Counterpart,
    CounterpartKeys,
    found_counterpart_keys,
    key_file,
    load_counterpart_keys,
)
from engine.policies.gauge_policy import load_gauges
from engine.runtime.settings import Settings


def found_gauge_keys(settings: Settings) -> None:
    """Make a key for each of them that has none: when a local town is founded. Keeps what is there. Raises PolicyFaults."""
    found_counterpart_keys(settings.key_folder, load_gauges(settings.policies).platforms, Counterpart.GAUGE)


def load_gauge_keys(settings: Settings) -> CounterpartKeys:
    """Read the keys of those that have one; without one nothing is believed. Raises CounterpartKeyFaults: a bad one."""
    folder, platforms = settings.key_folder, load_gauges(settings.policies).platforms
    with_key = [code for code in platforms if key_file(folder, code, Counterpart.GAUGE).exists()]
    return load_counterpart_keys(folder, with_key, Counterpart.GAUGE)
