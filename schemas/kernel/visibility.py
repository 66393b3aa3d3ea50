"""Who sees which case, and which facts of it. One place decides; lists ask the same in SQL (`engine/queries/cases.sql`)."""

from collections.abc import Mapping
from typing import Any

from schemas.kernel.case import CaseState
from schemas.kernel.people import same_account
from schemas.values.actor import Actor, Role
from schemas.values.area import inside
from schemas.values.model import Model
from schemas.values.person_views import PERSON_VIEWS
from schemas.values.references import WITHHELD

READS_NO_TEXTS = frozenset({Role.ADMIN})
"""Who runs the system has no business with what people wrote."""

FOR_STAFF = frozenset({"contact"})
"""Facts of entries whose texts residents do not read: how somebody who objected to their application is reached."""

JUDGES = frozenset({Role.STREET_OFFICER, Role.CIVIL_AFFAIRS_OFFICER, Role.SUPERVISOR, Role.AUDITOR})
"""Who decides on a household, or judges who did: to them a register's answer is shown whole, to others its verdict alone."""

_ANSWERS = ("facts", "found", "found_income_fen", "income_per_head_fen", "welfare:check:recorded.note")
_CIRCUMSTANCES = (
    "birth",
    "household_size",
    "members",
    "without_consent",
    "asked_about",
    "monthly_income_fen",
    "income_fen",
    "income_stable",
    "disability_level",
    "arithmetic",
    "against",
    "amount_fen",
    "before_fen",
    "repaid_fen",
    "left_fen",
    "months",
)

FACTS_FOR: Mapping[str, frozenset[Role]] = {
    **dict.fromkeys(_CIRCUMSTANCES, frozenset(Role) - READS_NO_TEXTS),
    **dict.fromkeys(_ANSWERS, JUDGES),
}
"""Facts of entries that are not for everybody who sees the case, by name, however deep they stand (`KIND.NAME`: of that kind
of entry only): what registers said of a household, and how people live."""


class Sight(Model):
    """What of a case decides who sees it. `departments` are all that held it, now or earlier."""

    area: str
    reporter_subject: str | None
    departments: frozenset[str]


def sight_of(state: CaseState) -> Sight:
    """What decides who sees this case."""
    return Sight(area=state.area, reporter_subject=state.reporter_subject, departments=state.involved())


def may_see(sight: Sight, actor: Actor) -> bool:
    """Residents see what they reported, departments what they hold or held; of that, everybody else and they their area."""
    if actor.role is Role.RESIDENT:
        return same_account(actor.subject, sight.reporter_subject)
    if actor.role is Role.DEPARTMENT_OFFICER and actor.department not in sight.departments:
        return False
    return actor.area is None or inside(sight.area, actor.area)


def may_read_texts(actor: Actor) -> bool:
    """Whether somebody who sees a case may also read what people wrote in it."""
    return actor.role not in READS_NO_TEXTS


def may_read_fact(actor: Actor, name: str) -> bool:
    """Whether somebody may read the text behind this fact of an entry."""
    return actor.role is not Role.RESIDENT or name not in FOR_STAFF


def shown_facts(kind: str, facts: Mapping[str, Any], reader: Actor) -> dict[str, Any]:
    """The facts of an entry for a reader; what is not for them says that it is withheld."""
    return {name: _shown(kind, name, value, reader) for name, value in facts.items()}


def _shown(kind: str, name: str, value: object, reader: Actor) -> object:
    roles = FACTS_FOR.get(f"{kind}.{name}", FACTS_FOR.get(name))
    if roles is not None and reader.role not in roles:
        return WITHHELD
    if isinstance(value, Mapping):
        return shown_facts(kind, value, reader)
    if isinstance(value, list):
        return [shown_facts(kind, each, reader) if isinstance(each, Mapping) else each for each in value]
    return value


def may_read_persons(actor: Actor) -> bool:
    """Whether somebody who sees a case may also read who stands in it, masked or not (schemas/values/person_views.py)."""
    return actor.role in PERSON_VIEWS
