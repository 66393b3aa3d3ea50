"""Who is the same person: the one place that compares people by their accounts.

An account is what its issuer writes into `sub`, and never gives to anybody else. Who acts through a department's own system
acts as `department:CODE/ACCOUNT`, with the account that the department names in `by`: the same person as `ACCOUNT` at a desk.
"""

from collections.abc import Iterable

from schemas.tidy_text import tidy

_GATEWAY = "department:"


def account_of(subject: str) -> str:
    """The bare account of a subject: `li` of `department:urban-management/li`."""
    account = tidy(subject)
    while account.startswith(_GATEWAY) and "/" in account:
        account = account.partition("/")[2].strip()
    return account


def same_person(one: str | None, another: str | None) -> bool:
    """Whether two subjects are one person, by whatever way they act. Nobody (None) is no person.

    For what must *not* be one person: where it grants something, `same_account` asks for the very account.
    """
    return one is not None and another is not None and account_of(one) == account_of(another)


def among(one: str | None, people: Iterable[str | None]) -> bool:
    """Whether somebody is one of these people."""
    return any(same_person(one, each) for each in people)


def how_many(people: Iterable[str]) -> int:
    """How many different people these are."""
    return len({account_of(each) for each in people})


def same_account(one: str | None, another: str | None) -> bool:
    """Whether two subjects are the very same account: whoever has it may do and see what is its own."""
    return one is not None and one == another
