"""A command may name its fields as the regulation does, also by words that the kernel uses for its own arguments."""

from collections.abc import AsyncIterator
from typing import ClassVar

import pytest

from schemas.kernel.acts import act, file_acts, step
from schemas.kernel.declaration import declare
from schemas.kernel.entries import EntryKinds, entry
from schemas.kernel.parties import SUPERVISOR
from schemas.kernel.procedure import Command
from schemas.kernel.state import DeclaredState
from schemas.kernel.timers import last_limit
from schemas.kernel.words import DeclaredStage
from schemas.values.foreign_code import ForeignCode
from tests.api_driver import Person
from tests.part_bench import PartBench, TinyTerms, part_bench
from workflows.kernel.declared import DeclaredCase
from workflows.kernel.procedure_workflow import procedure_workflow

pytestmark = pytest.mark.timeout(120)

WATCHES = Person("supervisor-zhou", "supervisor")
SAID = {"kind": "leak", "entry": "north", "stage": "second", "to": "valley", "template": "blue"}


class Stage(DeclaredStage):
    """Where it stands."""

    OPEN = "open", "办理中", "正在办理", "open"
    DONE = "done", "已办结", "已办结", "done"
    LAPSED = "lapsed", "逾期终结", "已终结", "ended unfinished"


class NamingState(DeclaredState):
    """What it remembers."""

    procedure: ClassVar[str] = "naming"
    stage: str = Stage.OPEN
    terms: TinyTerms = TinyTerms()


class Kind(EntryKinds, procedure="naming"):
    """What its ledger says."""

    OPENED = entry("opened", "立案")
    NOTED = entry("noted", "记录")
    DONE = entry("done", "办结")
    LAPSED = entry("lapsed", "逾期终结")


class Says(Command):
    """Words that are the kernel's own, too."""

    kind: ForeignCode
    entry: ForeignCode
    stage: ForeignCode
    to: ForeignCode
    template: ForeignCode


class Notes(Says):
    """Noted."""


class Ends(Says):
    """And over."""


NAMING = declare(
    "naming",
    "命名",
    parent="incident",
    state=NamingState,
    stages=Stage,
    entries=Kind,
    opened=Kind.OPENED,
    timers={"final": last_limit("unresolved_after")},
    lines=(
        act(Notes, "记录", name="note", meaning="it is noted.", by=SUPERVISOR, at=Stage.OPEN, entry=Kind.NOTED),
        act(
            Ends,
            "办结",
            name="close",
            meaning="it is over.",
            by=SUPERVISOR,
            at=Stage.OPEN,
            to=Stage.DONE,
            entry=Kind.DONE,
        ),
        step("expire", "逾期终结", at=Stage.OPEN, to=Stage.LAPSED, entry=Kind.LAPSED, clock="final"),
        *file_acts(Kind, by=(SUPERVISOR,), at=Stage.OPEN, urged_by=(SUPERVISOR,)),
    ),
)


@procedure_workflow
class Naming(DeclaredCase[NamingState]):
    """A case whose commands say such words."""

    procedure = NAMING

    def reported(self) -> dict[str, object]:
        """Nothing besides the rules."""
        return {}


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PartBench]:
    """Where it is played."""
    async with part_bench(tmp_path_factory.mktemp("naming"), Naming) as opened:
        yield opened


async def test_fields_are_called_as_the_regulation_calls_them(bench: PartBench) -> None:
    """What they say stands in the entry of the command, of one that goes on and of one that ends the case."""
    case = await bench.open(NAMING)
    await bench.taken(case, "note", WATCHES, **SAID)
    await bench.taken(case, "close", WATCHES, **SAID)
    for kind in (Kind.NOTED, Kind.DONE):
        (facts,) = bench.facts(case, kind.partition(":")[2])
        assert {name: facts[name] for name in SAID} == SAID
