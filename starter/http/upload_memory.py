"""How much of what people are sending lies in memory: bounded over all, and for each account, whatever their speed."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from starter.http.problems import too_many_requests

FILES_PER_ACCOUNT = 4
FILES_IN_ALL = 24
PAUSE_SECONDS = 5


class Held:
    """What one upload holds."""

    def __init__(self, memory: "UploadMemory", whose: str) -> None:
        self._memory = memory
        self._whose = whose
        self.size = 0

    def grow(self, size: int) -> None:
        """Hold so many bytes more. Raises Problem 429: there is no room; the same can be sent a little later."""
        self._memory.take(self._whose, size)
        self.size += size


class UploadMemory:
    """The bytes of uploads under way, as they come: who sends nothing holds nothing."""

    def __init__(self, file_bytes_max: int) -> None:
        """Room for so many of the largest files at a time."""
        self._in_all_max = FILES_IN_ALL * file_bytes_max
        self._of_one_max = FILES_PER_ACCOUNT * file_bytes_max
        self._in_all = 0
        self._of: Counter[str] = Counter()

    @contextmanager
    def held(self, whose: str) -> Iterator[Held]:
        """For one upload of an account; given back at the end of the block."""
        held = Held(self, whose)
        try:
            yield held
        finally:
            self._give(whose, held.size)

    def take(self, whose: str, size: int) -> None:
        """Raises Problem 429, and takes nothing, where it would be too much."""
        if self._in_all + size > self._in_all_max or self._of[whose] + size > self._of_one_max:
            raise too_many_requests(PAUSE_SECONDS)
        self._in_all += size
        self._of[whose] += size

    def _give(self, whose: str, size: int) -> None:
        self._in_all -= size
        self._of[whose] -= size
        if self._of[whose] <= 0:
            del self._of[whose]
