"""Rate limits: one token bucket per client, in a table that cannot grow without end."""

import math
from collections import OrderedDict
from collections.abc import Callable


class RateLimiter:
    """Token buckets (one per client) in order of last use; the table forgets who has been away longest.

    Args:
        rate: requests a second that fill a bucket; 0 for no limit.
        burst: requests that a full bucket holds.
        clients: how many buckets are kept.
        clock: seconds, monotonic.
    """

    def __init__(self, rate: float, burst: int, clients: int, clock: Callable[[], float]) -> None:
        self._rate, self._burst, self._clients, self._clock = rate, float(burst), clients, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        """Clients that are remembered."""
        return len(self._buckets)

    def take(self, client: str) -> int:
        """Take one request from a client's bucket: 0 if it may go on, else whole seconds until it may come again."""
        if not self._rate:
            return 0
        now = self._clock()
        level, since = self._buckets.pop(client, (self._burst, now))
        level = min(self._burst, level + (now - since) * self._rate)
        allowed = level >= 1.0
        self._buckets[client] = (level - 1.0 if allowed else level, now)
        if len(self._buckets) > self._clients:
            self._buckets.popitem(last=False)
        return 0 if allowed else max(1, math.ceil((1.0 - level) / self._rate))
