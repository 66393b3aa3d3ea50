"""居民表决: what is voted on, and where whoever may takes the ballot of a unit. The choice is made on a page of the ballot box.

This process sees who takes a ballot, and what hides it; what is on the ballot, and what is chosen, it never sees
(docs/decisions/0012).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from pydantic import StringConstraints, TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from console.http.forms import PostedTexts
from console.http.languages import Language
from console.http.look import ELDER, look_of
from console.http.pages import AS_PAGES, page
from console.sign_in.signed_in import PerhapsSignedIn
from schemas.parts.ballots import UnitCode
from schemas.values.both import Both
from schemas.values.refusals import Fault, in_both, say
from schemas.values.tidy_text import tidy
from starter.http.problems import Problem, bad_request
from starter.intake.votes import Poll, Polls, PollsOf, key_of, poll_of, polls_now, take_ballot, units_of

VOTES = "/votes"
VOTE = f"{VOTES}/{{vote}}"
CODE_CHARACTERS_MAX = 80
_BLINDED = re.compile(r"([0-9a-f]{2}){128,1024}")
_UNIT: TypeAdapter[str] = TypeAdapter(Annotated[UnitCode, StringConstraints(strict=True)])
router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])


@dataclass(frozen=True)
class Taking:
    """What the script of the page needs. `key`: the modulus of the vote's key, in hex; `box`: where the choice is made."""

    key: str
    box: str


@router.get(VOTES)
async def votes_page(request: Request, polls: PollsOf) -> Response:
    """Every vote: what is asked, how far it is, and how those came out that are counted."""
    return page(request, "votes.html", polls=await polls_now(polls))


@router.get(VOTE)
async def vote_page(request: Request, vote: str, polls: PollsOf, caller: PerhapsSignedIn) -> Response:
    """One vote; while it takes ballots online, with the form by which a unit takes its own."""
    poll = await poll_of(polls, vote)
    online = polls.has_box and poll.shown.online
    taking, away = None, ""
    if online:
        try:
            taking = await _taking(request, polls, poll)
        except Problem as problem:
            away = in_both(problem.detail)
    units: Sequence[UnitCode] = await units_of(polls, poll, caller) if online and caller is not None else ()
    return page(request, "vote.html", scripted=taking is not None, poll=poll, taking=taking, away=away, units=units)


@router.post(f"{VOTE}/taken")
async def take(request: Request, vote: str, posted: PostedTexts, polls: PollsOf, caller: PerhapsSignedIn) -> Response:
    """For the script of the page: the blind signature, or why there is none, in the words of the page."""
    language = look_of(request).language
    try:
        poll = await poll_of(polls, vote)
        unit, blinded = _asked(posted.one("unit"), posted.one("blinded"))
        code = posted.one("code")[:CODE_CHARACTERS_MAX]
        signature = await take_ballot(polls, request, poll, unit, blinded, code=code, caller=caller)
    except Problem as problem:
        said = "; ".join(in_both(each.remedy) for each in problem.faults or ()) or in_both(problem.detail)
        return _answer({"said": _in(language, said)}, problem.kind.status, problem.headers)
    return _answer({"blind_signature": signature})


async def _taking(request: Request, polls: Polls, poll: Poll) -> Taking:
    key = await key_of(polls, poll)
    look = look_of(request)
    told = {"lang": str(look.language), "look": ELDER if look.elder else ""}
    query = urlencode({name: said for name, said in told.items() if said})
    return Taking(f"{key.n:x}", f"{polls.box.for_voters}/vote/{quote(poll.vote, safe='')}{'?' if query else ''}{query}")


def _asked(unit: str, blinded: str) -> tuple[UnitCode, str]:
    """What was asked for. Raises Problem: it is no unit, or nothing that hides a ballot."""
    faults = []
    try:
        unit = _UNIT.validate_python(tidy(unit))
    except ValidationError:
        remedy = say("请填写选票单上的单元号,如 3-2-501", "write the unit as it stands on the slip, such as 3-2-501")
        faults.append(Fault(field="unit", reason=say("不是单元号", "is no unit"), remedy=remedy))
    if not _BLINDED.fullmatch(blinded):
        remedy = say("请重新打开本页后再试", "open the page anew and try again")
        faults.append(Fault(field="blinded", reason=say("内容不完整", "is not whole"), remedy=remedy))
    if faults:
        raise bad_request(faults)
    return unit, blinded


def _in(language: Language, said: object) -> str:
    return str(language.of(said if isinstance(said, Both) else Both(str(said), str(said), str(said))))


def _answer(content: dict[str, str], status: int = HTTPStatus.OK, headers: object = None) -> Response:
    further = dict(headers) if isinstance(headers, dict) else {}
    return JSONResponse(content, int(status), headers={"Cache-Control": "no-store", **further})
