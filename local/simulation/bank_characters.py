"""How the simulated bank treats a payment, and the words by which a story tells it: in the account, or in the name.

6222020000000001〔剧本:退回〕        this account
王小明〔剧本:town-bank 超时〕        this person, if the account says nothing
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from local.simulation.department_book import DepartmentReport
from local.simulation.directions import UnreadableDirection, word_for
from schemas.contracts.payment import PaymentBody

__all__ = ["BankCharacter", "Plan", "UnreadableDirection", "character_for", "plan"]

RETURNS_AFTER = timedelta(days=2)


class BankCharacter(StrEnum):
    """How the bank treats a payment.

    TIMEOUT   pays and does not answer; asked again it answers
    FLAKY     503; then pays and does not answer; then answers slowly
    PARTIAL   in a batch: pays and leaves the line out of its answer, the first time
    RETURNED  pays; after two days of town time the money comes back, and the notice is sent twice
    UNTOLD    the same, and no notice is ever sent: only the status and the statement say so
    REFUSING  refuses: no such account
    DOUBLE    the bank's own mistake: the money moves twice
    """

    PROMPT = "prompt"
    TIMEOUT = "timeout"
    FLAKY = "flaky"
    PARTIAL = "partial"
    RETURNED = "returned"
    UNTOLD = "untold"
    REFUSING = "refusing"
    DOUBLE = "double"


WORDS = {
    "按时": BankCharacter.PROMPT,
    "超时": BankCharacter.TIMEOUT,
    "时断时续": BankCharacter.FLAKY,
    "漏行": BankCharacter.PARTIAL,
    "退回": BankCharacter.RETURNED,
    "默退": BankCharacter.UNTOLD,
    "拒付": BankCharacter.REFUSING,
    "重付": BankCharacter.DOUBLE,
} | {character.value: character for character in BankCharacter}


def character_for(body: PaymentBody, bank: str, usual: BankCharacter) -> BankCharacter:
    """How the bank treats this payment. Raises UnreadableDirection."""
    word = word_for(bank, body.account, body.month) or word_for(bank, body.name, body.month)
    if word is None:
        return usual
    try:
        return WORDS[word]
    except KeyError:
        raise UnreadableDirection(f"no such word: {word!r}; write one of {'、'.join(WORDS)}") from None


@dataclass(frozen=True)
class Plan:
    """What happens to a payment. `movements`: the ends of the bank's references, one for each time the money moves."""

    body: PaymentBody
    movements: tuple[str, ...] = ("",)
    refused: str | None = None
    returns_at_real: float | None = None
    returns_at: str | None = None
    return_code: str | None = None
    told: int = 0

    def notices(self, bank_reference: str) -> list[DepartmentReport]:
        """The notices that will be sent, ready for the wire: the same one as often as it is told."""
        if self.returns_at_real is None:
            return []
        notice = {
            "notice_id": f"{bank_reference}.returned",
            "act": "returned",
            "payment_key": self.body.payment_key,
            "case_id": self.body.case_id,
            "amount_fen": self.body.amount_fen,
            "bank_reference": bank_reference,
            "code": self.return_code,
            "as_of": self.returns_at,
        }
        content = json.dumps(notice).encode()
        return [
            DepartmentReport(
                self.body.payment_key, number, f"{bank_reference}.returned", "returned", content, self.returns_at_real
            )
            for number in range(1, self.told + 1)
        ]


def plan(body: PaymentBody, character: BankCharacter, *, now: float, speed: float) -> Plan:
    """What will happen to this payment. `now` is real time in Unix seconds, `speed` town seconds per real second."""
    match character:
        case BankCharacter.REFUSING:
            return Plan(body, movements=(), refused="no-such-account")
        case BankCharacter.DOUBLE:
            return Plan(body, movements=("", "-2"))
        case BankCharacter.RETURNED | BankCharacter.UNTOLD:
            return Plan(
                body,
                returns_at_real=now + RETURNS_AFTER.total_seconds() / speed,
                returns_at=(body.as_of + RETURNS_AFTER).isoformat(),
                return_code="account-closed",
                told=2 if character is BankCharacter.RETURNED else 0,
            )
        case _ if not body.name.strip() or not body.account.strip():
            return Plan(body, movements=(), refused="no-payee")
        case _:
            return Plan(body)
