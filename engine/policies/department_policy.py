"""Reads policies/departments.yaml into a DepartmentRegister; every fault in it is told at once: file, entry, remedy."""

from pathlib import Path

from engine.policies.registers import RegisterFaults, RegisterFile
from schemas.contracts.department import Gateway
from schemas.contracts.department_policy import DepartmentPolicy, DepartmentRegister

DEFAULT_DISPATCHER = "coordination-centre"


class DepartmentPolicyFaults(RegisterFaults):
    """The departments file cannot be used as it stands. `faults` says, one by one, where and what to do."""


_FILE = RegisterFile(
    entries="departments",
    one="department",
    entry=DepartmentPolicy,
    needed="code, name, gateway and duty_leader",
    placeholder="{departments}",
    variable="JICENG_DEPARTMENTS_URL",
    error=DepartmentPolicyFaults,
)


def load_departments(file: Path, departments_url: str | None = None) -> DepartmentRegister:
    """Read the file and complete the addresses. Raises DepartmentPolicyFaults.

    `departments_url` stands for `{departments}`; without it the departments that need it are put to the desk and named
    in `without_address`.
    """
    departments = _FILE.read(file, departments_url, _no_dispatcher)
    placed, without = _FILE.addressed(departments, departments_url)
    return DepartmentRegister(departments=placed, without_address=without)


def _no_dispatcher(departments: list[DepartmentPolicy]) -> list[str]:
    if any(each.code == DEFAULT_DISPATCHER and each.gateway is Gateway.DESK for each in departments):
        return []
    return [f"no desk {DEFAULT_DISPATCHER!r}; add it: what has no other home goes there"]
