"""`jiceng`: the list of processes and tools.

What is not asked for is not loaded: a town has eight processes, and each would load the code of all the others.
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import typer

from engine.settings import Settings

PROCESSES: Mapping[str, tuple[str, str]] = {
    "api": ("starter.serve:run_api", "Run the starter API alone, configured by JICENG_* variables."),
    "departments": (
        "local.simulation:run_departments",
        "模拟部门 Play the departments that have systems of their own, configured by JICENG_* variables.",
    ),
    "sources": (
        "local.simulation:run_sources",
        "模拟核对来源 Play the sources of the means check, configured by JICENG_* variables.",
    ),
    "bank": ("local.simulation:run_bank", "模拟银行 Play the bank that pays, configured by JICENG_* variables."),
    "people": (
        "local.simulation:run_people",
        "模拟居民与工作人员 Play residents and staff, configured by JICENG_* variables.",
    ),
}
"""What runs until it is stopped: a coroutine function of the settings, and its help."""

COMMANDS: Mapping[str, str] = {
    "up": "local.town_commands:up",
    "demo": "local.demo_commands:demo",
    "import": "local.import_commands:import_messages",
    "replies": "local.demo_commands:replies",
    "worker": "local.worker_commands:worker",
    "token": "local.town_commands:token",
    "where": "local.town_commands:where",
    "docs": "local.docs_commands:docs",
    "archiver": "local.archive_commands:archiver",
    "backup": "local.backup_commands:backup",
    "restore": "local.backup_commands:restore_town",
    "restored": "local.backup_commands:restored",
}
"""Commands of one word."""

GROUPS: Mapping[str, str] = {
    "audit": "local.audit_reading:audit_app",
    "case": "local.case_commands:case_app",
    "policy": "local.policy_commands:policy_app",
    "notices": "local.notice_commands:notices_app",
    "keys": "local.key_commands:keys_app",
    "privacy": "local.privacy_commands:privacy_app",
    "payments": "local.payment_commands:payments_app",
    "stuck": "local.stuck_commands:stuck_app",
    "new": "local.new_commands:new_app",
}
"""Commands that have commands of their own."""


def app(only: str | None = None) -> typer.Typer:
    """The commands, or a single one of them with what it needs; all of them when there is none of this name."""
    whole = typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        help="Jiceng 基层: a durable case engine for grassroots governance.",
        callback=lambda: None,  # one command alone is still called by its name
    )
    known = {*PROCESSES, *COMMANDS, *GROUPS}
    for name in [name for name in (*COMMANDS, *PROCESSES, *GROUPS) if only not in known or name == only]:
        if name in PROCESSES:
            place, words = PROCESSES[name]
            whole.command(name, help=words)(_process(name, place))
        elif name in COMMANDS:
            whole.command(name)(_found(COMMANDS[name]))
        else:
            whole.add_typer(_found(GROUPS[name]), name=name)
    return whole


def _process(name: str, place: str) -> Callable[[], None]:
    def command() -> None:
        settings, task = Settings(), _found(place)
        _found("local.process:run_process")(task(settings), name, settings)

    return command


def _found(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def main() -> None:
    """Run what the command line says."""
    app(sys.argv[1] if len(sys.argv) > 1 else None)()


if __name__ == "__main__":
    main()
