"""Who sees which case, and which facts of it. One place decides; lists ask the same in SQL (`engine/queries/cases.sql`)."""

from collections.abc import Mapping
from typing import Any

from schemas.kernel.case import CaseState, Entry
from schemas.kernel.people import account_among, same_account
from schemas.values.actor import OWN_CASES_ONLY, Actor, Role
from schemas.values.area import inside
from schemas.values.model import Model
from schemas.values.person_views import PERSON_VIEWS, Shown
from schemas.values.references import WITHHELD

READS_NO_TEXTS = frozenset({Role.ADMIN})
"""Who runs the system has no business with what people wrote."""

FOR_STAFF = frozenset({"contact"})
"""Facts of entries whose texts residents do not read: how somebody who objected to their application is reached."""

JUDGES = frozenset({Role.STREET_OFFICER, Role.CIVIL_AFFAIRS_OFFICER, Role.SUPERVISOR, Role.AUDITOR})
"""Who decides on a household, or judges who did: to them a register's answer is shown whole, to others its verdict alone."""

ELECTED = frozenset({Role.COMMITTEE_OFFICER})
"""Neighbours who were elected, and are no officials: of a matter that is none of theirs they read no word, and look for nobody."""

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
_RIVALS = (
    "partnership:applied.name",
    "partnership:applied.plan",
    "partnership:applied.kin",
    "partnership:applied.documents",
    "partnership:vetted.registered",
    "partnership:vetted.barred",
    "partnership:vetted.receipt",
    "partnership:vetted.finding",
    "partnership:vetting_confirmed.reason",
    "partnership:panel:judged.reason",
    "partnership:panel:recused.reason",
    "partnership:offered.owner_agrees",
)
"""What was written, shown or found of somebody who wants the same as the reader; and what the owner of a space has signed."""

_BLIND_FACTS = (
    "round:submitted.team",
    "round:submitted.kin",
    "round:submitted.need",
    "round:submitted.plan",
    "round:submitted.site",
    "round:submitted.people_helped",
    "round:submitted.cost_fen",
    "round:submitted.carrier",
    "round:submitted.carrier_name",
    "round:submitted.account",
    "round:submitted.carrier_person",
    "proposal:submitted.team",
    "proposal:submitted.related",
    "proposal:submitted.carrier",
    "proposal:submitted.carrier_name",
    "proposal:submitted.account",
    "proposal:submitted.carrier_person",
    "proposal:relation_declared.relation",
    "proposal:tie:named.juror",
    "proposal:tie:named.reason",
    "proposal:tie:decided.juror",
    "proposal:tie:decided.finding",
)
"""By what a juror would know whose proposal they judge, in whatever role their account has a seat."""

_ACCOUNTS_OF_CARRIERS = (
    "proposal:account:asked.account",
    "proposal:account_changed.account",
    "proposal:payment:retried.account",
    "proposal:change:asked.account",
    "proposal:change:granted.account",
)
"""Where an organisation is paid to from now on: its own, the town's, and no business of who is of the team."""

_SEALED = ("proposal:scored.sheet",)
"""What one juror gave: who sees to a jury, and may seat others, reads no sheet. No text stands there."""

_BLIND_WORDS = (
    "proposal:screened.reason",
    "proposal:returned.reason",
    "proposal:commented.text",
    "proposal:attached.document",
    "proposal:attached.note",
)
"""The same of what was written and sent; whose proposal it is reads it."""
_CARE_FOR = frozenset(
    {Role.GRID_WORKER, Role.STREET_OFFICER, Role.CIVIL_AFFAIRS_OFFICER, Role.WINDOW_CLERK, Role.RESIDENT}
)
"""Who visits, decides, writes down or is somebody who may come to harm unnoticed."""

_HELP_FOR = _CARE_FOR | {Role.COORDINATOR, Role.SUPERVISOR}
"""And who sends somebody to them."""

_CARE = ("care:updated.health", "care:opened.group")
_HELP = (
    *(
        f"{kind}.{name}"
        for kind in ("care:opened", "care:updated", "alarm:raised")
        for name in ("address", "emergency_contacts")
    ),
    "distress:raised.words",
    "distress:located.where",
    "distress:scene_reported.what",
)
"""Health, and why somebody may come to harm; where they live, and whom to call."""

