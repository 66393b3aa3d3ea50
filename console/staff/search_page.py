"""查找: a case by its number or by words of its matter, and the cases of a person by phone or document.

All of it is sent and none of it addressed: what somebody looks for may be the number of a person.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from console.forms.faults import PlacedFault, said
from console.http.forms import PostedTexts
from console.http.pages import AS_PAGES, page, see_other
from console.sign_in.signed_in import SignedIn
from console.staff.list_page import CASES
from console.staff.rows import shown_rows, town_word
from engine.keys.tokens import Principal
from schemas.values.actor import Actor
from schemas.values.both import Both, titled
from schemas.values.refusals import Fault, say
from schemas.words.field_words import FIELDS, VALUES
from starter.cases.case_lists import CaseLists, Filters
from starter.cases.person_search import PersonSearch, PersonSought, SoughtBy, may_search
from starter.cases.reading import Reading, ReadingOf
from starter.http.authentication import acting
from starter.http.bodies import check_model
from starter.http.parameters import CASE_ID
from starter.http.problems import FORBIDDEN, Problem, bad_request
from starter.intake.category_search import Known, search
from starter.intake.town_rules import TownRules, TownRulesOf

SEARCH = "/search"
MATTERS_SHOWN = 10
TEXT_CHARACTERS_MAX = 200
COUNTED_AT_MOST = 100
_DAY = r"20[0-9]{2}[01][0-9][0-3][0-9]"
_NUMBER = re.compile(rf"(?:[a-z_]+-)?{_DAY}(?:-[0-9]{{1,6}})?|[0-9]{{3,6}}")
"""A part of a case's number that may stand in an address."""

_OF_A_PERSON = re.compile(r"\+?[0-9A-Z(][0-9\s\-()]{5,24}[0-9X]", re.IGNORECASE)
"""What may be the number of a phone or a document. It is not made part of an address."""

router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])


@dataclass(frozen=True)
class Matter:
    """A list of cases that fits the words: `count` of them are open, or as many as are counted at most."""

    words: str
    procedure: str
    address: str
    count: int


@router.get(SEARCH)
async def search_page(request: Request, caller: SignedIn) -> Response:
    """The forms, blank."""
    return _page(request, caller)


@router.post(SEARCH)
async def find(
    request: Request, caller: SignedIn, posted: PostedTexts, reading: ReadingOf, town: TownRulesOf
) -> Response:
    """A number leads to its case or list, words show the matters that fit; a person's cases are shown here and nowhere else."""
    request.state.posted = posted
    if posted.one("by"):
        return await _person(request, caller, posted.one("by"), posted.one("person"), reading, town)
    text = unicodedata.normalize("NFKC", posted.one("text")).strip()
    if CASE_ID.fullmatch(text):
        return see_other(f"{CASES}/{text}")
    if _NUMBER.fullmatch(text):
        return see_other(f"{CASES}?{urlencode({'number': text})}")
    if not text or len(text) > TEXT_CHARACTERS_MAX or _OF_A_PERSON.fullmatch(text):
        problem = bad_request([_not_here(text)])
        return _page(request, caller, problem.kind.status, text=text, faults=said(problem))
    actor, lists, now = acting(caller), CaseLists(reading.pool), reading.now()
    matters = [
        Matter(words, procedure, address, await lists.count_some(actor, filters, now, COUNTED_AT_MOST))
        for words, procedure, address, filters in _matters(town, text)[:MATTERS_SHOWN]
    ]
    return _page(request, caller, text=text, matters=matters)


async def _person(  # noqa: PLR0917 - who is sought, and by whom
    request: Request, caller: Principal, by: str, number: str, reading: Reading, town: TownRules
) -> Response:
    given, faults = check_model(PersonSought, {"by": by, "number": number})
    try:
        if given is None:
            raise bad_request(faults)
        found = await PersonSearch(reading).find(given, acting(caller))
    except Problem as problem:
        if problem.code in FORBIDDEN or problem.kind.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        return _page(request, caller, problem.kind.status, by=by, number=number, faults=said(problem))
    rows = shown_rows(town, found.items, reading.now())
    return _page(request, caller, by=by, number=number, rows=rows, more=found.more)


def _matters(town: TownRules, text: str) -> list[tuple[str, str, str, Filters]]:
    """The lists of open cases that fit some words: of matters by what people call them, and of procedures by their titles."""
    found = []
    for name, policy in town.policies.items():
        known = [
            Known(each, {"name": (each,), "synonym": tuple(town.synonyms.get(each, ()))}) for each in policy.searched()
        ]
        found += [
            (town_word(town, each.category), name, {"procedure": name, "category": each.category})
            for each in search(known, text)
        ]
    titles = [
        (titled(each.title, name), name, {"procedure": name})
        for name, each in town.procedures.items()
        if text in each.title
    ]
    return [
        (
            words,
            titled(town.procedures[name].title, name),
            f"{CASES}?{urlencode(narrowed | {'ended': 'false'})}",
            Filters(ended=False).narrowed(**narrowed),
        )
        for words, name, narrowed in [*titles, *found]
    ]


def _page(
    request: Request,
    caller: Principal,
    status: int = HTTPStatus.OK,
    *,
    text: str = "",
    by: str = "",
    number: str = "",
    faults: Sequence[PlacedFault] = (),
    matters: Sequence[Matter] | None = None,
    rows: Sequence[object] | None = None,
    more: bool = False,
) -> Response:
    return page(
        request, "search.html", status, text=text, by=by, number=number, faults=faults, matters=matters, rows=rows,
        more=more, kinds=_kinds(acting(caller)), counted_at_most=COUNTED_AT_MOST,
    )  # fmt: skip


def _kinds(actor: Actor) -> list[tuple[str, str]]:
    """By which numbers somebody may look for people, in words."""
    words = {SoughtBy.PHONE.value: FIELDS["phone"], **VALUES["DocumentKind"]}
    return [(each.value, Both(words[each].zh, words[each].en)) for each in SoughtBy if may_search(actor, each)]


def _not_here(text: str) -> Fault:
    reason, remedy = say("未填写", "is blank"), say("请填写编号或事项", "write a number or a matter")
    if len(text) > TEXT_CHARACTERS_MAX:
        reason = say(f"超过{TEXT_CHARACTERS_MAX}字", f"has more than {TEXT_CHARACTERS_MAX} characters")
        remedy = say("请填写几个字的事项", "write a few words of the matter")
    elif text:
        reason = say("像是电话或证件号码", "looks like the number of a phone or a document")
        remedy = say("请在“按人”一栏填写", "write it where people are looked for")
    return Fault(field="text", reason=reason, remedy=remedy)
