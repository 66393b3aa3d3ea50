"""What has become of a case since somebody opened a form about it: what people did meanwhile, and whether it was this very form."""

from collections.abc import Sequence

from pydantic import BaseModel

from schemas.values.actor import Actor, Role
from schemas.values.refusals import RefusalCode
from starter.cases.views import TimelineEntry
from starter.http.problems import Problem
from starter.intake.filing import Filing
from starter.intake.intake import Sender

ENTRIES_SINCE = 20


async def told_since(filing: Filing, case_id: str, actor: Actor, seen: int) -> Sequence[TimelineEntry]:
    """What the case has told after entry `seen`, if a person did any of it; texts are not opened.

    Nothing where the case alone has told more, such as that a department's system has the order: that is nobody's act.
    """
    since = await filing.reader.timeline(case_id, actor, seen, ENTRIES_SINCE, opens=False)
    return () if all(entry.actor.role is Role.ENGINE for entry in since) else since


async def was_sent(filing: Filing, sender: Sender, case_id: str, command: str, given: BaseModel) -> bool:
    """Whether this very command was accepted under this key before."""
    try:
        return await filing.intake.known(sender, case_id, command, given) is not None
    except Problem as problem:
        if problem.code != RefusalCode.KEY_REUSED:
            raise
        return False
