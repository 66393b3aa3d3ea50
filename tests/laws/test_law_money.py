"""Money needs two people: every path of every table from the start to an edge that moves money has two on it.

Pure: walked over the tables and read from the handlers, without a town. What people try at the door is in
`test_law_money_town.py`.
"""

import ast
import inspect
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, get_args

import pytest
from pydantic import BaseModel

from schemas.kernel.people import PARTIES, Part, same_person
from schemas.kernel.procedure import Procedure
from schemas.kernel.rules import Rule, RulesTable, Scope
from tests.every_procedure import EVERY_PROCEDURE, PROCEDURE_LIST
from workflows.kernel.case import Case
from workflows.registry import PROCEDURES

PATHS_AT_MOST = 2_000_000

REPEATS: Mapping[str, frozenset[str]] = {
    "welfare": frozenset({"retry_payment", "confirm_settlement", "payment_returned"})
}
"""Rows that take up money that was on its way before: where none was, `a_payment_waits` or the bank's key finds nothing."""

# ---- the walk ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Edge:
    """A row of the table, taken from one stage to another."""

    rule: Rule
    source: str
    target: str


Path = tuple[Edge, ...]


def stage_edges(rules: RulesTable, stage: str) -> Iterator[Edge]:
    """Every way out of a stage, and what can be done there without leaving it."""
    for rule in rules:
        if stage in rule.at:
            for target in rule.to or (stage,):
                yield Edge(rule, stage, target)


def parts_needed(rules: RulesTable, goal: Rule) -> frozenset[Part]:
    """The parts that somebody must have taken before the goal, and before what must come before it."""
    needed, found = frozenset(goal.answers), frozenset[Part]()
    while needed != found:
        found = needed
        needed |= {part for rule in rules if rule.part in found for part in rule.answers}
    return found


class Gone(NamedTuple):
    """All of a path on which what can follow, and what is to be said of it, hangs.

    `took`: what one person has taken part in who went it alone, None: nobody can. `word`: the last that another person gave.
    """

    stage: str
    been: frozenset[str]
    taken: frozenset[Part]
    took: frozenset[Part] | None
    word: tuple[Part, str] | None
    moved_money: bool

    def by(self, edge: Edge) -> "Gone":
        """The path with one edge more."""
        rule, took = edge.rule, self.took
        part = frozenset({rule.part} if rule.part else ())
        if took is not None and by_people(rule):
            took = None if took & set(rule.apart_from) else took | part
        return Gone(
            stage=edge.target,
            been=self.been | {edge.target},
            taken=self.taken | part,
            took=took,
            word=next(iter(decided_by_two((edge,))[-1:]), self.word),
            moved_money=self.moved_money or rule.moves_money,
        )


def paths_to(rules: RulesTable, start: str, goal: Rule) -> Iterator[Path]:
    """Every path from the start to a row, no stage entered twice; what a path asks for is asked at each stage it can be.

    Of paths that come to the same (`Gone`) the first: whatever follows one of them follows the others, and is judged alike.
    """
    needed = parts_needed(rules, goal)
    edges = {str(stage): tuple(stage_edges(rules, stage)) for rule in rules for stage in (*rule.at, *rule.to)}
    seen: set[Gone] = set()

    def follow(gone: Gone, path: Path) -> Iterator[Path]:
        for edge in edges.get(gone.stage, ()):
            rule = edge.rule
            if not gone.taken.issuperset(rule.answers):
                continue
            if rule is goal:
                yield (*path, edge)
                continue
            asks = edge.target == gone.stage and rule.part in needed - gone.taken
            if edge.target in gone.been and not asks:
                continue
            further = gone.by(edge)
            if further not in seen:
                seen.add(further)
                yield from follow(further, (*path, edge))

    entered = frozenset({Part.ENTERED})
    yield from follow(Gone(start, frozenset({start}), entered, entered, None, moved_money=False), ())


def by_people(rule: Rule) -> bool:
    """Somebody with a token gives it; the bank's signed word and the case's own steps are nobody's."""
    return any(entry.role != "engine" for entry in rule.by)


