"""A story of an incident: what is reported, with the stage directions for people and departments in its description."""

from dataclasses import dataclass

from local.simulation.townspeople import AS_USUAL, CLERK, Whim
from local.stories.story import Story
from schemas.incident_report import IncidentReport, Reporter
from schemas.incident_state import Stage
from schemas.values.actor import Channel
from schemas.values.location import Location
from starter.client import Started, TownClient


@dataclass(frozen=True, kw_only=True)
class IncidentStory(Story):
    """An incident. `whims`: what happens to it out of the ordinary."""

    category: str
    whims: tuple[Whim, ...] = ()
    coordinates: tuple[float, float] | None = None
    answered_at: frozenset[str] = frozenset((Stage.VERIFYING, Stage.CALLING_BACK, Stage.CLOSED))
    follows_to: str = Stage.CLOSED

    def report(self) -> IncidentReport:
        """What is reported: by the resident, or at the window by somebody without a phone."""
        people = ";".join(self.whims) or AS_USUAL
        at_the_window = self.reporter == CLERK
        latitude, longitude = self.coordinates or (None, None)
        return IncidentReport(
            category=self.category,
            description=f"{self.description}〔人物:{people}〕〔剧本:{self.departments}〕",
            location=Location(address=self.address, area=self.area, lat=latitude, lon=longitude),
            reporter=Reporter(name="周大爷" if at_the_window else "王女士"),
            channel=Channel.WINDOW if at_the_window else Channel.APP,
        )

    async def open(self, client: TownClient, key: str, born_of: str | None) -> Started:  # noqa: ARG002 - of incidents none is
        """Report it."""
        return await client.report(self.report(), key)
