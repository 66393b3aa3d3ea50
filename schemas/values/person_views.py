"""What of a person each role reads: the one place that decides, and how the rest is masked (docs/privacy.md has the table)."""

import unicodedata
from collections.abc import Mapping
from enum import StrEnum

from schemas.values.actor import Role
from schemas.values.model import Model
from schemas.values.tidy_text import is_invisible

ALL = "*"
_PHONE_START, _PHONE_END, _PHONE_SHORTEST = 3, 4, 11
_NUMBER_START = 2


class Shown(StrEnum):
    """How a detail is shown."""

    FULL = "full"
    MASKED = "masked"


class PersonView(Model):
    """How the details of a person are shown to a role. What is not known of a person is not shown to anybody."""

    name: Shown = Shown.MASKED
    phone: Shown = Shown.MASKED
    identity_number: Shown = Shown.MASKED
    document_kind: Shown = Shown.FULL
    address: Shown = Shown.MASKED


_REACHED = PersonView(name=Shown.FULL, phone=Shown.FULL, address=Shown.FULL)
_WHOLE = PersonView(name=Shown.FULL, phone=Shown.FULL, address=Shown.FULL, identity_number=Shown.FULL)

PERSON_VIEWS: Mapping[Role, PersonView] = {
    Role.RESIDENT: _REACHED,  # their own case; whoever stands behind them sees no whole identity number
    Role.GRID_WORKER: _REACHED,  # calls and visits
    Role.WINDOW_CLERK: _WHOLE,  # has the identity card on the table
    Role.STREET_OFFICER: _WHOLE,  # surveys and reviews households
    Role.COORDINATOR: PersonView(name=Shown.FULL, phone=Shown.FULL),  # calls back, and never visits
    Role.CIVIL_AFFAIRS_OFFICER: PersonView(
        name=Shown.FULL, identity_number=Shown.FULL, address=Shown.FULL
    ),  # decides, never calls
    Role.COMMITTEE_OFFICER: _REACHED,  # keeps the rolls, visits and invites
    Role.MEDIATOR: _REACHED,  # calls whoever the case is between
    Role.AUDITOR: PersonView(),  # judges the work, not the person
}
"""Who is not here learns nothing of a person: a department answers the town, and the town the reporter."""


def shown_person(details: Mapping[str, str], role: Role) -> dict[str, str] | None:
    """The details of a person for a role, masked where it need not know them; None for a role that reads no persons."""
    view = PERSON_VIEWS.get(role)
    if view is None:
        return None
    ways = view.model_dump()
    return {
        name: text if ways.get(name) == Shown.FULL else _MASKS.get(name, _nothing)(text)
        for name, text in details.items()
    }


def masked_name(name: str) -> str:
    """张*: the first letter or number and a star, however long the name is, so that its length tells nothing either.

    What stands before it is left out: it could turn or hide what a public page shows.
    """
    return f"{next((each for each in name if unicodedata.category(each)[0] in 'LN' and not is_invisible(each)), '')}*"


def masked_phone(number: str) -> str:
    """138****0001; of a number too short to hide anything in, only the end: *01."""
    digits = number.strip()
    if len(digits) < _PHONE_SHORTEST:
        return f"*{digits[-2:]}" if len(digits) > _PHONE_END else ALL
    return f"{digits[:_PHONE_START]}****{digits[-_PHONE_END:]}"


def masked_number(number: str) -> str:
    """32*: the province of an identity number; neither birthday nor sex."""
    return f"{number.strip()[:_NUMBER_START]}*"


def _nothing(_text: str) -> str:
    return ALL


_MASKS = {"name": masked_name, "phone": masked_phone, "identity_number": masked_number}
