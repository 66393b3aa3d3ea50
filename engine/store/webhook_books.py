"""What the database knows of webhooks: how each subscription stands, what became of its events, and their sending anew."""

from datetime import datetime

import asyncpg

from engine.runtime.operator_error import OperatorError
from engine.store.database import Queries
from schemas.values.model import Model


class WebhookQueries(Queries):
    """engine/queries/webhooks.sql."""

    subscribe: str
    unsubscribe: str
    ended: str
    look_at_entries: str
    insert_delivery: str
    claim: str
    confirm: str
    postpone: str
    end_subscription: str
    give_up_ended: str
    resume: str
    again: str
    standing: str
    forget_old: str
    latest: str


SQL = WebhookQueries.load("webhooks")


class NothingToSend(OperatorError):
    """There is no such subscription that goes on, or nothing of it that could be sent again."""


class Standing(Model):
    """How a subscription stands. `since`: entries written before are not told. Times are real.

    `ended_by`: `receiver` answered 410, or the `policy` names it no more; None: it goes on. `oldest_seconds`: how long the event
    waits that has waited longest.
    """

    subscription: str
    since: datetime
    ended_by: str | None
    waiting: int
    given_up: int
    oldest_seconds: float


class WebhookDelivery(Model):
    """One event for one subscription. `outcome` is a code: what came of the last attempt."""

    delivery_id: int
    event_id: str
    case_id: str
    seq: int
    kind: str
    status: str
    attempts: int
    outcome: str | None
    since: datetime
    next_at: datetime
    settled_at: datetime | None


async def standings(pool: asyncpg.Pool) -> list[Standing]:
    """How every subscription stands that there is or was."""
    return [Standing(**row) for row in await pool.fetch(SQL.standing)]


async def latest_events(
    pool: asyncpg.Pool, subscription: str, status: str | None = None, limit: int = 50
) -> list[WebhookDelivery]:
    """The latest events of a subscription, newest first; `status`: `waiting`, `delivered` or `given_up` alone."""
    rows = await pool.fetch(SQL.latest, subscription, status, limit)
    return [WebhookDelivery(**{name: row[name] for name in WebhookDelivery.model_fields}) for row in rows]


async def send_again(pool: asyncpg.Pool, subscription: str, event_id: str | None = None) -> int:
    """Let what was given up, or one event whatever became of it, be sent once more under its id; how many there are.

    Raises:
        NothingToSend: no such subscription goes on, or it has no such event.
    """
    if found := await pool.fetch(SQL.again, subscription, event_id):
        return len(found)
    raise NothingToSend(
        f"没有可重发的事件 (nothing of {subscription!r} was given up, or it has ended: jiceng webhooks lists all)"
    )


async def resume(pool: asyncpg.Pool, subscription: str) -> None:
    """Send to a receiver again that had ended its subscription; what happened meanwhile is not told.

    Raises:
        NothingToSend: it has not ended by its receiver.
    """
    if await pool.execute(SQL.resume, subscription) == "UPDATE 0":
        raise NothingToSend(f"没有因对方停收而结束的订阅 (the receiver of {subscription!r} has not ended it)")
