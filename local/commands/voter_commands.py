"""`jiceng ballot-voters FILE BALLOT`: who may take the ballot of which unit online, by account or verified identity number.

`jiceng ballot-slips ROLL BALLOT OUT`: a code for each unit, for the slips that the committee hands over at the door.
"""

import csv
import io
from pathlib import Path
from typing import Annotated

import typer

from engine.keys.keys import Keys
from engine.store.database import open_pool
from engine.store.voters import VoterRegister
from local.ballot_box.roll_file import read_roll
from local.ballot_box.voters_file import read_voters
from local.town.cli_errors import run_told, told_town
from local.town.private_file import write_private
from starter.cases.resident_codes import ResidentCodes
from starter.intake.votes import slip_code

Ballot = Annotated[str, typer.Argument(help="the ballot, such as council-20261123-000017.ballot-1")]
Data = Annotated[Path, typer.Option("--data", envvar="JICENG_DATA", help="folder of the local town")]
TOWN = Path("town")


def ballot_voters(
    file: Annotated[Path, typer.Argument(help="CSV: unit, and account or identity_number (docs/ballot-box.md)")],
    ballot: Ballot,
    data: Data = TOWN,
) -> None:
    """登记簿 Say who may take the ballot of which unit online; in place of what was said of this vote before."""
    run_told(_kept(file, ballot, data))


async def _kept(file: Path, ballot: str, data: Path) -> None:
    settings, lines = told_town(data), read_voters(file)
    async with await open_pool(settings) as pool, pool.acquire() as connection, connection.transaction():
        kept = await VoterRegister(Keys.of(settings)).keep(connection, ballot, lines)
    typer.echo(f"已登记 kept: {kept}")


def ballot_slips(
    file: Annotated[Path, typer.Argument(help="the roll: CSV with the columns unit, owner, area")],
    ballot: Ballot,
    out: Annotated[Path, typer.Argument(help="where the codes go: CSV, readable for its owner only")],
    data: Data = TOWN,
) -> None:
    """选票单 Write a code for each unit of a roll: whoever has slip and unit takes its ballot online, without an account."""
    run_told(_written(file, ballot, out, data))


async def _written(file: Path, ballot: str, out: Path, data: Path) -> None:
    settings, lines = told_town(data), read_roll(file)
    async with await open_pool(settings) as pool:
        codes = ResidentCodes(Keys.of(settings), pool)
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["unit", "code"])
    rows.writerows((line.unit, slip_code(codes, ballot, line.unit)) for line in lines)
    write_private(out, text.getvalue())
    typer.echo(f"已写入 written: {len(lines)}")