def of_the_payee_alone(rule: Rule) -> bool:
    """Only whose money it is may give it: where the own money goes is the own business."""
    return all(entry.scope is Scope.REPORTER for entry in rule.by)


def alone(path: Path) -> bool:
    """Whether one person who entered the case and has a token of every role can go the whole path by themselves."""
    took = {Part.ENTERED}
    for edge in path:
        if by_people(edge.rule):
            if took & set(edge.rule.apart_from):
                return False
            took |= {edge.rule.part} if edge.rule.part else set()
    return True


def decided_by_two(path: Path) -> list[tuple[Part, str]]:
    """The pairs on a path: who took a part, and who gave the word of another person on it."""
    return [
        (part, edge.rule.command)
        for edge in path
        if edge.rule.moves_money
        for part in edge.rule.answers
        if part in edge.rule.apart_from
    ]


def faults_of_path(path: Path) -> Iterator[str]:
    """What is wrong with a path to money, in words."""
    goal = path[-1].rule
    way = " -> ".join(f"{edge.source}:{edge.rule.command}" for edge in path)
    if of_the_payee_alone(goal):
        return
    if alone(path):
        yield f"one person can go it alone: {way}"
    if not decided_by_two(path):
        yield f"nobody's word is answered by another person's: {way}"
    if by_people(goal):
        yield from (
            f"who {part} may give {goal.command}: {way}" for part in goal.answers if part not in goal.apart_from
        )


def own_parties(procedure: Procedure) -> tuple[Part, ...]:
    """Whose own matter the cases of a procedure are."""
    debtor = any(Part.DEBTOR in rule.apart_from for rule in procedure.rules)
    return tuple(part for part in PARTIES if part is not (Part.APPLICANT if debtor else Part.DEBTOR))


def faults_of_table(
    procedure: Procedure, rules: RulesTable, only: Rule | None = None
) -> tuple[list[str], Counter[str], dict[str, set[str]]]:
    """Walk all paths of a table to all rows that move money, or to one: faults, paths by command, pairs by command."""
    faults: list[str] = []
    paths: Counter[str] = Counter()
    pairs: dict[str, set[str]] = {}
    start = str(next(iter(procedure.stages)))
    for goal in (rule for rule in rules if rule.moves_money and only in (None, rule)):
        if by_people(goal) and not of_the_payee_alone(goal):
            missing = [part for part in own_parties(procedure) if part not in goal.apart_from]
            faults += [f"{goal.command} moves money, and who {part} may give it" for part in missing]
        for path in paths_to(rules, start, goal):
            if goal.command in REPEATS.get(procedure.name, ()) and not any(edge.rule.moves_money for edge in path[:-1]):
                continue
            paths[goal.command] += 1
            assert paths[goal.command] < PATHS_AT_MOST
            found = list(faults_of_path(path))
            faults += found[:1]
            pairs.setdefault(goal.command, set()).update(f"{part}≠{word}" for part, word in decided_by_two(path)[-1:])
        if not paths[goal.command]:
            faults.append(f"no path leads to {goal.command}: it answers what nobody can ask")
    return faults, paths, pairs


@EVERY_PROCEDURE
def test_every_path_to_money_has_two_people(procedure: Procedure) -> None:
    """On every path from the start to an edge that moves money at least two different natural persons have decided."""
    faults, paths, pairs = faults_of_table(procedure, procedure.rules)
    for command, count in paths.items():
        print(f"{procedure.name} {command}: {count} paths; {', '.join(sorted(pairs[command])) or 'own account'}")  # noqa: T201

    assert faults == []


MONEY_ROWS = [
    (procedure, rule, part)
    for procedure in PROCEDURE_LIST
    for rule in procedure.rules
    if rule.moves_money
    for part in dict.fromkeys((*rule.answers, *(p for p in PARTIES if p in rule.apart_from)))
]


@pytest.mark.parametrize(
    ("procedure", "rule", "part"), MONEY_ROWS, ids=[f"{p.name} {r.command} {part}" for p, r, part in MONEY_ROWS]
)
def test_the_walk_finds_a_row_that_keeps_nobody_apart(procedure: Procedure, rule: Rule, part: Part) -> None:
    """Taken off one row that moves money, any part that it answers, or whose matter it is, is found by the walk."""
    weaker = replace(rule, apart_from=tuple(each for each in rule.apart_from if each is not part))
    rules = RulesTable(tuple(weaker if each is rule else each for each in procedure.rules))

    assert faults_of_table(procedure, rules, weaker)[0]


