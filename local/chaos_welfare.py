"""Applications under disturbance: urgent aid for many at once, and the officers who act on it as soon as it is their turn.

Sources and bank are as bad as their stage directions say; two payments for each, one at once and one after the checks.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from engine.bank_policy import load_bank
from engine.settings import Settings
from local.chaos_load import ClientOf
from local.townspeople import AREAS, GRID_WORKERS, RESIDENTS, Persona
from local.welfare_scenes import CIVIL_AFFAIRS, PICTURE, STREET, identity_number
from schemas.payment import entitlement_of, month_of
from schemas.welfare_application import Applicant, Paper, WelfareApplication
from schemas.welfare_state import Stage
from starter.client import NotSettled, Refused, TownClient

BENEFIT = "temporary-aid"
DIRECTIONS = ("", "〔剧本:tax 时断时续〕", "〔剧本:bank-balance 时断时续〕", "〔剧本:town-bank 超时〕",
              "〔剧本:town-bank 时断时续〕", "〔剧本:town-bank 漏行〕",
              "〔剧本:tax 时断时续;town-bank 超时〕")  # fmt: skip
"""How sources and bank treat a person: never so that somebody has to be asked what to do."""

SETTLE_SECONDS = 120.0
WAIT_SECONDS = 20.0

TURNS: Sequence[tuple[str, Persona, str, Mapping[str, Any]]] = (
    (Stage.APPLIED, STREET, "accept", {}),
    (Stage.CHECKING, GRID_WORKERS[0], "record_visit", {"finding": "房屋受损属实"}),
    (Stage.SURVEYED, STREET, "review", {"positive": True, "opinion": "符合条件"}),
    (Stage.CONFIRMING, CIVIL_AFFAIRS, "confirm", {"opinion": "同意"}),
)
"""At which stage who does what."""


@dataclass
class Applications:
    """What was applied for and what the town said to it. `pairs`: by key, the case numbers told."""

    seed: int
    client_of: ClientOf
    pairs: dict[str, list[str]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    async def send(self, numbers: Sequence[int]) -> None:
        """Send all at once, and follow each until everybody has done what is theirs."""
        async with asyncio.TaskGroup() as tasks:
            for number in numbers:
                tasks.create_task(self._follow(number))

    async def _follow(self, number: int) -> None:
        key = f"chaos:{self.seed}:aid:{number}"
        try:
            case_id = await self._apply(number, key)
            self.pairs[key] = [case_id]
            for stage, persona, command, body in TURNS:
                client = self.client_of(persona, number % 2)
                while (await client.case(case_id, f"stage:{stage}", WAIT_SECONDS)).stage != stage:
                    pass
                await self._give(number, persona, case_id, command, body)
        except Refused as refused:
            self.refused[key] = refused.code

    async def _apply(self, number: int, key: str) -> str:
        client = self.client_of(RESIDENTS[number % len(RESIDENTS)], number % 2)
        paper = await client.send_document(PICTURE + b"identity-card", "image/png")
        return (await client.apply_for_benefit(application_of(self.seed, number, paper.model_dump()), key)).case.case_id

    async def _give(self, number: int, persona: Persona, case_id: str, command: str, body: Mapping[str, Any]) -> None:
        """Give a command, and the same again while it is accepted and not carried out."""
        client, key = self.client_of(persona, number % 2), f"{case_id}:{command}"
        while True:
            try:
                await client.command(case_id, command, body, key, SETTLE_SECONDS)
            except NotSettled:
                continue
            return


def application_of(seed: int, number: int, document: Mapping[str, Any]) -> WelfareApplication:
    """The application with this number: the same for the same seed."""
    random = Random(f"{seed}/aid/{number}")
    return WelfareApplication(
        benefit=BENEFIT,
        applicant=Applicant(
            name=f"张秀英{random.choice(DIRECTIONS)}", identity_number=identity_number("19750505", number)
        ),
        monthly_income_fen=0,
        area=random.choice(AREAS),
        address=f"幸福路{number}号",
        account=f"6222{number:015d}",
        reason="突发火灾,房屋受损",
        consent=True,
        documents=(Paper.model_validate({"kind": "identity-card", "document": document}),),
    )


async def movements(http: httpx.AsyncClient, settings: Settings) -> list[dict[str, Any]]:
    """Every movement of money in the bank's own books. Raises httpx.HTTPError: it does not answer."""
    bank = load_bank(settings.policies / "banks.yaml", settings.bank_url)
    answer = await http.get(f"{settings.bank_url}/{bank.code}/journal")
    answer.raise_for_status()
    return list(answer.json()["movements"])


def paid_more_than_once(moved: Sequence[Mapping[str, Any]]) -> list[str]:
    """The entitlements, person, benefit and month, for which the bank moved money more than once, whatever we believe."""
    often = Counter(entitlement_of(each["payment_key"]) for each in moved)
    return [f"{entitlement} was paid {times} times" for entitlement, times in often.items() if times > 1]


async def differences(auditor: TownClient, moved: Sequence[Mapping[str, Any]]) -> list[str]:
    """What reconciling finds, for every month for which money was moved."""
    months = sorted({month_of(each["payment_key"]) for each in moved})
    return [
        f"{month} {each.entitlement}: {' '.join(each.words)}"
        for month in months
        for each in (await auditor.reconciliation(month)).differences
    ]
