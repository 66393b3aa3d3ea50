"""Who lives and works in a simulated town, and what each would do about a case: pure rules, no clock and no wire.

How a case goes is decided by its number (so the same case always goes the same way), or by the words of a story, which
stand in the description before the departments' own stage direction (`local/simulation/characters.py`):

    小区垃圾堆积未清理〔人物:核查不通过〕〔剧本:按时〕

All delays are in town time.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from schemas.incident import Kind
from schemas.incident_state import Stage
from schemas.values.actor import Role

COORDINATOR_HOLDS = "role:coordinator"
ORDERS = (Kind.DISPATCHED, Kind.REDISPATCHED, Kind.ARBITRATED, Kind.REOPENED)
"""The entries that give an order to a department."""


@dataclass(frozen=True)
class Persona:
    """An account of the town."""

    subject: str
    role: Role
    department: str | None = None
    area: str | None = None


AREAS = ("320104.003.01", "320104.003.02", "320104.003.03")
RESIDENTS = tuple(Persona(f"resident-{number}", Role.RESIDENT) for number in range(1, 7))
GRID_WORKERS = tuple(Persona(f"grid-worker-{area}", Role.GRID_WORKER, area=area) for area in AREAS)
COORDINATOR = Persona("coordinator-1", Role.COORDINATOR)
AUDITOR = Persona("auditor-1", Role.AUDITOR)
CLERK = Persona("window-clerk-1", Role.WINDOW_CLERK)
SUPERVISOR = Persona("supervisor-1", Role.SUPERVISOR)
"""Acts in scenes only: what a supervisor takes up is nothing that happens by itself."""


def officer(department: str) -> Persona:
    """The officer who works at a department's desk; its own system reports under other accounts."""
    return Persona(f"{department}.desk", Role.DEPARTMENT_OFFICER, department=department)


class Whim(StrEnum):
    """Something out of the ordinary that happens to a case; the value is its word in a stage direction."""

    FAILS_VERIFICATION = "核查不通过"
    NOT_SOLVED_ONCE = "未解决"
    NOT_SOLVED_TWICE = "两次未解决"
    WITHDRAWN = "撤回"
    REJECTED = "不予受理"
    REOPENED = "重启"
    NOBODY_ACTS = "无人过问"


AS_USUAL = "照常"
_DIRECTION = re.compile(r"〔人物[::]([^〔〕]*)〕")
_ONE_CASE_IN = 20
"""Without a story, so many cases fail their first verification, and so many are not solved at the first call-back."""

REFERRALS = {
    "urban-management": "ecology-environment",
    "ecology-environment": "urban-management",
    "housing-construction": "urban-management",
    "transport": "urban-management",
    "justice-office": "civil-affairs",
    "emergency-management": "housing-construction",
    "education-sports": "human-resources",
    "human-resources": "civil-affairs",
    "commerce-tourism": "urban-management",
    "health": "civil-affairs",
}
"""To whom the coordinator turns when a department says that an order is not its own, or says nothing at all."""


@dataclass(frozen=True)
class Happening:
    """One entry of the timeline, as far as it matters here."""

    kind: str
    at: datetime
    facts: dict[str, Any]


@dataclass(frozen=True)
class Matter:
    """A case as a person sees it in the API."""

    case_id: str
    stage: str
    holder: str
    department: str | None
    area: str
    urgency: str
    on_behalf: bool
    description: str
    happenings: Sequence[Happening]

    def count(self, *kinds: str) -> int:
        """How often this has happened."""
        return sum(happening.kind in kinds for happening in self.happenings)

    def last(self, *kinds: str) -> Happening:
        """When it happened last. Raises LookupError."""
        return next(each for each in reversed(self.happenings) if each.kind in kinds)

    @property
    def not_solved(self) -> int:
        """How often the resident said that it is not solved."""
        return sum(each.kind == Kind.RATED and each.facts.get("solved") == "not" for each in self.happenings)


@dataclass(frozen=True)
class Act:
    """A command that somebody is going to give. `round` counts how often the case has come to this point.

    Together with case, command and person it makes the idempotency key: no round is acted on twice.
    """

    command: str
    body: dict[str, Any]
    due: datetime
    round: int


def whims_of(case_id: str, description: str) -> frozenset[Whim]:
    """What is out of the ordinary with this case. A word that nobody knows is only text: anybody may write one."""
    direction = _DIRECTION.search(description)
    if direction is not None:
        words = {word.strip() for word in re.split(r"[;;]", direction[1])}
        return frozenset(whim for whim in Whim if whim in words)
    number = _fate(case_id, "whim") % _ONE_CASE_IN
    return frozenset({0: {Whim.FAILS_VERIFICATION}, 1: {Whim.NOT_SOLVED_ONCE}}.get(number, set()))


def decide(persona: Persona, matter: Matter, desks: frozenset[str]) -> Act | None:
    """What this person is going to do about the case as it stands; None: it is not for them, or not now.

    `desks` are the departments that have no system of their own and work through the API.
    """
    whims = whims_of(matter.case_id, matter.description)
    return None if Whim.NOBODY_ACTS in whims else _usually(persona, matter, whims, desks)


def _usually(persona: Persona, matter: Matter, whims: frozenset[Whim], desks: frozenset[str]) -> Act | None:
    match persona.role:
        case Role.RESIDENT:
            return _resident(matter, whims)
        case Role.GRID_WORKER:
            return _verify(matter, whims)
        case Role.WINDOW_CLERK:
            return _call_back(matter, whims)
        case Role.COORDINATOR:
            return _coordinate(matter, whims)
        case Role.DEPARTMENT_OFFICER:
            return _work_at_the_desk(matter, persona.department in desks)
        case _:
            return None


