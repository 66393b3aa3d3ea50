"""A reference is what its field declares: the types of all that comes from outside, and the facts of all entries."""

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from schemas.kernel.case import Entry
from schemas.kernel.declaration import DeclaredProcedure
from schemas.kernel.procedure import Procedure
from schemas.kernel.reference_facts import Refers, declared_by, named_in, with_words
from schemas.kernel.told import EntryTold
from schemas.values.references import OPAQUE
from starter.http.command_bodies import command_body_of
from tests.declared_fields import (
    CHECKED_WHOLE,
    FOREIGN,
    INTO_THE_VAULT,
    ONLY_NAMES_OF_THE_REGISTER,
    OUTSIDE,
    WITH_A_PATTERN,
    Field,
    strings_of,
)
from tests.every_procedure import EVERY_PROCEDURE, PROCEDURE_LIST
from tests.histories import recorded
from tests.replayed_runs import Replayed, ReplayRun

pytest_plugins = ("tests.replayed_fixture",)
pytestmark = pytest.mark.timeout(400)  # every history ever recorded is replayed, if nobody has before

MODELS = pytest.mark.parametrize("model", OUTSIDE, ids=lambda model: model.__name__)
OPAQUE_PART = "0" * 26
FORMS = tuple(
    form
    for kind in ("text", "person", "document")
    for form in (
        f"{kind}:{OPAQUE_PART}", f"{kind.upper()}:{OPAQUE_PART}", f"{kind.title()}:{'a' * 26}", f"CZ-{kind}:{OPAQUE_PART}",
        f"x {kind}:{OPAQUE_PART}", f"{kind}:{OPAQUE_PART}.2", f"{kind}：{OPAQUE_PART}",
        "".join(chr(ord(each) + 0xFEE0) for each in kind) + f":{OPAQUE_PART}",
    )
)  # fmt: skip
"""How a reference can be written where a code of somebody else's belongs: other letters, inside a string, full width."""

PLAYED_NOWHERE = {
    ("incident:reported", "category_given"), ("incident:finished", "documents[].reference"),
    ("incident:whistle:ended", "results.*"), ("summons:finished", "documents[].reference"), ("summons:scored", "reason"),
    ("welfare:payment:retried", "account"), ("incident:reporter_left", "reason"),
    ("welfare:publicity:objected_again", "reason"), ("welfare:publicity:objected_again", "contact"),
    ("welfare:account:payee_told", "note"), ("welfare:change_reported", "note"),
    ("recovery:attached", "document.reference"), ("recovery:attached", "note"), ("welfare:ended", "reason"),
    ("welfare:ended", "legal_basis"), ("welfare:reassessed", "legal_basis"),
    *((f"mediation:{kind}", "paper.reference") for kind in (
        "agreed", "confirmation:asked", "confirmation:taken_back", "consented", "disagreed", "mediator:accepted",
        "mediator:chosen", "mediator:objected", "not_signed", "signed",
    )),
    ("mediation:agent_appointed", "written.reference"), ("mediation:mediator:accepted", "written.reference"),
    ("partnership:applied", "documents[].reference"), ("partnership:handed_back", "documents[].reference"),
    ("alarm:commented", "text"), ("care:alarm:further", "words"), ("care:unit:asked", "secret"),
    ("proposal:account:payee_told", "note"), ("proposal:payment:retried", "account"),
    ("proposal:publicity:investigated", "appraisal"), ("proposal:publicity:objected_again", "contact"),
    ("proposal:publicity:objected_again", "reason"), ("round:unit:asked", "secret"),
    ("sweep:added", "households[].address"), ("sweep:commented", "text"), ("warning:unit:asked", "secret"),
}  # fmt: skip
"""Facts that no recorded walk has, because it leaves out what people may leave out."""


@MODELS
def test_every_string_from_outside_has_a_declared_type(model: type[BaseModel]) -> None:
    """No field of a body, a callback, a notice or an answer is any string: it is declared what it may hold."""
    excused = INTO_THE_VAULT | WITH_A_PATTERN | CHECKED_WHOLE | ONLY_NAMES_OF_THE_REGISTER
    undeclared = [
        f"{model.__name__}: {each.place}"
        for each in strings_of(model)
        if not each.declared and (each.model, each.name) not in excused
    ]

    assert undeclared == []


def foreign_fields() -> list[Field]:
    """Every field of a code of somebody else's, once."""
    found = {(each.model, each.name): each for model in OUTSIDE for each in strings_of(model)}
    return [each for each in found.values() if each.declared in FOREIGN]