_MOVE = frozenset(
    {
        Role.GRID_WORKER,
        Role.WINDOW_CLERK,
        Role.STREET_OFFICER,
        Role.DEPARTMENT_OFFICER,
        Role.COORDINATOR,
        Role.CIVIL_AFFAIRS_OFFICER,
        Role.SUPERVISOR,
        Role.AUDITOR,
    }
)
"""Who gets people out of danger, takes them in, or judges how that went."""

_GO_THERE = _MOVE - {Role.WINDOW_CLERK, Role.CIVIL_AFFAIRS_OFFICER}
"""Who goes to a door, or decides on who does."""

_DOORS = (
    *(f"sweep:{kind}.{name}" for kind in ("sent", "added") for name in ("zone", "stage", "persons")),
    *(
        f"sweep:{kind}.{name}"
        for kind in ("door", "rechecked", "confirmed")
        for name in ("outcome", "persons", "rest", "was", "stands", "how")
    ),
    "sweep:swept.unsafe",
    "sweep:swept.stayed",
    "sweep:sent.address",
    "sweep:sent.heads",
    "sweep:added.address",
    "sweep:added.heads",
    "sweep:door.words",
    *(f"sweep:{kind}.item" for kind in ("persuaded", "removal_ordered", "searched")),
    "sweep:persuaded.words",
    "sweep:persuaded.times",
    "sweep:removal_ordered.reason",
    "sweep:removal_ordered.police_order",
    "sweep:searched.finding",
    "sweep:searched.police_order",
    "sweep:rechecked.words",
    "sweep:confirmed.words",
    "warning:found.address",
    "warning:found.heads",
    "warning:sweep:reported.doors",
)
_GUESTS = (
    *(f"warning:shelter:{kind}.household" for kind in ("checked_in", "checked_out")),
    "warning:shelter:checked_out.where",
)
"""Where households in danger live, how many they are, which of them refuse or must be carried, and what they said."""

FACTS_FOR: Mapping[str, frozenset[Role]] = {
    **dict.fromkeys(_CIRCUMSTANCES, frozenset(Role) - READS_NO_TEXTS),
    **dict.fromkeys(_ANSWERS, JUDGES),
    **dict.fromkeys(_CARE, _CARE_FOR),
    **dict.fromkeys(_HELP, _HELP_FOR),
    **dict.fromkeys(_DOORS, _GO_THERE),
    **dict.fromkeys(_GUESTS, _MOVE),
    **dict.fromkeys(_RIVALS, frozenset(Role) - READS_NO_TEXTS - {Role.PARTNER}),
    **dict.fromkeys(_BLIND_FACTS, frozenset(Role) - READS_NO_TEXTS - OWN_CASES_ONLY),
    **dict.fromkeys(_ACCOUNTS_OF_CARRIERS, frozenset(Role) - READS_NO_TEXTS - {Role.RESIDENT}),
    **dict.fromkeys(_SEALED, frozenset({Role.AUDITOR})),
    **dict.fromkeys(_BLIND_WORDS, frozenset(Role) - READS_NO_TEXTS - {Role.SPECIALIST}),
}
"""Facts of entries that are not for everybody who sees the case, by name, however deep they stand (`KIND.NAME`: of that kind
of entry only): what registers said of a household, and how people live."""


OPEN_TO_PARTNERS = "open-to:partner"
"""Among those involved in a case: every partner sees it, because it is an offer that stands open."""


def party_code(subject: str) -> str:
    """Among those involved in a case: the account of a partner who is a party to it. No department has such a code."""
    return f"partner:{subject}"


class Sight(Model):
    """What of a case decides who sees it.

    `departments` are all that held it, now or earlier, and the parties to it; `seated` the accounts with a seat. `in_parts`: who
    works in a part of its area sees it too.
    """

    area: str
    reporter_subject: str | None
    departments: frozenset[str]
    seated: frozenset[str] = frozenset()
    in_parts: bool = False


def sight_of(state: CaseState) -> Sight:
    """What decides who sees this case."""
    seated = frozenset(seat.subject for seat in state.seats() if seat.subject is not None)
    return Sight(
        area=state.area,
        reporter_subject=state.reporter_subject,
        departments=state.involved(),
        seated=seated,
        in_parts=state.seen_in_parts,
    )


