"""Laws that came when cases lived already: what happened before them goes as it went, what happens from now on goes by them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Law:
    """One such law. `patch`: its name in histories; `since`: the count of `LAWS` (schemas/values/actor.py) with which it came."""

    patch: str
    since: int = 1
