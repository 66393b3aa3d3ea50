"""What an operator reads at /metrics of the API. Labels are routes and codes; a person or a case never is one."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

from engine.execution.temporal_token import TOKEN_DAYS, TOKEN_DAYS_WORDS

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Counts:
    """The counters of one API process, in a registry of their own: two apps in one process do not mix."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "jiceng_requests", "Requests by route and status.", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "jiceng_request_seconds", "Time of an answer.", ("route",), buckets=_BUCKETS, registry=self._registry
        )
        self._settled = Counter(
            "jiceng_intake_settled", "Submissions by kind and outcome.", ("kind", "outcome"), registry=self._registry
        )
        self._failed = Counter(
            "jiceng_delivery_attempts_failed", "Attempts without an answer.", ("reason",), registry=self._registry
        )
        self._taken = Counter(
            "jiceng_numbers_taken",
            "Runs of somebody else's that stood under the number of a case.",
            registry=self._registry,
        )
        self._not_written = Counter(
            "jiceng_answers_not_written",
            "Answers whose entries the ledger did not take as they were: their cases write them.",
            ("reason",),
            registry=self._registry,
        )
        self._waiting = Gauge("jiceng_intake_waiting", "Accepted and not delivered.", registry=self._registry)
        self._oldest = Gauge("jiceng_intake_oldest_seconds", "How long the oldest waits.", registry=self._registry)

        self._archive = Gauge(
            "jiceng_archive_lag_seconds",
            "How old the oldest end of a case is that is not archived.",
            registry=self._registry,
        )

        self._token = Gauge(TOKEN_DAYS, TOKEN_DAYS_WORDS, registry=self._registry)

        self._open = Gauge("jiceng_open_cases", "Cases that have not ended.", registry=self._registry)
        self._overdue = Gauge("jiceng_overdue_cases", "Open cases whose next limit is past.", registry=self._registry)
        self._outside = Gauge(
            "jiceng_outside_work_oldest_seconds",
            "How long the oldest order, question or payment waits for an answer.",
            registry=self._registry,
        )
        self._notices = Gauge(
            "jiceng_notices_oldest_seconds", "How long the oldest notice waits to be sent.", registry=self._registry
        )

        self._in_no_month = Gauge(
            "jiceng_ledger_other_entries",
            "Entries of a month that the ledger has no partition for, up to ten thousand.",
            registry=self._registry,
        )

        self._webhooks = {
            name: Gauge(f"jiceng_webhooks_{name}", words, ("subscription",), registry=self._registry)
            for name, words in (
                ("waiting", "Events that wait to be taken by a receiver."),
                ("oldest_seconds", "How long the oldest of them waits."),
                ("given_up", "Events that a receiver did not take for days, or has ended."),
            )
        }

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """One answered request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def settled(self, kind: str, outcome: str) -> None:
        """A submission that came to its end."""
        self._settled.labels(kind, outcome).inc()

    def attempt_failed(self, reason: str) -> None:
        """An attempt without an answer."""
        self._failed.labels(reason).inc()

    def answer_not_written(self, reason: str) -> None:
        """The ledger did not take what a case told with its answer."""
        self._not_written.labels(reason).inc()

    def number_taken(self) -> None:
        """Somebody at Temporal's port had taken the number of a case."""
        self._taken.inc()

    def backlog(self, waiting: int, oldest_seconds: float) -> None:
        """How much waits."""
        self._waiting.set(waiting)
        self._oldest.set(oldest_seconds)

    def figures(
        self, open_cases: int, overdue_cases: int, outside_work_seconds: float, notices_seconds: float, in_no_month: int
    ) -> None:
        """What our own books say; -1 where they cannot be read."""
        self._open.set(open_cases)
        self._overdue.set(overdue_cases)
        self._outside.set(outside_work_seconds)
        self._notices.set(notices_seconds)
        self._in_no_month.set(in_no_month)

    def webhook(self, subscription: str, waiting: int, oldest_seconds: float, given_up: int) -> None:
        """How far a subscription is behind."""
        for name, value in (("waiting", waiting), ("oldest_seconds", oldest_seconds), ("given_up", given_up)):
            self._webhooks[name].labels(subscription).set(value)

    def archive(self, lag_seconds: float) -> None:
        """How far the archive is behind."""
        self._archive.set(lag_seconds)

    def temporal_token(self, days: float) -> None:
        """How long the token lasts that is shown to Temporal; infinite where there is none, or none that ends."""
        self._token.set(days)

    def text(self) -> bytes:
        """As Prometheus reads it."""
        return generate_latest(self._registry)
