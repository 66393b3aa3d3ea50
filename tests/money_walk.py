"""The walk over a table to every row that moves money: who can go the way, and what is wrong with it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from schemas.parts.payments import Paying
from schemas.people import PARTIES, Part
from schemas.procedure import Procedure
from schemas.rules import Rule, RulesTable, Scope

PATHS_AT_MOST = 2_000_000

REPEATS = frozenset({"retry_payment", "confirm_settlement", "payment_returned"})
"""Rows of whoever pays that take up money that was on its way before: where none was, `a_payment_waits` or the bank's key finds
nothing."""

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


def paths_to(rules: RulesTable, start: str, goal: Rule) -> Iterator[Path]:
    """Every path from the start to a row, no stage entered twice; what a path asks for is asked at each stage it can be."""
    needed = parts_needed(rules, goal)

    def follow(stage: str, taken: frozenset[Part], been: frozenset[str], path: Path) -> Iterator[Path]:
        for edge in stage_edges(rules, stage):
            rule = edge.rule
            if not set(rule.answers) <= taken:
                continue
            if rule is goal:
                yield (*path, edge)
                continue
            now = taken | ({rule.part} if rule.part else set())
            asks = edge.target == stage and rule.part in needed - taken
            goes = edge.target not in been
            if goes or asks:
                yield from follow(edge.target, now, been | {edge.target}, (*path, edge))

    yield from follow(start, frozenset({Part.ENTERED}), frozenset({start}), ())


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
    pays = procedure.part_or_none(Paying) is not None
    for goal in (rule for rule in rules if rule.moves_money and only in (None, rule)):
        if by_people(goal) and not of_the_payee_alone(goal):
            missing = [part for part in own_parties(procedure) if part not in goal.apart_from]
            faults += [f"{goal.command} moves money, and who {part} may give it" for part in missing]
        for path in paths_to(rules, start, goal):
            if pays and goal.command in REPEATS and not any(edge.rule.moves_money for edge in path[:-1]):
                continue
            paths[goal.command] += 1
            assert paths[goal.command] < PATHS_AT_MOST
            found = list(faults_of_path(path))
            faults += found[:1]
            pairs.setdefault(goal.command, set()).update(f"{part}≠{word}" for part, word in decided_by_two(path)[-1:])
        if not paths[goal.command]:
            faults.append(f"no path leads to {goal.command}: it answers what nobody can ask")
    return faults, paths, pairs
