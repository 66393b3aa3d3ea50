"""What stands in a log: what is on the list, by name, and nothing that somebody wrote or is."""

import ast
import asyncio
import gc
import io
import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
import typer
from prometheus_client import REGISTRY, CollectorRegistry
from pydantic import SecretStr

from engine.runtime.logging import ALLOWED, configure_logging
from engine.runtime.metrics import COUNTERS, SDK_LOGS, usual_runtime
from local.town.cli_errors import run_told
from starter.http.counts import Counts

PROJECT = Path(__file__).resolve().parents[2]
ROOMS = ("engine", "activities", "starter", "console", "audit", "local")
CANARY = "金丝雀小区502王五"
LABELS = {
    "method",
    "route",
    "status",
    "kind",
    "outcome",
    "reason",
    "department",
    "gateway",
    "box",
    "act",
    "source",
    "bank",
    "subscription",
    "le",
}
"""What the numbers at /metrics are told apart by. Who wants another must know that it never names a person or a case."""


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """A log that is written as it is in a process of the town; what other tests left to be told of is told before."""
    gc.collect()
    stream = io.StringIO()
    with configure_logging("test", "INFO", stream):
        yield stream


def written(stream: io.StringIO, number: int, *loggers: str) -> list[dict[str, object]]:
    """The lines, of these loggers alone if any are named, when all are written: a thread of its own does it."""
    for handler in logging.getLogger().handlers:
        handler.flush()
    deadline = time.monotonic() + 30
    while True:
        whole = [json.loads(line) for line in stream.getvalue().splitlines(keepends=True) if line.endswith("\n")]
        found = [line for line in whole if not loggers or line.get("logger") in loggers]
        if len(found) >= number:
            return found
        assert time.monotonic() < deadline, stream.getvalue()


def test_what_is_not_on_the_list_is_withheld_whatever_it_is_called(lines: io.StringIO) -> None:
    """Any field that nobody has put on the list is named and not shown: the list allows, it does not forbid."""
    structlog.get_logger().info("told", anything_at_all=CANARY, name=CANARY, case_id="incident-1")
    [line] = written(lines, 1)

    assert line["withheld"] == ["anything_at_all", "name"]
    assert line["case_id"] == "incident-1"
    assert CANARY not in lines.getvalue()


def test_a_thing_in_an_allowed_field_does_not_speak_for_itself(lines: io.StringIO) -> None:
    """An exception or an object in an allowed field is told by its type; a long text is cut; lists hold to the same."""

    class Person:
        def __str__(self) -> str:
            return CANARY

    structlog.get_logger().info(
        "told",
        error=ValueError(CANARY),
        reason=Person(),
        waiting=[Person(), 7],
        where="x" * 9000,
        url=SecretStr(CANARY),
    )
    [line] = written(lines, 1)

    assert (line["error"], line["reason"], line["waiting"]) == ("ValueError", "Person", ["Person", 7])
    assert len(str(line["where"])) == 500
    assert CANARY not in lines.getvalue()


def test_the_sdk_tells_of_its_core_by_a_line_like_ours(lines: io.StringIO) -> None:
    """What the SDK's core says in an outage is JSON as all else, and its fields, which may quote anything, are not there."""
    usual_runtime()  # forwards to the logger of this name
    told = SDK_LOGS.forwarding
    assert told is not None
    logging.getLogger(told.logger.name + "-sdk_core::retry").warning("gRPC call list_namespaces retried 3 times")
    [line] = written(lines, 1)

    assert (line["event"], line["level"]) == ("gRPC call list_namespaces retried 3 times", "warning")
    assert (told.append_log_fields_to_message, told.prepend_target_on_message) == (False, False)


async def test_the_words_of_other_libraries_are_withheld(lines: io.StringIO) -> None:
    """A library's text may quote anything, also one that looks like our own line; only where it came from is kept."""

    async def fails() -> None:
        raise ValueError(CANARY)

    task = asyncio.create_task(fails())
    await asyncio.wait([task])
    del task
    gc.collect()  # asyncio tells of an exception that nobody asked for, words included
    logging.getLogger("elsewhere").warning("could not send to " + CANARY)  # noqa: G003 - as libraries do
    logging.getLogger("elsewhere").error(json.dumps({"event": CANARY}, ensure_ascii=False))
    logging.getLogger("elsewhere").error("could not send to %s", CANARY)
    found = written(lines, 4, "asyncio", "elsewhere")

    assert [line["event"] for line in found] == ["library_message"] * 4
    assert found[0]["error"] == "ValueError"
    assert "test_logging.py" in str(found[1]["where"])
    assert CANARY not in lines.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        "Started server process [7]",
        "Application startup complete.",
        "Uvicorn running on http://127.0.0.1:8080 (Press CTRL+C to quit)",
        "Failed activation on workflow incident with ID incident-20261121-000001 and run ID 0191-ab",
        "Worker failed, shutting down",
        "gRPC call poll_workflow_task_queue retried 5 times",
    ],
)
def test_known_texts_of_libraries_are_kept(text: str, lines: io.StringIO) -> None:
    """What is constant but for numbers, addresses and ids is worth having; with anything added it is withheld."""
    logging.getLogger("library").warning(text)
    logging.getLogger("library").warning("%s %s", text, CANARY)
    kept, withheld = written(lines, 2)

    assert (kept["event"], withheld["event"]) == (text, "library_message")
    assert CANARY not in lines.getvalue()


def test_a_process_that_dies_tells_where_and_not_what(capfd: pytest.CaptureFixture[str]) -> None:
    """A fault of ours that nobody caught ends a process with 1; its words are printed nowhere."""

    async def dies() -> None:
        raise ValueError(CANARY)

    with pytest.raises(typer.Exit) as end:
        run_told(dies(), "worker", "INFO")
    printed = "".join(capfd.readouterr())

    assert end.value.exit_code == 1
    assert '"error": "ValueError"' in printed
    assert "test_logging.py:" in printed
    assert CANARY not in printed


def test_what_happened_is_a_word_of_ours() -> None:
    """Every log call begins with a constant text: no event is put together from what somebody sent."""
    loose = [
        f"{file.name}:{call.lineno}"
        for room in ROOMS
        for file in (PROJECT / room).rglob("*.py")
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "log"
        and call.func.attr in {"debug", "info", "warning", "error", "exception", "critical"}
        and not (call.args and constant(call.args[0]))
    ]

    assert loose == []


def constant(text: ast.expr) -> bool:
    return isinstance(text, ast.Constant) or (
        isinstance(text, ast.IfExp) and constant(text.body) and constant(text.orelse)
    )


def test_no_allowed_field_is_a_persons() -> None:
    """None of the fields that are on the list is called like something of a person or their words."""
    personal = {"name", "phone", "subject", "account", "address", "identity", "text", "description", "details", "body"}

    assert ALLOWED & personal == set()


def test_metrics_are_told_apart_by_listed_labels_only() -> None:
    """Every label of every number at /metrics is on a list of codes, in the API as in the other processes."""
    counts = Counts()
    registries: list[CollectorRegistry] = [REGISTRY, counts._registry]  # noqa: SLF001 - of this app alone
    ours = [
        collector
        for registry in registries
        for collector in set(registry._collector_to_names)  # noqa: SLF001 - prometheus_client has no other way
        if getattr(collector, "_name", "").startswith("jiceng")
    ]
    found = {label for collector in ours for label in getattr(collector, "_labelnames", ())}
    found |= {label for _, labels in COUNTERS.values() for label in labels}

    assert len(ours) + len(COUNTERS) > 6
    assert found <= LABELS
