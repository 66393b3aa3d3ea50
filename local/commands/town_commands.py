"""`jiceng up`, `where` and `token`: a town on this machine, its addresses, and tokens for it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from engine.keys.keys import Keys
from engine.keys.tokens import issue
from engine.runtime.settings import Settings
from local.town.cli_errors import run_told, told_town
from local.town.data_folder import DataFolder, is_alive
from local.town.running_town import find_town
from local.town.town import TownAddresses, TownOptions, run_town
from local.town.typed_codes import typed_code
from schemas.values.actor import Role
from schemas.values.identity_document import identity_faults, identity_of
from schemas.values.verified_identity import verified_identity

Data = Annotated[Path, typer.Option("--data", envvar="JICENG_DATA", help="folder of the local town")]
Json = Annotated[bool, typer.Option("--json", help="print JSON instead of a table")]
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
TOWN = Path("town")

console = Console()


def up(
    data: Data = TOWN,
    demo: Annotated[bool, typer.Option("--demo", help="simulated departments and people too")] = False,
    port_base: Annotated[int | None, typer.Option(help="use the ports from this one on")] = None,
    speed: Annotated[
        float | None, typer.Option(help="town seconds per real second; fixed when the town is founded")
    ] = None,
    database_url: Annotated[str | None, typer.Option(help="a Postgres of your own")] = None,
    as_json: Json = False,
) -> None:
    """启动 Bring up a whole town on this machine and keep it running until Ctrl-C."""
    options = TownOptions(
        data=data,
        port_base=port_base,
        speed=speed,
        demo=demo,
        database_url=SecretStr(database_url) if database_url else None,
    )

    def announce(addresses: TownAddresses) -> None:
        if as_json:
            typer.echo(json.dumps(addresses.model_dump()))
        else:
            console.print(_addresses(addresses))

    raise typer.Exit(run_told(run_town(options, announce), "town", "INFO"))


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


def _addresses(addresses: TownAddresses) -> Table:
    table = Table(title="基层 Jiceng", show_header=False)
    for name, address in addresses.model_dump(exclude={"postgres"}).items():
        table.add_row(name, address)
    return table
