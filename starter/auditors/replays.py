"""Replays that auditors ask for: does the history of a case lead where it led? Run outside the API, and read later.

`/api/v1/audit/cases/{case_id}/replay` and `/proofs`. One replay at a time in a process of the API: whoever asks meanwhile
is told to wait. What came of each is kept, with who asked.
"""

import asyncio
from datetime import timedelta
from typing import Annotated

import asyncpg
import structlog
from fastapi import APIRouter
from starlette.responses import Response

from audit.replay.apart import SECONDS, NotReplayed, replayed_apart
from audit.verify.verify import verify_cases
from audit.verify.verify_seals import verify_held
from engine.keys.keys import Keys
from engine.runtime.settings import Settings
from engine.store.database import AWAY, NOT_DONE, Queries
from schemas.audit.case_proofs import CaseProofs, KeptRun, ReplayVerdict
from schemas.values.refusals import say
from starter.auditors.audit import auditor_of_case
from starter.cases.reading import ReadingOf
from starter.http.authentication import Caller
from starter.http.database import database
from starter.http.dependencies import dependency
from starter.http.documentation import SIGNED_IN, responses
from starter.http.json_answers import ACCEPTED, json_response
from starter.http.problems import Problem, ProblemCode, database_away, too_many_requests

log = structlog.get_logger()
GIVEN_UP_AFTER = timedelta(seconds=SECONDS + 30)
BUSY_SECONDS = 10
router = APIRouter(prefix="/api/v1/audit/cases/{case_id}", tags=["audit"])
_PROBLEMS = (*SIGNED_IN, "not-your-role", "unknown-case", "not-recorded", "bad-request", "database-away")


class ReplayQueries(Queries):
    """engine/queries/replays.sql."""

    one_at_a_time: str
    latest_replay: str
    ask_for_replay: str
    end_replay: str


class ProofQueries(Queries):
    """engine/queries/case_proofs.sql."""

    sealed_until: str
    kept_runs: str


SQL = ReplayQueries.load("replays")
PROOFS = ProofQueries.load("case_proofs")


class Replays:
    """Asks for replays and keeps what came of them. Methods raise Problem 503 without Postgres."""

    def __init__(self, pool: asyncpg.Pool, keys: Keys, settings: Settings) -> None:
        """`keys`: whose stamps are believed."""
        self._pool = pool
        self._keys = keys
        self._settings = settings
        self._running: set[asyncio.Task[None]] = set()
        self._asking = asyncio.Lock()

    async def latest(self, case_id: str) -> ReplayVerdict | None:
        """The last one that somebody asked for; None: nobody ever did."""
        async with database(self._pool) as connection:
            row = await connection.fetchrow(SQL.latest_replay, case_id)
        return None if row is None else _verdict(row)

    async def ask(self, case_id: str, asked_by: str) -> ReplayVerdict:
        """Begin one, unless one of this case runs already: then that. Raises Problem 429: another case is being replayed."""
        async with self._asking:  # until it runs, so that of several who ask at the same moment one begins
            async with database(self._pool) as connection:
                await connection.execute(SQL.one_at_a_time, case_id)
                row = await connection.fetchrow(SQL.latest_replay, case_id)
                if row is not None and row["running"]:
                    return _verdict(row)
                if self._running:
                    raise too_many_requests(BUSY_SECONDS)
                asked = _verdict(await connection.fetchrow(SQL.ask_for_replay, case_id, asked_by, GIVEN_UP_AFTER))
            task = asyncio.create_task(self._replay(asked), name=f"replay {asked.number}")
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return asked

    async def proofs(self, case_id: str) -> CaseProofs:
        """What vouches for a case now, with the last replay."""
        async with database(self._pool) as connection:
            sealed = await connection.fetchrow(PROOFS.sealed_until, case_id)
            runs = await connection.fetch(PROOFS.kept_runs, case_id)
        try:
            [chain] = [each async for each in verify_cases(self._pool, [case_id], self._keys.stamp_ring)]
            held = await verify_held(self._pool, case_id)
        except AWAY as error:
            raise database_away() from error
        return CaseProofs(
            case_id=case_id,
            chain=chain,
            held=held,
            runs=tuple(KeptRun(**dict(row)) for row in runs),
            replay=await self.latest(case_id),
            **dict(sealed or {}),
        )

    async def stop(self) -> None:
        """End those that run, with their processes."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _replay(self, asked: ReplayVerdict) -> None:
        leads: bool | None = None
        try:
            finding = await replayed_apart(self._settings, asked.case_id)
            leads, detail = finding.ok, finding.detail
        except NotReplayed as fault:
            detail = str(fault)
        try:
            await self._pool.execute(SQL.end_replay, asked.number, leads, detail)
        except NOT_DONE as error:  # it counts as broken off then, and can be asked for again
            log.warning("replay_not_kept", case_id=asked.case_id, number=asked.number, error=type(error).__name__)


ReplaysOf = Annotated[Replays, dependency(Replays)]


@router.get(
    "/proofs",
    summary="佐证 What vouches for a case now",
    responses=responses({200: CaseProofs}, *_PROBLEMS),
)
async def read_proofs(case_id: str, caller: Caller, reading: ReadingOf, replays: ReplaysOf) -> CaseProofs:
    """Its chain, checked; seals and archive, as far as they concern it; the last replay. `jiceng audit verify` looks at more."""
    await auditor_of_case(caller, reading, case_id)
    return await replays.proofs(case_id)


@router.get(
    "/replay",
    summary="重放结果 What the last replay of a case led to",
    responses=responses({200: ReplayVerdict}, *_PROBLEMS),
)
async def read_replay(case_id: str, caller: Caller, reading: ReadingOf, replays: ReplaysOf) -> ReplayVerdict:
    """404 `not-recorded` where nobody has asked for one."""
    await auditor_of_case(caller, reading, case_id)
    found = await replays.latest(case_id)
    if found is None:
        raise Problem(ProblemCode.NOT_RECORDED, say("尚未重放过", "nobody has asked for a replay of it"))
    return found


@router.post(
    "/replay",
    summary="重放 Replay a case",
    status_code=ACCEPTED,
    responses=responses({202: ReplayVerdict}, *_PROBLEMS, "too-many-requests"),
)
async def ask_for_replay(case_id: str, caller: Caller, reading: ReadingOf, replays: ReplaysOf) -> Response:
    """Begun, or running already: read what came of it by GET. No idempotency key: asked for again while it runs, it is the same."""
    actor = await auditor_of_case(caller, reading, case_id, "replay_case")
    return json_response(await replays.ask(case_id, actor.subject), ACCEPTED)


def _verdict(row: asyncpg.Record | None) -> ReplayVerdict:
    if row is None:
        raise LookupError("a replay's row has gone inside its own transaction")
    return ReplayVerdict(**dict(row))