def _resident(matter: Matter, whims: frozenset[Whim]) -> Act | None:
    match matter.stage:
        case Stage.DISPATCHED if Whim.WITHDRAWN in whims:
            due = matter.last(Kind.DISPATCHED).at + timedelta(minutes=20)
            return Act("withdraw", {"reason": "邻居已自行清理"}, due, 1)
        case Stage.CALLING_BACK if not matter.on_behalf:
            return _rate(matter, whims, timedelta(minutes=15))
        case Stage.CLOSED if Whim.REOPENED in whims and not matter.count(Kind.REOPENED):
            due = matter.last(Kind.CLOSED).at + timedelta(hours=1)
            return Act("reopen", {"reason": "第二天又出现同样的问题"}, due, 1)
        case _:
            return None


def _call_back(matter: Matter, whims: frozenset[Whim]) -> Act | None:
    """回访: the clerk calls who has no account of their own, and after three days who has not answered."""
    if matter.stage != Stage.CALLING_BACK:
        return None
    return _rate(matter, whims, timedelta(minutes=25) if matter.on_behalf else timedelta(days=3))


def _rate(matter: Matter, whims: frozenset[Whim], delay: timedelta) -> Act:
    often = 2 if Whim.NOT_SOLVED_TWICE in whims else 1 if Whim.NOT_SOLVED_ONCE in whims else 0
    solved = "not" if matter.not_solved < often else "solved"
    satisfied = "not" if solved == "not" else ("satisfied", "satisfied", "basically")[_fate(matter.case_id, "rate") % 3]
    due = matter.last(Kind.VERIFIED).at + _some(matter, "rate", delay)
    return Act("rate", {"solved": solved, "satisfied": satisfied}, due, matter.count(Kind.VERIFIED))


def _verify(matter: Matter, whims: frozenset[Whim]) -> Act | None:
    if matter.stage != Stage.VERIFYING:
        return None
    round_ = matter.count(Kind.FINISHED)
    due = matter.last(Kind.FINISHED).at + _some(matter, "verify", timedelta(minutes=20))
    if Whim.FAILS_VERIFICATION in whims and round_ == 1:
        return Act("verify", {"passed": False, "reason": "现场仍未清理干净"}, due, round_)
    return Act("verify", {"passed": True}, due, round_)


def _coordinate(matter: Matter, whims: frozenset[Whim]) -> Act | None:
    if matter.stage == Stage.RETURNED:
        return _rule_on_return(matter, whims)
    if matter.stage == Stage.SCREENING:
        return _screen(matter, whims)
    if matter.holder == COORDINATOR_HOLDS and matter.stage in {Stage.DISPATCHED, Stage.HANDLING}:
        due = matter.happenings[-1].at + _some(matter, "coordinate", timedelta(minutes=20))
        reason = "原单位逾期未办,改派"
        return Act("redispatch", {"department": _other_department(matter), "reason": reason}, due, _orders(matter))
    if matter.area not in AREAS:
        return _verify(matter, whims)  # no grid worker walks there
    return None


def _screen(matter: Matter, whims: frozenset[Whim]) -> Act:
    """核实: what came in without an account is looked at before anybody is sent out."""
    due = matter.last(Kind.SCREENED).at + _some(matter, "screen", timedelta(minutes=4))
    if Whim.REJECTED in whims:
        return Act("reject", {"reason": "不属于公共事务,请通过民事途径解决"}, due, 1)
    return Act("admit", {}, due, 1)


def _rule_on_return(matter: Matter, whims: frozenset[Whim]) -> Act:
    cause = matter.last(Kind.RETURNED, Kind.RATED)
    due = cause.at + _some(matter, "coordinate", timedelta(minutes=20))
    if Whim.REJECTED in whims:
        return Act("reject", {"reason": "不属于公共事务,请通过民事途径解决"}, due, 1)
    command, department, reason = "redispatch", _other_department(matter), "退单理由成立,改派"
    if cause.kind == Kind.RATED and matter.department is not None:
        command, department, reason = "arbitrate", matter.department, "两次回访未解决,责成原单位重新办理"
    elif matter.count(Kind.RETURNED) > 1:
        # The second says that it is not theirs either: somebody has to, and the ruling binds.
        command, reason = "arbitrate", "职责交叉,指定承办单位"
    return Act(command, {"department": department, "reason": reason}, due, _orders(matter))


def _other_department(matter: Matter) -> str:
    return REFERRALS.get(matter.department or "", "coordination-centre")


def _orders(matter: Matter) -> int:
    return matter.count(*ORDERS)


def _work_at_the_desk(matter: Matter, is_desk: bool) -> Act | None:  # noqa: FBT001 - one of two kinds of department
    """What a department without a system does. One that has a system is asked by the town, for rework too."""
    if not is_desk:
        return None
    quick = 4 if matter.urgency == "emergency" else 1
    if matter.stage == Stage.DISPATCHED:
        return Act("sign", {}, matter.last(*ORDERS).at + timedelta(minutes=12) / quick, _orders(matter))
    if matter.stage != Stage.HANDLING:
        return None
    began = matter.last(Kind.SIGNED, Kind.VERIFICATION_FAILED, Kind.RATED)
    round_ = matter.count(Kind.SIGNED, Kind.VERIFICATION_FAILED) + matter.not_solved
    return Act("finish", {"result": "已办理完毕"}, began.at + timedelta(minutes=75) / quick, round_)


def _some(matter: Matter, what: str, least: timedelta) -> timedelta:
    """A delay that differs from case to case and is always the same for one: up to twice the least."""
    return least * (1 + _fate(matter.case_id, what) % 60 / 60)


def _fate(case_id: str, what: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{what} {case_id}".encode()).digest()[:4])
