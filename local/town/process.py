"""How a process of a town runs: on a fast loop, with a collector that seldom looks."""

import gc
from collections.abc import Coroutine
from typing import Any

import uvloop

from engine.runtime.settings import Settings
from local.town.cli_errors import run_told


def run_process(task: Coroutine[Any, Any, None], name: str, settings: Settings) -> None:
    """Run until it ends. Its code is loaded: what there is now stays."""
    collect_seldom()
    # A sixth less of a worker's CPU than on the standard loop (docs/bench.md).
    run_told(task, name, settings.log_level, uvloop.new_event_loop)


def collect_seldom() -> None:
    """Look for cyclic garbage every ten thousand new objects and not every seven hundred, and never in the code itself.

    A process that lives long has a million objects that are there to stay; to walk them again and again took a tenth of
    an API's CPU (docs/bench.md).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
