"""People are compared as people: who acts through a department's system is who they are at a desk."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.runtime.settings import PROJECT
from schemas.incident import INCIDENT
from schemas.incident_state import IncidentState, Order, Stage
from schemas.kernel.parties import GRID_WORKER, REPORTER
from schemas.kernel.people import KEPT_FROM, Part, account_of, among, how_many, same_account, same_person
from schemas.kernel.procedure import Procedure
from schemas.kernel.rules import Condition, Rule
from schemas.parts.duties import DutyEntries, duty_lines
from schemas.parts.panel import PanelEntries, panel_lines
from schemas.values.actor import Actor, Channel, Role
from tests.every_procedure import EVERY_PROCEDURE, PROCEDURE_LIST

LI, GATEWAY = "li", "department:urban-management/li"


@pytest.mark.parametrize(
    ("one", "another", "same"),
    [
        ("li", "li", True),
        ("li", GATEWAY, True),
        (GATEWAY, "li", True),
        (GATEWAY, "department:justice-office/li", True),
        (GATEWAY, f"department:urban-management/{GATEWAY}", True),
        (" li", "ｌｉ\u200b", True),
        ("li", "Li", False),
        ("li", "wang", False),
        ("li", "department:urban-management/wang", False),
        ("department:urban-management", "urban-management", False),
        (None, None, False),
        (None, "li", False),
    ],
)
def test_one_person_is_one_person_by_whatever_way(one: str | None, another: str | None, *, same: bool) -> None:
    """The bare account decides, whatever gateway stands before it; nobody is not the same as nobody."""
    assert same_person(one, another) is same
    assert among(one, [another]) is same


def test_people_are_counted_as_people() -> None:
    """Two visits of one person, by a desk and by a gateway, are one person's; only the very account is granted anything."""
    assert how_many([LI, GATEWAY, "wang"]) == 2
    assert account_of(GATEWAY) == LI
    assert not same_account(LI, GATEWAY)


# ---- no rule compares subjects by itself --------------------------------------------------------------------------------

PEOPLE = "schemas/kernel/people.py"
SUBJECTS = frozenset({"subject", "reporter_subject"})


def compared(node: ast.expr) -> Iterator[str]:
    """The attributes and names that a comparison is made with."""
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute):
            yield part.attr
        elif isinstance(part, ast.Name):
            yield part.id


