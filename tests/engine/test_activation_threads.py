"""An exception that the SDK sends to a thread too late costs that thread alone: what is asked next is run."""

import ctypes
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from engine.execution.activation_threads import ActivationThreads

WITHIN_SECONDS = 5.0


class TooLate(BaseException):
    """As the SDK's own."""


def send(thread: int) -> None:
    """As the SDK does it."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(TooLate))


def interrupted(threads: ThreadPoolExecutor) -> Future[int]:
    """Run something whose thread is sent an exception as soon as it has ended."""
    first: Future[int] = threads.submit(threading.get_ident)
    send(first.result(WITHIN_SECONDS))
    return threads.submit(threading.get_ident)


def test_what_is_asked_after_a_late_exception_is_run() -> None:
    """The thread of a pool is lost with it, and the pool waits for that thread; a thread of its own is nobody's."""
    pool = ThreadPoolExecutor(1)
    lost = interrupted(pool)
    with pytest.raises(TimeoutError):
        lost.result(1)

    assert interrupted(ActivationThreads()).result(WITHIN_SECONDS)


def test_who_is_interrupted_at_work_says_so() -> None:
    """Sent in the middle, whoever asked hears of it, and the next is run."""
    threads, begun, ends = ActivationThreads(), threading.Event(), threading.Event()

    def works() -> None:
        begun.set()
        while not ends.wait(0.01):
            pass

    asked = threads.submit(works)
    assert begun.wait(WITHIN_SECONDS)
    (thread,) = [each for each in threading.enumerate() if each.name == "activation" and each.is_alive()]
    send(thread.ident or 0)

    with pytest.raises(TooLate):
        asked.result(WITHIN_SECONDS)
    assert threads.submit(lambda: "next").result(WITHIN_SECONDS) == "next"


def test_what_fails_fails_where_it_was_asked() -> None:
    """The failure of an activation is its own."""
    with pytest.raises(ZeroDivisionError):
        ActivationThreads().submit(lambda: 1 // 0).result(WITHIN_SECONDS)
