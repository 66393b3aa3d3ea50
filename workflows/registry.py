"""The procedures of the town, one line each: the name under which all their files are found.

Only worker, API, audit and tests import this: inside the sandbox it would load every procedure for every case.
"""

from importlib import import_module
from typing import Any

from schemas.kernel.screen_words import ScreenWords, words_of
from workflows.kernel.case import Case

NAMES = (
    "incident",
    "whistle",
    "summons",
    "welfare",
    "recovery",
    "contest",
    "hall",
    "council",
    "ballot",
    "mediation",
    "partnership",
    "round",
    "proposal",
    "care",
    "alarm",
    "distress",
    "warning",
    "sweep",
)


def workflow_of(name: str) -> type[Case[Any]]:
    """The workflow of a procedure: the class in `workflows/NAME.py` whose procedure is called so.

    Raises TypeError: the module has none, or more than one.
    """
    module = import_module(f"workflows.{name}")
    own = [
        each
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, Case) and each.__module__ == module.__name__
    ]
    found = [each for each in own if getattr(getattr(each, "procedure", None), "name", None) == name]
    if len(found) != 1:
        raise TypeError(f"workflows/{name}.py has {len(found)} workflows of {name}, not one")
    return found[0]


PROCEDURES: tuple[type[Case[Any]], ...] = tuple(map(workflow_of, NAMES))

WORDS: ScreenWords = words_of(*(case.procedure for case in PROCEDURES))
"""What their codes are called on screens that show cases of all of them."""
