"""Finding the state of a case, whoever asks; what has not changed since it was last read here is not taken apart anew.

Between the question whether a command may come in and the answer to it, and from one command to the next, the same state
is wanted several times; to read and check one costs as much as all else that a request does. Whoever asks for it gets what
the database has; only what was written as the answer to a command, and what lets one come in, is taken as it was last read.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from schemas.kernel.case import CaseState
from schemas.kernel.procedure import Procedure
from starter.cases.case_queries import SQL
from starter.http.database import Connection

KEPT_AT_MOST = 128
"""As many as are asked about at once, and some more; each takes some ten kilobytes."""


@dataclass(frozen=True)
class CaseText:
    """A case as the database has it. `version` is another one after every writing of its row."""

    procedure: str
    version: str
    snapshot: str


class CaseStates:
    """States of cases. They are shared by all who ask: nobody changes one. Raises what asyncpg raises."""

    def __init__(self, procedures: Mapping[str, Procedure]) -> None:
        self._procedures = procedures
        self._kept: OrderedDict[str, tuple[str, CaseState]] = OrderedDict()

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._kept)

    async def find(self, connection: Connection, case_id: str) -> CaseState | None:
        """The state as the case last told, or as it will start; for whom it is to be seen is the caller's to ask."""
        state = await self.standing(connection, case_id)
        if state is not None:
            return state
        row = await connection.fetchrow(SQL.start_of_case, case_id)
        known = self._procedures.get(row["procedure"]) if row and row["snapshot"] else None
        return known.state.model_validate_json(row["snapshot"]) if row and known else None

    async def standing(self, connection: Connection, case_id: str) -> CaseState | None:
        """The state of a case that has told of itself: its first entries are in the ledger. None before that."""
        version, state = self._kept.get(case_id, (None, None))
        row = await connection.fetchrow(SQL.find_case, case_id, version)
        if row is None or row["procedure"] not in self._procedures:
            return None
        if row["snapshot"] is not None:
            return self.learn(case_id, CaseText(row["procedure"], row["version"], row["snapshot"]))
        if case_id in self._kept:
            self._kept.move_to_end(case_id)
        return state

    def recent(self, case_id: str) -> CaseState | None:
        """The state as it was last read here, which may be a moment ago; None where nothing is kept of it."""
        return self._kept[case_id][1] if case_id in self._kept else None

    def learn(self, case_id: str, text: CaseText) -> CaseState:
        """Keep what was read of a case, and return it taken apart. What was read before it and comes after it is not kept."""
        state = self._procedures[text.procedure].state.model_validate_json(text.snapshot)
        recent = self.recent(case_id)
        if recent is None or recent.seq <= state.seq:
            self._kept[case_id] = (text.version, state)
            self._kept.move_to_end(case_id)
        while len(self._kept) > KEPT_AT_MOST:
            self._kept.popitem(last=False)
        return state

    def forget(self, case_id: str) -> None:
        """The case has told more than is kept of it here."""
        self._kept.pop(case_id, None)

    def forget_all(self) -> None:
        """What cases have told meanwhile is not known."""
        self._kept.clear()
