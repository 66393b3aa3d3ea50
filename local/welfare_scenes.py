"""Scenes of welfare: who acts, papers that are handed in late, an objection from the street, a death that is told late."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from local.simulation.pictures import PICTURE
from local.simulation.townspeople import CLERK, GRID_WORKERS, RESIDENTS, Persona
from local.stories.scenes import SETTLE_SECONDS, Gives, OnStage, stands
from schemas.values.actor import Role
from schemas.values.identity_number import check_character
from schemas.welfare_entries import Kind

STREET = Persona("street-officer-1", Role.STREET_OFFICER)
CIVIL_AFFAIRS = Persona("civil-affairs-officer-1", Role.CIVIL_AFFAIRS_OFFICER)
FIRST_ANSWERS = 5
"""So many registers answer about an application for the subsistence allowance."""

ANOTHER = Persona("civil-affairs-officer-2", Role.CIVIL_AFFAIRS_OFFICER)
APPLICANT = RESIDENTS[0]

ACCEPT = Gives(by=STREET, command="accept", after=Kind.APPLIED)
IDENTIFY = Gives(by=CLERK, command="identify", after=Kind.ACCEPTED)
"""The applicant shows the card at the window: nobody vouches for the account, and nobody visits for this benefit."""

REVIEW = Gives(by=STREET, command="review", body={"positive": True, "opinion": "符合条件"}, after=Kind.SURVEYED)
REASSESS = Gives(
    by=STREET,
    command="reassess",
    body={"continues": True, "opinion": "入户见到本人,情况未变"},
    after=Kind.PAID,
    times=6,  # half a year: long before the year after which payment would rest
)
VISITS = (
    Gives(by=GRID_WORKERS[0], command="record_visit", body={"finding": "租住一居室,无大件财物"}, after=Kind.ACCEPTED),
    Gives(by=STREET, command="record_visit", body={"finding": "与申报一致"}, after=Kind.VISITED),
)


def identity_number(born: str, key: str) -> str:
    """A made-up identity number of somebody born on a day, such as "19400615", with its check character.

    Another one for each key: nobody has the same benefit twice at a time, and a story may be played again.
    """
    place, order = divmod(int(sha256(key.encode()).hexdigest(), 16) % 899_999_000, 1000)
    digits = f"{100_000 + place}{born}{order:03d}"
    return digits + check_character(digits)


def confirm(after: str) -> Gives:
    """Civil affairs agrees."""
    return Gives(by=CIVIL_AFFAIRS, command="confirm", body={"opinion": "同意"}, after=after)


@dataclass(frozen=True, kw_only=True)
class HandsIn:
    """The missing document is brought to the window."""

    kind: str
    by: Persona = CLERK

    async def play(self, stage: OnStage) -> None:
        """Wait until it is named, upload it, and hand it in."""
        await stage.seen(Kind.CORRECTION_ASKED)
        document = await stage.client(self.by).send_document(PICTURE + self.kind.encode() * 4, "image/png")
        body = {"kind": self.kind, "document": document.model_dump(mode="json")}
        await stage.client(self.by).command(
            stage.case_id, "hand_in", body, f"scene:{stage.case_id}:hand_in:{self.kind}", SETTLE_SECONDS
        )


@dataclass(frozen=True, kw_only=True)
class Consents:
    """An adult of the household signs at the window that registers may be asked about them."""

    member: int = 1
    by: Persona = CLERK

    async def play(self, stage: OnStage) -> None:
        """Upload the paper, and record the consent."""
        await stage.seen(Kind.APPLIED)
        document = await stage.client(self.by).send_document(PICTURE + f"consent-{self.member}".encode(), "image/png")
        body = {"member": self.member, "document": document.model_dump(mode="json")}
        key = f"scene:{stage.case_id}:record_consent:{self.member}"
        await stage.client(self.by).command(stage.case_id, "record_consent", body, key, SETTLE_SECONDS)


@dataclass(frozen=True, kw_only=True)
class ToldLate:
    """A change is told after so many payments: it was so since the month of one of them. What ends it, somebody else confirms."""

    payments: int
    since: int
    change: Mapping[str, Any] = field(default_factory=lambda: {"change": "move"})
    by: Persona = CLERK

    async def play(self, stage: OnStage) -> None:
        """Wait for the payments, and tell."""
        month = (await stage.seen(Kind.PAID, self.since)).facts["month"]
        await stage.seen(Kind.PAID, self.payments)
        body = {**self.change, "since": month}
        key = f"scene:{stage.case_id}:report_change:{self.payments}"
        await stage.client(self.by).command(stage.case_id, "report_change", body, key, SETTLE_SECONDS)
        if self.change["change"] in {"death", "move"}:
            asked = (await stage.seen(Kind.END_ASKED)).facts["number"]
            key = f"scene:{stage.case_id}:confirm_end:{asked}"
            await stage.client(CIVIL_AFFAIRS).command(
                stage.case_id, "confirm_end", {"request": asked}, key, SETTLE_SECONDS
            )


@dataclass(frozen=True, kw_only=True)
class ReviewsRaise:
    """The street office agrees to a change that would pay more, once the registers have answered anew."""

    by: Persona = STREET

    async def play(self, stage: OnStage) -> None:
        """Wait for the answers of those that the change touches, and agree."""
        asked = (await stage.seen(Kind.CHANGE_ASKED)).facts
        await stage.seen(Kind.CHECK_ANSWERED, FIRST_ANSWERS + len(asked["asked_again"]))
        key = f"scene:{stage.case_id}:review_change"
        await stage.client(self.by).command(
            stage.case_id,
            "review_change",
            {"request": asked["number"], "opinion": "入户见到新生儿"},
            key,
            SETTLE_SECONDS,
        )


@dataclass(frozen=True, kw_only=True)
class PaysBack:
    """What was paid too much is paid back, in two parts; civil affairs confirms what the window recorded."""

    async def play(self, stage: OnStage) -> None:
        """Wait for the recovery, pay, and have it confirmed."""
        await stage.seen(Kind.RECOVERY_OPENED)
        entry = await stage.seen(Kind.RECOVERY_ASKED)
        asked = entry.facts
        await stands(stage.client(CLERK), asked["case"])
        half = asked["amount_fen"] // 2
        for number, part in enumerate((half, asked["amount_fen"] - half), start=1):
            body = {"amount_fen": part, "receipt": f"CZ-{asked['case']}-{number}"}
            await stage.pays_in(body["receipt"], part, entry.at)
            await stage.client(CLERK).command(
                asked["case"], "repay", body, f"scene:{asked['case']}:repay:{number}", SETTLE_SECONDS
            )
            key = f"scene:{asked['case']}:confirm_repayment:{number}"
            await stage.client(CIVIL_AFFAIRS).command(
                asked["case"], "confirm_repayment", {"repayment": number}, key, SETTLE_SECONDS
            )
