"""The law of conditions that several procedures have: they hold or refuse in their words, and windows end with their instant."""

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from schemas.clocks.calendar import SHANGHAI
from schemas.clocks.clocks import Clock, Limit, Unit
from schemas.kernel.rules import Condition
from schemas.parts.conditions import forbids, needs, while_open
from schemas.values.actor import Actor, Role
from schemas.values.refusals import say
from tests.clock_examples import CALENDAR
from tests.every_procedure import PROCEDURE_LIST

NOW = datetime(2026, 6, 1, 9, tzinfo=SHANGHAI)
SOMEBODY = Actor(subject="li", role=Role.COORDINATOR)
SAID = say("没有", "nothing waits")


@pytest.mark.parametrize("waits", [True, ["a claim"], 1])
def test_what_is_there_is_needed_or_forbidden(waits: object) -> None:
    """One holds exactly where the other refuses; in the words that were given."""
    needed, forbidden = (make("waits", lambda state: state.waits, "没有", "nothing waits") for make in (needs, forbids))

    for look, first, second in ((waits, None, SAID), ([], SAID, None), (None, SAID, None)):
        state = SimpleNamespace(waits=look)
        assert (needed(state, SOMEBODY, NOW), forbidden(state, SOMEBODY, NOW)) == (first, second)


def window(clock: Clock | None) -> Any:
    """A case with a window, or without one."""
    clocks = {} if clock is None else {"appeal": clock}
    return SimpleNamespace(clocks=clocks, charter=SimpleNamespace(calendar=CALENDAR))


def test_a_window_is_over_in_the_instant_of_its_end() -> None:
    """Open to the last minute; not at its end, not after it was stopped, not after it has told, and not where none runs."""
    is_open = while_open("in_time", "appeal", "没有", "nothing waits")
    clock = Clock(name="appeal", limit=Limit(amount=60, unit=Unit.MINUTES)).start(NOW, "engine")
    end = NOW + timedelta(minutes=60)
    stopped, told = clock.stop(NOW, "li"), clock.mark_fired("breach")

    assert is_open(window(clock), SOMEBODY, end - timedelta(minutes=1)) is None
    assert [
        is_open(window(each), SOMEBODY, at) for each, at in ((clock, end), (stopped, NOW), (told, NOW), (None, NOW))
    ] == [SAID] * 4


def test_every_condition_has_a_name_of_its_own() -> None:
    """Auditors read it where a permission is explained; two of one procedure are not called alike."""
    for procedure in PROCEDURE_LIST:
        every: set[Condition] = {each for rule in procedure.rules for each in rule.conditions}
        names = [each.__name__ for each in every]
        assert "condition" not in names
        assert len(set(names)) == len(names), procedure.name
