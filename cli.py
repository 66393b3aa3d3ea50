"""`jiceng`: the list of processes and tools.

What is not asked for is not loaded: a town has eight processes, and each would load the code of all the others.
"""

import gc
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import typer

from engine.runtime.settings import Settings

PROCESSES: Mapping[str, tuple[str, str]] = {
    "api": ("console.serve:run_served", "Run the API and its pages alone, configured by JICENG_* variables."),
    "departments": (
        "local.simulation.simulation:run_departments",
        "模拟部门 Play the departments that have systems of their own, configured by JICENG_* variables.",
    ),
    "sources": (
        "local.simulation.simulation:run_sources",
        "模拟核对来源 Play the sources of the means check, configured by JICENG_* variables.",
    ),
    "bank": (
        "local.simulation.simulation:run_bank",
        "模拟银行 Play the bank that pays, configured by JICENG_* variables.",
    ),
    "ballot-box": (
        "local.ballot_box.service:run_ballot_box",
        "线上票箱 Run the ballot box, configured by JICENG_* variables (docs/ballot-box.md).",
    ),
    "call-gateway": (
        "local.simulation.simulation:run_call_gateway",
        "模拟呼叫网关 Play the call gateway, configured by JICENG_* variables (docs/call-gateway.md).",
    ),
    "people": (
        "local.simulation.simulation:run_people",
        "模拟居民与工作人员 Play residents and staff, configured by JICENG_* variables.",
    ),
}
"""What runs until it is stopped: a coroutine function of the settings, and its help."""

COMMANDS: Mapping[str, str] = {
    "up": "local.commands.up_commands:up",
    "demo": "local.commands.demo_commands:demo",
    "learn": "local.commands.learn_commands:learn_dispatch",
    "import": "local.commands.import_commands:import_messages",
    "replies": "local.commands.demo_commands:replies",
    "worker": "local.commands.worker_commands:worker",
    "token": "local.commands.town_commands:token",
    "login": "local.commands.sign_in_commands:login",
    "where": "local.commands.town_commands:where",
    "ballot-roll": "local.commands.ballot_commands:ballot_roll",
    "ballot-mark": "local.commands.ballot_commands:ballot_mark",
    "ballot-voters": "local.commands.voter_commands:ballot_voters",
    "ballot-slips": "local.commands.voter_commands:ballot_slips",
    "docs": "local.commands.docs_commands:docs",
    "archiver": "local.commands.archive_commands:archiver",
    "backup": "local.commands.backup_commands:backup",
    "restore": "local.commands.backup_commands:restore_town",
    "restored": "local.commands.backup_commands:restored",
}
"""Commands of one word."""

GROUPS: Mapping[str, str] = {
    "audit": "local.commands.audit_reading:audit_app",
    "case": "local.commands.case_commands:case_app",
    "policy": "local.commands.policy_commands:policy_app",
    "notices": "local.commands.notice_commands:notices_app",
    "webhooks": "local.commands.webhook_commands:webhooks_app",
    "keys": "local.commands.key_commands:keys_app",
    "privacy": "local.commands.privacy_commands:privacy_app",
    "payments": "local.commands.payment_commands:payments_app",
    "stuck": "local.commands.stuck_commands:stuck_app",
    "new": "local.commands.new_commands:new_app",
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
        _found("local.town.process:run_process")(task(settings), name, settings)

    return command


def _found(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


def main() -> None:
    """Run what the command line says. Code that is loaded does not become garbage, so it is seldom looked for meanwhile."""
    gc.set_threshold(50_000, 10, 10)
    app(sys.argv[1] if len(sys.argv) > 1 else None)()


if __name__ == "__main__":
    main()
