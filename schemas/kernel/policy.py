"""The town's rules for a procedure: policies/NAME.yaml as data. Each procedure derives its own shape."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import ClassVar, NamedTuple

from schemas.clocks.clock_schedule import Tier
from schemas.clocks.limits import Limit
from schemas.contracts.department_policy import Name
from schemas.values.model import Model
from schemas.values.tidy_text import is_blank

NOT_A_DEPARTMENT = "is no department of departments.yaml; mend the code or add the department there"


class OnCall(StrEnum):
    """Who may be called for a duty while the offices are closed."""

    NOBODY = "nobody"  # it counts in working hours or in days
    DUTY_LEADER = "duty_leader"  # it counts around the clock: water, power, urgent aid
    EVERYBODY = "everybody"  # an emergency


class Duty(NamedTuple):
    """A limit that somebody has to keep, where it stands in the policy, and who hears when it is not kept."""

    place: str
    limit: Limit
    tiers: tuple[Tier, ...]
    on_call: OnCall = OnCall.NOBODY

    @property
    def name(self) -> str:
        """The field of the limit."""
        return self.place.rpartition(".")[2]


class Policy(Model):
    """What every policy file has. A case keeps the version that it started with.

    `departments` are the codes of departments.yaml: the loader fills them in, the file leaves them out. `WINDOWS`: the fields
    of limits that nobody has to keep, for their end decides something; every other limit is among the `duties`.
    """

    WINDOWS: ClassVar[frozenset[str]] = frozenset()

    version: str
    departments: tuple[str, ...] = ()

    def duties(self) -> Iterator[Duty]:
        """Every limit that somebody has to keep."""
        raise NotImplementedError

    def names(self) -> Mapping[str, Name]:
        """What the codes that it lists are called, for whoever has to choose one."""
        return {}

    def searched(self) -> tuple[str, ...]:
        """What people look for by words of their own (policies/synonyms.yaml): none, unless there is a list of matters."""
        return ()

    def is_told_to_all(self, matter: str) -> bool:  # noqa: ARG002 - of no matter, unless the town says so
        """Whether everybody may hear that there is an open case of this matter in a community, and no more of it than that."""
        return False

    def areas_named(self) -> Mapping[str, str]:
        """The codes of areas that it names, by where they stand in it: each is one of areas.yaml."""
        return {}

    def faults(self) -> Iterator[str]:
        """Say what is wrong although each field is well formed: place, what, remedy."""
        if is_blank(self.version):
            yield "version: is blank; count it up with every change"
