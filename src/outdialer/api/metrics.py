"""``/metrics``: the numbers for Prometheus, the engine's and the REST side's own."""

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest

from outdialer.api.operations import Context, Operation, Raw, Resource
from outdialer.domain.units import MICROSECONDS_PER_SECOND, Instant


class RequestMetrics:
    """Counts of requests. One object per application, with a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "outdialer_api_requests",
            "Requests answered, by operation and HTTP status.",
            ["operation", "status"],
            registry=self._registry,
        )
        self._counters: dict[tuple[str, int], Counter] = {}
        self._seconds = Histogram(
            "outdialer_api_request_seconds",
            "From a request's arrival to its answer, in s.",
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0),
            registry=self._registry,
        )

    def count(self, operation: Operation, status: int, began: Instant, ended: Instant) -> None:
        """Note one answered request."""
        counter = self._counters.get((operation.name, status))
        if counter is None:
            counter = self._counters[operation.name, status] = self._requests.labels(operation.name, str(status))
        counter.inc()
        self._seconds.observe(max(0, ended - began) / MICROSECONDS_PER_SECOND)

    def render(self) -> bytes:
        """The text exposition format of Prometheus."""
        return generate_latest(self._registry)


def metrics_resource(own: RequestMetrics) -> Resource:
    """The operation that shows the engine's metrics and these."""
    resource = Resource("metrics", "Numbers for Prometheus.")

    @resource.operation("GET", "/metrics", base="", secured=False, media_type=CONTENT_TYPE_LATEST)
    async def metrics(context: Context) -> Raw:
        """The engine's and the REST side's numbers in the Prometheus text form."""
        return Raw(context.services.metrics() + own.render(), CONTENT_TYPE_LATEST)

    return resource
