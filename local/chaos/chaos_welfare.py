"""Applications under disturbance: urgent aid for many at once, and the officers who act on it as soon as it is their turn.

Sources and bank are as bad as their stage directions say; two payments for each, one at once and one after the checks.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import httpx

from engine.policies.bank_policy import load_bank
from engine.runtime.settings import Settings
from local.chaos.chaos_load import Crowd
from local.simulation.pictures import PICTURE
from local.simulation.townspeople import AREAS, GRID_WORKERS, RESIDENTS, Persona
from local.welfare_scenes import CIVIL_AFFAIRS, STREET, identity_number
from schemas.contracts.payment import entitlement_of, month_of
from schemas.values.document import Document
from schemas.welfare_application import Applicant, Paper, WelfareApplication
from schemas.welfare_state import Stage
from starter.client import TownClient

BENEFIT = "temporary-aid"
DIRECTIONS = ("", "〔剧本:tax 时断时续〕", "〔剧本:bank-balance 时断时续〕", "〔剧本:town-bank 超时〕",
              "〔剧本:town-bank 时断时续〕", "〔剧本:town-bank 漏行〕",
              "〔剧本:tax 时断时续;town-bank 超时〕")  # fmt: skip
"""How sources and bank treat a person: never so that somebody has to be asked what to do."""

Turn = tuple[str, Persona, str, Mapping[str, Any]]


def turns(area: str) -> tuple[Turn, ...]:
    """At which stage who does what; the grid worker is that of the area, nobody else sees the case."""
    grid_worker = GRID_WORKERS[AREAS.index(area)]
    return (
        (Stage.APPLIED, STREET, "accept", {}),
        (Stage.CHECKING, grid_worker, "record_visit", {"finding": "房屋受损属实"}),
        (Stage.SURVEYED, STREET, "review", {"positive": True, "opinion": "符合条件"}),
        (Stage.CONFIRMING, CIVIL_AFFAIRS, "confirm", {"opinion": "同意"}),
    )


class Applications(Crowd):
    """Applications and the officers who act on them."""

    name = "aid"

    async def play(self, number: int, key: str, entrance: int) -> None:
        """Apply, and let everybody do what is theirs as soon as it is their turn."""
        client = self.client_of(RESIDENTS[number % len(RESIDENTS)], entrance)
        paper = await client.send_document(PICTURE + b"identity-card", "image/png")
        application = application_of(self.seed, number, paper)
        case_id = self.stands(key, await client.apply_for_benefit(application, key))
        for stage, persona, command, body in turns(application.area):
            await self.reached(case_id, stage, entrance)
            await self.give(self.client_of(persona, entrance), case_id, command, body)


def application_of(seed: int, number: int, document: Document) -> WelfareApplication:
    """The application with this number: the same for the same seed."""
    random = Random(f"{seed}/aid/{number}")
    return WelfareApplication(
        benefit=BENEFIT,
        applicant=Applicant(
            name=f"张秀英{random.choice(DIRECTIONS)}", identity_number=identity_number("19750505", f"{seed}/{number}")
        ),
        monthly_income_fen=0,
        area=random.choice(AREAS),
        address=f"幸福路{number}号",
        account=f"6222{number:015d}",
        reason="突发火灾,房屋受损",
        consent=True,
        documents=(Paper(kind="identity-card", document=document),),
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


CROWD = Applications
