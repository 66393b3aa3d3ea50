"""Who sees which case. One place decides; the list of cases asks the same in SQL (`engine/queries/cases.sql`)."""

from schemas.actor import Actor, Role
from schemas.area import inside
from schemas.case import CaseState
from schemas.model import Model
from schemas.people import same_account
from schemas.person_views import PERSON_VIEWS

READS_NO_TEXTS = frozenset({Role.ADMIN})
"""Who runs the system has no business with what people wrote."""

FOR_STAFF = frozenset({"contact"})
"""Facts of entries whose texts residents do not read: how somebody who objected to their application is reached."""


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


def may_read_persons(actor: Actor) -> bool:
    """Whether somebody who sees a case may also read who stands in it, masked or not (schemas/person_views.py)."""
    return actor.role in PERSON_VIEWS
