"""Who acts on cases, for the tables of declared procedures: each role with the cases that are its own."""

from dataclasses import replace

from schemas.kernel.rules import By, Scope
from schemas.values.actor import Role

ENGINE = By(Role.ENGINE, Scope.ENGINE)
REPORTER = By(Role.RESIDENT, Scope.REPORTER)
"""The resident whose case it is."""
ANYBODY = By(Role.RESIDENT, Scope.ANYBODY)
"""Any resident: the matter is posted for everybody."""
NEIGHBOUR = By(Role.RESIDENT, Scope.NEIGHBOUR)
"""Any resident, in a matter of all: they give the command by the number of the case, and see nothing of its file."""
HOLDING_DEPARTMENT = By(Role.DEPARTMENT_OFFICER, Scope.HOLDER)
GRID_WORKER = By(Role.GRID_WORKER)
WINDOW_CLERK = By(Role.WINDOW_CLERK)
STREET_OFFICER = By(Role.STREET_OFFICER)
COORDINATOR = By(Role.COORDINATOR)
CIVIL_AFFAIRS_OFFICER = By(Role.CIVIL_AFFAIRS_OFFICER)
SUPERVISOR = By(Role.SUPERVISOR)
COMMITTEE_OFFICER = By(Role.COMMITTEE_OFFICER)
PARTNER = By(Role.PARTNER, Scope.REPORTER)
"""合伙方: a firm, a 乡贤, a paired community, in the own agreement."""
ANY_PARTNER = By(Role.PARTNER, Scope.ANYBODY)
"""Any of them: the offer stands open."""
ADMIN = By(Role.ADMIN)
COMMITTEE_OFFICER = By(Role.COMMITTEE_OFFICER)
"""The residents' or villagers' own committee: its people are elected, and no street gives them orders (村组法 5)."""

THE_REPORTER = "reporter"
"""As one who is told: whose case it is."""

THE_DEPARTMENT = "department"
"""As a holder or one who is told: the department that holds the case; every other code stands for itself."""


def seated(role: Role, kind: str) -> By:
    """Whoever has a seat of this kind in the very case, acting as this role (schemas/parts/participants.py)."""
    return By(role, Scope.PARTICIPANT, kind)


def in_its_parts(*parties: By) -> tuple[By, ...]:
    """The same, also of whoever works in a part of the case's area alone: who acts on the spot (`seen_in_parts`)."""
    return tuple(replace(each, parts=True) for each in parties)


def desk_of(party: By) -> str:
    """The code under which a role holds a case, or is told: `role:coordinator`."""
    return f"role:{party.role}"
