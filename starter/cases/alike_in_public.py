"""Whether others have reported it: what somebody without an account is told before they report it once more.

Only of matters of which the town lets everybody hear (`Policy.is_told_to_all`), and only that: the matter, the community, the day
and the stage. No number, no place inside the community, no text, nobody.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg

from schemas.contracts.department_policy import Name
from schemas.kernel.procedure import Procedure
from schemas.values.area import community_of
from schemas.values.model import Model
from schemas.words.titles import words_for_residents
from starter.cases.case_queries import SQL
from starter.http.database import reading

WITHIN = timedelta(days=7)
AT_MOST = 5


class OpenAlready(Model):
    """An open case of the same matter in the same community."""

    opened_at: datetime
    stage: Name


async def open_already(  # noqa: PLR0917 - of what, where and when
    pool: asyncpg.Pool, procedure: Procedure, matter: str, area: str, stages: Sequence[str], now: datetime
) -> list[OpenAlready]:
    """The newest of them; none for an area that is wider than a community.

    Whether the town lets everybody hear of the matter, the caller has asked. Raises Problem 503.
    """
    community = community_of(area)
    if community is None:
        return []
    async with reading(pool) as connection:
        rows = await connection.fetch(
            SQL.alike_in_public, procedure.name, matter, community, list(stages), now - WITHIN, AT_MOST
        )
    return [OpenAlready(opened_at=row["opened_at"], stage=words_for_residents(row["stage"], procedure)) for row in rows]
