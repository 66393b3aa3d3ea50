"""Applications as residents and staff send them through the API of an overheard town, and what becomes of them."""

import uuid
from collections.abc import Mapping
from typing import Any

from local.simulation.pictures import PICTURE
from tests.api_callers import Caller
from tests.overheard_town import OverheardTown
from tests.waiting import eventually

ADDRESS, AREA = "和平里九号院", "320104.003.01"


async def upload(caller: Caller, api: Any) -> Mapping[str, Any]:
    headers = caller.headers | {"Content-Type": "image/png"}
    answer = await api.post("/api/v1/documents", content=PICTURE + uuid.uuid4().bytes, headers=headers)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def application(benefit: str, applicant: Mapping[str, Any], **other: Any) -> dict[str, Any]:
    return {
        "benefit": benefit,
        "applicant": applicant,
        "household": [],
        "monthly_income_fen": 0,
        "area": AREA,
        "address": ADDRESS,
        "account": "6222020000000000017",
        "reason": "生活困难",
        "consent": True,
        "documents": [],
    } | other


async def started(caller: Caller, path: str, body: Mapping[str, Any]) -> str:
    answer = await caller.post(path, body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["case_id"])


async def apply(caller: Caller, body: Mapping[str, Any]) -> str:
    return await started(caller, "/api/v1/welfare-applications", body)


async def given(caller: Caller, case_id: str, name: str, body: Mapping[str, Any] | None = None) -> None:
    """A command that must be taken, under one key however often it is sent."""
    key = str(uuid.uuid4())
    answers = []

    async def taken() -> bool:
        answers.append(await caller.command(case_id, name, body, key=key))
        return answers[-1].status_code not in (202, 404)

    await eventually(taken)
    assert answers[-1].status_code == 200, f"{name}: {answers[-1].text}"


async def stage(town: OverheardTown, case_id: str) -> str:
    return str((await town.as_("auditor").get(f"/api/v1/cases/{case_id}")).json().get("stage"))


async def reaches(town: OverheardTown, case_id: str, wanted: str) -> None:
    async def there() -> bool:
        return await stage(town, case_id) == wanted

    await eventually(there, within=60)


async def timeline(caller: Caller, case_id: str) -> list[dict[str, Any]]:
    answer = await caller.get(f"/api/v1/cases/{case_id}/timeline", limit=200)
    return list(answer.json()["items"]) if answer.status_code == 200 else []
