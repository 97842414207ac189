"""What Prometheus is told of the API. No label holds anything of an organization, a key or a lead."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class Metrics:
    """The service's figures, in a registry of their own."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        labels = ["method", "route", "status"]
        self._requests = Counter("flywheel_api_requests", "Requests by route and status.", labels, registry=self._registry)
        self._seconds = Histogram(
            "flywheel_api_request_seconds", "From the headers to the answer.", labels[:2], buckets=_SECONDS, registry=self._registry
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request. `route` is the path's pattern, so that there are few."""
        self._requests.labels(method, route, status).inc()
        self._seconds.labels(method, route).observe(seconds)

    def show(self) -> bytes:
        """The figures in Prometheus' text format."""
        return generate_latest(self._registry)
