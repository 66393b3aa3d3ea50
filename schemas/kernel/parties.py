"""Who acts on cases, for the tables of declared procedures: each role with the cases that are its own."""

from schemas.kernel.rules import By, Scope
from schemas.values.actor import Role

ENGINE = By(Role.ENGINE, Scope.ENGINE)
REPORTER = By(Role.RESIDENT, Scope.REPORTER)
"""The resident whose case it is."""
ANYBODY = By(Role.RESIDENT, Scope.ANYBODY)
"""Any resident: the matter is posted for everybody."""
HOLDING_DEPARTMENT = By(Role.DEPARTMENT_OFFICER, Scope.HOLDER)
GRID_WORKER = By(Role.GRID_WORKER)
WINDOW_CLERK = By(Role.WINDOW_CLERK)
STREET_OFFICER = By(Role.STREET_OFFICER)
COORDINATOR = By(Role.COORDINATOR)
CIVIL_AFFAIRS_OFFICER = By(Role.CIVIL_AFFAIRS_OFFICER)
SUPERVISOR = By(Role.SUPERVISOR)
ADMIN = By(Role.ADMIN)

THE_REPORTER = "reporter"
"""As one who is told: whose case it is."""

THE_DEPARTMENT = "department"
"""As a holder or one who is told: the department that holds the case; every other code stands for itself."""


def desk_of(party: By) -> str:
    """The code under which a role holds a case, or is told: `role:coordinator`."""
    return f"role:{party.role}"
