"""A paper of a case, to be handed over: 回执, 告知书, in the town's words (policies/papers/)."""

from collections.abc import Mapping
from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from console.http.pages import AS_PAGES, page, shown_moment
from console.http.site import Site, SiteOf
from console.papers.papers import Papers, PapersOf
from console.sign_in.signed_in import SignedIn
from console.staff.rows import about, area_in_words, holder_in_words, town_word
from schemas.contracts.department_policy import Name
from schemas.kernel.case import CaseState
from schemas.values.both import LISTED, Both, shown, titled, together
from schemas.values.refusals import say
from starter.cases.reading import ReadingOf
from starter.http.authentication import acting
from starter.http.problems import Problem, ProblemCode
from starter.intake.filing import FilingOf
from starter.intake.town_rules import TownRules

router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])


@router.get("/cases/{case_id}/paper/{kind}")
async def paper_page(  # noqa: PLR0917 - what a paper is made of
    request: Request,
    case_id: str,
    kind: str,
    caller: SignedIn,
    reading: ReadingOf,
    filing: FilingOf,
    site: SiteOf,
    papers: PapersOf,
) -> Response:
    """The paper, to be printed; `?as=pdf`: as a file. Nothing of a person stands in it but what the town's words say."""
    state = await reading.reader.state(case_id, acting(caller))
    wanting = reading.reader.view(state, acting(caller), reading.now()).wanting
    facts = facts_of(filing.town, site, state, wanting, reading.now())
    paragraphs = papers.kinds[kind].filled(facts) if kind in papers.kinds else None
    if paragraphs is None:
        raise Problem(ProblemCode.NOT_FOUND, say("本案没有此文书", "there is no such paper of this case"))
    shown = page(
        request,
        "paper.html",
        title=papers.kinds[kind].title,
        paragraphs=paragraphs,
        back=f"/cases/{state.case_id}",
        today=facts["today"],
        makes_pdf=papers.press.there,
    )
    return await papers.answer(request, shown, f"{state.case_id}-{kind}")


def offered(papers: Papers, facts: Mapping[str, str]) -> list[tuple[str, Name]]:
    """The papers of a case with these facts: kind and title."""
    return [(kind, each.title) for kind, each in papers.kinds.items() if each.filled(facts) is not None]


def facts_of(town: TownRules, site: Site, state: CaseState, wanting: tuple[str, ...], now: datetime) -> dict[str, str]:
    """What a paper may say of a case and of the town, in words; blank where there is no such thing."""
    procedure, service_hall = town.procedures[state.procedure], site.policy.hall
    due = min((view.due_at for view in state.clock_views() if view.due_at is not None), default=None)
    return {
        "case_id": state.case_id,
        "procedure": titled(procedure.title, procedure.name),
        "about": about(town, state.labels()),
        "stage": procedure.words.stage(state.stage, procedure.name),
        "holder": holder_in_words(town, state.holder),
        "area": area_in_words(town, state.area),
        "opened_at": shown_moment(state.opened_at),
        "closed_at": shown_moment(state.closed_at),
        "due_at": shown_moment(due),
        "wanting": together(LISTED, (town_word(town, each) for each in wanting)),
        "today": shown_moment(now).partition(" ")[0],
        "host": shown(site.policy.host),
    } | {
        f"hall{which}": said  # the service hall, that is
        for which, said in {
            "": shown(service_hall.name),
            "_address": Both(
                service_hall.address, service_hall.address_en or service_hall.address, service_hall.address
            ),
            "_phone": service_hall.phone,
            "_open": Both(service_hall.open, service_hall.open_en or service_hall.open, service_hall.open),
        }.items()
    }
