"""What is asked of the memory of gauges: what is known of each, and which have been silent for long."""

from engine.store.database import Queries


class GaugeQueries(Queries):
    """engine/queries/gauges.sql."""

    known: str
    begin: str
    change: str
    platform_speaks: str
    longest_silent: str
    silence_told: str


SQL = GaugeQueries.load("gauges")
