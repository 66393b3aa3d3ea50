"""Open311: which systems may report by it, and which matters are listed to everybody (docs/open311.md)."""

from collections.abc import Collection, Iterator

from pydantic import Field

from schemas.contracts.department import Code
from schemas.contracts.department_policy import Name
from schemas.values.actor import Role
from schemas.values.location import AreaCode
from schemas.values.model import Model

CLIENT = "open311:"
"""With what the account of a client begins: nobody signs in as one."""


class Open311Client(Model):
    """A system of others that reports with a key of its own, as staff of the town: never as the resident whose report it is.

    `area`: where its reports lie that name no place of the town's list; with it, none elsewhere.
    """

    code: Code
    name: Name
    role: Role = Role.WINDOW_CLERK
    area: AreaCode | None = None

    @property
    def subject(self) -> str:
        """Its account, as it stands in ledgers."""
        return f"{CLIENT}{self.code}"


class Open311Policy(Model):
    """policies/open311.yaml. Without one: what can be reported is listed, no case is, and who reports has a token of their own.

    `jurisdiction`: what the town is called there; None: whatever a caller calls it. `published`: the matters whose cases are
    listed to everybody.
    """

    jurisdiction: str | None = Field(default=None, min_length=1, max_length=200)
    contact: str = Field(default="", max_length=500)
    published: tuple[str, ...] = ()
    clients: tuple[Open311Client, ...] = ()

    def faults(self, matters: Collection[str] | None, starters: frozenset[Role]) -> Iterator[str]:
        """Say, as "place: what; remedy", what is wrong though well formed.

        Args:
            matters: those that can be reported; None: that is not asked.
            starters: who may report.
        """
        for number, matter in enumerate(self.published):
            if matters is not None and matter not in matters:
                yield f"published.{number}: {matter!r} is no matter that is reported; write one of the responsibility list"
        codes = [each.code for each in self.clients]
        for number, client in enumerate(self.clients):
            if codes.index(client.code) < number:
                yield f"clients.{number}.code: {client.code!r} stands twice; keep one"
            if client.role not in starters - {Role.RESIDENT}:
                staff = ", ".join(sorted(starters - {Role.RESIDENT}))
                yield f"clients.{number}.role: {client.role} does not report for others; write one of {staff}"
