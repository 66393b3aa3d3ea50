"""What an operator does about a case that does not get on, from the terminal and on a page alike.

Whoever does something says why: `note` puts the reason into the case, as a comment of theirs. To give a case to somebody else
or to end it there are the commands of its procedure (docs/operations.md).
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from temporalio.client import Client

from starter.intake.delivery import Delivery, NotDelivered
from starter.intake.postbox import Postbox, SetAsideAnswer, Status
from starter.intake.stuck import retry_now

BY_HAND = "by_hand"
Note = Callable[[str, str], Awaitable[None]]
"""`note(case_id, text)`: put a reason into a case's ledger. Raises what whoever notes it says of a refusal."""


async def retry_with_reason(client: Client, case_id: str, reason: str, note: Note) -> int:
    """Note why, then let outside work that waits be tried now; how many such there were. Raises RPCError and as `note`."""
    await note(case_id, f"立即重试:{reason}")
    return await retry_now(client, case_id)


async def take_up_again(postbox: Postbox, submission: str, reason: str, note: Note) -> bool:
    """Note why, then have what was set aside delivered once more; False: nothing was. Raises as `note`: nothing was done then."""
    found = await postbox.find(submission)
    if found is None or found.status is not Status.SET_ASIDE:
        return False
    await note(found.case_id, f"重新办理:{reason}")
    return await postbox.take_up_again(submission) is not None


async def lay_aside(postbox: Postbox, delivery: Delivery, submission: str, reason: str, note: Note) -> bool:
    """Lay aside a command that waits, or say that one that was has been looked at, and note why; False: there is none.

    Raises as `note`: it is laid aside all the same, for the command that is in the way may be what keeps the reason out.
    """
    before = await postbox.find(submission)
    laid = await postbox.lay_aside(submission, SetAsideAnswer(failure=BY_HAND, by_hand=True))
    if before is None or laid is None:
        return False
    if before.status is Status.WAITING:
        with suppress(NotDelivered):  # then the reason below says it alone
            await delivery.tell_set_aside(laid, BY_HAND)
    await note(laid.case_id, f"暂存:{reason}")
    return True
