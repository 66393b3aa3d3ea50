"""Logs: one JSON object a line, never personal data.

A field that is not on the list of allowed ones is withheld and named, so a careless log call shows itself without
showing what it carried. Messages of other libraries keep their text but not the words of their exceptions. Lines are
written by a thread of their own: a workflow's thread must not wait for a slow disk.
"""

import logging
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from datetime import UTC, datetime
from logging.handlers import QueueHandler, QueueListener
from queue import SimpleQueue
from typing import Any, TextIO

import structlog

ALLOWED = frozenset(
    {
        "act", "addresses", "attempt", "attempts", "bank", "bus", "case_id", "code", "command", "count", "department", "digest",
        "error",
        "event", "exit_code", "fault", "kind", "level", "logger", "method", "milliseconds", "number", "order",
        "outcome", "pid", "process", "reason", "refused", "request_id", "restarts", "role", "route", "seconds",
        "seq", "signal", "source", "stage", "status", "submission", "task", "template", "timestamp", "url", "waiting", "where",
        "withheld", "workflow_id",
    }
)  # fmt: skip
"""Codes, numbers and places. Who wants another field here must know that it never holds what a person wrote or is."""

LINE_MAX = 2000
_PLAIN = (str, int, float, bool, type(None))

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
    before = (root.handlers[:], root.level)
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
            structlog.processors.JSONRenderer(ensure_ascii=False),
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
        structlog.reset_defaults()


def _exception_as_place(_logger: object, _method: str, event: Event) -> Event:
    info = event.pop("exc_info", None)
    error = info if isinstance(info, BaseException) else sys.exc_info()[1] if info else None
    if error is not None:
        event.update(error=type(error).__name__, where=where(error))
    return event


def _shown(value: object) -> object:
    return value if isinstance(value, _PLAIN) else str(value)


class _JsonQueueHandler(QueueHandler):
    """Gives lines to the writing thread; what comes from other libraries is put into the same form."""

    def __init__(self, queue: "SimpleQueue[logging.LogRecord]", process: str) -> None:
        super().__init__(queue)
        self._process = process

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        """Make the line here, while its objects are what they were when it was logged."""
        text = record.getMessage()
        if not (record.args is None or record.args == ()) or not text.startswith("{"):
            text = self._foreign(record, text)
        return logging.LogRecord(record.name, record.levelno, record.pathname, record.lineno, text, None, None)

    def _foreign(self, record: logging.LogRecord, text: str) -> str:
        event: Event = {
            "event": text[:LINE_MAX],
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "process": self._process,
        }
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            event.update(error=type(error).__name__, where=where(error))
        return str(structlog.processors.JSONRenderer(ensure_ascii=False)(None, "", event))