def test_there_are_rows_to_weaken() -> None:
    """Money moves in this registry, in a payment, an account, an amount and a debt."""
    commands = {rule.command for _, rule, _ in MONEY_ROWS}

    assert {"accept", "confirm", "countersign", "confirm_account", "confirm_change", "confirm_repayment"} <= commands
    assert {"agree_write_off", "retry_payment", "confirm_settlement", "resume_payment", "refuse_end"} <= commands


# ---- who wrote it, who opened the way, who decides ---------------------------------------------------------------------

STATED_OR_FOUND: Mapping[str, tuple[Part, ...]] = {
    "review": (Part.CORRECTED, Part.CHECKED, Part.REFUSED, Part.APPEAL_DECIDED),
    "investigate": (Part.CORRECTED, Part.CHECKED, Part.REVIEWED),
    "decide_appeal": (Part.CORRECTED, Part.CHECKED, Part.REVIEWED, Part.INVESTIGATED, Part.REFUSED),
    "confirm": (
        Part.CORRECTED, Part.CHECKED, Part.REVIEWED, Part.INVESTIGATED, Part.APPEAL_DECIDED, Part.REFUSED,
    ),
    "countersign": (
        Part.CORRECTED, Part.CHECKED, Part.REVIEWED, Part.INVESTIGATED, Part.APPEAL_DECIDED, Part.CONFIRMED,
    ),
    "review_change": (Part.CHANGE_ASKED, Part.CHANGE_CHECKED),
    "confirm_change": (Part.CHANGE_ASKED, Part.CHANGE_CHECKED, Part.CHANGE_REVIEWED),
    "countersign_change": (Part.CHANGE_ASKED, Part.CHANGE_CHECKED, Part.CHANGE_REVIEWED, Part.CHANGE_CONFIRMED),
    "confirm_account": (Part.ACCOUNT_ASKED,),
    "confirm_settlement": (Part.SETTLEMENT_CLAIMED,),
    "confirm_end": (Part.END_REPORTED,),
    "refuse_end": (Part.END_REPORTED,),
    "confirm_repayment": (Part.REPAYMENT_CLAIMED, Part.REPAYMENT_SEEN),
    "agree_write_off": (Part.WRITE_OFF_PROPOSED, Part.WRITE_OFF_AGREED),
    "identify": (Part.CARD_SEEN,),
    "confirm_member": (Part.CONSENT_RECORDED,),
}  # fmt: skip
"""Whom each word on the way to money, or on an end, is kept from: who stated, wrote down, or opened what it is about."""

OWN_PARTS = frozenset({*PARTIES, Part.RELATED})
"""Whose own matter it is, or whose relatives': kept from every row that moves money (`faults_of_table`)."""

TWO_CONTROL_EACH_OTHER = frozenset({Part.VISITED})
"""Two different people visit, so neither finding stands alone, and who visited may review."""

OPENS_NOTHING: Mapping[str, str] = {
    "ask_correction": "asks for papers; what comes in is another edition",
    "hand_in": "papers; whoever accepts looks at the edition",
    "record_consent": "a paper that somebody of the household signed",
    "accept": "the registers are asked; it is the word on the entry, and judged as money",
    "appeal": "the applicant's own right, whoever writes it down",
    "object": "stops it",
    "send_back": "asks for a new confirmation",
    "decline_write_off": "gives up nothing: the debt goes on",
    "refuse": "stops it, and is remembered as REFUSED",
    "suspend_payment": "nothing is paid",
    "reassess": "pays what two granted; what is more is asked for",
    "resume_payment": "pays what two granted; much of it is asked for",
}
"""Rows of staff that change the stage on a way to money and make nothing of who gives them, and why that is right."""


