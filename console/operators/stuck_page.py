"""停滞: cases that do not get on, who does not answer, notices that were not delivered; each with what can be done about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from console.http.pages import AS_PAGES, page
from console.operators.acts import ACTS, STUCK, Act
from console.operators.words import NO_ANSWER, Reason, acts_for, reason_of, waits_for_words
from console.sign_in.signed_in import SignedIn
from console.staff.rows import town_word
from schemas.values.both import titled
from starter.http.database import PoolOf
from starter.intake.delivery import DeliveryOf
from starter.intake.operations import ACTORS, read_stuck
from starter.intake.stuck import StuckCase
from starter.intake.town_rules import TownRules, TownRulesOf
from starter.intake.undelivered_notices import undelivered_notices
from starter.intake.undelivered_orders import UndeliveredOrder, undelivered_orders

router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])


@dataclass(frozen=True)
class ShownStuck:
    """A line in words. `acts`: what can be done, each with its address."""

    stuck: StuckCase
    title: str
    stage: str
    waits_for: str
    reason: Reason
    acts: list[tuple[Act, str]]


@dataclass(frozen=True)
class ShownOrder:
    """An order that no department's system has, in words."""

    order: UndeliveredOrder
    title: str
    stage: str
    department: str


@dataclass(frozen=True)
class Silent:
    """Somebody outside who does not answer. `since`: the case that has waited longest, where that is known."""

    who: str
    cases: int
    since: datetime | None


@router.get(STUCK)
async def stuck_page(  # noqa: PLR0917 - what it is read with
    request: Request,
    caller: SignedIn,
    pool: PoolOf,
    delivery: DeliveryOf,
    town: TownRulesOf,
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """What `jiceng stuck` lists, and the notices; codes only, no text of a case."""
    found = await read_stuck(caller, pool, delivery)
    return page(
        request,
        "stuck.html",
        complete=found.complete,
        rows=[_shown(town, each) for each in found.items],
        silent=_silent(town, found.items),
        orders=[_shown_order(town, each) for each in await undelivered_orders(pool)],
        notices=await undelivered_notices(pool),
        notice_acts=[ACTS["send-again"], ACTS["seen"]],
        may_act=caller.role in ACTORS,
        done=ACTS.get(done),
        nothing=done == "nothing",
    )


def _shown(town: TownRules, stuck: StuckCase) -> ShownStuck:
    procedure = town.procedures.get(stuck.procedure or "")
    return ShownStuck(
        stuck=stuck,
        title=titled(procedure.title, procedure.name) if procedure else "",
        stage=procedure.words.stage(stuck.stage, procedure.name) if procedure and stuck.stage else "",
        waits_for=waits_for_words(town, stuck),
        reason=reason_of(stuck),
        acts=[(ACTS[act], ACTS[act].address(target)) for act, target in acts_for(stuck)],
    )


def _shown_order(town: TownRules, order: UndeliveredOrder) -> ShownOrder:
    procedure = town.procedures[order.procedure]
    stage = procedure.words.stage(order.stage, procedure.name)
    return ShownOrder(order, titled(procedure.title, procedure.name), stage, town_word(town, order.department))


def _silent(town: TownRules, items: Iterable[StuckCase]) -> list[Silent]:
    """Who keeps the most cases waiting comes first."""
    waiting: dict[str, list[StuckCase]] = {}
    for each in items:
        if each.why.endswith(NO_ANSWER):
            waiting.setdefault(waits_for_words(town, each), []).append(each)
    found = [
        Silent(who, len({each.case_id for each in cases}), min((e.since for e in cases if e.since), default=None))
        for who, cases in waiting.items()
    ]
    return sorted(found, key=lambda each: -each.cases)