def test_there_are_codes_of_others_at_every_kind_of_door() -> None:
    """The law below is about people's bodies, callbacks, notices and answers: it finds fields in each of them."""
    found = {(each.model, each.name) for each in foreign_fields()}

    assert found >= {
        ("RepayBody", "receipt"), ("SignedCallback", "by"), ("SignedCallback", "callback_id"), ("ReturnNotice", "bank_reference"),
        ("ReturnNotice", "notice_id"), ("PaymentReturnedBody", "bank_reference"), ("Receipt", "receipt"),
        ("SourceAnswer", "receipt"), ("BankPayment", "bank_reference"), ("StatementLine", "bank_reference"),
        ("StatementPage", "next"), ("IncidentReport", "on_behalf_of"), ("WelfareApplication", "on_behalf_of"),
    }  # fmt: skip


@pytest.mark.parametrize("field", foreign_fields(), ids=lambda each: f"{each.model}.{each.name}")
def test_a_code_of_others_never_has_the_form_of_a_reference(field: Field) -> None:
    """Whatever its letters, wherever it begins, by whichever door: a code of somebody else's is no reference of ours."""
    adapter: TypeAdapter[str] = TypeAdapter(field.kind)

    assert adapter.validate_python("CZ-2026.context_1:7") == "CZ-2026.context_1:7"
    for form in FORMS:
        with pytest.raises(ValidationError):
            adapter.validate_python(form)


@pytest.mark.parametrize(
    "procedure", [each for each in PROCEDURE_LIST if "replan" in each.commands], ids=lambda p: p.name
)
def test_no_version_of_a_calendar_has_the_form_of_a_reference(procedure: Procedure) -> None:
    """A calendar in a body is versioned by words that no timeline could open."""
    door = command_body_of(procedure.commands["replan"]).model
    plain = {"years": [2026], "provisional": [], "holidays": [], "makeup": []}
    door.model_validate({"calendar": plain | {"version": "tests.1"}})
    for form in FORMS:
        with pytest.raises(ValidationError, match="form of a reference"):
            door.model_validate({"calendar": plain | {"version": form}})


@EVERY_PROCEDURE
def test_what_people_may_send_is_what_cases_have_taken_or_less(procedure: Procedure) -> None:
    """Inside, a command takes what it took on an earlier day: a history with a receipt that is refused today still replays."""
    for name, command in procedure.commands.items():
        inside = {each.place: each for each in strings_of(command)}
        for each in strings_of(command_body_of(command).model):
            if each.declared == "foreign code":
                TypeAdapter(inside[each.place].kind).validate_python(f"text:{OPAQUE_PART}"), name


# ---- the facts of entries ---------------------------------------------------------------------------------------------


def told_in(run: Replayed) -> Iterator[Entry | EntryTold]:
    """By flushes of its own, and with its answers to commands."""
    yield from (entry for batch in run.batches for entry in batch.entries)
    yield from run.answered


@pytest.fixture(scope="module")
async def told(replayed: ReplayRun) -> list[tuple[Procedure, str, dict[str, Any]]]:
    """Every entry of every recorded history, as today's code tells it: procedure, kind, facts."""
    of = {each.name: each for each in PROCEDURE_LIST}
    return [
        (of[file.parent.name], entry.kind, entry.facts)
        for file in recorded()
        for entry in told_in(await replayed(file))
    ]


def references(value: object) -> Iterator[str]:
    """Every string that looks like a reference, wherever it stands."""
    if isinstance(value, dict):
        yield from itertools.chain.from_iterable(references(each) for each in value.values())
    elif isinstance(value, list | tuple):
        yield from itertools.chain.from_iterable(references(each) for each in value)
    elif isinstance(value, str) and re.fullmatch(rf"(text|person|document):{OPAQUE}", value):
        yield value


def test_every_fact_that_holds_a_reference_is_declared(told: list[tuple[Procedure, str, dict[str, Any]]]) -> None:
    """In all that cases ever told, each reference stands where its kind of entry declares one of that sort."""
    stray = {
        (kind, found)
        for procedure, kind, facts in told
        for found in references(facts)
        if found not in {each.reference for each in named_in(facts, procedure.references.get(kind, {}))}
    }

    assert stray == set()


