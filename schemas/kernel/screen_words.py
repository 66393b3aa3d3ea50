"""What codes are called on screens, in Chinese: stages, clocks, moments and who holds a case.

For those who read without our tables: the Temporal UI, the terminal. A code that has no word is shown as it is. Stages and
clocks bring their own words, where they are declared (schemas/kernel/words.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from schemas.kernel.words import ClockWords, DeclaredStage, StageWords
from schemas.values.actor import Role
from schemas.values.both import Both, spoken

MILESTONES = {"warning": "预警", "breach": "到期", "tier": "上报"}

WINDOW_ENDS = {"reopen": "重启期满"}
"""Windows are nobody's duty and warn nobody: whatever moment of theirs is waited for, it is their end."""

ROLES = {
    Role.RESIDENT: "居民",
    Role.GRID_WORKER: "网格员",
    Role.WINDOW_CLERK: "窗口人员",
    Role.STREET_OFFICER: "街道干部",
    Role.DEPARTMENT_OFFICER: "部门经办人",
    Role.COORDINATOR: "综合协调",
    Role.CIVIL_AFFAIRS_OFFICER: "民政干部",
    Role.SUPERVISOR: "督办人员",
    Role.COMMITTEE_OFFICER: "居(村)委会干部",
    Role.MEDIATOR: "人民调解员",
    Role.SPECIALIST: "专业人员",
    Role.PARTNER: "合伙方",
    Role.AUDITOR: "审计",
    Role.ADMIN: "管理员",
    Role.ENGINE: "系统",
}

FACTS = {
    "monthly_income_fen": "月收入",
    "monthly_wage_fen": "月工资",
    "monthly_pension_fen": "月养老金",
    "income_per_head_fen": "人均月收入",
    "balance_fen": "存款",
    "properties": "房产",
    "vehicles": "车辆",
    "death_registered": "死亡登记",
    "disability_level": "残疾等级",
    "by_disability": "残疾等级",
    "household_size": "家庭人数",
    "per_head": "应发人数",
    "age": "年龄",
}
"""What sources tell, and what a benefit asks for."""

_HOLDERS = {"reporter": "报事人", "duty_leader": "部门值班领导", "district_office": "区级办公室"}


class Worded(Protocol):
    """A procedure, as far as its words go."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def stage_words(self) -> Mapping[str, StageWords]:
        """The words of its stages."""

    @property
    def clock_words(self) -> Mapping[str, ClockWords]:
        """The words of its clocks."""


@dataclass(frozen=True)
class Words:
    """A code as it stands in a sentence: Chinese without any code in it, and English."""

    zh: str
    en: str


def stage_name(stage: str) -> Words:
    """处置中, handling; a code that is no stage of a procedure by itself."""
    return Words(stage.words.screen if isinstance(stage, DeclaredStage) else stage, spoken(stage))


def role_name(role: Role) -> Words:
    """网格员, grid worker."""
    return Words(ROLES[role], spoken(role))


def fact_name(fact: str) -> Words:
    """What a source tells: 存款, balance. One that a town has added to its policy has no word of ours."""
    return Words(FACTS.get(fact, "核对所得"), spoken(fact))


@dataclass(frozen=True)
class ScreenWords:
    """What the codes of some procedures are called. Both tables by code, and before that by `PROCEDURE:CODE`."""

    stages: Mapping[str, str]
    clocks: Mapping[str, str]

    def stage(self, stage: str, procedure: str = "") -> str:
        """`处置中 handling`."""
        return _beside(_found(self.stages, stage, procedure), stage)

    def clock(self, clock: str, procedure: str = "") -> str:
        """`办结 finish`."""
        return _beside(self._clock(clock, procedure), clock)

    def moment(self, clock: str, moment: str, procedure: str = "") -> str:
        """`办结预警 finish warning`; the tiers after a breach keep their number: `办结上报1 finish tier:1`."""
        kind, _, number = moment.partition(":")
        known = self._clock(clock, procedure), MILESTONES.get(kind)
        chinese = WINDOW_ENDS.get(clock) or (f"{known[0]}{known[1]}{number}" if all(known) else None)
        return _beside(chinese, f"{clock} {moment}")

    def _clock(self, clock: str, procedure: str) -> str | None:
        """The word of a clock; one of several of its kind, `check:tax`, is called by its kind."""
        return _found(self.clocks, clock, procedure) or _found(self.clocks, clock.partition(":")[0], procedure)


def words_of(*procedures: Worded) -> ScreenWords:
    """The words of some procedures; what two of them call otherwise is called by its procedure."""
    stages: dict[str, str] = {}
    clocks: dict[str, str] = {}
    for each in procedures:
        _add(stages, each.name, {code: words.screen for code, words in each.stage_words.items()})
        _add(clocks, each.name, {code: words.zh for code, words in each.clock_words.items()})
    return ScreenWords(stages, clocks)


def _add(table: dict[str, str], procedure: str, words: Mapping[str, str]) -> None:
    for code, word in words.items():
        table.setdefault(code, word)
        table[f"{procedure}:{code}"] = word


def _found(table: Mapping[str, str], code: str, procedure: str) -> str | None:
    return table.get(f"{procedure}:{code}") or table.get(code)


def holder_words(holder: str) -> str:
    """Who has to act: `部门 urban-management`, `网格员 grid_worker`, `报事人 reporter`; a dash where nobody has."""
    kind, _, code = holder.partition(":")
    if kind == "department":
        return _beside("部门", code)
    if kind == "role":
        return role_words(code)
    return _beside(_HOLDERS.get(holder), holder) if holder else "-"


def role_words(role: str) -> str:
    """`网格员 grid_worker`."""
    known = {str(each): word for each, word in ROLES.items()}
    return _beside(known.get(role), role)


def role_said(role: Role) -> str:
    """`网格员`, where there is no room for the code: in Chinese alone, and known in English."""
    return Both(ROLES[role], spoken(role), ROLES[role])


def _beside(chinese: str | None, code: str) -> str:
    return Both(chinese, spoken(code), f"{chinese} {code}") if chinese else Both(code, spoken(code), code)
