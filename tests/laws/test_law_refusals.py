"""Law: who is refused reads why in a language, Chinese without codes and English without underscores, and what comes first."""

import ast
import inspect
import itertools
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from engine.runtime.settings import PROJECT
from schemas.kernel.participants import Participant
from schemas.kernel.people import KEPT_FROM, Part
from schemas.kernel.procedure import Procedure
from schemas.kernel.rules import Rule, RulesTable
from schemas.kernel.screen_words import FACTS, ROLES
from schemas.values.actor import Actor, Role
from schemas.values.refusals import Refusal, RefusalCode
from schemas.welfare_rules import Obstacle
from starter.http.problems import KINDS
from tests.every_procedure import EVERY_PROCEDURE, PROCEDURE_LIST
from tests.told_once import ToldOnce

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)
SPOKEN = frozenset({"API", "JSON", "PDF", "UUID"})
"""What people call so in Chinese too."""

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(T[0-9:+]+)?")
_BOTH = re.compile(r"(?P<chinese>.*?) \((?P<english>.*)\)", re.DOTALL)


def both(said: str) -> tuple[str, str]:
    """What is said in Chinese, and what in English."""
    found = _BOTH.fullmatch(said)
    assert found is not None, said
    return found["chinese"], found["english"]


def code_words(chinese: str) -> set[str]:
    """Words in Latin letters within a Chinese sentence that are no words of people."""
    return set(re.findall(r"[A-Za-z][A-Za-z0-9_.:-]*", _MOMENT.sub("", chinese))) - SPOKEN


def faults_of(said: str) -> Iterator[str]:
    """What keeps a sentence from being read."""
    chinese, english = both(said)
    if not re.search(r"[\u4e00-\u9fff]", chinese):
        yield f"no Chinese: {said}"
    if words := code_words(chinese):
        yield f"{words} in the Chinese of: {said}"
    if "_" in english or re.search(r"[\u4e00-\u9fff]", english):
        yield f"a code or Chinese in the English of: {said}"


@dataclass(frozen=True)
class Stands:
    """A case at a stage, with the caller's department, in the caller's area."""

    stage: str
    ended: bool = False
    area: str = "320106.001"
    department: str | None = "urban-management"
    reporter_subject: str | None = "resident-1"

    def took_part(self) -> Mapping[Part, tuple[str, ...]]:
        return {}

    def seats(self) -> tuple[Participant, ...]:
        return ()

    def requests(self) -> Mapping[Part, tuple[int, ...]]:
        return {}


def someone(role: Role, *, own: bool) -> Actor:
    subject = "resident-1" if own else "somebody-else"
    return Actor(
        subject=subject,
        role=role,
        area="320106" if own else "990000",
        department="urban-management" if own else "other",
    )


def unconditional(procedure: Procedure) -> ToldOnce:
    """The table as it stands, without what depends on more than stage and person."""
    return ToldOnce(tuple(replace(rule, conditions=()) for rule in procedure.rules))


def refusals(procedure: Procedure) -> Sequence[tuple[Refusal, list[Rule]]]:
    """Every refusal that the table has, for every stage, command, role, and whether the case is theirs; and the rows for them.

    Asked of each procedure once, for the laws that look at it; what is said of the same rows in the same words is there once.
    """
    if procedure.name not in _REFUSALS:
        _REFUSALS[procedure.name] = list(asked_everywhere(procedure).values())
    return _REFUSALS[procedure.name]


_REFUSALS: dict[str, Sequence[tuple[Refusal, list[Rule]]]] = {}


def asked_everywhere(procedure: Procedure) -> dict[tuple[object, ...], tuple[Refusal, list[Rule]]]:
    """The refusals by where the case stands, what is said, and the rows of it that are for the caller."""
    found: dict[tuple[object, ...], tuple[Refusal, list[Rule]]] = {}
    rules = unconditional(procedure)
    for stage, role, own, ended in itertools.product(procedure.stages, Role, (True, False), (False, True)):
        case, actor = Stands(stage, ended=ended), someone(role, own=own)
        rules.forget()
        for command in rules.commands:
            refusal = rules.check(case, command, actor, NOW)
            if refusal is not None:
                rows = [rule for rule in rules if rule.command == command and rule.grants(case, actor)]
                found.setdefault((stage, command, refusal.detail, *map(id, rows)), (refusal, rows))
    return found


@EVERY_PROCEDURE
def test_every_refusal_of_a_table_reads(procedure: Procedure) -> None:
    """Whatever somebody tries at whatever stage: no stage, command, clock or role stands in the Chinese as a code."""
    said = {refusal.detail for refusal, _ in refusals(procedure)}

    assert [fault for each in said for fault in faults_of(each)] == []
    assert len(said) > len(procedure.stages)


@EVERY_PROCEDURE
def test_what_comes_too_early_says_what_comes_first(procedure: Procedure) -> None:
    """A refusal of now names where the case stands, where the command belongs, and the steps up to there, if any lead there."""
    rules = unconditional(procedure)
    for refusal, rows in refusals(procedure):
        if refusal.code is not RefusalCode.NOT_NOW:
            continue
        chinese, english = both(refusal.detail)
        goals = {str(stage) for rule in rows for stage in rule.at}
        assert f"“{procedure.stage_words[refusal.stage].screen}”" in chinese
        assert any(rule.title in chinese for rule in rows)
        assert all(procedure.stage_words[goal].screen in chinese for goal in goals)
        if "尚待" in chinese:
            steps = chinese.partition("尚待:")[2].split("、")
            assert walked(rules, refusal.stage, steps) & goals, refusal.detail
            assert "still to come: " in english
        else:
            assert "不会再到" in chinese
            assert not reachable(rules, refusal.stage) & goals, refusal.detail


