"""What codes are called for people: entries on screens, stages for residents. A procedure declares both."""

from schemas.contracts.department_policy import Name
from schemas.kernel.procedure import Procedure
from schemas.words.entry_titles import OF_EVERY_CASE


def title_of(procedure: Procedure, kind: str) -> str:
    """Return the title of an entry's kind; the kind itself while it has none."""
    return procedure.titles.get(kind) or OF_EVERY_CASE.get(kind, kind)


def words_for_residents(stage: str, procedure: Procedure) -> Name:
    """Return what a stage is called for a resident; the code itself while it has no words."""
    words = procedure.stage_words.get(stage)
    return Name(zh=stage, en=stage) if words is None else Name(zh=words.zh, en=words.en)
