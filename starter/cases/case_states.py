"""Finding the state of a case, whoever asks; what has not changed since it was last read here is not taken apart anew.

Between the question whether a command may come in and the answer to it, and from one command to the next, the same state
is wanted several times; to read and check one costs as much as all else that a request does. Whoever asks for it gets what
the database has; only what was written as the answer to a command, and what lets one come in, is taken as it was last read.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from schemas.clocks.clocks import Clock
from schemas.kernel.case import CaseState
from schemas.kernel.procedure import Procedure
from schemas.kernel.row_change import RowChange
from schemas.values.actor import Written
from starter.cases.case_queries import SQL
from starter.http.database import Connection

KEPT_AT_MOST = 128
"""As many as are asked about at once, and some more; each takes some ten kilobytes."""


@dataclass(frozen=True)
class CaseText:
    """A case as the database has it. `version` is another one after every writing of its row.

    `row_digest` names the row as the case told it; None where somebody else had a hand in it.
    """

    procedure: str
    version: str
    snapshot: str
    row_digest: str | None = None


@dataclass(frozen=True)
class _Kept:
    version: str
    state: CaseState
    row_digest: str | None


class CaseStates:
    """States of cases. They are shared by all who ask: nobody changes one. Raises what asyncpg raises."""

    def __init__(self, procedures: Mapping[str, Procedure]) -> None:
        self._procedures = procedures
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

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
        kept = self._kept.get(case_id)
        row = await connection.fetchrow(SQL.find_case, case_id, kept and kept.version)
        if row is None or row["procedure"] not in self._procedures:
            return None
        if row["snapshot"] is not None:
            return self.learn(case_id, CaseText(row["procedure"], row["version"], row["snapshot"], row["row_digest"]))
        if case_id in self._kept:
            self._kept.move_to_end(case_id)
        return kept.state if kept else None

    def recent(self, case_id: str) -> CaseState | None:
        """The state as it was last read here, which may be a moment ago; None where nothing is kept of it."""
        return self._kept[case_id].state if case_id in self._kept else None

    def written(self, state: CaseState) -> Written:
        """How far the ledger has a case of which this state was read here."""
        kept = self._kept.get(state.case_id)
        known = kept is not None and kept.state.head_hash == state.head_hash
        return Written(seq=state.seq, head_hash=state.head_hash, row=kept.row_digest if kept and known else None)

    def learn(self, case_id: str, text: CaseText) -> CaseState:
        """Keep what was read of a case, and return it taken apart. What was read before it and comes after it is not kept."""
        state = self._procedures[text.procedure].state.model_validate_json(text.snapshot)
        recent = self.recent(case_id)
        if recent is None or recent.seq <= state.seq:
            self._kept[case_id] = _Kept(text.version, state, text.row_digest)
            self._kept.move_to_end(case_id)
        while len(self._kept) > KEPT_AT_MOST:
            self._kept.popitem(last=False)
        return state

    def knows(self, case_id: str, change: RowChange) -> bool:
        """Whether a row that a change may be put onto is kept here."""
        kept = self._kept.get(case_id)
        return kept is not None and kept.row_digest in change.onto

    def learn_change(self, case_id: str, text: CaseText, change: RowChange) -> None:
        """Keep what came of a change that was written; taken apart is only what changed. `text` has no snapshot.

        What is kept is forgotten where it is no row that the change may be put onto, or a state of ours has no such field: the
        next who asks reads it.
        """
        kept = self._kept.pop(case_id, None)
        if kept is None or kept.row_digest not in change.onto:
            return
        state = kept.state.model_copy()
        try:
            for name, value in change.snapshot.items():
                state.__pydantic_validator__.validate_assignment(state, name, value)
            clocks = {name: Clock.model_validate(clock) for name, clock in change.clocks.items()}
        except ValidationError:
            return
        state.clocks = {**kept.state.clocks, **clocks}
        self._kept[case_id] = _Kept(text.version, state, text.row_digest)

    def forget(self, case_id: str, head_hash: str = "") -> None:
        """The case has told more than is kept of it here, unless that is what it told: `head_hash` is of its last entry."""
        kept = self._kept.get(case_id)
        if kept is not None and kept.state.head_hash != head_hash:
            del self._kept[case_id]

    def forget_all(self) -> None:
        """What cases have told meanwhile is not known."""
        self._kept.clear()
