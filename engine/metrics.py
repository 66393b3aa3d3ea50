"""What an operator reads at /metrics. Labels are codes; a person or a case never is one."""

from prometheus_client import Counter

DEPARTMENT_CALLS = Counter(
    "jiceng_department_calls", "Calls to departments, by act and outcome.", ("department", "act", "outcome")
)


def count_department_call(department: str, act: str, outcome: str) -> None:
    """Count one call to a department."""
    DEPARTMENT_CALLS.labels(department, act, outcome).inc()