def words_of(procedure: Procedure, rules: RulesTable) -> list[str]:
    """What is wrong with whom the words of a table are kept from."""
    faults = [
        f"{procedure.name}: who {part} may give {rule.command}"
        for rule in rules
        for part in STATED_OR_FOUND.get(rule.command, ())
        if part not in rule.apart_from
    ]
    taken = {rule.part for rule in rules if rule.part is not None} - TWO_CONTROL_EACH_OTHER - OWN_PARTS
    answered = {part for command, parts in STATED_OR_FOUND.items() if command in rules.commands for part in parts}
    faults += [f"{procedure.name}: {part} keeps nobody from anything" for part in sorted(taken - answered)]
    return faults


def ways_without_a_part(procedure: Procedure, rules: RulesTable) -> list[str]:
    """Rows of people that lie on a way to money, change the stage, and of whose giver nothing is remembered."""
    edges = [edge for stage in map(str, procedure.stages) for edge in stage_edges(rules, stage)]
    goals = {str(stage) for rule in rules if rule.moves_money and by_people(rule) for stage in rule.at}
    leads = goals
    while more := {edge.source for edge in edges if str(edge.target) in leads} - leads:
        leads = leads | more
    found = {
        edge.rule.command
        for edge in edges
        if by_people(edge.rule) and edge.source != edge.target and str(edge.target) in leads
    }
    remembered = {rule.command for rule in rules if rule.part is not None or rule.answers}
    return sorted(found - set(OPENS_NOTHING) - remembered)


@EVERY_PROCEDURE
def test_who_wrote_or_opened_it_does_not_decide_on_it(procedure: Procedure) -> None:
    """Whoever stated, wrote down, looked into or reopened what money hangs on gives no word on it: of each part, at each word."""
    assert words_of(procedure, procedure.rules) == []


@EVERY_PROCEDURE
def test_of_whoever_opens_a_way_to_money_something_is_remembered(procedure: Procedure) -> None:
    """A row of people that leads on towards money makes a part of its giver, or is named here with the reason."""
    assert ways_without_a_part(procedure, procedure.rules) == []


WORDS = [
    (procedure, rule, part)
    for procedure in PROCEDURE_LIST
    for rule in procedure.rules
    for part in STATED_OR_FOUND.get(rule.command, ())
]


@pytest.mark.parametrize(
    ("procedure", "rule", "part"),
    WORDS,
    ids=[f"{p.name} {r.command} {n} {part}" for n, (p, r, part) in enumerate(WORDS)],
)
def test_a_word_that_keeps_nobody_apart_is_found(procedure: Procedure, rule: Rule, part: Part) -> None:
    """Taken off any word, any part that it is kept from is found."""
    weaker = replace(rule, apart_from=tuple(each for each in rule.apart_from if each is not part))

    assert words_of(procedure, RulesTable(tuple(weaker if each is rule else each for each in procedure.rules)))


@pytest.mark.parametrize("command", ["investigate", "decide_appeal", "correct_facts", "record_check", "review"])
def test_a_way_of_which_nothing_is_remembered_is_found(command: str) -> None:
    """Without its part, each row by which one person opened a way to money alone before is found by the walk."""
    (welfare,) = [each for each in PROCEDURE_LIST if each.name == "welfare"]
    bare = RulesTable(tuple(replace(rule, part=None) if rule.command == command else rule for rule in welfare.rules))

    assert ways_without_a_part(welfare, bare) or words_of(welfare, bare)


# ---- the handlers -----------------------------------------------------------------------------------------------------

PAYING_STEPS = frozenset({"pay"})
"""Verbs of `workflows.kernel.steps` by which money leaves the town."""

MOVES: Mapping[str, frozenset[str]] = {
    "welfare": frozenset({"account", "granted", "paid", "payments"}),
    "recovery": frozenset({"repayments"}),
}
"""Fields of a state whose change is money: a payment, a higher amount, another account, less debt."""

STAYS: Mapping[str, Mapping[str, str]] = {
    "welfare": {
        "rules": "the policy", "monthly_income_fen": "stated; counts when it is granted",
        "posted_amount_fen": "what a notice says", "recoveries": "more debt", "change": "asked for",
        "account_bound": "whose account of the town it is",
        "account_asked": "asked for", "account_told": "who was told",
        "accounts_asked": "a count", "account_changed_by": "who asked",
    },
    "recovery": {
        "amount_fen": "never changed", "claims": "asked for",
    },
}  # fmt: skip
"""Fields that speak of money, and why their change moves none."""

