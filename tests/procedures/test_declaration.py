"""What follows from a declaration, and what does not fit is a fault of the program, found at import."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any, ClassVar, cast

import pytest

from schemas.clocks.calendar import SHANGHAI
from schemas.clocks.clock_schedule import Tier
from schemas.clocks.limits import Limit, Unit
from schemas.kernel.acts import Act, Nothing, Step, Tells, WithReason, act, also, file_acts, step
from schemas.kernel.declaration import DeclaredProcedure, EndNotice, declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.openings import OpeningBody, Opens, Question
from schemas.kernel.participants import Participant
from schemas.kernel.parties import REPORTER, STREET_OFFICER, desk_of
from schemas.kernel.people import Part
from schemas.kernel.procedure import Command, Procedure
from schemas.kernel.reference_facts import Refers
from schemas.kernel.rules import Rule
from schemas.kernel.state import DeclaredState, OpenedState
from schemas.kernel.terms import TermsPolicy
from schemas.kernel.timers import Timer, duty, last_limit, window
from schemas.kernel.words import DeclaredStage
from schemas.values.actor import Actor, Role
from schemas.values.free_text import PersonName
from schemas.values.model import Model
from schemas.values.references import TextReference
from schemas.values.refusals import RefusalCode
from tests.every_procedure import EVERY_PROCEDURE
from workflows.kernel.declared import DeclaredCase
from workflows.kernel.procedure_workflow import procedure_workflow

DAY = Limit(amount=1, unit=Unit.NATURAL_DAYS)


class Stage(DeclaredStage):
    """Where a tiny case stands."""

    ASKED = "asked", "待答复", "正在答复", "about to be answered"
    ANSWERED = "answered", "已答复", "已答复", "answered"
    FORGOTTEN = "forgotten", "未答复", "未能答复", "not answered"


class Kind(EntryKinds, procedure="tiny"):
    """What its ledger says."""

    ASKED = entry("asked", "提问", references={"question": Refers.TEXT})
    ANSWERED = entry("answered", "答复")
    FORGOTTEN = entry("forgotten", "逾期未答复")


class Pace(Model):
    """How fast it is answered."""

    answer: Limit = DAY


class Terms(Model):
    """The town's terms for it."""

    answer: Limit = DAY
    looked_at: Limit = DAY
    ended_after: Limit = DAY
    paces: dict[str, Pace] = {"slow": Pace(answer=Limit(amount=9, unit=Unit.NATURAL_DAYS))}
    tiers: tuple[Tier, ...] = ()
    documents_at_most: int = 3
    reminders_a_day: int = 1


class TinyState(DeclaredState):
    """What it remembers."""

    procedure: ClassVar[str] = "tiny"

    terms: Terms
    pace: str = "slow"


class Answer(Command):
    """答复: in words."""

    answer: TextReference


ANSWER = act(
    Answer,
    "答复",
    by=STREET_OFFICER,
    at=Stage.ASKED,
    to=Stage.ANSWERED,
    stops=["answer"],
    entry=Kind.ANSWERED,
    tells=Tells(desk_of(STREET_OFFICER), "tiny_asked", ("pace",)),
)
EXPIRE = step("expire", "逾期", at=Stage.ASKED, to=Stage.FORGOTTEN, entry=Kind.FORGOTTEN, clock="final")
TIMERS = {"answer": duty("答复", "answer", "paces.{pace}.answer"), "final": last_limit("ended_after")}


USUAL_END = EndNotice("reporter", {Stage.ANSWERED: ("answer",)})


def tiny(
    *lines: Act | Step | Rule,
    timers: dict[str, Timer] | None = None,
    end_notice: EndNotice = USUAL_END,
    alike: tuple[str, ...] = (),
) -> DeclaredProcedure:
    return declare(
        "tiny",
        "小事",
        parent="incident",
        state=TinyState,
        stages=Stage,
        entries=Kind,
        opened=Kind.ASKED,
        timers=TIMERS if timers is None else timers,
        lines=lines or (ANSWER, EXPIRE, *file_acts(Kind, by=(REPORTER,), at=Stage.ASKED, urged_by=(REPORTER,))),
        end_notice=end_notice,
        alike=alike,
    )


def test_all_else_follows_from_the_lines() -> None:
    """Table, commands, titles, references, words, final stages and notices are those of the declaration."""
    procedure = tiny()

    assert procedure.rules.commands == ("answer", "urge", "comment", "attach", "replan")
    assert procedure.commands["answer"] is Answer
    assert procedure.titles["tiny:answered"] == "答复"
    assert procedure.references["tiny:answered"] == {"answer": Refers.TEXT}
    assert procedure.references["tiny:asked"] == {"question": Refers.TEXT}
    assert procedure.references["tiny:attached"] == {"document.reference": Refers.DOCUMENT, "note": Refers.TEXT}
    assert procedure.final == {"answered", "forgotten"}
    assert procedure.words.stage("asked", "tiny") == "待答复 asked"
    assert procedure.words.moment("answer", "warning", "tiny") == "答复预警 answer warning"
    assert procedure.notices == {"tiny_asked": ("pace",), "tiny_answered": ("answer",), "tiny_forgotten": ()}


