"""The recorded clocks of real cases under other limits: reads rows, judges by `schemas/audit/what_if.py`, touches nothing."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from audit.replay.reading import SQL
from schemas.audit.what_if import Judged, WhatIf, judge, summarise
from schemas.kernel.case import ruled_by
from schemas.kernel.policy import Policy
from schemas.kernel.procedure import Procedure

READ_AT_ONCE = 200


async def what_if(
    pool: asyncpg.Pool,
    procedures: Sequence[Procedure],
    policies: Mapping[str, Policy],
    *,
    real_now: datetime,
    now: datetime,
    since: datetime | None,
    before: datetime | None = None,
) -> WhatIf:
    """Judge the cases of these procedures, each at `real_now` by its own clock; `now` is the town's.

    `policies` by procedure; children go by that of the case they began with, as they do when they live.
    """
    ruled = {each.name: each for each in procedures if each.limits and (each.parent or each.name in policies)}
    courses: list[Judged] = []
    cases = 0
    async with pool.acquire() as connection, connection.transaction(readonly=True):
        async for row in connection.cursor(SQL.recorded_clocks, since, before, sorted(ruled), prefetch=READ_AT_ONCE):
            policy = policies.get(ruled_by(row["snapshot"]["case_id"]))
            if policy is not None:
                courses += _judged(ruled[row["procedure"]], row["snapshot"], policy, real_now)
                cases += 1
    versions = {name: policy.version for name, policy in policies.items()}
    return summarise(courses, cases=cases, now=now, since=since, before=before, policies=versions)


def _judged(procedure: Procedure, snapshot: Any, policy: Policy, real_now: datetime) -> Iterator[Judged]:
    if procedure.limits is None:
        return
    state = procedure.state.model_validate(snapshot)
    now = max(state.charter.time.to_town(real_now), state.last_at or state.opened_at)
    yield from judge(state, procedure.limits(state, policy), now)
