"""As whom one can sign in to a demonstration: two of each role, because much needs a second person, and each department's desk."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from console.sign_in.sessions import LONGEST
from engine.keys.tokens import Principal
from schemas.contracts.department_policy import DepartmentRegister
from schemas.kernel.screen_words import ROLES
from schemas.values.actor import Role

_BEYOND_ROLES = frozenset({Role.DEPARTMENT_OFFICER, Role.ENGINE})


@dataclass(frozen=True)
class DemoPerson:
    """Somebody of the demonstration, and what they are called on the page."""

    principal: Principal
    zh: str
    en: str


def demo_people(departments: DepartmentRegister) -> Mapping[str, DemoPerson]:
    """Everybody by account."""
    return {each.principal.subject: each for each in _people(departments)}


def _people(departments: DepartmentRegister) -> Iterator[DemoPerson]:
    for role in Role:
        if role not in _BEYOND_ROLES:
            for number in (1, 2):
                yield _person(f"{role}-{number}", role, None, f"{ROLES[role]} {number}", f"{role} {number}")
    for department in departments.departments:
        zh, en = f"{department.name.zh}经办人", f"officer, {department.name.en}"
        yield _person(f"{department.code}.desk", Role.DEPARTMENT_OFFICER, department.code, zh, en)


def _person(subject: str, role: Role, department: str | None, zh: str, en: str) -> DemoPerson:
    principal = Principal(
        subject=subject,
        role=role,
        department=department,
        area=None,
        token_id=None,
        expires_at=datetime.now(UTC) + LONGEST,
    )
    return DemoPerson(principal, zh, en.replace("_", " "))
