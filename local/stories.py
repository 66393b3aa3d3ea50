"""All stories of `jiceng demo`: those of each procedure stand in `local/PROCEDURE_stories.py`, found by its name."""

import importlib
from collections.abc import Mapping
from importlib.util import find_spec

from local.story import Story
from workflows.registry import PROCEDURES

BY_PROCEDURE: Mapping[str, tuple[Story, ...]] = {
    each.procedure.name: importlib.import_module(f"local.{each.procedure.name}_stories").STORIES
    for each in PROCEDURES
    if find_spec(f"local.{each.procedure.name}_stories") is not None
}
STORIES: tuple[Story, ...] = tuple(story for stories in BY_PROCEDURE.values() for story in stories)


def named(names: str | None) -> tuple[Story, ...]:
    """The stories asked for, each once: names of stories, or of procedures for all of theirs, separated by commas.

    Without names all stories. Raises ValueError: no such story.
    """
    if names is None or not names.strip():
        return STORIES
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    known = {story.name: (story,) for story in STORIES} | dict(BY_PROCEDURE)
    if unknown := [name for name in wanted if name not in known]:
        raise ValueError(f"There is no story {', '.join(unknown)}; there are: {', '.join(known)}.")
    return tuple({story.name: story for name in wanted for story in known[name]}.values())
