"""The cases of a law that wait more than they compute are played at once; each has its own test, and its own verdict.

    @at_once
    @EVERY_PROCEDURE
    async def test_a_law(procedure: Procedure, door: OpenDoor) -> None: ...

The first of its tests begins all that are asked for in this run; each then waits for its own. So a law like this takes only
fixtures of a session or a module: what is made for one test is not there for the others.
"""

import asyncio
import functools
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, ParamSpec

import pytest

AT_ONCE = 3
"""So many cases of a law at most: more of them would keep each other from being in time."""

P = ParamSpec("P")
Law = Callable[P, Coroutine[Any, Any, None]]


class Cases:
    """The cases of one law: what each is given, and how it goes."""

    def __init__(self, law: Callable[..., Coroutine[Any, Any, None]]) -> None:
        self._law = law
        self._places = asyncio.Semaphore(AT_ONCE)
        self._asked: list[Mapping[str, Any]] = []
        self._played: dict[tuple[int, ...], asyncio.Task[None]] = {}

    def ask(self, item: pytest.Function) -> None:
        """A test of this run that plays one of them. Raises UsageError where it takes what is made for one test."""
        fixtures = item._fixtureinfo  # noqa: SLF001 - where pytest keeps what a test takes
        for name in set(fixtures.argnames) - item.callspec.params.keys():
            if fixtures.name2fixturedefs[name][-1].scope == "function":
                raise pytest.UsageError(f"{item.nodeid} is played at once with others, and takes a {name} of its own")
        self._asked.append(item.callspec.params)

    async def play(self, given: Mapping[str, Any]) -> None:
        """Begin all that are asked for, and wait for the one that is given this."""
        for params in self._asked:
            if _place(params) not in self._played:
                self._played[_place(params)] = asyncio.create_task(self._in_turn({**given, **params}))
        await self._played[_place({name: given[name] for name in self._asked[0]})]

    async def _in_turn(self, given: Mapping[str, Any]) -> None:
        async with self._places:
            await self._law(**given)


def _place(params: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(id(params[name]) for name in sorted(params))


_LAWS: dict[Callable[..., Any], Cases] = {}


def at_once(law: Law[P]) -> Law[P]:
    """All cases of this law are played beside each other."""

    @functools.wraps(law)
    async def one_of_them(*_: P.args, **given: P.kwargs) -> None:
        await _LAWS[one_of_them].play(given)

    _LAWS[one_of_them] = Cases(law)
    return one_of_them


def note_cases(items: Iterable[pytest.Item]) -> None:
    """What this run plays of such laws."""
    for item in items:
        if isinstance(item, pytest.Function) and (cases := _LAWS.get(item.function)) is not None:
            cases.ask(item)
