"""What every recorded run does under today's code, replayed once for all the laws that look at it.

Their files are played by one process (`PLAYED_TOGETHER` in tests/scheduling.py) and ask for the fixture `replayed`:
`pytest_plugins = ("tests.replayed_fixture",)`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from schemas.audit.ledger import Batch
from schemas.kernel.told import EntryTold


@dataclass(frozen=True)
class Replayed:
    """What goes otherwise than it was recorded, and what the run would write into the ledger.

    `batches`: by flushes of its own; `answered`: entries that go out with its answers to commands.
    """

    faults: tuple[str, ...]
    batches: tuple[Batch, ...]
    answered: tuple[EntryTold, ...]


ReplayRun = Callable[[Path], Awaitable[Replayed]]
"""The fixture `replayed`: replays a recorded run, the first time that it is asked for."""