LESS_DEBT = "Stage.WRITTEN_OFF"
AS_IT_WAS = "_before_two_people"
"""What ends so is done by old histories alone, behind `workflow.patched`."""

LOWERS = {"lower": "due.amount_fen < self.state.granted_fen"}
"""Methods that change an amount under a condition by which it only falls."""

GRANTS = "self.grant_anew("
"""How an amount is changed."""


def methods_of(case: type[Case[Any]]) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    """The methods of a workflow by name, as they are written; of an overridden one the last word."""
    found: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
    for cls in reversed([each for each in case.__mro__ if each.__module__.startswith("workflows.")]):
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
        assert isinstance(tree, ast.ClassDef)
        found |= {each.name: each for each in tree.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
    return found


def money_fields(state: type[BaseModel]) -> set[str]:
    """The fields of a state that speak of money: by their name, or by what they are made of."""

    def speaks(kind: Any, seen: tuple[Any, ...] = ()) -> bool:
        if isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in seen:
            return any(
                name.endswith("_fen") or speaks(field.annotation, (*seen, kind))
                for name, field in kind.model_fields.items()
            )
        return any(speaks(each, seen) for each in get_args(kind))

    return {
        name
        for name, field in state.model_fields.items()
        if name.endswith("_fen") or "account" in name or speaks(field.annotation)
    }


def touches_money(body: ast.AST, fields: frozenset[str], paying_errands: frozenset[str]) -> bool:
    """Whether these lines themselves pay, change a field that is money, or give up a debt."""
    for node in ast.walk(body):
        text = ast.unparse(node) if isinstance(node, ast.Call | ast.Assign | ast.AugAssign | ast.AnnAssign) else ""
        if isinstance(node, ast.Call):
            for field in fields:
                if text.startswith((f"self.state.{field}.append", f"self.state.{field}.setdefault")):
                    return True
            if any(text.startswith(f"steps.{verb}(") for verb in PAYING_STEPS):
                return True
            if any(text.startswith(f"self.errand('{errand}'") for errand in paying_errands):
                return True
            if "finish_as" in text.partition("(")[0] and LESS_DEBT in text:
                return True
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        named = [each for each in targets if each is not None and text]
        for target in [part for each in named for part in (each.elts if isinstance(each, ast.Tuple) else [each])]:
            if ast.unparse(target) in {f"self.state.{field}" for field in fields}:
                return True
    return False


def called(body: ast.AST) -> set[str]:
    """The methods of its own that these lines call, but for those of old histories."""
    names = {
        node.func.attr
        for node in ast.walk(body)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func.value) in ("self", "super()")
    }
    return {name for name in names if not name.endswith(AS_IT_WAS)}


def movers(case: type[Case[Any]]) -> set[str]:
    """The methods of a workflow that lead to money, directly or through others; read once."""
    if case.procedure.name not in _movers:
        _movers[case.procedure.name] = _read_movers(case)
    return _movers[case.procedure.name]


_movers: dict[str, set[str]] = {}


def leads(name: str, body: ast.AST) -> set[str]:
    """What a method calls; of one that lowers, but for the change of the amount, which `test_what_lowers_never_raises` looks at."""
    return called(body) - ({"grant_anew"} if name in LOWERS else set())


def _read_movers(case: type[Case[Any]]) -> set[str]:
    methods = methods_of(case)
    fields = MOVES.get(case.procedure.name, frozenset())
    paying = frozenset(
        name.removeprefix("errand_")
        for name, body in methods.items()
        if name.startswith("errand_") and touches_money(body, frozenset(), frozenset())
    )
    found = {
        name
        for name, body in methods.items()
        if name not in LOWERS and not name.endswith(AS_IT_WAS) and touches_money(body, fields, paying)
    }
    while True:
        more = {name for name, body in methods.items() if leads(name, body) & found} - found
        if not more:
            return found
        found |= more


