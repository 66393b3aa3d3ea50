"""A report of somebody without an account, sent: machines are refused, and what people wrote goes the way of every opening."""

from typing import Any

from starlette.requests import Request

from console.http.forms import Posted
from console.residents.questions import DOCUMENTS, Report
from console.residents.report_drafts import Begun, Draft
from schemas.kernel.case_file import Attach
from schemas.values.actor import Channel
from schemas.values.document import Document
from schemas.values.refusals import say
from starter.cases.public import Residents
from starter.http.problems import Problem, ProblemCode
from starter.http.senders import sender_of
from starter.intake.filing import Filing
from starter.intake.guests import Guest
from starter.intake.intake import Sender
from starter.intake.starts import Opening

TRAP = "website"
"""A field that no page shows: whoever fills it in has not looked at the page."""

FASTEST_SECONDS = 4
"""Nobody reads the pages of a report, and writes on them, in less."""

SENDING = "report"
"""What is counted of an address (starter/http/senders.py)."""


def refuse_machines(posted: Posted, begun: Begun) -> None:
    """Raises Problem: what no person does; a person who did so by accident mends it by one more press."""
    if posted.one(TRAP):
        raise Problem(
            ProblemCode.BAD_REQUEST,
            say("请将“网址”一栏留空后重新提交", "leave the field “website” blank, and send it again"),
        )
    if begun.age_seconds < FASTEST_SECONDS:
        raise Problem(
            ProblemCode.TOO_MANY_REQUESTS,
            say("提交过快,请核对后再次提交", "that was quicker than anybody reads: look at it, and send it again"),
            headers={"Retry-After": str(FASTEST_SECONDS)},
        )


async def accepted(request: Request, filing: Filing, residents: Residents, opening: Opening[Any], draft: Draft) -> str:
    """Take the report in, and file its photos; the number of the case. Raises Problem: as at the API, or too many were sent."""
    guest = Guest(draft.guest)
    given, faults = await Report.of(filing, opening, guest).judged(filing, guest, draft.texts)
    if given is None or faults:
        raise Problem(
            ProblemCode.BAD_REQUEST, say("还有内容需要更正", "something is still to be mended"), faults=faults
        )
    await residents.codes.attempts.take(SENDING, await sender_of(request, residents.verifier))
    entered = await opening.accept(filing, opening.sender(guest, draft.key, given), given)
    await _file_photos(filing, entered.submission.case_id, draft, guest)
    return entered.submission.case_id


async def _file_photos(filing: Filing, case_id: str, draft: Draft, guest: Guest) -> None:
    """Each by the command that files a document, under a key of its own: begun anew, it is filed once."""
    photos = [Document.model_validate_json(each) for each in draft.texts.get(DOCUMENTS, ())]
    if not photos:
        return
    actor = guest.actor(Channel.APP)
    state = await filing.reader.state(case_id, actor)
    commands = filing.town.procedures[state.procedure].commands
    name = next(name for name, command in commands.items() if issubclass(command, Attach))
    door = filing.town.doors[state.procedure][name]
    for number, photo in enumerate(photos, 1):
        given = door.model.model_validate({"document": photo.model_dump()})
        sender = Sender(guest.subject, f"{draft.key}-photo-{number}", actor)
        entered = await filing.intake.command(sender, state, name, door, given)
        if entered.submission.leased and not entered.repeated:
            filing.relay.take(entered.submission)