def comparisons(path: Path) -> Iterator[str]:
    """Every `==`, `!=`, `in`, `not in` and every set in a file that takes people by their subjects."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Compare):
            continue
        if not any(isinstance(each, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for each in node.ops):
            continue
        sides = [node.left, *node.comparators]
        # A message has a subject too, which is what it is about: its constants are told by their class.
        about = any(name in {"Subject", "message"} or name.isupper() for side in sides for name in compared(side))
        if not about and any(_is_person(side) for side in sides):
            yield f"{path.name}:{node.lineno}"


def _is_person(node: ast.expr) -> bool:
    last = node.attr if isinstance(node, ast.Attribute) else ""
    return last == "by" or last.endswith(("_by", "_subject")) or any(name in SUBJECTS for name in compared(node))


def test_no_rule_compares_subjects_by_itself() -> None:
    """In schemas and workflows nothing but schemas/kernel/people.py says whether two subjects are one person."""
    found = [
        place
        for room in ("schemas", "workflows")
        for path in sorted((PROJECT / room).rglob("*.py"))
        if str(path.relative_to(PROJECT)) != PEOPLE
        for place in comparisons(path)
    ]

    assert found == []


def test_the_search_finds_what_it_is_for(tmp_path: Path) -> None:
    """A comparison as those that were mended is found, in each of its forms; what a message is about is none."""
    lines = {
        "actor.subject == state.reporter_subject": True,
        "state.order.finished_by == actor.subject": True,
        "actor.subject in state.related": True,
        "actor.subject in {visit.by for visit in state.visits}": True,
        "by.subject != state.confirmed_by": True,
        "message.subject == Subject.ENDED": False,
        "message.subject != RECOVERY_TOLD": False,
        "state.stage == Stage.CLOSED": False,
    }
    for line, is_one in lines.items():
        file = tmp_path / "rule.py"
        file.write_text(line, encoding="utf-8")
        assert bool(list(comparisons(file))) is is_one, line


# ---- every condition about people, walked --------------------------------------------------------------------------------

NAMES = (
    "reporter_subject",
    "written_off_by",
    "reviewed_by",
    "confirmed_by",
    "related",
    "refusers",
    "visits",
)
"""What cases remember of who did something, and conditions look at."""


@dataclass
class Remembering:
    """A case that remembers one person everywhere, and nothing else; a condition that asks for more is not about people."""

    who: str | None

    def __getattr__(self, name: str) -> Any:
        if name == "visits":
            return [SimpleNamespace(by=self.who)] if self.who else []
        if name in {"related", "refusers"}:
            return [self.who] if self.who else []
        if name in NAMES:
            return self.who
        raise AttributeError(name)


NOW = datetime(2026, 11, 28, tzinfo=UTC)


def refuses(condition: Condition, who: str | None, actor: str) -> bool | None:
    """Whether a condition refuses an actor when the case remembers somebody; None: it is not about people."""
    try:
        return condition(Remembering(who), Actor(subject=actor, role=Role.COORDINATOR), NOW) is not None
    except AttributeError:
        return None


def about_people() -> Iterator[Any]:
    """Every condition of the registry whose answer hangs on whether the actor is somebody whom the case remembers."""
    seen: set[Condition] = set()
    for procedure in PROCEDURE_LIST:
        for rule in procedure.rules:
            for condition in rule.conditions:
                if condition not in seen and refuses(condition, LI, LI) and refuses(condition, "wang", LI) is False:
                    seen.add(condition)
                    yield pytest.param(condition, id=f"{procedure.name}-{rule.command}-{condition.__name__}")


OF_PARTS = (
    *panel_lines(PanelEntries, by=GRID_WORKER, at=Stage.REPORTED, to=Stage.CLOSED),
    *duty_lines(
        DutyEntries, at=Stage.HANDLING, proved_by=(REPORTER,), accepted_by=(GRID_WORKER,), waived_by=(GRID_WORKER,)
    ),
)
"""Lines of parts that keep people apart, whether or not a procedure has them."""

CONDITIONS = list(about_people())
KEEPING_APART = [
    rule
    for rule in (
        *(rule for procedure in PROCEDURE_LIST for rule in procedure.rules),
        *(line.rule for line in OF_PARTS),
    )
    if rule.apart_from
]


def test_the_walk_finds_the_conditions_that_are_known() -> None:
    """The walk is not empty: who declared a relation; and by the tables everybody who took a part."""
    names = {each.values[0].__name__ for each in CONDITIONS}

    assert names >= {"relation_not_declared_yet"}
    assert {part for rule in KEEPING_APART for part in rule.apart_from} == set(KEPT_FROM)


@EVERY_PROCEDURE
def test_who_recused_themselves_decides_nothing_more(procedure: Procedure) -> None:
    """Whoever left a panel for an interest moves no money in the case, ends it, looks into no objection and verifies nothing."""
    if "recuse" not in procedure.rules.commands:
        return
    final = {str(stage) for stage in procedure.stages} - {str(stage) for rule in procedure.rules for stage in rule.at}
    begins = {str(stage) for rule in procedure.rules if rule.command == "recuse" for stage in rule.at}
    after = [
        rule for rule in procedure.rules if not {str(stage) for stage in rule.at} <= begins | set(BEFORE_THE_PANEL)
    ]
    decides = [
        rule
        for rule in after
        if rule.moves_money or rule.part is Part.INVESTIGATED or {str(stage) for stage in rule.to} & final
    ]
    of_staff = [rule for rule in decides if any(by.role not in {Role.ENGINE, Role.RESIDENT} for by in rule.by)]

    assert of_staff
    assert [
        rule.command for rule in of_staff if Part.RECUSED not in rule.apart_from and rule.command != "account"
    ] == []


BEFORE_THE_PANEL = ("proposed",)
"""Stages at which nobody can have recused themselves yet."""


@pytest.mark.parametrize("rule", KEEPING_APART, ids=lambda rule: rule.command)
def test_whoever_took_a_part_is_kept_apart_also_by_a_gateway(rule: Rule) -> None:
    """Each part that a row keeps apart, taken at a desk, keeps the same account away that comes through a department's system."""
    for part in rule.apart_from:
        taken = SimpleNamespace(took_part=lambda part=part: {part: (LI,)})
        told = {
            who: rule.objection(taken, Actor(subject=who, role=Role.SUPERVISOR), NOW) for who in (LI, GATEWAY, "ｌｉ")
        }

        assert set(told.values()) == {KEPT_FROM[part]}, part


@pytest.mark.parametrize("condition", CONDITIONS)
def test_who_comes_by_a_gateway_is_not_another_person(condition: Condition) -> None:
    """Whoever a condition keeps out is kept out by every way: at the desk, and through any department's system."""
    assert refuses(condition, GATEWAY, LI)
    assert refuses(condition, LI, GATEWAY)
    assert refuses(condition, GATEWAY, "department:justice-office/li")
    assert refuses(condition, LI, "wang") is False
    assert refuses(condition, GATEWAY, "department:urban-management/wang") is False


def test_what_a_gateway_finished_is_verified_by_somebody_else() -> None:
    """The rule of the incident as it stands in the table: finished by `li` through the gateway, `li` does not verify."""
    (verify,) = [rule for rule in INCIDENT.rules if rule.command == "verify"]
    order = Order(number=1, department="urban-management", dispatched_at=NOW, finished_by=GATEWAY)
    opening = SimpleNamespace(actor=Actor(subject="zhao", role=Role.GRID_WORKER, channel=Channel.GRID))
    construct: Any = IncidentState.model_construct
    finished = construct(orders=[order], opening=opening)
    li = Actor(subject=LI, role=Role.GRID_WORKER, channel=Channel.GRID)
    wang = li.model_copy(update={"subject": "wang"})

    assert verify.objection(finished, li, NOW) == KEPT_FROM[Part.FINISHED]
    assert verify.objection(finished, wang, NOW) is None
