"""`jiceng where` and `token`: the addresses of a town on this machine, and tokens for it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from engine.keys.keys import Keys
from engine.keys.tokens import issue
from engine.runtime.settings import Settings
from local.commands.up_commands import TOWN, Data
from local.town.cli_errors import run_told, told_town
from local.town.data_folder import DataFolder, is_alive
from local.town.running_town import find_town
from local.town.town import TownAddresses
from local.town.typed_codes import typed_code
from schemas.values.actor import Role
from schemas.values.identity_document import identity_faults, identity_of
from schemas.values.verified_identity import verified_identity

AsRole = Annotated[Role, typer.Option("--role", help="what whoever has it may do")]
Account = Annotated[str | None, typer.Option("--subject", help="the account; default: the role with -1")]
OfDepartment = Annotated[
    str | None,
    typer.Option("--department", callback=typed_code, help="code of the department, for department officers"),
]
OfArea = Annotated[
    str | None, typer.Option("--area", callback=typed_code, help="code of the area; the whole town without it")
]
RealName = Annotated[
    str | None,
    typer.Option(
        "--identity-number", help="a real-name account: of whose identity number; the token carries a digest of it"
    ),
]


def token(
    role: AsRole,
    subject: Account = None,
    department: OfDepartment = None,
    area: OfArea = None,
    identity_number: RealName = None,
    hours: Annotated[int, typer.Option(min=1, max=24 * 30, help="how long it is valid")] = 12,
    data: Data = TOWN,
) -> None:
    """令牌 Sign a token for the local town."""
    settings = run_told(town_on(data))
    lifetime = timedelta(hours=hours)
    typer.echo(signed_token(settings, role, subject, department, area, identity_number, lifetime))


def signed_token(
    settings: Settings,
    role: Role,
    subject: str | None,
    department: str | None,
    area: str | None,
    identity_number: str | None,
    lifetime: timedelta,
) -> str:
    """A token for a town that signs its own. Raises BadParameter: it does not, or such a token is none."""
    if not settings.local_issuer:
        raise typer.BadParameter("this town believes its own issuer (JICENG_TOKEN_JWKS): get a token there")
    try:
        return issue(
            Keys.of(settings),
            subject=subject or f"{role}-1",
            role=role,
            department=department,
            area=area,
            identity=_verified(identity_number),
            lifetime=lifetime,
        )
    except ValueError as fault:
        raise typer.BadParameter(str(fault)) from None


def _verified(identity_number: str | None) -> str | None:
    """What a token says of whose account it is. Raises ValueError for what is no identity number."""
    if identity_number is None:
        return None
    if faults := list(identity_faults("", identity_number, None, datetime.now(UTC).date())):
        raise ValueError(faults[0].reason)
    return verified_identity(identity_of(identity_number, None))


def where(
    what: Annotated[str, typer.Argument(help="api, temporal, temporal_ui, postgres or data")] = "",
    data: Data = TOWN,
) -> None:
    """地址 Print an address of the town, or all of them; one that nobody told us is blank."""
    addresses = run_told(_addresses_of(data))
    if what and what not in TownAddresses.model_fields:
        raise typer.BadParameter(f"choose one of {', '.join(TownAddresses.model_fields)}")
    typer.echo(getattr(addresses, what) if what else json.dumps(addresses.model_dump(), ensure_ascii=False, indent=2))


async def town_on(data: Path) -> Settings:
    """The settings of the town that runs on a folder. Raises NoTown."""
    return find_town(data)


async def _addresses_of(data: Path) -> TownAddresses:
    """Those that `jiceng up` wrote down; of a town in production those that its processes are given, where they are given any."""
    settings, record = told_town(data), DataFolder(data).record()
    if record is not None and is_alive(record):
        return TownAddresses(**record.model_dump(include=set(TownAddresses.model_fields)))
    told = settings.model_fields_set
    return TownAddresses(
        api=settings.api_url if "api_url" in told else "",
        temporal=settings.temporal_address if "temporal_address" in told else "",
        temporal_ui=settings.codec_origin or "",
        postgres=settings.database_url.get_secret_value(),
        data=str(settings.data),
    )
