"""A word of whoever acts on a case from outside its procedure: it goes into the case as a comment of theirs, like every other."""

from schemas.kernel.case_file import Comment
from starter.http.bodies import check_model
from starter.http.command_bodies import command_body_of
from starter.http.problems import bad_request
from starter.intake.commands import command_faults, give
from starter.intake.filing import Filing
from starter.intake.intake import Sender
from starter.intake.stuck_acts import Note

COMMENT = command_body_of(Comment)
"""The way in of a comment: its one field holds the text."""

TEXT = "text"


def noting(filing: Filing, sender: Sender) -> Note:
    """Notes a text in a case, once for the sender's key. Raises Problem: refused there, or the text is none that a case takes.

    A case that does not answer at once has accepted it, and notes it when it gets on.
    """

    async def note(case_id: str, text: str) -> None:
        state = await filing.reader.state(case_id, sender.actor)
        doors = filing.town.doors[state.procedure]
        name = next(name for name, door in doors.items() if issubclass(door.command, Comment))
        given, shape_faults = check_model(doors[name].model, {TEXT: text})
        faults = await command_faults(filing, state, doors[name], given, shape_faults, sender.actor)
        if given is None or faults:
            raise bad_request(faults)
        await give(filing, sender, state, name=name, door=doors[name], given=given)

    return note
