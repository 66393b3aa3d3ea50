"""Money needs two people: every path of every table from the start to an edge that moves money has two on it.

Pure: walked over the tables and read from the handlers, without a town. What people try at the door is in
`test_law_money_town.py`.
"""

import ast
import inspect
import textwrap
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from schemas.kernel.people import PARTIES, Part, same_person
from schemas.kernel.procedure import Procedure
from schemas.kernel.rules import Rule, RulesTable
from schemas.parts.instalments import Instalments
from schemas.parts.payments import Paying
from schemas.recovery_parent import Recovering
from tests.every_procedure import EVERY_PROCEDURE, PROCEDURE_LIST
from tests.money_walk import by_people, faults_of_table, stage_edges
from workflows.kernel.case import Case
from workflows.registry import PROCEDURES


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
    "investigate": (Part.CORRECTED, Part.CHECKED, Part.REVIEWED, Part.OBJECTED),
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
    "verify_milestone": (Part.MILESTONE_CLAIMED,),
    "confirm_milestone": (Part.MILESTONE_CLAIMED, Part.MILESTONE_VERIFIED),
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
    "return_plan": "asks for another plan",
    "revise": "another plan; whoever screens it looks at that",
}
"""Rows of staff that change the stage on a way to money and make nothing of who gives them, and why that is right."""


def kept_from(procedure: Procedure, rule: Rule) -> tuple[Part, ...]:
    """Whom a row is to be kept from, of those that people of its procedure can become."""
    possible = {each.part for each in procedure.rules}
    return tuple(part for part in STATED_OR_FOUND.get(rule.command, ()) if part in possible)


def words_of(procedure: Procedure, rules: RulesTable) -> list[str]:
    """What is wrong with whom the words of a table are kept from."""
    faults = [
        f"{procedure.name}: who {part} may give {rule.command}"
        for rule in rules
        for part in kept_from(procedure, rule)
        if part not in rule.apart_from
    ]
    taken = {rule.part for rule in rules if rule.part is not None} - TWO_CONTROL_EACH_OTHER - OWN_PARTS
    answered = {part for command, parts in STATED_OR_FOUND.items() if command in rules.commands for part in parts}
    answered |= {part for rule in rules for part in rule.apart_from if part is not rule.part}
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
    for part in kept_from(procedure, rule)
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

MOVES: Mapping[str | type, frozenset[str]] = {
    Paying: frozenset({"account", "paid", "payments"}),
    "welfare": frozenset({"granted"}),
    "recovery": frozenset({"repayments"}),
}
"""Fields of a state whose change is money: a payment, a higher amount, another account, less debt; of a part, or a procedure."""

STAYS: Mapping[str | type, Mapping[str, str]] = {
    Paying: {
        "account_asked": "asked for", "account_told": "who was told",
        "accounts_asked": "a count", "account_changed_by": "who asked",
    },
    Recovering: {
        "recoveries": "more debt",
    },
    Instalments: {
        "milestones": "what was promised; never changed",
    },
    "welfare": {
        "rules": "the policy", "monthly_income_fen": "stated; counts when it is granted",
        "posted_amount_fen": "what a notice says", "change": "asked for",
        "account_bound": "whose account of the town it is",
    },
    "recovery": {
        "amount_fen": "never changed", "claims": "asked for",
    },
    "council": {
        "cost_fen": "what it may cost, as it was proposed; nothing is paid here", "duties": "tasks of its own people",
    },
    "mediation": {
        "amount_fen": "what the dispute is about", "clauses": "what one side owes another", "proposals": "put to every side",
        "duties": "between the sides; nothing of it goes through the town",
    },
    "round": {
        "pool_fen": "what there is; never changed", "cap_fen": "the same of one proposal", "entrants": "asked for, and offered",
    },
    "proposal": {
        "pool_fen": "of its round; never changed", "invoices": "what was spent, as it is shown", "money": "what comes back",
        "accounted": "handed in, and settled by another person",
        "account_declined": "by the carrier: for the last limit alone, and asked back of nobody else",
    },
    "partnership": {
        "worth_fen": "what is offered; never changed", "drafts": "not agreed on", "duties": "what others owe; nobody waives it",
    },
}  # fmt: skip
"""Fields that speak of money, and why their change moves none."""


def moves_of(procedure: Procedure) -> frozenset[str]:
    """The fields of a procedure whose change is money: its own, and those of its parts."""
    return frozenset().union(*(fields for whose, fields in MOVES.items() if is_of(procedure, whose)))


def stays_of(procedure: Procedure) -> frozenset[str]:
    """The fields of a procedure that speak of money and move none."""
    return frozenset().union(*(fields for whose, fields in STAYS.items() if is_of(procedure, whose)))


def is_of(procedure: Procedure, whose: str | type) -> bool:
    """Whether it is this procedure, or composed of this part."""
    return procedure.name == whose if isinstance(whose, str) else procedure.part_or_none(whose) is not None


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
    """The fields of a state that speak of money: by their name, or by what they are made of; the town's terms are no money."""

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
        if name != "terms" and (name.endswith("_fen") or "account" in name or speaks(field.annotation))
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
    fields = moves_of(case.procedure)
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
    assert money_fields(case.procedure.state) == moves_of(case.procedure) | stays_of(case.procedure)


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
    assert guarded or not moves_of(case.procedure)


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
