"""What the departments of a simulated town wrote down themselves: their journals, through their own addresses."""

from collections.abc import Mapping
from typing import Any

import httpx

from engine.policies.department_policy import load_departments
from engine.runtime.settings import Settings
from schemas.contracts.department import Gateway

Journal = Mapping[str, Any]
"""What a department wrote down about one order (`GET /journal`)."""


async def journals_of(http: httpx.AsyncClient, settings: Settings) -> Mapping[str, Journal]:
    """What all departments that have a system wrote down, by order. Raises httpx.HTTPError: one does not answer."""
    register = load_departments(settings.policies / "departments.yaml", settings.departments_url)
    found: dict[str, Journal] = {}
    for department in register.departments:
        if department.gateway is Gateway.HTTP:
            answer = await http.get(f"{settings.departments_url}/{department.code}/journal")
            answer.raise_for_status()
            found |= {journal["order_id"]: journal for journal in answer.json()["orders"]}
    return found


def still_to_say(journal: Journal) -> bool:
    """A department has still something to report about an order."""
    if journal["recalled"] or journal["stopped"]:
        return False
    return any(not each["acknowledged"] for each in journal["reports"])