def may_see(sight: Sight, actor: Actor) -> bool:
    """Who acts in no area sees what is theirs, departments what they held; of that, everybody else and they their area.

    Theirs: what they reported, where they have a seat, and of partners what they are a party to or what is offered to all. Who
    works in an area also sees, by its number, where they have a seat, and what lies around their area where its procedure says so:
    lists and counts stay those of the area.
    """
    involved = involved_as(actor)
    if actor.role in OWN_CASES_ONLY:
        own = same_account(actor.subject, sight.reporter_subject) or account_among(actor.subject, sight.seated)
        return own or (involved is not None and not sight.departments.isdisjoint(involved))
    if involved is not None and sight.departments.isdisjoint(involved):
        return False
    seated = involved is None and account_among(actor.subject, sight.seated)
    around = sight.in_parts and actor.area is not None and inside(actor.area, sight.area)
    return actor.area is None or inside(sight.area, actor.area) or seated or around


def involved_as(actor: Actor) -> tuple[str, ...] | None:
    """The codes by which somebody is involved in a case and therefore sees it; None: their role needs to be in none.

    An officer of no department, and a partner without an account, see nothing: none at all would be everything.
    """
    if actor.role is Role.DEPARTMENT_OFFICER:
        return (actor.department or "",)
    return (OPEN_TO_PARTNERS, party_code(actor.subject)) if actor.role is Role.PARTNER else None


def may_read_texts(actor: Actor) -> bool:
    """Whether somebody who sees a case may also read what people wrote in it."""
    return actor.role not in READS_NO_TEXTS


def may_read_fact(actor: Actor, name: str) -> bool:
    """Whether somebody may read the text behind this fact of an entry."""
    return actor.role not in OWN_CASES_ONLY or name not in FOR_STAFF


def withholds_from(actor: Actor, procedure: str) -> bool:
    """Whether any text of this very procedure's entries is withheld from somebody: then so are the documents in it."""
    names = {name: roles for name, roles in FACTS_FOR.items() if name not in _SEALED}
    return any(name.startswith(f"{procedure}:") and actor.role not in roles for name, roles in names.items())


def shown_facts(kind: str, facts: Mapping[str, Any], reader: Actor) -> dict[str, Any]:
    """The facts of an entry for a reader; what is not for them says that it is withheld."""
    return {name: _shown(kind, name, value, reader) for name, value in facts.items()}


HEARD_BY_ALL = frozenset({"clock", "clocks", "moment", "stage", "policy", "calendar", "before", "after"})
"""Facts of a confidential case that whoever sees it learns: where it stands, by which rules, and what its clocks say."""

NOBODY_NAMED = Actor(subject="engine", role=Role.ENGINE)
"""Who is said to have made an entry that is not for the reader."""

CONFIDENTIAL = "case:confidential"
"""What an entry is to who is of the case and not of its audience: that there is one."""


def unheard(entry: Entry, reader: Actor) -> Entry:
    """Return an entry as who does not hear it learns of it: no fact that says more than a clock.

    To whoever is in the case for its own sake, not even what it is, who made it, or which clocks it moved: that a danger was
    reported, and that somebody was sent, says enough.
    """
    hidden = reader.role in OWN_CASES_ONLY and not entry.kind.startswith("case:")
    heard = frozenset[str]() if hidden else HEARD_BY_ALL
    facts = {name: value if name in heard else WITHHELD for name, value in entry.facts.items()}
    if not hidden:
        return entry.model_copy(update={"facts": facts})
    return entry.model_copy(update={"facts": facts, "kind": CONFIDENTIAL, "actor": NOBODY_NAMED})


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


def may_find_by(actor: Actor, detail: str) -> bool:
    """Whether somebody may look for a person by this detail (`phone`, `identity_number`): staff who read it whole in a case.

    Who reads it masked would learn by the search what the mask hides.
    """
    view = PERSON_VIEWS.get(actor.role)
    if actor.role in ELECTED:
        return False
    return actor.role not in OWN_CASES_ONLY and view is not None and getattr(view, detail) is Shown.FULL
