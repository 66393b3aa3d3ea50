"""Logs: one JSON object a line, never personal data.

A field that is not on the list of allowed ones is withheld and named, so a careless log call shows itself without
showing what it carried. Texts of other libraries may quote anything, and are kept only where they are on a list too; of all
others there is the place that wrote them. Lines are written by a thread of their own: a workflow's thread must not wait for a
slow disk.
"""

import logging
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from logging.handlers import QueueHandler, QueueListener
from pathlib import PurePath
from queue import SimpleQueue
from typing import Any, TextIO
from uuid import UUID

import structlog

ALLOWED = frozenset(
    {
        "act", "activity", "addresses", "attempt", "attempts", "bank", "box", "bus", "case_id", "check", "code",
        "command", "count", "department", "digest", "error",
        "event", "exit_code", "fault", "gateway", "kind", "level", "lines", "logger", "method", "milliseconds", "number", "order",
        "outcome", "pid", "process", "purpose", "reason", "refused", "request_id", "restarts", "role", "route", "seconds",
        "seq", "signal", "source", "stage", "status", "submission", "task", "template", "timestamp", "url", "waiting", "where",
        "withheld", "workflow_id",
    }
)  # fmt: skip
"""Codes, numbers and places. Who wants another field here must know that it never holds what a person wrote or is."""

SAID_BY_LIBRARIES = re.compile(
    r"Started server process \[\d+\]|Finished server process \[\d+\]|Shutting down|Invalid HTTP request received\."
    r"|Waiting for application (?:startup|shutdown)\.|Application (?:startup|shutdown) (?:complete\.|failed\. Exiting\.)"
    r"|Waiting for (?:connections to close|background tasks to complete)\. \(CTRL\+C to force quit\)"
    r"|Uvicorn running on http://[\w.:\[\]]+ \(Press CTRL\+C to quit\)"
    r"|Completing activity as failed(?: \(\{[^{}]*\}\))?|Activity task raised during worker shutdown"
    r"|Failed activation on workflow [\w.-]+ with ID [\w.-]+ and run ID [\w-]+"
    r"|gRPC call \w+ retried \d+ times|Task not found when completing|Error while completing workflow activation"
    r"|Error reporting WFT to server|Error while polling for (?:workflow|activity) tasks?|Failing workflow task"
    r"|Worker failed, shutting down|Worker cancelled, shutting down|Beginning worker shutdown, will wait [\w:.]+ before.*"
)
"""The texts of other libraries that are kept: constant but for numbers, addresses and ids."""

WITHHELD_TEXT = "library_message"
VALUE_MAX = 500
_PLAIN = (int, float, bool, type(None))
_NAMED = (datetime, date, timedelta, PurePath, UUID)

Event = MutableMapping[str, Any]


def allow_listed(_logger: object, _method: str, event: Event) -> Event:
    """Keep what is allowed and plain; name what was withheld."""
    kept = {name: _shown(value) for name, value in event.items() if name in ALLOWED}
    if withheld := sorted(set(event) - set(kept)):
        kept["withheld"] = withheld
    return kept


def where(error: BaseException) -> str:
    """Where an exception came from, as file:line, innermost last; its words may quote what somebody sent."""
    places = []
    trace = error.__traceback__
    while trace is not None:
        places.append(f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " > ".join(places[-6:])


@contextmanager
def configure_logging(process: str, level: str, stream: TextIO | None = None) -> Iterator[None]:
    """Set up the logs of this process; the last lines are written at the end of the block."""
    queue: SimpleQueue[logging.LogRecord] = SimpleQueue()
    handler = _JsonQueueHandler(queue, process)
    output = logging.StreamHandler(stream or sys.stdout)
    root = logging.getLogger()
    before = (root.handlers[:], root.level, structlog.get_config())
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # httpx would write the address of every call, and addresses hold ids of orders and cases in any number.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _exception_as_place,
            lambda _logger, _method, event: {**event, "process": process},
            allow_listed,
            _render,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    listener = QueueListener(queue, output)
    listener.start()
    try:
        yield
    finally:
        listener.stop()
        root.handlers[:] = before[0]
        root.setLevel(before[1])
        structlog.configure(**before[2])


def _exception_as_place(_logger: object, _method: str, event: Event) -> Event:
    info = event.pop("exc_info", None)
    error = info if isinstance(info, BaseException) else sys.exc_info()[1] if info else None
    if error is not None:
        event.update(error=type(error).__name__, where=where(error))
    return event


def _shown(value: object) -> object:
    """Codes, numbers, times and lists of them as they are; of anything else its type: what it says of itself may quote."""
    if isinstance(value, str):
        return str(value)[:VALUE_MAX]
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, _NAMED):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): _shown(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_shown(item) for item in value]
    return type(value).__name__


class _OurLine(str):
    """A line that went through the list; only these are written as they are."""

    __slots__ = ()


def _render(logger: object, method: str, event: Event) -> str:
    return _OurLine(structlog.processors.JSONRenderer(ensure_ascii=False)(logger, method, event))


class _JsonQueueHandler(QueueHandler):
    """Gives lines to the writing thread; what comes from other libraries is put into the same form."""

    def __init__(self, queue: "SimpleQueue[logging.LogRecord]", process: str) -> None:
        super().__init__(queue)
        self._process = process

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Make the line here, while its objects are what they were when it was logged."""
        text = record.msg if isinstance(record.msg, _OurLine) else self._foreign(record)
        return logging.LogRecord(record.name, record.levelno, record.pathname, record.lineno, text, None, None)

    def _foreign(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        known = SAID_BY_LIBRARIES.fullmatch(text) is not None
        event: Event = {
            "event": text if known else WITHHELD_TEXT,
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "process": self._process,
        }
        if not known:
            event.update(withheld=["event"], where=f"{record.filename}:{record.lineno}")
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            event.update(error=type(error).__name__, where=where(error))
        return str(structlog.processors.JSONRenderer(ensure_ascii=False)(None, "", event))
