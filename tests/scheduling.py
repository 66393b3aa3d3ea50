"""What is played where and when: several towns side by side wait for clocks and processes more than they compute.

    files by fast clocks  --> the first FAST_AT_ONCE towns, before everything else
    all other files       --> the other towns, and those when theirs are through; they give way to fast clocks

A new file needs no word here: it is played whole by one process, when its turn comes.
"""

import os
import re
from pathlib import Path

import pytest
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]
from xdist.workermanage import WorkerController  # type: ignore[import-untyped]

FAST = frozenset({
    "test_incident_holidays", "test_late_commands", "test_local_town", "test_replies", "test_stories",
    "test_welfare_payments", "test_chaos", "test_law_files_played", "test_law_books", "test_law_money_town", "test_law_silence",
    "test_law_answers", "test_whole_vote", "test_alarm_calls",
})  # fmt: skip
"""Files that play towns by fast clocks: many towns on the same cores would make people late that are not."""

FAST_AT_ONCE = 2
"""So many towns play them at a time."""

LONGEST = (
    "test_law_answers", "test_law_money_town", "test_local_town", "test_replies", "test_law_files", "test_law_books",
    "test_stories", "test_welfare_payments", "test_law_silence", "test_chaos", "test_law_starts", "test_survival",
    "test_canaries", "test_killed_between", "test_told_with_answers",
    "test_time_skipping", "test_law_binding", "test_law_standing", "test_laws", "test_every_request",
    "test_slow_ledger", "test_random_sequences", "test_access_matrix", "test_tampering", "test_recorded_histories",
    "test_intake", "test_api_description", "test_console_browser",
)  # fmt: skip
"""Files that begin first: nobody waits for a long one at the end."""

SPLIT = frozenset({"test_laws", "test_survival"})
"""Files whose tests are played apart by procedure: they open little and take long."""

PLAYED_TOGETHER = frozenset({"test_recorded_histories", "test_declared_notices", "test_law_reference_types"})
"""Files that look at what one process has made for all of them (tests/replayed_runs.py)."""

GIVES_WAY = 5
"""How nice a process is from the first test on that has no fast clock: who has one is served first."""


def is_fast(nodeid: str) -> bool:
    """Whether a test, or what is played together with it, lives by a fast clock."""
    return Path(nodeid.partition("::")[0].partition(" ")[0]).stem in FAST


def in_order(items: list[pytest.Item]) -> None:
    """The longest first."""
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))


class Courtesy:
    """A process of several gives way before its first test without a fast clock, and its town's processes with it."""

    def __init__(self) -> None:
        self._gives_way = "PYTEST_XDIST_WORKER" not in os.environ

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Before any fixture: what those start is as nice."""
        if not self._gives_way and not is_fast(item.nodeid):
            self._gives_way = True
            os.nice(GIVES_WAY)


class InGroups(LoadScopeScheduling):  # type: ignore[misc]
    """A file is played by one process, so that what it opens is opened once; those that may be split, by procedure.

    xdist's own `loadgroup` does nothing with this pytest: it looks for a name that has gone.
    """

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        file, _, test = nodeid.partition("::")
        if Path(file).stem in PLAYED_TOGETHER:
            return "recorded runs"
        return f"{file} {_procedure_of(test)}" if Path(file).stem in SPLIT else file

    def _assign_work_unit(self, node: WorkerController) -> None:
        """Give a process what suits it; one for which nothing is left plays what it has and ends.

        Of a process that has died, xdist hands on what was played to its end too: whoever got that would wait for ever.
        """
        for scope in [scope for scope, tests in self.workqueue.items() if all(tests.values())]:
            del self.workqueue[scope]
        at_it = [each for each in self.nodes if not each.shutting_down]
        plays_fast = node in at_it[:FAST_AT_ONCE]
        fast = [scope for scope in self.workqueue if is_fast(scope)] if plays_fast else []
        others = (scope for scope in self.workqueue if not is_fast(scope))
        scope = next(iter(fast), None) or next(others, None)
        if scope is None:
            node.shutdown()
            return
        self.workqueue.move_to_end(scope, last=False)
        super()._assign_work_unit(node)


def _procedure_of(test: str) -> str:
    """`test_x[incident: main]` and `test_x[incident-two steps]` are of `incident`."""
    return next(iter(re.findall(r"\[([a-z_]+)", test)), "")
