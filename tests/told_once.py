"""A table that is asked about everybody, everywhere: what each refusal tells of the same person is worked out once."""

from dataclasses import dataclass, field
from datetime import datetime

from schemas.kernel.rules import RulesTable, Standing
from schemas.values.actor import Actor


@dataclass(frozen=True)
class ToldOnce(RulesTable):
    """The table, asked about one person and one state: each refusal names all that is legal, which is worked out once."""

    _legal: list[tuple[str, ...]] = field(default_factory=list)

    def forget(self) -> None:
        """From now on it is asked about somebody else."""
        self._legal.clear()

    def legal(self, state: Standing, actor: Actor, now: datetime) -> tuple[str, ...]:
        """As the table says, the first time."""
        if not self._legal:
            self._legal.append(super().legal(state, actor, now))
        return self._legal[0]
