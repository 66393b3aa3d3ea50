"""policies/advice.yaml: how far the town lets figures advise it. Without the file the defaults below hold."""

from datetime import timedelta

from pydantic import Field

from schemas.values.model import Model


class DispatchHelpRules(Model):
    """Proposals of category and department.

    `offered`: whether any are made. `takes_above_percent`: a report without a category gets the first proposal if it is at least so
    probable; below, the coordination centre decides, and above 100 always. `learns_above_percent`: a model that is right
    less often, on what it has not seen, is not taken into use.
    """

    offered: bool = True
    takes_above_percent: int = Field(default=80, ge=50, le=101)
    learns_above_percent: int = Field(default=60, ge=0, le=100)


class HotSpotRules(Model):
    """The same trouble reported again and again.

    `days`: so far back is looked. `metres`: so near two places are one. `reports_at_least` of `people_at_least` different people
    make a hot spot. `joint_people_at_least` people, or so many communities: it is more than one department's.
    """

    days: int = Field(default=14, ge=1, le=92)
    metres: int = Field(default=300, ge=10, le=5000)
    reports_at_least: int = Field(default=3, ge=2)
    people_at_least: int = Field(default=2, ge=1)
    joint_people_at_least: int = Field(default=10, ge=2)
    joint_communities_at_least: int = Field(default=3, ge=2)

    @property
    def period(self) -> timedelta:
        """So far back is looked."""
        return timedelta(days=self.days)


class WeakPointRules(Model):
    """What grew worse than chance.

    `months_before`: with what a month is compared. Fewer than `cases_at_least` cases, or `wrong_at_least` that went wrong, say
    nothing.
    `false_percent`: of what is shown, so much may be chance.
    """

    months_before: int = Field(default=6, ge=1, le=24)
    cases_at_least: int = Field(default=8, ge=1)
    wrong_at_least: int = Field(default=3, ge=1)
    false_percent: int = Field(default=5, ge=1, le=20)


class AdvicePolicy(Model):
    """The file as a whole."""

    version: str = "default"
    dispatch_help: DispatchHelpRules = DispatchHelpRules()
    hot_spots: HotSpotRules = HotSpotRules()
    weak_points: WeakPointRules = WeakPointRules()
