"""What a rehearsal has to show: the books say how much there is, and here stands how much there has to be."""

import asyncio
import time
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from local.chaos.chaos_count import Count
from local.cluster.faults import EVERY_SECONDS, Struck
from local.town.child import Probe, Started
from local.town.supervisor import Supervisor

PAYMENTS_EACH = 2
"""Of urgent aid: one at once, and one after the checks."""
BACK_WITHIN_SECONDS = 60.0
ASK_EVERY_SECONDS = 0.5


async def ends_within(load: Coroutine[Any, Any, object], seconds: float) -> bool:
    """Whether it came to its end by then; one that did not is cancelled, for a case that stands still is waited for for ever."""
    try:
        async with asyncio.timeout(seconds) as limit:
            await load
    except TimeoutError:
        if not limit.expired():
            raise
        return False
    return True


def shortfalls(counted: Count, cases: int, applications: int) -> Iterator[str]:
    """Where the books hold less, or more, than was sent: an empty town has nothing lost and nothing doubled."""
    sent = cases + applications
    if counted.accepted != sent:
        yield f"{sent} reports and applications were sent, {counted.accepted} accepted"
    if counted.cases < sent:
        yield f"{sent} reports and applications were sent, and there are {counted.cases} cases"
    if (due := PAYMENTS_EACH * applications) != counted.payments:
        yield f"{applications} applications are paid {due} times, the bank's books hold {counted.payments} payments"


def too_silent(struck: Sequence[Struck], killed: Sequence[str]) -> Iterator[str]:
    """Faults after which the ledger got no row at all until the next one, and those that never were."""
    for name in killed:
        if name not in {each.target for each in struck}:
            yield f"{name} was not killed"
    for each in struck:
        if each.silence_seconds >= EVERY_SECONDS:
            yield f"after the kill of {each.target} the ledger got no row for {each.silence_seconds} s"


async def not_back(
    supervisor: Supervisor,
    struck: Sequence[Struck],
    probes: Mapping[str, Probe],
    within_seconds: float = BACK_WITHIN_SECONDS,
) -> list[str]:
    """Who was killed and has no new life that is ready: what nobody needed meanwhile would not be missed otherwise."""
    deadline = time.monotonic() + within_seconds
    missing = {each.target: each for each in struck}
    while missing:
        for name, each in list(missing.items()):
            pid = supervisor.pid_of(name)
            if pid is not None and pid != each.pid and await probes[name](Started(pid, datetime.now(UTC))):
                del missing[name]
        if time.monotonic() >= deadline:
            break
        await asyncio.sleep(ASK_EVERY_SECONDS)
    return [f"{name} was killed, and is not back" for name in missing]
