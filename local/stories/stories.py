"""All stories of `jiceng demo`, found by the name of their procedure: `local/NAME_stories.py`, else the walks that are told."""

import importlib
from collections.abc import Mapping, Sequence
from importlib.util import find_spec

from local.stories import walk_stories
from local.stories.story import Repertoire, Story
from local.stories.walks import walks_of
from schemas.kernel.procedure import Procedure
from starter.cases.views import TimelineEntry
from workflows.registry import PROCEDURES


def _repertoire_of(procedure: Procedure) -> Repertoire | None:
    if find_spec(f"local.{procedure.name}_stories") is not None:
        told: Repertoire = importlib.import_module(f"local.{procedure.name}_stories").REPERTOIRE
        return told
    walks = walks_of(procedure)
    return None if walks is None else walk_stories.repertoire_of(procedure, walks)


REPERTOIRES: Mapping[str, Repertoire] = {
    each.procedure.name: told for each in PROCEDURES if (told := _repertoire_of(each.procedure)) is not None
}
BY_PROCEDURE: Mapping[str, tuple[Story, ...]] = {name: each.stories for name, each in REPERTOIRES.items()}
STORIES: tuple[Story, ...] = tuple(story for stories in BY_PROCEDURE.values() for story in stories)


def repertoire_of(entries: Sequence[TimelineEntry]) -> Repertoire:
    """The repertoire by which the timeline of a case is read: that of the procedure whose entry opens it."""
    return REPERTOIRES[entries[0].kind.partition(":")[0]]


def named(names: str | None) -> tuple[Story, ...]:
    """The stories asked for, each once: names of stories, or of procedures for all of theirs, separated by commas.

    Without names all but those that are only played when asked for. Raises ValueError: no such story.
    """
    if names is None or not names.strip():
        return tuple(story for story in STORIES if not story.asked_for)
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    known = {story.name: (story,) for story in STORIES} | dict(BY_PROCEDURE)
    if unknown := [name for name in wanted if name not in known]:
        raise ValueError(f"There is no story {', '.join(unknown)}; there are: {', '.join(known)}.")
    return tuple({story.name: story for name in wanted for story in known[name]}.values())
