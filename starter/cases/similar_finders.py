"""Who finds cases that may be the same matter as another: a procedure says so by a `FIND_SIMILAR` in a module of its own."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from engine.keys.tokens import Principal
from starter.cases.reading import Reading
from starter.cases.views import SimilarCases
from starter.http.own_modules import own_modules

FindSimilar = Callable[[str, Principal, Reading], Awaitable[SimilarCases]]
"""(case number, caller, reading): what may be the same, as far as the caller sees it. Raises Problem: no such case."""


@dataclass(frozen=True)
class SimilarFinders:
    """Every one of the town."""

    finders: tuple[FindSimilar, ...]


def similar_finders(procedures: Iterable[str]) -> SimilarFinders:
    """Those of these procedures."""
    return SimilarFinders(
        tuple(module.FIND_SIMILAR for module in own_modules(procedures) if hasattr(module, "FIND_SIMILAR"))
    )
