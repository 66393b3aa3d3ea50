"""`jiceng login`: a link by which one browser signs in to the console of a local town, once, within a minute."""

import asyncpg
import typer

from console.sign_in.sessions import LINK_LASTS, LONGEST, keep_link
from console.sign_in.sign_in import ONCE
from engine.keys.keys import Keys
from engine.keys.tokens import Principal, Verifier
from engine.runtime.settings import Settings
from local.commands.town_commands import (
    TOWN,
    Account,
    AsRole,
    Data,
    OfArea,
    OfDepartment,
    RealName,
    signed_token,
    town_on,
)
from local.town.cli_errors import run_told


def login(  # noqa: PLR0917 - options of the command line
    role: AsRole,
    subject: Account = None,
    department: OfDepartment = None,
    area: OfArea = None,
    identity_number: RealName = None,
    data: Data = TOWN,
) -> None:
    """登录 Print a link for one sign-in to the console of the local town."""
    settings = run_told(town_on(data))
    # Through a token: what the check of tokens refuses has no link either.
    token = signed_token(settings, role, subject, department, area, identity_number, LONGEST)
    code = run_told(_kept(settings, Verifier.of(settings, Keys.of(settings)).verify(token)))
    typer.echo(f"{settings.api_url}{ONCE}?code={code}")
    typer.echo(f"{int(LINK_LASTS.total_seconds())} 秒内有效,仅一次 valid for a minute, once", err=True)


async def _kept(settings: Settings, principal: Principal) -> str:
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    try:
        return await keep_link(connection, principal)
    finally:
        await connection.close()
