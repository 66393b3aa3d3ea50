"""What procedures add to the API besides their openings and commands: each `starter/NAME_….py`, found by its name."""

import importlib
import pkgutil
from collections.abc import Iterable
from types import ModuleType

import starter


def own_modules(procedures: Iterable[str]) -> list[ModuleType]:
    """The modules of these procedures, in the order of their names."""
    begin = tuple(f"{name}_" for name in procedures)
    named = sorted(each.name for each in pkgutil.iter_modules(starter.__path__) if each.name.startswith(begin))
    return [importlib.import_module(f"starter.{name}") for name in named]
