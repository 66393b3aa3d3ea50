"""The board of duties 义务公开: what each side of an agreement owes and has done, for everybody, without persons and texts.

Which procedures have one is what they are composed of (`DutyBoard`, schemas/parts/duty_board.py); none is named here.
"""

from collections.abc import Mapping

from fastapi import APIRouter

from engine.store.database import Queries
from schemas.kernel.procedure import Procedure
from schemas.parts.duties import DutiesState
from schemas.parts.duty_board import BoardLine, DutyBoard, lines_of
from schemas.parts.postings import Shown
from schemas.values.area import community_of
from schemas.values.model import Model
from starter.http.database import database
from starter.http.documentation import responses
from starter.intake.public_notices import NoticeBoard, NoticeBoardOf
from workflows.registry import PROCEDURES

router = APIRouter(prefix="/public/boards", tags=["residents"])

BOARDS: Mapping[str, DutyBoard] = {
    procedure.name: board
    for procedure in (case.procedure for case in PROCEDURES)
    if (board := procedure.part_or_none(DutyBoard)) is not None
}
"""The board of each procedure that has one."""


class BoardFact(Model):
    """Something else of the case that everybody sees: by its name, in words."""

    name: str
    zh: str
    value: str | int
    money: bool = False
    on_page: bool = True


class PublicBoard(Model):
    """One agreement. `board`: a number of its own, from which nobody can tell the case."""

    board: str
    procedure: str
    procedure_zh: str
    community: str
    community_zh: str
    stage: str
    stage_zh: str
    facts: list[BoardFact]
    duties: list[BoardLine]


class PublicBoards(Model):
    """Every agreement that is performed now, the newest first."""

    items: list[PublicBoard]


class BoardQueries(Queries):
    """engine/queries/public_boards.sql."""

    on_board: str


SQL = BoardQueries.load("public_boards")


@router.get("", summary="义务公开 Duties of both sides", responses=responses({200: PublicBoards}, "database-away"))
async def public_boards(board: NoticeBoardOf) -> PublicBoards:
    """What both sides of each agreement owe, how far it is, how often it was kept. No persons, no texts, no numbers of cases."""
    return PublicBoards(items=await boards_now(board))


async def boards_now(board: NoticeBoard) -> list[PublicBoard]:
    """Every board that stands. Raises Problem 503 without Postgres."""
    stages = [(name, stage.value) for name, each in BOARDS.items() for stage in each.at]
    async with database(board.pool) as connection:
        rows = await connection.fetch(SQL.on_board, [name for name, _ in stages], [stage for _, stage in stages])
    procedures = board.filing.town.procedures
    states = [(procedures[row["procedure"]], row["snapshot"]) for row in rows]
    read = [(procedure, procedure.state.model_validate(snapshot)) for procedure, snapshot in states]
    return [
        _board(board, procedure, state) for procedure, state in read if isinstance(state, DutiesState) and state.duties
    ]


def _board(board: NoticeBoard, procedure: Procedure, state: DutiesState) -> PublicBoard:
    community = community_of(state.area) or state.area
    return PublicBoard(
        board=board.codes.code_of(f"{state.case_id} board"),
        procedure=procedure.name,
        procedure_zh=procedure.title,
        community=community,
        community_zh=board.filing.town.areas.name_of(community),
        stage=state.stage,
        stage_zh=procedure.stage_words[state.stage].screen,
        facts=[_fact(each, state) for each in BOARDS[procedure.name].shows],
        duties=lines_of(state),
    )


def _fact(shown: Shown, state: DutiesState) -> BoardFact:
    value = shown.value(state)
    return BoardFact(name=shown.name, zh=shown.zh, value=value, money=shown.money, on_page=shown.on_page)
