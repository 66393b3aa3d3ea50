"""What the departments of a simulated town wrote down themselves: their journals, through their own addresses."""

from collections.abc import Mapping
from typing import Any

import httpx

from engine.policies.department_policy import load_departments
from engine.runtime.operator_error import OperatorError
from engine.runtime.settings import Settings
from schemas.contracts.department import Gateway
from schemas.contracts.department_policy import DepartmentPolicy

Journal = Mapping[str, Any]
"""What a department wrote down about one order (`GET /journal`)."""


class JournalsAway(OperatorError):
    """A simulated department did not show its journal; the message says which."""


def with_journals(settings: Settings) -> tuple[list[str], list[str]]:
    """The departments that have a system: the simulated ones, which keep a journal, and those that nobody can ask for one."""
    register = load_departments(settings.policies / "departments.yaml", settings.departments_url)
    simulated = [each.code for each in register.departments if _is_simulated(each, settings.departments_url)]
    systems = [each.code for each in register.departments if each.gateway is Gateway.HTTP]
    return simulated, [code for code in systems if code not in simulated]


async def journals_of(http: httpx.AsyncClient, settings: Settings) -> Mapping[str, Journal]:
    """What all simulated departments wrote down, by order. Raises JournalsAway: one does not answer."""
    simulated, _ = with_journals(settings)
    found: dict[str, Journal] = {}
    for code in simulated:
        try:
            answer = await http.get(f"{settings.departments_url}/{code}/journal")
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise JournalsAway(f"The department {code} did not show its journal: {type(error).__name__}.") from None
        found |= {journal["order_id"]: journal for journal in answer.json()["orders"]}
    return found


def _is_simulated(department: DepartmentPolicy, departments_url: str | None) -> bool:
    """Only what lies below the address of the simulation keeps a journal: our contract asks no department for one."""
    if department.gateway is not Gateway.HTTP or departments_url is None:
        return False
    return str(department.url).startswith(f"{departments_url.rstrip('/')}/")


def still_to_say(journal: Journal) -> bool:
    """A department has still something to report about an order."""
    if journal["recalled"] or journal["stopped"]:
        return False
    return any(not each["acknowledged"] for each in journal["reports"])