def reachable(rules: RulesTable, stage: str) -> set[str]:
    """Where a case can still come from a stage."""
    found, before = {stage}, set[str]()
    while found != before:
        before = set(found)
        found |= {str(there) for rule in rules if found & {str(here) for here in rule.at} for there in rule.to}
    return found


def walked(rules: RulesTable, stage: str, steps: list[str]) -> set[str]:
    """Where a case can stand after the steps that are named, each by its title and who takes it."""
    stages = {stage}
    for step in steps:
        taken = [rule for rule in rules if step.startswith(f"{rule.title}(") and _by(step, rule) == _takers(rule)]
        stages = {str(there) for rule in taken for here in stages if here in rule.at for there in rule.to}
    return stages


def _by(step: str, rule: Rule) -> set[str]:
    """Who takes a step by its words, if it is that of a row: a title may have brackets of its own."""
    return set(step[len(rule.title) + 1 : -1].split("或"))


def _takers(rule: Rule) -> set[str]:
    return {ROLES[entry.role] for entry in rule.by}


@EVERY_PROCEDURE
def test_every_condition_of_a_table_reads(procedure: Procedure) -> None:
    """What speaks against a command is a sentence: no condition puts a code into the Chinese, nor anything that holds one."""
    conditions = {condition for rule in procedure.rules for condition in rule.conditions}
    sentences = [each for condition in conditions for each in _said_in(condition)]

    assert [fault for each in sentences for fault in faults_of(each)] == []
    assert bool(conditions) <= bool(sentences)


MAY_STAND_IN_CHINESE = re.compile(
    r"most|numbers?|left|wanted|[\w.]+_at_most|len\(.*\)|[\w.]+\.chinese|state\.(returns|rounds)"
)
"""What a condition may put into its Chinese: numbers and what is Chinese itself."""


def _said_in(condition: Callable[..., object]) -> Iterator[str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(condition)))
    # Of a condition that several procedures have, each brings the words (schemas/parts/conditions.py).
    brought = inspect.getclosurevars(condition).nonlocals
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "say":
            chinese, english = (_as_read(argument, brought) for argument in node.args)
            placed = [
                ast.unparse(part.value) for part in ast.walk(node.args[0]) if isinstance(part, ast.FormattedValue)
            ]
            assert all(MAY_STAND_IN_CHINESE.fullmatch(each) for each in placed), placed
            yield f"{chinese} ({english})"
    yield from (str(said) for name, said in brought.items() if name == "why")


def _as_read(argument: ast.expr, brought: Mapping[str, object]) -> str:
    if isinstance(argument, ast.Name):
        return str(brought[argument.id])
    if isinstance(argument, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else " 1 " for part in argument.values)  # type: ignore[misc]
    assert isinstance(argument, ast.Constant)
    return str(argument.value)


def test_what_keeps_people_apart_and_every_kind_of_problem_reads() -> None:
    """Why somebody must leave it to another, and what a problem is called, are sentences as well."""
    said = [*KEPT_FROM.values(), *(kind.title for kind in KINDS.values())]

    assert [fault for each in said for fault in faults_of(each)] == []


@EVERY_PROCEDURE
def test_every_stage_and_every_step_has_a_word(procedure: Procedure) -> None:
    """No stage, role or row of a table stands on a screen as a code for want of a word."""
    assert {stage.value for stage in procedure.stages} == procedure.stage_words.keys()
    assert set(Role) == ROLES.keys()
    assert [rule.command for rule in procedure.rules if code_words(rule.title)] == []


@pytest.mark.parametrize("fact", [*FACTS, "oneDayNew_fen", "one-day-new"])
def test_what_stands_against_a_grant_reads(fact: str) -> None:
    """What a register found is said by its name and in yuan, whatever a town has added to its policy."""
    said = Obstacle(code=f"bank-balance:{fact}", found=123456, allowed=99500).words

    assert code_words(both(said)[0]) == set()
    assert ("1234.56元" in said) is fact.endswith("_fen")


TYPED_AS_IT_IS = frozenset(
    {"Content-Type:", "application", "json", "true", "false", "file", "docs", "Temporal", "UTF-8", "ActiveX", "U"}
    | {"JPEG", "PNG", "WebP", "HEIC"}  # kinds of pictures
    | {"api_key", "jurisdiction_id", "service_code", "service_request_id", "media_url", "xml"}  # GeoReport's own words
)
"""What somebody has to write so, or is called so everywhere."""


@pytest.mark.parametrize("room", ["schemas", "workflows", "starter", "console", "engine", "activities", "local"])
def test_no_sentence_of_the_program_has_a_code_in_its_chinese(room: str) -> None:
    """Whatever is said in two languages, a fault, a remedy or a title: its Chinese is Chinese."""
    said = [
        (file.name, each)
        for file in sorted((PROJECT / room).rglob("*.py"))
        for each in _chinese_of(ast.parse(file.read_text(encoding="utf-8")))
    ]

    assert [(name, each) for name, each in said if code_words(each) - TYPED_AS_IT_IS] == []
    assert said or room in {"activities", "workflows"}


def _chinese_of(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and getattr(node.func, "id", None) == "say"
            and isinstance(node.args[0], ast.Constant | ast.JoinedStr)
        ):
            yield _as_read(node.args[0], {})


def test_the_law_sees_what_it_forbids() -> None:
    """A sentence with a code in it, one without English and one without Chinese are found."""
    rule = next(rule for rule in PROCEDURE_LIST[0].rules)

    assert isinstance(rule, Rule)
    assert list(faults_of("案件处于“dispatched”环节 (the case is at dispatched)"))
    assert list(faults_of("案件已终结 (calling_back)"))
    assert list(faults_of("closed (closed)"))
