"""What is done once at the start of a town, before its processes: its keys, and those that it shares with others.

A program of its own (`python -m local.town.founding`, configured by JICENG_* variables): it needs policies and the code of
procedures, which the process that watches a town does not have to keep in memory.
"""

import sys
from pathlib import Path

from engine.keys.key_files import replace_file
from engine.keys.keys import ensure_keys, vault_outside
from engine.outside.founding import found_keys_of_others
from engine.runtime.logging import where
from engine.runtime.metrics_token import ensure_metrics_token
from engine.runtime.operator_error import OperatorError
from engine.runtime.settings import Settings
from starter.care_platforms import found_platform_keys
from starter.incident_gauge_keys import found_gauge_keys
from starter.warning_houses import FILE as HOUSES
from starter.warning_issuers import found_issuer_keys

SAMPLES = Path(__file__).parents[1]
"""Where the files lie that a town on one machine begins with."""


def found_keys(settings: Settings) -> None:
    """The keys of the town, and one shared with each department, source, bank and other system; those that exist stay."""
    ensure_keys(settings.key_folder, vault_outside(settings))
    ensure_metrics_token(settings)
    found_keys_of_others(settings)
    found_platform_keys(settings)
    found_issuer_keys(settings)
    found_gauge_keys(settings)
    houses = settings.key_folder / HOUSES
    if not houses.exists():
        replace_file(houses, (SAMPLES / HOUSES).read_text(encoding="utf-8"))


def main() -> None:
    """Do it, or say what a person has to mend, and end with 1."""
    try:
        found_keys(Settings())
    except OperatorError as fault:
        sys.exit(str(fault))
    except Exception as error:  # noqa: BLE001 - Python's own report would print its words, which may quote anything
        sys.exit(f"{type(error).__name__} at {where(error)}")


if __name__ == "__main__":
    main()
