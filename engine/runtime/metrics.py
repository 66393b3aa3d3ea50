"""What an operator reads of a worker, or of the archiver: the SDK's own figures and ours, at one address.

Labels are codes; a person or a case never is one. Without an address in the settings nothing is kept and nothing can be read.
"""

import logging
from collections.abc import Mapping
from functools import cache

from temporalio.client import Client
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)

COUNTERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "jiceng_department_calls": ("Calls to departments, by act and outcome.", ("department", "act", "outcome")),
    "jiceng_source_calls": ("Questions to sources of means, by outcome.", ("source", "outcome")),
    "jiceng_ballot_box_calls": ("Calls to the ballot box, by act and outcome.", ("box", "act", "outcome")),
    "jiceng_call_gateway_calls": ("Calls to the call gateway, by act and outcome.", ("gateway", "act", "outcome")),
    "jiceng_bank_calls": ("Calls to the bank, by act and outcome.", ("bank", "act", "outcome")),
    "jiceng_flush_retries": ("Flushes into the ledger that were tried again.", ()),
    "jiceng_forged_commands": ("Commands that reached Temporal without the API's stamp.", ()),
    "jiceng_child_numbers_taken": ("Runs of somebody else's that stood under the number of a case's child.", ()),
}
"""What each counter counts, and its labels."""

SDK_LOGS = LoggingConfig(
    filter=TelemetryFilter(core_level="WARN", other_level="ERROR"),
    forwarding=LogForwardingConfig(
        logging.getLogger("temporal"), prepend_target_on_message=False, append_log_fields_to_message=False
    ),
)
"""What the SDK's core says becomes a line like ours (engine/runtime/logging.py), without the fields: they may quote anything."""


def measured_runtime(address: str | None) -> Runtime | None:
    """The SDK's runtime of a process that shows its figures there; None for the usual one. Raises RuntimeError: it is taken."""
    if address is None:
        return None
    exporter = PrometheusConfig(bind_address=address, counters_total_suffix=True, durations_as_seconds=True)
    return Runtime(telemetry=TelemetryConfig(metrics=exporter, logging=SDK_LOGS))


@cache
def usual_runtime() -> Runtime:
    """The SDK's runtime of a process that shows no figures of it."""
    return Runtime(telemetry=TelemetryConfig(logging=SDK_LOGS))


class WorkerCounts:
    """The counters of the worker that belongs to a client."""

    def __init__(self, client: Client) -> None:
        meter = (client.service_client.config.runtime or usual_runtime()).metric_meter
        self._counters = {name: meter.create_counter(name, words) for name, (words, _) in COUNTERS.items()}

    def department_call(self, department: str, act: str, outcome: str) -> None:
        """Count one call to a department."""
        self._add("jiceng_department_calls", department, act, outcome)

    def source_call(self, source: str, outcome: str) -> None:
        """Count one question to a source."""
        self._add("jiceng_source_calls", source, outcome)

    def ballot_box_call(self, box: str, act: str, outcome: str) -> None:
        """Count one call to the ballot box."""
        self._add("jiceng_ballot_box_calls", box, act, outcome)

    def call_gateway_call(self, gateway: str, act: str, outcome: str) -> None:
        """Count one call to the call gateway."""
        self._add("jiceng_call_gateway_calls", gateway, act, outcome)

    def bank_call(self, bank: str, act: str, outcome: str) -> None:
        """Count one call to the bank."""
        self._add("jiceng_bank_calls", bank, act, outcome)

    def flush_retry(self) -> None:
        """Count one flush that is tried again."""
        self._add("jiceng_flush_retries")

    def forged_command(self) -> None:
        """Count one command that nobody stamped."""
        self._add("jiceng_forged_commands")

    def number_taken(self) -> None:
        """Count one run that somebody else started under the number of a child."""
        self._add("jiceng_child_numbers_taken")

    def _add(self, counter: str, *values: str) -> None:
        _, labels = COUNTERS[counter]
        self._counters[counter].add(1, dict(zip(labels, values, strict=True)))
