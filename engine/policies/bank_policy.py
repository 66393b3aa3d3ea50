"""Reads policies/banks.yaml; every fault in it is told at once: file, entry, remedy."""

from pathlib import Path

from engine.policies.registers import RegisterFaults, RegisterFile
from schemas.contracts.payment import BankPolicy


class BankPolicyFaults(RegisterFaults):
    """The banks file cannot be used as it stands. `faults` says, one by one, where and what to do."""


_FILE = RegisterFile(
    entries="banks",
    one="bank",
    entry=BankPolicy,
    needed="code, name and gateway",
    placeholder="{bank}",
    variable="JICENG_BANK_URL",
    error=BankPolicyFaults,
)


def load_bank(file: Path, bank_url: str | None = None) -> BankPolicy:
    """Read the bank that pays, with its whole address. Raises BankPolicyFaults.

    `bank_url` stands for `{bank}`; without it no bank is connected, and its gateway is `desk`.
    """
    placed, _ = _FILE.addressed(_FILE.read(file, bank_url, _more_than_one), bank_url)
    return placed[0]


def _more_than_one(banks: list[BankPolicy]) -> list[str]:
    # With two, one month could be paid by each: a bank can only refuse what it knows of.
    return [f"{len(banks)} banks; keep the one that pays"] if len(banks) > 1 else []
