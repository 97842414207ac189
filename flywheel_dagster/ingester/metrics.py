"""What Prometheus is told. No label holds anything of a lead, a message or a secret."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from flywheel_dagster.ingester.committer import Committer

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)


class Metrics:
    """The service's figures, in a registry of their own."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "flywheel_requests", "Requests by provider and status.", ["provider", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "flywheel_request_seconds", "From the whole body to the answer.", ["provider"], buckets=_SECONDS, registry=self.registry
        )
        self.received = Counter("flywheel_events_received", "Events read from requests.", ["provider"], registry=self.registry)
        self.group = Histogram(
            "flywheel_group_events",
            "Events a transaction.",
            buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
            registry=self.registry,
        )
        self.group_seconds = Histogram("flywheel_group_seconds", "Seconds a transaction.", buckets=_SECONDS, registry=self.registry)

    def watch(self, committer: Committer) -> None:
        """Show a committer's own counts."""
        counts = committer.counts
        sources: dict[str, tuple[str, Callable[[], float]]] = {
            "flywheel_transactions": ("Transactions since the start.", lambda: counts.transactions),
            "flywheel_events_recorded": ("Events that were new, since the start.", lambda: counts.recorded),
            "flywheel_events_repeated": ("Events that were known already, since the start.", lambda: counts.repeated),
            "flywheel_events_unmatched": ("New events that found no outcome, since the start.", lambda: counts.unmatched),
            "flywheel_events_unstorable": (
                "Events of which only the bytes could be kept, since the start.",
                lambda: counts.unstorable,
            ),
            "flywheel_waiting_seconds": ("How long the oldest request waits for the database.", lambda: committer.waiting_seconds),
        }
        for name, (text, read) in sources.items():
            Gauge(name, text, registry=self.registry).set_function(read)
        committer.on_group = self._observe_group

    def _observe_group(self, events: int, seconds: float) -> None:
        self.group.observe(events)
        self.group_seconds.observe(seconds)

    def show(self) -> bytes:
        """The figures in Prometheus' text format."""
        return generate_latest(self.registry)
