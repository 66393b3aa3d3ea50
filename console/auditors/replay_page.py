"""重放: whether the history of a case leads where it led. Asked for by a button, run outside the API, looked at when it is done."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from console.http.pages import AS_PAGES, loads_again, page, see_other
from console.sign_in.signed_in import SignedIn
from starter.auditors.audit import auditor_of_case
from starter.auditors.replays import ReplaysOf
from starter.cases.reading import ReadingOf

LOOK_SECONDS = 3
router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])
_PATH = "/audit/cases/{case_id}/replay"


@router.get(_PATH)
async def replay_page(
    request: Request, case_id: str, caller: SignedIn, reading: ReadingOf, replays: ReplaysOf
) -> Response:
    """The last verdict; while it is looked for, the page loads itself again."""
    await auditor_of_case(caller, reading, case_id)
    verdict = await replays.latest(case_id)
    answer = page(request, "audit_replay.html", case_id=case_id, verdict=verdict)
    return loads_again(answer, LOOK_SECONDS) if verdict and verdict.running else answer


@router.post(_PATH)
async def replay_case(case_id: str, caller: SignedIn, reading: ReadingOf, replays: ReplaysOf) -> Response:
    """Begin, unless one runs already; then to the page that waits for it."""
    actor = await auditor_of_case(caller, reading, case_id, "replay_case")
    await replays.ask(case_id, actor.subject)
    return see_other(_PATH.replace("{case_id}", case_id))