def test_every_declared_fact_holds_one(told: list[tuple[Procedure, str, dict[str, Any]]]) -> None:
    """What is declared is really told by some case, and holds that sort of reference or nothing at all."""
    declared = {(kind, path) for each in PROCEDURE_LIST for kind, paths in each.references.items() for path in paths}
    held = {
        (kind, each.path)
        for procedure, kind, facts in told
        for each in named_in(facts, procedure.references.get(kind, {}))
    }

    missing = {(str(kind), path) for kind, path in declared - held}
    # What a part declares is told by one of those that have the part (schemas/parts/), and knows no difference between them.
    told_elsewhere = {(kind, path) for kind, path in missing if kind in _of_parts() and _elsewhere(kind, path, held)}
    assert missing - told_elsewhere == PLAYED_NOWHERE


def _of_parts() -> set[str]:
    """The kinds that procedures have of their parts, and have not played from the start: those of contest and later ones."""
    composed = [each for each in PROCEDURE_LIST if isinstance(each, DeclaredProcedure) and each.parts]
    return {kind for each in composed if each.opens is not None and each.opens.body is not None for kind in each.titles}


def _elsewhere(kind: str, path: str, held: set[tuple[str, str]]) -> bool:
    """Whether an entry of this code holds it in another procedure, or is known to hold it nowhere yet."""
    code = kind.partition(":")[2]
    return any(
        each != kind and each.partition(":")[2] == code and there == path for each, there in held | PLAYED_NOWHERE
    )


def test_only_a_declared_fact_is_opened() -> None:
    """Words take the place of a reference where it is declared; the same string in another fact stays what it is."""
    text = f"text:{OPAQUE_PART}"
    facts = {"receipt": text, "reason": text, "documents": [{"reference": f"document:{OPAQUE_PART}", "note": text}],
             "results": {"a": text, "b": 1}}  # fmt: skip
    declared = {"reason": Refers.TEXT, "documents[].reference": Refers.DOCUMENT, "results.*": Refers.TEXT}

    assert with_words(facts, declared, {text: "words"}) == facts | {
        "reason": "words",
        "results": {"a": "words", "b": 1},
    }
    assert sorted(each.path for each in named_in(facts, declared)) == ["documents[].reference", "reason", "results.*"]
    assert list(named_in({"reason": f"person:{OPAQUE_PART}"}, declared)) == []


@EVERY_PROCEDURE
def test_a_state_declares_by_its_types(procedure: Procedure) -> None:
    """What a case remembers is a reference where the type of the field says so; each such place is found."""
    assert set(declared_by(procedure.state).values()) >= {Refers.TEXT, Refers.DOCUMENT}


async def test_the_database_goes_by_the_same_table(pool: asyncpg.Pool, worker: None) -> None:
    """What notes in which cases persons and documents stand, declares what the procedures do, and nothing else."""
    rows = await pool.fetch("select kind, path, refers from fact_references")
    declared = {
        (str(kind), path, refers.value)
        for each in PROCEDURE_LIST
        for kind, paths in each.all_references().items()
        for path, refers in paths.items()
    }

    assert {tuple(row) for row in rows} == declared


def test_what_the_migration_declares_the_program_declares_still() -> None:
    """A worker of an earlier day tells the database nothing: what its cases tell is declared by the migration, for ever."""
    migration = Path("engine/migrations/20261128000040_references.sql").read_text(encoding="utf-8")
    rows = re.findall(r"^    \('([a-z_:]+)', '([^']+)', '(text|person|document)'\)", migration, re.MULTILINE)
    declared = {
        (str(kind), path, refers.value)
        for each in PROCEDURE_LIST
        for kind, paths in each.all_references().items()
        for path, refers in paths.items()
    }

    assert len(rows) > 100
    assert set(rows) <= declared


@EVERY_PROCEDURE
async def test_database_and_program_find_the_same(
    procedure: Procedure, pool: asyncpg.Pool, worker: None, told: list[tuple[Procedure, str, dict[str, Any]]]
) -> None:
    """Of every entry ever recorded, `references_in` finds just what the program finds."""
    entries = {json.dumps([kind, facts], sort_keys=True): (kind, facts) for of, kind, facts in told if of is procedure}
    kinds, facts = zip(*entries.values(), strict=True)
    rows = await pool.fetch(
        "select place, array(select reference || refers from references_in(kind, facts) order by 1) as found"
        " from rows from (unnest($1::text[]), jsonb_array_elements($2::jsonb)) with ordinality as each (kind, facts, place)"
        " order by place",
        list(kinds), list(facts),
    )  # fmt: skip

    for row, kind, said in zip(rows, kinds, facts, strict=True):
        named = named_in(said, procedure.references.get(kind, {}))
        assert row["found"] == sorted(f"{each.reference}{each.refers}" for each in named), kind
