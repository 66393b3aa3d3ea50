"""What a town has decided: its policies, and what follows from them for what comes in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from schemas.contracts.department_policy import DepartmentRegister
from schemas.contracts.gauges import GaugePolicy
from schemas.kernel.case import Charter
from schemas.kernel.policy import Policy
from schemas.kernel.procedure import Procedure
from schemas.values.area_shapes import AreaShapes
from schemas.values.areas import Areas
from starter.http.command_bodies import CommandBody
from starter.http.dependencies import dependency
from starter.intake.choices import Names


@dataclass(frozen=True)
class TownRules:
    """Read once, when an API is built. Policies, charters and procedures by procedure; doors by procedure and command.

    `shapes`: those of its areas, where it has some. `houses`: where the households of the town's lists live, by code.
    `gauges`: what measures by itself there.
    """

    policies: Mapping[str, Policy]
    charters: Mapping[str, Charter]
    procedures: Mapping[str, Procedure]
    doors: Mapping[str, Mapping[str, CommandBody]]
    departments: DepartmentRegister
    areas: Areas
    names: Names
    synonyms: Mapping[str, tuple[str, ...]]
    shapes: AreaShapes | None
    gauges: GaugePolicy = field(default_factory=GaugePolicy)
    houses: Mapping[str, str] = field(default_factory=dict, repr=False)


TownRulesOf = Annotated[TownRules, dependency(TownRules)]
