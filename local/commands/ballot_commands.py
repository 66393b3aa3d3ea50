"""`jiceng ballot-roll FILE`: the digest of a roll, for the case to post; with `--ballot` the box gets the units too.

`jiceng ballot-mark BALLOT UNIT`: a unit takes its ballot, on paper or online; whoever calls it has seen that the person may.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console

from engine.keys.counterpart_keys import Counterpart, key_file
from engine.policies.ballot_box_policy import FILE, load_ballot_box
from engine.runtime.operator_error import OperatorError
from local.ballot_box.roll_file import read_roll, roll_of
from local.ballot_box.voter import TownSide
from local.town.cli_errors import run_told, told_town
from schemas.contracts.ballot_box import RollLine
from schemas.contracts.signature import read_secrets

PATIENCE_SECONDS = 30.0


class BoxRefuses(OperatorError):
    """The ballot box does not do this."""


def ballot_roll(
    file: Annotated[Path, typer.Argument(help="CSV with the columns unit, owner, area (docs/ballot-box.md)")],
    ballot: Annotated[str | None, typer.Option(help="send the units to the ballot box for this ballot")] = None,
    data: Annotated[Path, typer.Option("--data", envvar="JICENG_DATA", help="folder of the local town")] = Path("town"),
) -> None:
    """名册 Say what a roll holds and its digest, and give its units to the ballot box."""
    run_told(_told(file, ballot, data))


async def _told(file: Path, ballot: str | None, data: Path) -> None:
    lines = read_roll(file)
    roll = roll_of(lines)
    if ballot is not None:
        await _send(ballot, lines, data)
    console = Console()
    console.print(f"名册摘要 digest: {roll.digest}", soft_wrap=True)
    console.print(
        f"单元 units: {roll.units}  表决人 voters: {roll.voters}  面积 area_hundredths: {roll.area_hundredths}"
    )


def ballot_mark(
    ballot: Annotated[str, typer.Argument(help="the ballot, such as council-20261123-000017.ballot-1")],
    unit: Annotated[str, typer.Argument(help="the unit that takes its ballot, such as 3-2-501")],
    blinded: Annotated[
        str | None, typer.Option(help="the blinded serial that the voter's device shows; without it: a paper")
    ] = None,
    data: Annotated[Path, typer.Option("--data", envvar="JICENG_DATA", help="folder of the local town")] = Path("town"),
) -> None:
    """领票 Mark a unit in the ballot box, once over all channels; prints the blind signature for the voter's device."""
    run_told(_marked(ballot, unit, blinded, data))


async def _marked(ballot: str, unit: str, blinded: str | None, data: Path) -> None:
    async with _town_side(data) as town:
        answer = await town.issue(ballot, unit, None if blinded is None else bytes.fromhex(blinded))
    if answer.is_error:
        raise BoxRefuses(f"the ballot box answered {answer.status_code} {answer.json().get('code', '')}")
    signature = answer.json()["blind_signature"]
    typer.echo(signature if signature is not None else "已领纸票 marked for a paper")


async def _send(ballot: str, lines: tuple[RollLine, ...], data: Path) -> None:
    async with _town_side(data) as town:
        answer = await town.keep_roll(ballot, lines)
    if answer.is_error:
        raise BoxRefuses(f"the ballot box answered {answer.status_code} {answer.json().get('code', '')}")


@asynccontextmanager
async def _town_side(data: Path) -> AsyncIterator[TownSide]:
    settings = told_town(data)
    box = load_ballot_box(settings.policies / FILE, settings.ballot_box_url)
    if box.url is None:
        raise BoxRefuses("no ballot box is connected: votes are on paper alone; set JICENG_BALLOT_BOX_URL")
    secret = read_secrets(key_file(settings.key_folder, box.code, Counterpart.BALLOT_BOX).read_text(encoding="ascii"))
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS, trust_env=False) as http:
        yield TownSide(http, box.url, secret[0])
