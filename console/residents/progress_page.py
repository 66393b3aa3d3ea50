"""公开事项进度: through which stages a public procedure goes, in words for residents, and what of it is posted now.

Nothing here is more than the notices say (starter/intake/public_notices.py) and the declaration: no case that is not posted is
counted or named.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from console.http.pages import AS_PAGES, page
from schemas.kernel.procedure import Procedure
from schemas.kernel.words import Promise
from schemas.values.both import titled
from schemas.words.titles import words_for_residents
from starter.intake.public_notices import POSTED, NoticeBoardOf, PublicNotice, posted_now

router = APIRouter(include_in_schema=False, dependencies=[AS_PAGES])


@dataclass(frozen=True)
class PublicStage:
    """A stage in words. `is_posted`: at it a case is posted for everybody to see."""

    zh: str
    en: str
    is_posted: bool


@dataclass(frozen=True)
class PublicProcedure:
    """A procedure that posts: its way, what it promises, and its notices that are up."""

    title: str
    stages: Sequence[PublicStage]
    promises: Sequence[Promise]
    notices: Sequence[PublicNotice]


@router.get("/progress")
async def progress_page(request: Request, board: NoticeBoardOf) -> Response:
    """Every procedure that posts."""
    items = await posted_now(board)
    procedures = [board.filing.town.procedures[name] for name in POSTED]
    return page(request, "progress.html", procedures=[_public(each, items) for each in procedures])


def _public(procedure: Procedure, items: Sequence[PublicNotice]) -> PublicProcedure:
    """Its way to where it is posted and beyond, in the order of the declaration; the ends that stop it are left out."""
    posted = POSTED[procedure.name].posted
    stages = [
        PublicStage(words.zh, words.en, stage == posted)
        for stage in procedure.stages
        if stage in procedure.rules.open_stages
        for words in [words_for_residents(stage, procedure)]
    ]
    promises = [each.promise for each in procedure.clock_words.values() if each.promise is not None]
    return PublicProcedure(
        titled(procedure.title, procedure.name),
        stages,
        promises,
        [each for each in items if each.procedure == procedure.name],
    )
