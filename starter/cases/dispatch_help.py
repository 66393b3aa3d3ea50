"""The model of dispatch that the town uses: read when it is first needed, and again when another one was learned."""

import time
from dataclasses import dataclass, field

import structlog

from engine.store.dispatch_models import KeptModel, ModelDamaged, kept_model, newest_model
from schemas.advice.advice_policy import AdvicePolicy
from starter.http.database import Connection

LOOKED_FOR_SECONDS = 5.0
"""So long a process goes on with the model that it has before it asks whether there is a newer one."""

KEPT_AT_MOST = 4
log = structlog.get_logger()


@dataclass
class DispatchHelp:
    """One of each process. Without a model, or where the town wants none, there are no proposals, and nothing else changes."""

    rules: AdvicePolicy
    _models: dict[str, KeptModel] = field(default_factory=dict)
    _newest: str | None = None
    _looked_at: float | None = None

    async def model(self, connection: Connection) -> KeptModel | None:
        """The model in use. None: none was learned, the town wants none, or what is kept of it is damaged (which is logged)."""
        if not self.rules.dispatch_help.offered:
            return None
        now = time.monotonic()
        if self._looked_at is None or now - self._looked_at >= LOOKED_FOR_SECONDS:
            newest = await newest_model(connection)
            self._newest, self._looked_at = None if newest is None else newest[1], now
        return None if self._newest is None else await self.model_of(connection, self._newest)

    async def model_of(self, connection: Connection, sha256: str) -> KeptModel | None:
        """A model by its digest, also one of years ago. None: there is none such, or it is damaged."""
        if sha256 not in self._models:
            try:
                found = await kept_model(connection, sha256)
            except ModelDamaged:
                log.error(  # noqa: TRY400 - where it was found says nothing
                    "dispatch_model_damaged", digest=sha256
                )
                return None
            if found is None:
                return None
            while len(self._models) >= KEPT_AT_MOST:
                del self._models[next(each for each in self._models)]
            self._models[sha256] = found
        return self._models[sha256]
