"""What an operator reads at /metrics. Labels are codes; a person or a case never is one."""

from prometheus_client import Counter

DEPARTMENT_CALLS = Counter(
    "jiceng_department_calls", "Calls to departments, by act and outcome.", ("department", "act", "outcome")
)


FORGED_COMMANDS = Counter("jiceng_forged_commands", "Commands that reached Temporal without the API's stamp.")


def count_department_call(department: str, act: str, outcome: str) -> None:
    """Count one call to a department."""
    DEPARTMENT_CALLS.labels(department, act, outcome).inc()


SOURCE_CALLS = Counter("jiceng_source_calls", "Questions to sources of means, by outcome.", ("source", "outcome"))
BANK_CALLS = Counter("jiceng_bank_calls", "Calls to the bank, by act and outcome.", ("bank", "act", "outcome"))


def count_source_call(source: str, outcome: str) -> None:
    """Count one question to a source."""
    SOURCE_CALLS.labels(source, outcome).inc()


def count_bank_call(bank: str, act: str, outcome: str) -> None:
    """Count one call to the bank."""
    BANK_CALLS.labels(bank, act, outcome).inc()
