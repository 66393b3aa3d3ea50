"""How every other `jiceng` command finds its town: the one that `jiceng up` runs here, or the one that JICENG_* variables name."""

from pathlib import Path
from urllib.parse import urlsplit

from engine.runtime.local_names import THIS_MACHINE
from engine.runtime.operator_error import OperatorError
from engine.runtime.settings import Settings
from local.town.data_folder import DataFolder, is_alive
from local.town.ports import LOOPBACK
from schemas.clocks.town_time import REAL_SPEED_MILLI, TownTime


class NoTown(OperatorError):
    """No town runs on the data folder; the message says how to start one."""


def find_town(data: Path) -> Settings:
    """The settings of the town that runs on a data folder, as its own processes have them.

    Raises:
        NoTown: none runs there, or it was killed, or it is only starting.
    """
    folder = DataFolder(data)
    record = folder.record()
    if record is None:
        raise NoTown(
            f"No town runs on {folder.path}. Start one with `jiceng up --data {folder.path}` and wait until it prints "
            "its addresses; or name the folder of the running one with --data or JICENG_DATA."
        )
    if not is_alive(record):
        raise NoTown(
            f"The town on {folder.path} (process {record.pid}) was killed. Start it again with "
            f"`jiceng up --data {folder.path}`: its open cases go on where they were."
        )
    clock = folder.clock() or TownTime.identity()
    return Settings(
        data=folder.path,
        temporal_address=record.temporal,
        temporal_namespace=record.temporal_namespace,
        database_url=record.database_url,
        api_host=urlsplit(record.api).hostname or LOOPBACK,
        api_port=urlsplit(record.api).port or 80,
        api_url=record.api,
        departments_url=record.departments,
        sources_url=record.sources,
        bank_url=record.bank,
        ballot_box_url=record.ballot_box,
        call_gateway_url=record.call_gateway,
        requests_per_token=0,
        connections_per_address=0,
        requests_per_address=0,
        speed=clock.speed_milli / REAL_SPEED_MILLI,
        local_issuer=Settings().token_jwks is None,
        hosts=Settings().hosts or THIS_MACHINE,
    )


def runs_here(data: Path) -> bool:
    """Whether `jiceng up` runs a town on this folder now."""
    record = DataFolder(data).record()
    return record is not None and is_alive(record)


def known_town(data: Path, *needed: str) -> Settings:
    """The settings of the town that runs here; where none does, those by which a town in production runs its processes.

    `needed`: every setting of an address that the command uses, `database_url` unless said. Where no variable gives it, the
    default would lead to somebody else's port.

    Raises:
        NoTown: none runs here, and the variables do not lead to one; or one does, and they lead to another.
    """
    needed = needed or ("database_url",)
    given = Settings(data=data)
    try:
        here = find_town(data)
    except NoTown as none:
        if missing := [_variable(each) for each in needed if each not in given.model_fields_set]:
            raise NoTown(
                f"{none} For a town in production set the JICENG_* variables of its processes: {', '.join(missing)} is "
                "missing (docs/production.md)."
            ) from None
        return given
    if elsewhere := [_variable(each) for each in needed if _leads_elsewhere(each, given, here)]:
        raise NoTown(
            f"A town runs on {here.data}, and {', '.join(elsewhere)} leads to another one. For the one here unset the variable; "
            "for the other name a folder with --data on which none runs."
        )
    return here


def _leads_elsewhere(setting: str, given: Settings, here: Settings) -> bool:
    return setting in given.model_fields_set and getattr(given, setting) != getattr(here, setting)


def _variable(setting: str) -> str:
    return f"JICENG_{setting.upper()}"


def town_or_settings(data: Path) -> Settings:
    """The settings of the town that runs here, else those of JICENG_* variables and defaults: for what needs its files alone."""
    try:
        return find_town(data)
    except NoTown:
        return Settings(data=data)
