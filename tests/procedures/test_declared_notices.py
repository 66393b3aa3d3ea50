"""Who is told by a line is told whenever its entry is made: notices stand in no history, so replayed flushes are looked at."""

import json

import pytest

from schemas.kernel.acts import Act, Step
from schemas.kernel.declaration import DeclaredProcedure
from tests.every_procedure import PROCEDURE_LIST
from tests.histories import FOLDER
from tests.replayed_runs import ReplayRun

pytest_plugins = ("tests.replayed_fixture",)

TELLING = [each for each in PROCEDURE_LIST if isinstance(each, DeclaredProcedure) and each.end_notice is not None]


@pytest.mark.parametrize("procedure", TELLING, ids=lambda procedure: procedure.name)
async def test_whom_a_line_tells_is_told_with_its_entry(procedure: DeclaredProcedure, replayed: ReplayRun) -> None:
    """In every recorded run: the entry of a line, or of an end, comes with the notice that the declaration names."""
    lines: list[Act | Step] = [*procedure.acts.values(), *procedure.steps]
    by_line = {str(each.entry): each.tells.template for each in lines if each.entry and each.tells}
    notice = procedure.end_notice
    told_of = {stage for stage in procedure.final if notice is not None and notice.tells_of(stage)}
    by_end = {stage: procedure.end_template(stage) for stage in told_of}
    silent: list[str] = []
    seen: set[str] = set()
    for file in sorted((FOLDER / procedure.name).glob("*.history")):
        before: str | None = None
        for batch in (await replayed(file)).batches:
            told = {each.template for each in batch.notices}
            wanted = {by_line[each.kind] for each in batch.entries if each.kind in by_line}
            begins = batch.entries[0].seq == 1
            stage = str(json.loads(batch.row)["stage"])
            if stage in by_end and (begins or before not in {None, stage}):
                wanted.add(by_end[stage])
            before = stage
            seen |= wanted
            silent += [f"{file.stem} {batch.entries[0].seq}: {each}" for each in sorted(wanted - told)]

    assert silent == []
    assert seen
