"""The episodes of gauges: what is known of each gauge is one row, and an incident is opened once for each episode.

The incident is kept before the gauge's row says that it was: where that is lost, the same reading comes again, and its episode
opens the same incident, for its key is the gauge and since when. Who changed the row meanwhile is heard: it is looked at again.
"""

from datetime import datetime

from engine.store.gauges import SQL
from schemas.clocks.calendar import in_shanghai
from schemas.contracts.gauges import Gauge, GaugeRule, GaugeState, heard
from schemas.incident_report import IncidentReport
from schemas.values.actor import Actor, Channel, Role
from schemas.values.refusals import RefusalCode, say
from starter.http.database import PoolOf, reading
from starter.http.problems import Problem, ProblemCode
from starter.incident import OPENING
from starter.intake.filing import Filing
from starter.intake.intake import Sender

LOOKS = 5
"""So often one reading looks again, when others have changed the same gauge; then it is to be sent again."""


class Episodes:
    """Hears readings, and opens incidents."""

    def __init__(self, filing: Filing, pool: PoolOf) -> None:
        self._filing, self._pool = filing, pool

    async def hear(self, gauge: Gauge, value: int, at: datetime) -> bool:
        """Hear a reading; whether an episode begins with it. Raises Problem: it is to be sent again."""
        rule = self._filing.town.gauges.kinds[gauge.kind]
        for _ in range(LOOKS):
            known, version = await self._known(gauge)
            state, episode = heard(known, value, at, rule)
            if state == known:
                return False
            if episode is not None:
                await self._open(
                    gauge,
                    f"{gauge.code} {in_shanghai(episode).isoformat()}",
                    rule.category,
                    _says(gauge, rule, in_shanghai(episode)),
                )
            if await self._keep(gauge, state, version):
                return episode is not None
        raise _not_yet_taken()

    async def look_for_silent_ones(self, platform: str) -> None:
        """Ask for the mending of the gauge of a platform that has been silent longest, if that is too long, once a silence.

        One at a time: what else is silent is found by the next reading. While the platform itself was away
        nobody knows. Raises Problem as `hear`.
        """
        policy, now = self._filing.town.gauges, self._filing.intake.now()
        async with reading(self._pool) as connection:
            speaking_since = await connection.fetchval(SQL.platform_speaks, platform, now, policy.away)
        for kind, rule in policy.kinds.items():
            if rule.silence is None or speaking_since > now - rule.silence:
                continue
            codes = [each.code for each in policy.gauges if (each.platform, each.kind) == (platform, kind)]
            async with reading(self._pool) as connection:
                row = await connection.fetchrow(SQL.longest_silent, platform, now - rule.silence, codes)
            gauge = None if row is None else policy.gauge(platform, row["gauge"])
            if row is None or gauge is None:
                continue
            since: datetime = row["last_at"]
            await self._open(
                gauge,
                f"{gauge.code} silent {in_shanghai(since).isoformat()}",
                rule.repair_category,
                _silent(gauge, rule, in_shanghai(since)),
            )
            async with reading(self._pool) as connection:
                await connection.execute(SQL.silence_told, platform, gauge.code, since)

    async def _known(self, gauge: Gauge) -> tuple[GaugeState | None, int]:
        async with reading(self._pool) as connection:
            row = await connection.fetchrow(SQL.known, gauge.platform, gauge.code)
        return (None, 0) if row is None else (GaugeState.model_validate(row["state"]), int(row["version"]))

    async def _keep(self, gauge: Gauge, state: GaugeState, version: int) -> bool:
        """Keep what is known now; False: another one has changed it meanwhile."""
        said = (gauge.platform, gauge.code, state.model_dump(mode="json"), state.last_at)
        async with reading(self._pool) as connection:
            if version == 0:
                return await connection.fetchval(SQL.begin, *said) is not None
            return await connection.fetchval(SQL.change, *said, version) is not None

    async def _open(self, gauge: Gauge, key: str, category: str, description: str) -> None:
        name = f"gauges:{gauge.platform}"
        # No token has this role: the signature of the platform vouches for it.
        sender = Sender(name, key, Actor(subject=name, role=Role.ENGINE, channel=Channel.DEVICE))
        report = IncidentReport(
            category=category, description=description, location=gauge.location, channel=Channel.DEVICE
        )
        try:
            await OPENING.accept(self._filing, sender, report)
        except Problem as problem:
            if problem.code != RefusalCode.KEY_REUSED:  # it was opened, when the policy called things otherwise
                raise


def _says(gauge: Gauge, rule: GaugeRule, since: datetime) -> str:
    zh = f"测点 {gauge.code}({rule.name.zh})自 {since:%Y-%m-%d %H:%M} 起高于 {rule.opens_above} {rule.unit.zh}"
    return (
        f"{zh} Gauge {gauge.code} ({rule.name.en}) above {rule.opens_above} {rule.unit.en} since {since:%Y-%m-%d %H:%M}"
    )


def _silent(gauge: Gauge, rule: GaugeRule, since: datetime) -> str:
    zh = f"测点 {gauge.code}({rule.name.zh})自 {since:%Y-%m-%d %H:%M} 起没有读数,请检修"
    return f"{zh} Gauge {gauge.code} ({rule.name.en}) has said nothing since {since:%Y-%m-%d %H:%M}: it is to be mended"


def _not_yet_taken() -> Problem:
    return Problem(
        ProblemCode.NOT_YET_TAKEN,
        say("尚未确认受理,请重发", "it is not known yet whether it is taken: send it again"),
        headers={"Retry-After": "1"},
    )
