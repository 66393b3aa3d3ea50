"""Where cases are run, live and at replay: each activation in a thread of its own, so that none is lost to a thread that died.

The SDK waits two seconds for an activation, and then sends its thread an exception. On a busy machine it can come a moment too
late, when the activation has just ended: a pool loses the thread that waits for work, and goes on counting on it. What is asked
next is the eviction of that very case, and it is never run: a replay stands still for ever, and a worker has the case never again.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

NAME = "activation"


class BrokenOff(RuntimeError):
    """What ran in a thread was broken off before it could say how it ended."""


class ActivationThreads(ThreadPoolExecutor):
    """A thread for each activation, and one that tells how they ended: no exception is ever sent to that one."""

    def __init__(self) -> None:
        super().__init__(thread_name_prefix=NAME)
        self._ended: SimpleQueue[tuple[Future[Any], Any, BaseException | None]] = SimpleQueue()
        self._told_in = 0
        self._starting = threading.Lock()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run it, at once."""
        self._tell_endings()
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()
        threading.Thread(target=self._run, args=(future, lambda: fn(*args, **kwargs)), name=NAME, daemon=True).start()
        return future

    def _run(self, future: Future[T], call: Callable[[], T]) -> None:
        result: T | None = None
        failure: BaseException | None = BrokenOff()
        # One exception can come, between any two steps: of the two words the one is said that it does not hinder.
        try:
            try:
                result = call()
                failure = None
            except BaseException as error:  # noqa: BLE001 - whoever asked is told
                failure = error
            finally:
                self._ended.put((future, result, failure))
        except BaseException:  # noqa: BLE001, S110 - what comes too late says nothing of what was run
            pass
        finally:
            self._ended.put((future, result, failure))

    def _tell_endings(self) -> None:
        with self._starting:
            if self._told_in != os.getpid():  # a process that was forked has the queue, and no thread
                self._ended = SimpleQueue()
                threading.Thread(target=_tell, args=(self._ended,), name=f"{NAME}-endings", daemon=True).start()
                self._told_in = os.getpid()


def _tell(ended: "SimpleQueue[tuple[Future[Any], Any, BaseException | None]]") -> None:
    while True:
        future, result, failure = ended.get()
        if future.done():
            continue
        if failure is None:
            future.set_result(result)
        else:
            future.set_exception(failure)


THREADS = ActivationThreads()
"""Of this process. It has no thread before something is run."""
