"""What a request may be: bounds on body and headers, and a rate for each connection."""

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

from starlette.requests import Request

BODY_LIMIT = 5 * 2**20  # SendGrid's batches end at 768 KB, HubSpot's at 100 events
INBOUND_LIMIT = 32 * 2**20  # a reply with its attachments: 20 to 30 MB by the vendor's pages
_REMEMBERED = 10_000


class TooLargeError(Exception):
    """The body is larger than the route takes."""


async def read_body(request: Request, limit: int) -> bytes:
    """The body; raises TooLargeError as soon as it is clear that it exceeds `limit` bytes."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise TooLargeError
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise TooLargeError
        chunks.append(chunk)
    return b"".join(chunks)


class RateLimit:
    """A token bucket for each key: `rate` a second for long, `burst` at once. Kept in this process."""

    def __init__(self, rate: float, burst: float, *, now: Callable[[], float] = monotonic) -> None:
        self._rate, self._burst, self._now = rate, burst, now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> float:
        """0 when there is room, which is then used; else the seconds to wait."""
        now = self._now()
        tokens, since = self._buckets.pop(key, (self._burst, now))
        tokens = min(self._burst, tokens + (now - since) * self._rate)
        wait = 0.0 if tokens >= 1 else (1 - tokens) / self._rate
        self._buckets[key] = (tokens - 1 if not wait else tokens, now)
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        return wait
