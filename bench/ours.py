"""Jiceng as a contender: through its starter API, with everything on."""

import asyncio
from collections.abc import Mapping
from typing import Any

import asyncpg
import httpx
from temporalio.client import Client

from bench.contender import PAUSE_SECONDS, history_of, with_parts
from bench.processes import pids_of
from bench.shape import Body, Shape, Step
from engine.keys.keys import Keys
from engine.keys.tokens import issue
from local.simulation.pictures import PICTURE
from local.town.town import Town
from local.town.town_processes import PROCESSES

SERVING = ("temporal", "postgres", *(each.name for each in PROCESSES if not each.demo))
"""Everything of a town that runs beside the simulations."""

CLOCKS = {"settled": "score"}
"""What is no stage of the case: by which clock, once it runs, everybody sees it."""


class Ours:
    """Jiceng, and the people of a shape with their tokens."""

    name = "jiceng"

    def __init__(self, town: Town, keys: Keys, pool: asyncpg.Pool, temporal: Client, shape: Shape) -> None:
        self.town, self._pool, self._temporal, self._shape = town, pool, temporal, shape
        self._http = httpx.AsyncClient(base_url=town.settings.api_url, trust_env=False, timeout=60)
        self._documents: list[dict[str, object]] = []
        self.accepted = 0
        self._tokens = {
            name: issue(keys, subject=person.subject, role=person.role, department=person.department)
            for name, person in shape.people.items()
        }

    async def prepare(self) -> None:
        """Upload the documents that every report names, once: the same person may name them again."""
        for kind in self._shape.papers:
            headers = self._headers(self._shape.reporter) | {"Content-Type": "image/png"}
            answer = await self._http.post("/api/v1/documents", content=PICTURE + kind.encode(), headers=headers)
            self._documents.append({"kind": kind, "document": answer.raise_for_status().json()})

    async def start(self, number: int) -> str:
        """Report it until the case stands in the ledger: 202 is an acceptance, not a case."""
        report = dict(self._shape.report(number))
        if self._documents:
            report["documents"] = self._documents
        done = await self._until_done(self._shape.path, report, self._shape.reporter, f"b-{number}")
        return str(done["case_id"])

    async def ready(self, case: str, step: Step) -> None:
        """Read the case, each time waiting for what may bring it; a child case that is not there yet is asked for again."""
        if not step.after:
            return
        is_stage = step.after != "stands" and step.after not in CLOCKS
        wait = {"wait": f"stage:{step.after}"} if is_stage else {}
        while True:
            path = f"/api/v1/cases/{step.target(case)}"
            answer = await self._http.get(path, params=wait, headers=self._headers(step.by))
            if answer.status_code == httpx.codes.NOT_FOUND:
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            shown = answer.raise_for_status().json()
            if _has_come(step.after, shown):
                return
            if not is_stage:
                wait = {"wait": f"seq:{shown['seq'] + 1}"}

    async def command(self, case: str, step: Step, key: str) -> None:
        """Give it until the case has taken it."""
        await self._until_done(f"/api/v1/cases/{step.target(case)}/commands/{step.command}", step.body, step.by, key)

    async def _until_done(self, path: str, body: Body, by: str, key: str) -> dict[str, Any]:
        while True:
            answer = await self._http.post(path, json=body, headers=self._headers(by) | {"Idempotency-Key": key})
            if answer.is_client_error:
                raise RuntimeError(f"{path}: {answer.text}")
            if answer.status_code != httpx.codes.ACCEPTED:
                done: dict[str, Any] = answer.raise_for_status().json()
                return done
            self.accepted += 1

    async def rest(self) -> None:
        """Until no errand is under way."""
        while await self._pool.fetchval(  # noqa: ASYNC110 - it is the town's processes that it waits for
            "select exists (select from cases where snapshot -> 'errands' <> '[]')"
        ):
            await asyncio.sleep(0.1)

    async def weigh(self, cases: list[str]) -> Mapping[str, float]:
        """Events and bytes by Temporal; rows of the ledger, the outbox, intake and the projection."""
        rows = await self._pool.fetchval(
            "select (select count(*) from ledger where case_id = any($1)) + (select count(*) from outbox where case_id = any($1))"
            " + (select count(*) from intake where case_id = any($1)) + count(*) from cases where case_id = any($1)",
            with_parts(cases, self._shape),
        )
        return await history_of(self._temporal, cases, self._shape) | {"rows": rows / len(cases)}

    def processes(self) -> Mapping[str, int]:
        """The town's own."""
        return pids_of(self.town, *SERVING)

    def _headers(self, by: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._tokens[by]}"}


def _has_come(after: str, shown: Mapping[str, Any]) -> bool:
    clock = CLOCKS.get(after)
    if clock is not None:
        return any(each["name"] == clock and each["status"] == "running" for each in shown["clocks"])
    return after in {"stands", shown["stage"]}
