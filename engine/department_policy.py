"""Reads policies/departments.yaml into a DepartmentRegister; every fault in it is told at once: file, entry, remedy."""

from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from pydantic import ValidationError

from engine.yaml_files import read_yaml
from schemas.department import Gateway
from schemas.department_policy import DepartmentPolicy, DepartmentRegister

BASE = "{departments}"
DEFAULT_DISPATCHER = "coordination-centre"


class DepartmentPolicyFaults(ValueError):
    """The departments file cannot be used as it stands. `faults` says, one by one, where and what to do."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def load_departments(file: Path, departments_url: str | None = None) -> DepartmentRegister:
    """Read the file and complete the addresses. Raises DepartmentPolicyFaults.

    `departments_url` stands for `{departments}`; without it the departments that need it are put to the desk and named
    in `without_address`.
    """
    entries = _entries(file)
    faults: list[str] = []
    departments: list[DepartmentPolicy] = []
    for number, entry in enumerate(entries, start=1):
        where = (
            f"{file}: entry {number} ({entry.get('code', 'no code') if isinstance(entry, dict) else 'not a mapping'})"
        )
        try:
            department = DepartmentPolicy.model_validate(entry)
        except ValidationError as error:
            faults.extend(
                f"{where}: {_dotted(fault['loc'])}: {fault['msg']}; {_remedy(fault['type'])}"
                for fault in error.errors()
            )
            continue
        faults.extend(f"{where}: {fault}" for fault in _address_faults(department))
        departments.append(department)
    if len(departments) == len(entries):
        faults.extend(f"{file}: {fault}" for fault in _register_faults(departments))
    if departments_url is not None:
        remedy = "write http(s)://host"
        faults.extend(f"JICENG_DEPARTMENTS_URL: {fault}; {remedy}" for fault in _url_faults(departments_url))
    if faults:
        raise DepartmentPolicyFaults(faults)
    return _addressed(departments, departments_url)


def _entries(file: Path) -> list[Any]:
    try:
        content = read_yaml(file)
    except OSError as error:
        raise DepartmentPolicyFaults(
            [f"{file}: {error.strerror}; set JICENG_POLICIES to the folder that has it"]
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DepartmentPolicyFaults([f"{file}: not readable as YAML: {error}; mend the line it names"]) from error
    entries = content.get("departments") if isinstance(content, dict) else None
    if not isinstance(entries, list) or not entries:
        raise DepartmentPolicyFaults([f"{file}: no departments; write a list under the key 'departments'"])
    return entries


def _dotted(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "entry"


def _remedy(kind: str) -> str:
    return {
        "missing": "add it",
        "extra_forbidden": "remove it or mend its spelling",
        "enum": "write http or desk",
        "string_pattern_mismatch": "write letters, digits and hyphens only",
        "string_too_short": "fill it in",
        "model_type": "write code, name, gateway and duty_leader under it",
    }.get(kind, "write a value that fits")


def _address_faults(department: DepartmentPolicy) -> list[str]:
    """What is wrong with where a department is reached."""
    if department.gateway is Gateway.DESK:
        return ["url: a desk is not called; remove the url or write gateway: http"] if department.url else []
    if not department.url:
        return ["url: an http department needs one; add it or write gateway: desk"]
    if department.url.startswith(BASE):
        rest = department.url.removeprefix(BASE)
        bad = "{" in rest or not rest.strip("/") or not rest.startswith("/")
        return (
            [f"url: {BASE} is followed by a path and no other placeholder; write {BASE}/{department.code}"]
            if bad
            else []
        )
    return [f"url: {fault}; write http(s)://host/path or {BASE}/path" for fault in _url_faults(department.url)]


def _url_faults(url: str) -> list[str]:
    try:
        parts = urlsplit(url)
        usable = (
            parts.scheme in {"http", "https"} and parts.hostname is not None and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        usable = False
    if not usable:
        return [f"{url!r} is not an address"]
    if parts.query or parts.fragment or parts.username or "{" in url:
        return [f"{parts.hostname!r} has a query, a fragment, an account or a placeholder in its address"]
    return []


def _register_faults(departments: list[DepartmentPolicy]) -> list[str]:
    faults: list[str] = []
    for what, values in (
        ("code", [department.code for department in departments]),
        ("name.zh", [department.name.zh for department in departments]),
    ):
        faults.extend(
            f"{what} {value!r} stands twice; keep one" for value, count in Counter(values).items() if count > 1
        )
    if not any(each.code == DEFAULT_DISPATCHER and each.gateway is Gateway.DESK for each in departments):
        faults.append(f"no desk {DEFAULT_DISPATCHER!r}; add it: what has no other home goes there")
    return faults


def _addressed(departments: list[DepartmentPolicy], departments_url: str | None) -> DepartmentRegister:
    placed = []
    without = []
    for department in departments:
        url = department.url
        if url is not None and url.startswith(BASE):
            url = None if departments_url is None else departments_url.rstrip("/") + url.removeprefix(BASE)
        if department.gateway is Gateway.HTTP and url is None:
            without.append(department.code)
            placed.append(department.model_copy(update={"gateway": Gateway.DESK, "url": None}))
        else:
            placed.append(department.model_copy(update={"url": url and url.rstrip("/")}))
    return DepartmentRegister(departments=tuple(placed), without_address=tuple(without))
