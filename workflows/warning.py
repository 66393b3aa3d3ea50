"""warning 预警: a warning names who is in danger, somebody answers for each, door by door, until everybody is back.

    issued -> watching -> calling -> moving -> sheltered -> clearing -> returning -> reviewing -> closed
    issued -> dismissed        issued, watching, calling -> cancelled        watching -> closed
    sheltered, clearing, returning -> moving (worse again)

1. What the issuer says in orange or red holds at once, and is asked of nobody. What a rule of the town has found is looked at
   within minutes; where nobody looks, it goes on by itself, and the supervisor hears so. Less grave, somebody watches.
2. Who leads at each place is called, and answers for it; after minutes who stands in, the street, the department, the district.
3. The order to move names lists; nobody gives it in time, the lists of the level are moved. Each place has one team and one sweep.
   Whoever is on a list stays on that one; who is found on the way is added.
4. Graver, more are moved; less grave calls nobody back. A cancel before anybody is moved ends it; later the all clear is waited
   for.
5. In the shelters people are listed and counted; who lacks is looked for, and the all clear waits for them, or says whose word
   it is.
6. After the all clear two kinds of people look at each place; then its people go home, or are rehoused. When all are, and the
   shelters are empty, it is reviewed, and closed.

Whose word it is stands in `warning_issuer`, who is called in `warning_calls`, who is moved in `warning_moves`, their teams in
`warning_sweeps` and `warning_places`, shelters in `warning_shelters`, over and back in `warning_return`. Silence ends nothing:
after the last tier everybody is called again.
"""

from collections.abc import Sequence
from typing import Any

from schemas.kernel.acts import Step
from schemas.kernel.parties import COORDINATOR, THE_DEPARTMENT, desk_of
from schemas.values.actor import Actor
from schemas.warning import STREET, WARNING
from schemas.warning_commands import ReportCasualty
from schemas.warning_state import Asked, Casualty, Stage, WarningState
from workflows.kernel.procedure_workflow import procedure_workflow
from workflows.parts.drills import DrilledCase
from workflows.parts.unending import Unending
from workflows.warning_issuer import Issued

DESK = desk_of(COORDINATOR)


@procedure_workflow
class Warned(DrilledCase[WarningState], Unending[WarningState], Issued):
    """One warning, until everybody is back."""

    procedure = WARNING

    def reported(self) -> dict[str, Any]:
        """发布: of what, how grave, where, whose word it is, and how many are at risk there."""
        state = self.state
        return {
            **super().reported(),
            "source": state.source,
            "identifiers": state.identifiers,
            "expires": None if state.expires is None else state.expires.isoformat(),
            "points": {code: len(each.households) for code, each in state.points.items()},
        }

    def begin(self) -> None:
        """What a rule has found, or somebody of the grid, is looked at first; everything else holds at once."""
        self.its_time_runs()
        if self.state.is_looked_at_first:
            self.start_clock("confirm")
            self.move(Stage.ISSUED, self.address_of(THE_DEPARTMENT))
            self.notify(
                self.address_of(THE_DEPARTMENT), "warning_to_confirm", hazard=self.state.hazard, level=self.state.level
            )
            return
        self.goes_by_its_level()

    def confirm_warning(self) -> None:
        """核定: so it is."""
        self._is_one()

    def _is_one(self) -> None:
        self.clocks.stop("confirm", "engine")
        self.state.dismissal = None
        self.record_command()
        self.goes_by_its_level()

    def dismiss(self, by: Actor) -> None:
        """提请不予发布: until another person says so too, the minutes run on."""
        self.state.dismissal = Asked(number=1, by=by.subject)
        self.apply()

    def refuse_dismissal(self) -> None:
        """不同意不予发布: so it is one."""
        self._is_one()

    def go_on(self, step: Step) -> None:
        """超时自动启动: nobody has looked, or one of two."""
        self.clocks.stop("confirm", "engine")
        self.state.dismissal = None
        self.record(self.entry_of(step))
        self.inform(step, {})
        self.goes_by_its_level()

    def report_casualty(self, command: ReportCasualty) -> None:
        """伤亡: at once, before any name."""
        said = Casualty(at=self.now(), dead=command.dead, missing=command.missing, hurt=command.hurt)
        self.state.casualties.append(said)
        self.apply()
        self.notify(
            "district_office", "warning_casualty", dead=command.dead, missing=command.missing, hurt=command.hurt
        )
        self.look_whether_all_are_back()

    def everybody(self) -> Sequence[str]:
        """再次上报: the desk, the street and who leads."""
        return (DESK, STREET, THE_DEPARTMENT)