def test_only_the_ends_that_are_named_are_told_by_the_declaration() -> None:
    """Of the others the methods tell, or nobody does."""
    notice = EndNotice("reporter", {Stage.ANSWERED: ("answer",)}, stages=(Stage.FORGOTTEN,))

    assert tiny(end_notice=notice).notices == {"tiny_asked": ("pace",), "tiny_forgotten": ()}


def test_a_part_brings_its_entries() -> None:
    """Those of a part are the procedure's, under its name; its own stands in the place of one that a part has too."""

    class PartEntries:
        SEEN = entry("seen", "查看")
        ANSWERED = entry("replied", "回复")

    class Composed(PartEntries, EntryKinds, procedure="composed"):
        ANSWERED = entry("answered", "答复")

    assert {"composed:seen", "composed:answered", "composed:urged"} <= set(Composed.kinds)
    assert "composed:replied" not in Composed.kinds


def test_a_limit_is_found_where_it_is_said_to_stand() -> None:
    """A path in the terms may name attributes of the case; only duties have limits under other rules."""
    procedure = tiny()
    state = SimpleNamespace(terms=Terms(), pace="slow")
    policy = type("Policy", (), {"terms": Terms(paces={"slow": Pace(answer=DAY)})})

    assert procedure.timers["answer"].limit_under(state.terms, state).amount == 9
    assert procedure.limits is not None
    assert procedure.limits(state, policy) == {"answer": DAY}


def test_a_further_row_is_of_the_same_command() -> None:
    """A command can have rows of other people and stages; it stays one command with one model."""
    procedure = tiny(ANSWER, also("answer", "答复", by=REPORTER, at=Stage.ASKED), EXPIRE)

    assert [rule.by for rule in procedure.rules if rule.command == "answer"] == [(STREET_OFFICER,), (REPORTER,)]
    assert procedure.rules.commands == ("answer",)


class Ask(OpeningBody):
    """提问: by somebody who gives a name."""

    unsaid = OpeningBody.unsaid | {"asker"}
    person_name = "asker"

    asker: PersonName


class AskedState(OpenedState):
    """What a question remembers that somebody asked."""

    procedure: ClassVar[str] = "tiny"

    terms: Terms


class NamedState(AskedState):
    """One that has a place for the name too."""

    asker: str


def asked(
    state: type[OpenedState] = AskedState,
    *,
    opened: Mapping[str, Any] | None = None,
    line: Act | None = None,
    **said: Any,
) -> DeclaredProcedure:
    """A tiny procedure with an opening of its own, but for what is `said` of its body, or `opened`, otherwise; `line`: one more."""
    body = cast("type[Ask]", type("Ask", (Ask,), said))
    return declare(
        "tiny",
        "小事",
        policy=TermsPolicy,
        state=state,
        stages=Stage,
        entries=Kind,
        opened=Kind.ASKED,
        timers=TIMERS,
        lines=(ANSWER, EXPIRE, *((line,) if line else ())),
        opens=Opens(**{**_opens(body), **(opened or {})}),
    )


def _opens(body: type[OpeningBody]) -> dict[str, Any]:
    by = frozenset({Role.RESIDENT})
    return {"model": body, "name": "ask", "zh": "提问", "en": "ask", "by": by, "address": "questions"}


def unknown(*fields: str, **opened: Any) -> Mapping[str, Any]:
    """An opening that somebody without an account is asked these fields for."""
    return {"questions": (Question("问什么?", "What?", fields),), **opened}


EVERYTHING = ("asker", "area")
PAYS = act(
    WithReason, "付款", name="pay", meaning="money goes out.", by=STREET_OFFICER, at=Stage.ASKED, moves_money=True
)


def test_what_somebody_without_an_account_is_asked_is_declared() -> None:
    """Every field that is needed is asked for: then the case can be opened so."""
    procedure = asked(opened=unknown(*EVERYTHING, "channel"))

    assert procedure.opens is not None
    assert procedure.opens.questions[0].fields == (*EVERYTHING, "channel")


