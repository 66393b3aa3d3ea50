"""GET /api/v1/audit/decodings: who had payloads of histories opened in the Temporal UI. For auditors of the whole town."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from schemas.values.actor import Role
from schemas.values.model import Model
from schemas.values.refusals import Refusal, RefusalCode, say
from starter.auditors.codec_server import SQL
from starter.http.authentication import Caller, acting
from starter.http.database import PoolOf, database
from starter.http.documentation import SIGNED_IN, responses
from starter.http.parameters import CodeText, RowNumber
from starter.http.problems import refused

router = APIRouter(prefix="/api/v1/audit", tags=["audit"])


class DecodingRow(Model):
    """One request at the codec endpoint. `digest` is the SHA-256 of what was opened, as it stood closed; `at` is real time."""

    number: int
    at: datetime
    who: str
    role: str
    payloads: int
    digest: str


class DecodingPage(Model):
    """A page, the newest first; `next` begins the next one."""

    items: list[DecodingRow]
    next: int | None


@router.get(
    "/decodings",
    summary="解密记录 Who had payloads opened in the Temporal UI",
    responses=responses({200: DecodingPage}, *SIGNED_IN, "not-your-role", "bad-request", "database-away"),
)
async def list_decodings(
    caller: Caller,
    pool: PoolOf,
    who: CodeText = None,
    before: RowNumber = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> DecodingPage:
    """A payload does not say of which case it is, so the record cannot: it is for who may see every case."""
    actor = acting(caller)
    if actor.role is not Role.AUDITOR or actor.area is not None:
        detail = say("仅供全市审计人员查阅", "this is for auditors of the whole town")
        raise refused(Refusal(code=RefusalCode.NOT_YOUR_ROLE, detail=detail, command="read_decodings"))
    async with database(pool) as connection:
        rows = [DecodingRow(**row) for row in await connection.fetch(SQL.latest, before, who, limit)]
    return DecodingPage(items=rows, next=rows[-1].number if len(rows) == limit else None)
