"""What a town has decided: its policies, and what follows from them for what comes in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from schemas.areas import Areas
from schemas.case import Charter
from schemas.department_policy import DepartmentRegister
from schemas.policy import Policy
from schemas.procedure import Procedure
from starter.choices import Names
from starter.dependencies import dependency
from starter.doors import Door


@dataclass(frozen=True)
class TownRules:
    """Read once, when an API is built. Policies, charters and procedures by procedure; doors by procedure and command."""

    policies: Mapping[str, Policy]
    charters: Mapping[str, Charter]
    procedures: Mapping[str, Procedure]
    doors: Mapping[str, Mapping[str, Door]]
    departments: DepartmentRegister
    areas: Areas
    names: Names
    synonyms: Mapping[str, tuple[str, ...]]


TownRulesOf = Annotated[TownRules, dependency(TownRules)]