def test_an_opening_may_take_the_name_of_whose_case_it_is() -> None:
    """It goes into the vault: no place for it in the state, and nothing of it in the first entry, is no fault."""
    procedure = asked()

    assert procedure.opens is not None
    assert procedure.opens.body is not None
    assert procedure.opens.body.person_name == "asker"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: asked(person_name="payee"), "has no payee"),
        (lambda: asked(unsaid=OpeningBody.unsaid), "so it is unsaid"),
        (lambda: asked(NamedState), "no field for it"),
        (lambda: asked(opened=unknown("area")), "needs asker, and asks nobody"),
        (lambda: asked(opened=unknown(*EVERYTHING, "answer")), "asks for answer, which is no field"),
        (
            lambda: asked(opened=unknown(*EVERYTHING, by=frozenset({Role.COORDINATOR}))),
            "residents do not open such cases",
        ),
        (lambda: asked(opened=unknown(*EVERYTHING), line=PAYS), "pay moves money"),
        (lambda: tiny(alike=("pace", "place")), "alike by place, which"),
        (lambda: tiny(ANSWER, ANSWER, EXPIRE), "answer is declared twice"),
        (lambda: tiny(ANSWER, EXPIRE, timers={"final": last_limit("ended_after")}), "names answer, which is no clock"),
        (lambda: tiny(timers=TIMERS | {"last": last_limit("ended_after")}), "one clock is the last limit"),
        (lambda: tiny(timers=TIMERS | {"look": window("看", "look", "looked")}), "there is no looked in the terms"),
        (lambda: tiny(timers=TIMERS | {"look": window("看", "look", "documents_at_most")}), "stands no Limit"),
        (lambda: cast("Any", DeclaredStage)("Bare", {"ASKED": ("asked", "待答复")}), "a stage has its words"),
        (lambda: act(Nothing, "答复", by=REPORTER, at=Stage.ASKED, name="nod"), "say its meaning"),
        (
            lambda: type("Twice", (EntryKinds,), {"ONE": entry("one", "一"), "TWO": entry("one", "一")}, procedure="x"),
            "two entries have one code",
        ),
    ],
)
def test_what_does_not_fit_is_found_at_import(make: Callable[[], Any], said: str) -> None:
    """A command declared twice, a clock or a limit that is not there, an entry of one code with another: no procedure."""
    with pytest.raises(TypeError, match=said):
        make()


class Whole(DeclaredCase[TinyState]):
    """A case whose commands have no methods."""

    procedure = tiny()


@procedure_workflow
class Tiny(Whole):
    """The workflow of it."""


def test_a_command_without_a_method_has_one_by_its_line() -> None:
    """Every command of the table is an update of the workflow, with the words of its line."""
    updates = {name: getattr(Tiny, name) for name in Tiny.procedure.commands}

    assert {name for name, update in updates.items() if not hasattr(update, "validator")} == set()
    assert updates["answer"].__doc__ == "答复"


class OtherCommand(Whole):
    """Its method takes what was not declared."""

    def answer(self, command: WithReason) -> None:
        raise NotImplementedError(command)


class OtherParameter(Whole):
    """Its method takes what no command has."""

    def answer(self, actor: str) -> None:
        raise NotImplementedError(actor)


class WordOfTheKernel(Whole):
    """Its command is called like a word of every case."""

    procedure = tiny(
        act(WithReason, "移交", name="move", meaning="elsewhere.", by=REPORTER, at=Stage.ASKED, entry=Kind.ANSWERED),
        EXPIRE,
    )


class NothingComesOfIt(Whole):
    """Its command has no method and makes no entry."""

    procedure = tiny(act(WithReason, "问", name="ask", meaning="once more.", by=REPORTER, at=Stage.ASKED), EXPIRE)


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (OtherCommand, "takes another command than Answer"),
        (OtherParameter, "takes actor"),
        (WordOfTheKernel, "move is a word of every case"),
        (NothingComesOfIt, "neither a method nor an entry"),
    ],
)
def test_a_method_that_does_not_fit_its_line_is_found_at_import(case: type[DeclaredCase[Any]], said: str) -> None:
    """A method takes the command that is declared, and no command is called like a word of every case."""
    with pytest.raises(TypeError, match=said):
        procedure_workflow(case)


# ---- at the end -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AtTheEnd:
    """A case at a final stage whose workflow still has something to do outside."""

    stage: str
    ended: bool = False
    area: str = "320104"
    department: str | None = "urban-management"
    reporter_subject: str | None = "somebody"

    def took_part(self) -> Mapping[Part, tuple[str, ...]]:
        return {}

    def requests(self) -> Mapping[Part, tuple[int, ...]]:
        return {}

    def seats(self) -> tuple[Participant, ...]:
        kinds = ("party", "agent", "mediator", "specialist", "juror", "team", "carrier", "new-carrier")
        return tuple(Participant(number=1, kind=kind, subject="somebody") for kind in kinds)


@EVERY_PROCEDURE
def test_at_a_final_stage_nobody_has_anything_to_do(procedure: Procedure) -> None:
    """Whoever could act before is told that the case has ended, also while its last order is taken back or its money awaited."""
    final = {str(stage) for stage in procedure.stages} - {str(stage) for rule in procedure.rules for stage in rule.at}
    codes = {
        refusal.code
        for stage in final
        for rule in procedure.rules
        for by in rule.by
        if by.role is not Role.ENGINE
        and (
            refusal := procedure.rules.check(
                AtTheEnd(stage),
                rule.command,
                Actor(subject="somebody", role=by.role, area="320104", department="urban-management"),
                datetime(2026, 3, 9, 9, tzinfo=SHANGHAI),
            )
        )
        is not None
    }

    assert final
    assert codes == {RefusalCode.CASE_ENDED}
