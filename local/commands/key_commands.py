"""`jiceng keys …`: the keys of the town, changed while it runs (docs/keys.md). No command ever shows a key."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from engine.keys.counterpart_keys import (
    Counterpart,
    drop_counterpart_key,
    key_file,
    marks_of,
    new_counterpart_key,
    sign_with,
)
from engine.keys.key_rotation import (
    LASTING,
    KeyNeeded,
    Rotated,
    activate_key,
    add_key,
    ids_of,
    retire_key,
    rotate_key,
)
from engine.keys.keys import Keys, vault_outside
from engine.runtime.settings import Settings
from engine.store.database import open_pool
from engine.vault.vault_rewrapping import SQL, rewrap_persons
from local.town.cli_errors import run_told
from local.town.running_town import town_or_settings

Data = Annotated[Path, typer.Option("--data", envvar="JICENG_DATA", help="folder of the local town")]
Ring = Annotated[
    str, typer.Argument(help="payload, vault, stamps, tokens, seals; departments, sources, banks, webhooks, open311")
]
Code = Annotated[str | None, typer.Argument(help="of which department, source, bank, webhook or client")]
TOWN = Path("town")

console = Console(soft_wrap=True)
keys_app = typer.Typer(no_args_is_help=True, help="密钥 The keys of the town: list them, change them while it runs.")


@keys_app.command("list")
def list_keys(data: Data = TOWN) -> None:
    """列表 The ids of all keys; those for new things are marked."""
    run_told(_list(town_or_settings(data)))


@keys_app.command()
def rotate(ring: Ring, code: Code = None, data: Data = TOWN) -> None:
    """轮换 Make a new key. Of a ring it closes or signs from now on; of a counterpart it is only believed at first."""
    run_told(_rotate(town_or_settings(data), ring, code))


@keys_app.command()
def add(ring: Ring, data: Data = TOWN) -> None:
    """预备 Make a new key that nobody uses yet: for a key folder that is copied to several machines."""
    run_told(_add(town_or_settings(data), _ring(ring)))


@keys_app.command()
def activate(
    ring: Ring,
    key: Annotated[str, typer.Argument(help="the id; of a counterpart: its code")],
    mark: Annotated[str | None, typer.Argument(help="of a counterpart: the mark of the key")] = None,
    data: Data = TOWN,
) -> None:
    """启用 Close or sign with this key from now on."""
    run_told(_activate(town_or_settings(data), ring, key, mark))


@keys_app.command()
def retire(ring: Ring, key: Annotated[str, typer.Argument(help="the id")], data: Data = TOWN) -> None:
    """停用 Take an old key out of a ring, where nothing needs it any more."""
    run_told(_retire(town_or_settings(data), _ring(ring), key))


@keys_app.command()
def drop(
    kind: Annotated[
        Counterpart,
        typer.Argument(
            help="departments, sources, banks, webhooks, open311, ballot_boxes, platforms, call_gateways, issuers or gauges"
        ),
    ],
    code: Annotated[str, typer.Argument(help="of which one")],
    mark: Annotated[str, typer.Argument(help="the mark of the key")],
    data: Data = TOWN,
) -> None:
    """撤销 Believe a key of a department, source or bank no longer."""
    run_told(_drop(town_or_settings(data), kind, code, mark))


@keys_app.command()
def rewrap(data: Data = TOWN) -> None:
    """重封 Wrap every person's key with the active master key: after a rotation that was broken off, or made elsewhere."""
    run_told(_rewrap(town_or_settings(data)))


async def _list(settings: Settings) -> None:
    table = Table("", "当前 for new things", "其余 others", title="密钥 Keys")
    for ring in Rotated:
        if ring is Rotated.VAULT and vault_outside(settings):
            active_id, *others = Keys.of(settings).vault
        else:
            active_id, ids = ids_of(settings.key_folder, ring)
            others = [key_id for key_id in ids if key_id != active_id]
        table.add_row(ring, active_id, " ".join(others))
    for kind in Counterpart:
        for file in sorted((settings.key_folder / kind).glob("*.keys")):
            signing, *others = marks_of(settings.key_folder, file.stem, kind)
            table.add_row(f"{kind} {file.stem}", signing, " ".join(others))
    console.print(table)


async def _rotate(settings: Settings, ring: str, code: str | None) -> None:
    if ring in set(Counterpart):
        kind = Counterpart(ring)
        if code is None:
            raise typer.BadParameter(f"say of which one of the {ring}")
        mark = new_counterpart_key(settings.key_folder, code, kind)
        file = key_file(settings.key_folder, code, kind)
        console.print(f"{mark}: believed from now on. Give them the last line of {file}, then `jiceng keys activate`.")
        return
    chosen = _ring(ring)
    if chosen is Rotated.VAULT and vault_outside(settings):
        raise KeyNeeded("vault", "its keys are kept outside: add one there, then `jiceng keys rewrap`")
    console.print(f"{rotate_key(settings.key_folder, chosen)}: for new things from now on")
    if chosen is Rotated.VAULT:
        await _rewrap(settings)


async def _add(settings: Settings, ring: Rotated) -> None:
    console.print(f"{add_key(settings.key_folder, ring)}: known, and not used; `jiceng keys activate {ring} ID`")


async def _activate(settings: Settings, ring: str, key: str, mark: str | None) -> None:
    if ring in set(Counterpart):
        if mark is None:
            raise typer.BadParameter("say the code and the mark of the key")
        sign_with(settings.key_folder, key, Counterpart(ring), mark)
        console.print(f"{mark}: signs what we send to {key}")
        return
    activate_key(settings.key_folder, _ring(ring), key)
    console.print(f"{key}: for new things from now on")


async def _retire(settings: Settings, ring: Rotated, key: str) -> None:
    if ring is not Rotated.VAULT:
        retire_key(settings.key_folder, ring, key)
    else:
        async with await open_pool(settings, process="jiceng keys") as pool, pool.acquire() as held, held.transaction():
            await held.execute(SQL.let_nobody_wrap)
            if number := await held.fetchval(SQL.count_wrapped, key):
                raise KeyNeeded(key, f"the keys of {number} persons are wrapped with it: `jiceng keys rewrap` first")
            retire_key(settings.key_folder, ring, key)
    console.print(f"{key}: taken out")


async def _drop(settings: Settings, kind: Counterpart, code: str, mark: str) -> None:
    drop_counterpart_key(settings.key_folder, code, kind, mark)
    console.print(f"{mark}: no longer believed of {code}")


async def _rewrap(settings: Settings) -> None:
    async with await open_pool(settings, process="jiceng keys") as pool:
        done = await rewrap_persons(pool, Keys.of(settings).vault)
    console.print(f"{done} persons' keys wrapped anew")


def _ring(name: str) -> Rotated:
    if name in LASTING:
        raise KeyNeeded(name, f"it cannot be changed: {LASTING[name]}")
    if name not in set(Rotated):
        raise typer.BadParameter(f"choose one of {', '.join(Rotated)}; or departments, sources, banks")
    return Rotated(name)
