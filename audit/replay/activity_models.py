"""What each activity is asked with, so that recorded arguments are read as what they are."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

from pydantic import BaseModel

import activities
from audit.replay.strict import Read, reader_of
from schemas.contracts.question import Question

_DEFINITION = "__temporal_activity_definition"


def activity_readers() -> dict[str, Read]:
    """How the argument of every activity of the town is read, by the activity's name."""
    return {name: reader_of(model) for name, model in _models()}


def activity_questions() -> dict[str, type[Question]]:
    """What the activities are asked whose answers name their question, by the activity's name."""
    return {name: model for name, model in _models() if issubclass(model, Question)}


def _models() -> Iterator[tuple[str, type[BaseModel]]]:
    for module in pkgutil.iter_modules(activities.__path__):
        named = importlib.import_module(f"activities.{module.name}")
        for _, doer in inspect.getmembers(named, inspect.isclass):
            for _, function in inspect.getmembers(doer, inspect.isfunction):
                definition = getattr(function, _DEFINITION, None)
                if definition is None:
                    continue
                _, asked, *_ = inspect.signature(function, eval_str=True).parameters.values()
                if isinstance(asked.annotation, type) and issubclass(asked.annotation, BaseModel):
                    yield definition.name, asked.annotation
