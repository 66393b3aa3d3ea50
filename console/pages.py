"""The console, put together: pages for staff and for residents, over the very services of the API."""

from fastapi import APIRouter

from console.auditors import record_lists, record_page, replay_page
from console.drafts.drafts import Drafts
from console.http import assets, docs_page, look_page
from console.http.site import Site
from console.operators import operator_act_page, stuck_page
from console.papers.papers import Papers
from console.residents import (
    act_page,
    blank_forms_page,
    boards_page,
    follow_page,
    notices_page,
    progress_page,
    report_page,
    votes_page,
)
from console.residents.report_drafts import ReportDrafts
from console.sign_in import issuer_pages, session_list, sign_in
from console.sign_in.begun import SignInsBegun
from console.sign_in.issuer import Entrance, Issuer
from console.sign_in.issuer_client import IssuerClient
from console.sign_in.sessions import Sessions
from console.sign_in.signed_in import browser_sessions
from console.staff import (
    bulk_page,
    case_page,
    command_page,
    document_page,
    drafts_page,
    filters_page,
    hot_spots_page,
    inbox_page,
    indicators_page,
    list_page,
    map_page,
    opening_page,
    paper_page,
    search_page,
    similar_page,
    submission_page,
    wall_page,
)
from console.staff.indicators_page import Sheets
from console.staff.map_drawing import TownMap
from console.staff.opening_page import Openings
from console.staff.saved_filters import SavedFilters
from engine.runtime.settings import Settings
from starter.app import Pages
from starter.cases import procedure_indicators
from starter.cases.hot_spot_finders import hot_spot_finders
from starter.cases.indicator_sheets import sheets_of
from starter.cases.similar_finders import similar_finders
from starter.http.rates import Rates
from starter.intake.openings import opening_of
from starter.intake.proposers import proposers
from starter.intake.public_notices import NoticesShown
from starter.wiring import ApiServices

BEGINNINGS_PER_SECOND, BEGINNINGS_AT_ONCE_SECONDS = 0.5, 120.0
"""Of reports without an account at one address: sixty at once, a hall full of people, and then one every other second."""

API = (docs_page.router,)
PUBLIC = (
    report_page.router,
    follow_page.router,
    act_page.router,
    notices_page.router,
    boards_page.router,
    votes_page.router,
    progress_page.router,
    blank_forms_page.router,
)
STAFF = (
    sign_in.router,
    issuer_pages.router,
    session_list.router,
    inbox_page.router,
    search_page.router,
    filters_page.router,
    bulk_page.router,
    list_page.router,  # before `case_page`: its `/{case_id}` would take `/filter` for a case
    case_page.router,
    similar_page.router,  # before `command_page`: its `/{command}` would take `/similar` for a command
    command_page.router,
    opening_page.router,
    submission_page.router,
    document_page.router,
    wall_page.router,
    indicators_page.router,
    hot_spots_page.router,
    map_page.router,
    record_page.router,
    replay_page.router,
    record_lists.router,
    stuck_page.router,
    operator_act_page.router,
    paper_page.router,
    drafts_page.router,
)


def console_pages(services: ApiServices, settings: Settings) -> Pages:
    """The pages that the settings ask for, and what they need besides the services of the API."""
    routers: tuple[APIRouter, ...] = (
        *(STAFF if "staff" in settings.serves else ()),
        *(PUBLIC if "public" in settings.serves else ()),
        *(API if "api" in settings.serves else ()),
    )
    openings = {
        name: opening_of(procedure) for name, procedure in services.town.procedures.items() if procedure.parent is None
    }
    sheets = sheets_of(services.town.procedures, procedure_indicators.SHEET)
    pool, client = services.pool, IssuerClient.of(settings)
    sessions = Sessions(pool)
    return Pages(
        routers=(*routers, look_page.router, assets.router),
        things=(
            Site.of(settings),
            sessions,
            browser_sessions(sessions),
            SignInsBegun(pool),
            Entrance(None if client is None else Issuer(client, services.guard.verifier)),
            Drafts(pool, services.vault_ring),
            NoticesShown(notices_page.show_notices),
            Openings(openings),
            ReportDrafts(pool, Rates(BEGINNINGS_PER_SECOND, BEGINNINGS_AT_ONCE_SECONDS)),
            SavedFilters(pool),
            Sheets(sheets),
            similar_finders(services.town.procedures),
            hot_spot_finders(services.town.procedures),
            proposers(services.town.procedures),
            TownMap.of(services.town.shapes),
            Papers.of(settings),
            docs_page.WrittenOut(),
        ),
    )
