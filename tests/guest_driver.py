"""Somebody without an account, as tests have them: by the services behind the pages, for at the API they have no address.

What the pages themselves ask of them is tested in tests/console/test_console_report.py.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import httpx

from schemas.kernel.procedure import Procedure
from schemas.values.actor import Channel
from starter.http.problems import Problem
from starter.intake.answers import answer_start
from starter.intake.commands import give
from starter.intake.filing import Filing
from starter.intake.guests import Guest
from starter.intake.intake import Sender
from starter.intake.openings import opening_of


async def guest_opens(
    filing: Filing, procedure: Procedure, subject: str, key: str, body: Mapping[str, Any]
) -> tuple[str, bool]:
    """A case of somebody without an account: its id, and whether it stands already."""
    opening, guest = opening_of(procedure), Guest(subject)
    given = opening.model.model_validate(body)
    assert await opening.all_faults(filing, guest, given, []) == []
    entered = await opening.accept(filing, opening.sender(guest, key, given), given)
    answer = await answer_start(filing.answering, entered, guest.actor(Channel.APP))
    return entered.submission.case_id, answer.status_code != HTTPStatus.ACCEPTED


async def guest_gives(
    filing: Filing, subject: str, case_id: str, command: str, key: str, body: Mapping[str, Any]
) -> httpx.Response:
    """A command of theirs, answered as the API answers others."""
    guest = Guest(subject)
    actor = guest.actor(Channel.APP)
    try:
        state = await filing.reader.state(case_id, actor)
        door = filing.town.doors[state.procedure][command]
        sender = Sender(guest.subject, key, actor)
        answer = await give(filing, sender, state, name=command, door=door, given=door.model.model_validate(body))
    except Problem as problem:
        return httpx.Response(problem.kind.status, json={"code": problem.code, "detail": problem.detail})
    return httpx.Response(answer.status_code, content=bytes(answer.body))