def unmarked(case: type[Case[Any]], rules: RulesTable) -> list[str]:
    """Commands whose handler leads to money while a row of theirs neither is marked nor asks for another person's word."""
    answered = {part for rule in rules if rule.moves_money for part in rule.answers}
    return [
        f"{case.procedure.name} {rule.command}"
        for rule in rules
        if not rule.automatic
        and rule.command in movers(case)
        and not (rule.moves_money or (rule.part is not None and rule.part in answered))
    ]


@pytest.mark.parametrize("case", PROCEDURES, ids=lambda case: case.procedure.name)
def test_every_handler_that_leads_to_money_is_marked(case: type[Case[Any]]) -> None:
    """What pays, raises, pays elsewhere or lessens a debt in its handler says so in every row of its table."""
    assert unmarked(case, case.procedure.rules) == []


@pytest.mark.parametrize("case", PROCEDURES, ids=lambda case: case.procedure.name)
def test_every_mark_is_missed_when_it_is_dropped(case: type[Case[Any]]) -> None:
    """A row whose handler leads to money is found when its mark is dropped, and what it answers with it."""
    rules = case.procedure.rules
    for rule in [each for each in rules if each.moves_money and not each.automatic]:
        bare = replace(rule, moves_money=False, part=None)
        without = RulesTable(tuple(bare if each is rule else each for each in rules))

        assert f"{case.procedure.name} {rule.command}" in unmarked(case, without)


@pytest.mark.parametrize("case", PROCEDURES, ids=lambda case: case.procedure.name)
def test_every_field_that_speaks_of_money_is_known(case: type[Case[Any]]) -> None:
    """A new field of a state that speaks of money is said to move it or not: nobody forgets to decide."""
    name = case.procedure.name
    assert money_fields(case.procedure.state) == MOVES.get(name, frozenset()) | set(STAYS.get(name, {}))


@pytest.mark.parametrize("case", PROCEDURES, ids=lambda case: case.procedure.name)
def test_the_old_ways_are_behind_a_patch(case: type[Case[Any]]) -> None:
    """What one person could do before is done by old histories alone: behind `law_holds`, which holds for new commands."""
    guarded = 0
    for name, body in methods_of(case).items():
        parents = {child: parent for parent in ast.walk(body) for child in ast.iter_child_nodes(parent)}
        for node in ast.walk(body):
            if not (isinstance(node, ast.Call) and ast.unparse(node.func).endswith(AS_IT_WAS)):
                continue
            place: ast.AST | None = node
            tests = []
            while place is not None:
                place = parents.get(place)
                if isinstance(place, ast.If):
                    tests.append(ast.unparse(place.test))
            old = name.endswith(AS_IT_WAS)
            assert old or any("self.law_holds(" in test for test in tests), f"{name} calls {ast.unparse(node)}"
            guarded += 1
    assert guarded or not MOVES.get(case.procedure.name)


@pytest.mark.parametrize("case", PROCEDURES, ids=lambda case: case.procedure.name)
def test_what_lowers_never_raises(case: type[Case[Any]]) -> None:
    """A method that is taken to lower sets the amount in a branch by whose condition it falls."""
    methods = methods_of(case)
    for name, condition in LOWERS.items():
        if name not in methods:
            continue
        grants = {node for node in ast.walk(methods[name]) if is_grant(node)}
        under = {
            node
            for test in ast.walk(methods[name])
            if isinstance(test, ast.If) and ast.unparse(test.test) == condition
            for line in test.body
            for node in ast.walk(line)
        }
        assert grants
        assert grants <= under


def is_grant(node: ast.AST) -> bool:
    """Whether the amount is changed here."""
    return isinstance(node, ast.Call) and ast.unparse(node).startswith(GRANTS)


# ---- people -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "another", "same"),
    [
        ("li", "li", True),
        ("li", "department:urban-management/li", True),
        ("department:water-supply/li", "department:urban-management/li", True),
        ("ｌｉ", "li", True),
        ("li", "Li", False),
        ("li", "wang", False),
        ("li", "street/li", False),
    ],
)
def test_people_are_compared_as_people(one: str, another: str, same: bool) -> None:  # noqa: FBT001
    """One account is one person, through a department's gateway too, in whatever form it is written."""
    assert same_person(one, another) is same
    assert same_person(another, one) is same
