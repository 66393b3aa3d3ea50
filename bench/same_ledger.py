"""Our ledger for somebody who is compared with us: the same entries in a chain, the same row of the case, one statement each.

It lies in a schema of its own, so that the town's archiver and notices do not take its cases for theirs.
"""

from datetime import UTC, datetime
from typing import Self

import asyncpg
from pydantic import SecretStr

from activities.ledger import Ledger
from bench.shape import REPORT
from engine.policies.department_policy import load_departments
from engine.policies.office_hours import load_town_calendar
from engine.policies.policies import load_policy
from engine.runtime.settings import PROJECT, Settings
from engine.store.announcer import Announcer
from engine.store.database import open_pool
from schemas.audit.ledger import Batch, facts_of, row_of
from schemas.clocks.town_time import TownTime
from schemas.incident import INCIDENT
from schemas.incident_policy import IncidentPolicy
from schemas.incident_report import IncidentReport, KeptReport, open_incident
from schemas.incident_state import IncidentState
from schemas.kernel.case import GENESIS, Charter, Entry
from schemas.values.actor import Actor, Channel, Role

SCHEMA = "bench_same_ledger"
TABLES = ("cases", "ledger", "outbox")
OPENED_AT = datetime(2026, 11, 23, 4, tzinfo=UTC)
RESIDENT = Actor(subject="resident-bench", role=Role.RESIDENT, channel=Channel.APP)


class SameLedger:
    """Writes what a case of ours would write, one entry at a time."""

    def __init__(self, pool: asyncpg.Pool, announcer: Announcer | None = None) -> None:
        """Use `open` for tables of its own. `announcer` as that of a worker."""
        self._ledger = Ledger(pool, announcer=announcer)
        self._opened = opened()

    @classmethod
    async def open(cls, database: str) -> Self:
        """Make the tables where they are missing. `database` is one that has ours."""
        url = SecretStr(f"{database}?search_path={SCHEMA},public")
        own = await open_pool(Settings().model_copy(update={"database_url": url}), process="bench same ledger")
        await own.execute(f"create schema if not exists {SCHEMA}")
        for table in TABLES:
            await own.execute(f"create table if not exists {SCHEMA}.{table} (like public.{table} including all)")
        return cls(own, Announcer(own))

    async def write(self, case: str, seq: int, before: str, stage: str) -> str:
        """Entry `seq` after the one with the hash `before`, and the row as it stands then. Returns the entry's hash."""
        entry = Entry(
            case_id=case, seq=seq, at=OPENED_AT, actor=RESIDENT, kind=f"bench:{stage}", facts={"stage": stage},
            prev_hash=before or GENESIS,
        ).sealed()  # fmt: skip
        state = self._opened.model_copy(
            update={"case_id": case, "seq": seq, "head_hash": entry.hash, "last_at": entry.at, "stage": stage}
        )
        now = datetime.now(UTC)
        await self._ledger.write(
            Batch(
                row=row_of(state, facts_of(state)),
                run_id="bench",
                first_run_id="bench",
                task_at=now,
                entries=(entry,),
            )
        )
        return entry.hash


def opened() -> IncidentState:
    """The standard case as it begins, by the town's own rules. Its clocks do not run: the row is half as long as ours."""
    register = load_departments(PROJECT / "policies" / "departments.yaml")
    policy = load_policy(INCIDENT, PROJECT / "policies", tuple(each.code for each in register.departments))
    assert isinstance(policy, IncidentPolicy)  # noqa: S101 - the procedure says which policy is its own
    text = "text:" + "0" * 26
    return open_incident(
        IncidentReport.model_validate(REPORT),
        KeptReport(person="person:" + "0" * 26, details=None, category=None, description=text, address=text),
        case_id="bench",
        command_id="",
        actor=RESIDENT,
        policy=policy,
        charter=Charter(
            policy_version=policy.version,
            calendar=load_town_calendar(PROJECT / "policies"),
            time=TownTime.starting(OPENED_AT, OPENED_AT, 1),
        ),
        at=OPENED_AT,
    )
