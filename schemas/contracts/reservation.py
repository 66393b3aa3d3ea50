"""Reservations 占用登记: what only one living case may have at a time, and what stands in the way of one that is decided.

A case says what it reserves as claims: a kind, a key of codes and opaque references, and how firmly it holds it. The database
has them for as long as the case lives (engine/store/reservations.py) and asks these rules under its locks, so that of two who ask
at the same moment one comes second. They are pure, and know nothing of benefits, prizes, invoices or rooms.

    own         the case has it for itself: a second one is refused at the door, and the database itself takes no two
    stated      somebody says that it is theirs, and nobody is sure who they are: it holds nothing against anybody
    consented   somebody let the case stand on them: as firm as `own` against others
    counted     the case stood on it when it was decided
    named       somebody was named, and nobody has asked them: it holds nothing against anybody
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import StringConstraints

from schemas.contracts.department_policy import Name
from schemas.values.actor import Actor
from schemas.values.model import Model

ReservedKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+:/._-]{1,200}$")]
"""What is reserved: codes and opaque references, never a name, a number of a person or a text."""


class Hold(StrEnum):
    """How firmly a case holds a key."""

    OWN = "own"
    STATED = "stated"
    CONSENTED = "consented"
    COUNTED = "counted"
    NAMED = "named"


class Occasion(StrEnum):
    """When a case asks. DOOR: it is accepted; DECIDED: somebody is about to decide; TAKEN: and with it, it is decided.

    ADVANCED: with it something is given before it is decided, for those who let the case stand on them.
    SURE: it comes to be sure whose it is. Where another case has it for itself, it stays stated, and nothing is refused: both
    go on, and whoever decides meets the other.
    """

    DOOR = "door"
    SURE = "sure"
    DECIDED = "decided"
    ADVANCED = "advanced"
    TAKEN = "taken"


class Claim(Model):
    """What a case reserves. Once decided, whoever is `named` in it counts; where something is given before, who `consents`."""

    key: ReservedKey
    hold: Hold
    consents: bool = False


class ReservedCase(Model):
    """A claim of another living case. `place`: who came first, the lower one."""

    case_id: str
    key: str
    hold: Hold
    place: int


@dataclass(frozen=True)
class Debts:
    """Living cases of a procedure by which somebody of these owes something of a benefit: they stand in the way too."""

    procedure: str
    benefit: str
    people: tuple[str, ...]


@dataclass(frozen=True)
class Reserves:
    """What a procedure's cases reserve: of which kind, by which claims, and at which of their commands they are asked about.

    `says` what is the matter when another case stands in the way. `claims` (state, whether it is sure whose it is). `occasion`
    (state, command, body as it came in): None where the command decides nothing about it. `sure` (the same, and who gives it):
    whether it is sure whose it is once that command is carried out. `debts` (state, command, occasion): what must not be owed; None
    where nothing is asked. `completed` (state, policy): what a case from before does not know of itself; `pairs` (policy): the same
    for cases that live, by what they hold.
    """

    kind: str
    says: Name
    claims: Callable[[Any, bool], tuple[Claim, ...]]
    occasion: Callable[[Any, str, Any], Occasion | None]
    sure: Callable[[Any, str, Any, Actor], bool]
    debts: Callable[[Any, str, Occasion], Debts | None] = lambda _state, _command, _occasion: None
    completed: Callable[[Any, Any], Any] = lambda state, _policy: state
    pairs: Callable[[Any], Mapping[str, tuple[str, ...]]] = lambda _policy: {}


FIRM_AT_THE_DOOR = frozenset({Hold.OWN, Hold.CONSENTED})
FIRM = FIRM_AT_THE_DOOR | {Hold.COUNTED}
AT_THE_DOOR = frozenset({Occasion.DOOR, Occasion.SURE})


def in_the_way(
    claims: Iterable[Claim],
    others: Iterable[ReservedCase],
    place: int | None,
    occasion: Occasion,
    held: Mapping[str, Hold],
) -> tuple[str, ...]:
    """The cases that stand in the way, by number; empty when none does.

    `place` is this case's own (None: it has none yet, and comes last), `held` how firmly it holds its keys already. Where two
    cases stand on each other, the earlier one goes on; so does one that counted somebody before they came by themselves.
    """
    mine = {claim.key: claim.hold for claim in claims}
    own = {key for key, hold in mine.items() if hold in (Hold.OWN, Hold.STATED)}
    by_case: dict[str, list[ReservedCase]] = defaultdict(list)
    for other in others:
        if other.key in mine:
            by_case[other.case_id].append(other)
    found = []
    for case_id, standings in by_case.items():
        names_back = any(each.key in own for each in standings)
        comes_later = place is not None and place < min(each.place for each in standings)
        for each in standings:
            if each.key in own:
                stands = each.hold in (FIRM_AT_THE_DOOR if occasion in AT_THE_DOOR else FIRM)
            else:
                goes_first = comes_later and (names_back or held.get(each.key) is Hold.COUNTED)
                stands = occasion not in AT_THE_DOOR and each.hold in FIRM and not goes_first
            if stands:
                found.append(case_id)
                break
    return tuple(sorted(found))


def unsure(claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """The claims of a case whose own another case has: they are only stated."""
    return tuple(
        claim.model_copy(update={"hold": Hold.STATED}) if claim.hold is Hold.OWN else claim for claim in claims
    )


def taken(claims: Sequence[Claim], occasion: Occasion = Occasion.TAKEN) -> tuple[Claim, ...]:
    """The claims as they are kept. Decided, whoever was only named counts from now on; given before that, who consents."""
    return tuple(
        claim.model_copy(update={"hold": Hold.COUNTED}) if _counts(claim, occasion) else claim for claim in claims
    )


def _counts(claim: Claim, occasion: Occasion) -> bool:
    given_before = occasion is Occasion.ADVANCED and claim.consents
    return claim.hold is Hold.NAMED and (occasion is Occasion.TAKEN or given_before)
