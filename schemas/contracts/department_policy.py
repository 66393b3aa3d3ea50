"""Who the departments of the town are and how each is reached: the content of policies/departments.yaml."""

from pydantic import Field

from schemas.contracts.department import Code, Gateway, Text
from schemas.values.foreign_code import ForeignCode
from schemas.values.model import Model


class Name(Model):
    """A name as it stands on screens."""

    zh: Text
    en: Text


class DepartmentPolicy(Model):
    """A department as the town knows it.

    `duty_leader` is the account told first when a limit is broken. `concurrent_calls` and `timeout_seconds` (real
    seconds for one whole call) bound what a slow department can take from the others.
    """

    code: Code
    name: Name
    gateway: Gateway
    url: str | None = None
    private: bool = False
    """Whether its address may lie in a private network: nobody is called there by accident (docs/SECURITY.md)."""

    duty_leader: ForeignCode
    concurrent_calls: int = Field(default=8, ge=1, le=64)
    timeout_seconds: float = Field(default=5.0, gt=0, le=30)


class NoSuchDepartment(LookupError):
    """A code that is not in policies/departments.yaml."""


class DepartmentRegister(Model):
    """All departments of the town; the `url` of an `http` one is complete.

    `without_address` names those put to the desk because no address is known for them.
    """

    departments: tuple[DepartmentPolicy, ...]
    without_address: tuple[str, ...] = ()

    def get(self, code: str) -> DepartmentPolicy:
        """The department with this code. Raises NoSuchDepartment."""
        for department in self.departments:
            if department.code == code:
                return department
        raise NoSuchDepartment(f"no department {code!r} in policies/departments.yaml")
