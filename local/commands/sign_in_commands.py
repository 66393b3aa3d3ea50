"""`jiceng login`: the way into the console. Where the town signs its own tokens, a link for one browser, once, within a minute."""

from typing import Annotated

import asyncpg
import typer

from console.http.pages import SIGN_IN
from console.sign_in.sessions import LINK_LASTS, LONGEST, keep_link
from console.sign_in.sign_in import ONCE
from engine.keys.keys import Keys
from engine.keys.tokens import Principal, Verifier
from engine.runtime.settings import Settings
from local.commands.town_commands import Account, OfArea, OfDepartment, RealName, signed_token
from local.commands.up_commands import TOWN, Data
from local.town.cli_errors import run_told, told_town
from schemas.values.actor import Role

AsRole = Annotated[Role | None, typer.Option("--role", help="what whoever has it may do, where the town has no issuer")]


def login(  # noqa: PLR0917 - options of the command line
    role: AsRole = None,
    subject: Account = None,
    department: OfDepartment = None,
    area: OfArea = None,
    identity_number: RealName = None,
    data: Data = TOWN,
) -> None:
    """登录 Print a link for one sign-in to the console; where people sign in at the town's issuer, the page that leads there."""
    settings = told_town(data, "api_url")
    if not settings.local_issuer:
        typer.echo(f"{settings.site_url or settings.api_url}{SIGN_IN}")
        typer.echo(
            f"本镇由 {settings.token_issuer} 确认身份 this town's issuer says who somebody is and what they may do, "
            "not this command",
            err=True,
        )
        return
    if role is None:
        raise typer.BadParameter("say as whom, such as window_clerk", param_hint="--role")
    settings = told_town(data, "api_url", "database_url")
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
