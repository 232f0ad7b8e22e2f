"""Rates: requests a second, requests at a time and operations a minute of each owner, counted in this process.

The fields that tell a client of it are those of the draft draft-ietf-httpapi-ratelimit-headers-10.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter, SlidingWindowCounterRateLimiter

from app.access import refusals
from app.http.caller import Caller, Quota
from core.errors import Refusal

MINUTE = 60


class Rates:
    """What the owners have used in the last seconds. Several threads may use it at once."""

    def __init__(self) -> None:
        self._running: Counter[str] = Counter()

    # Made with the first key that has a rate: the storage starts a thread.
    @cached_property
    def _storage(self) -> MemoryStorage:
        return MemoryStorage()

    @cached_property
    def _requests(self) -> MovingWindowRateLimiter:
        return MovingWindowRateLimiter(self._storage)

    @cached_property
    def _operations(self) -> SlidingWindowCounterRateLimiter:
        return SlidingWindowCounterRateLimiter(self._storage)

    @contextmanager
    def admitted(self, caller: Caller) -> Iterator[dict[str, str]]:
        """Count a request that is answered in the block, and yield the header fields about its rate.

        Raises:
            Refusal: `rate-limited`, before the block.
        """
        owner, most = str(caller.owner), caller.quota.concurrency
        if most is not None and self._running[owner] >= most:
            raise refusals.too_much(f"The key allows {most} requests at the same time.", 1)
        headers = self._count(owner, caller.quota)
        self._running[owner] += 1
        try:
            yield headers
        finally:
            self._running[owner] -= 1
            if not self._running[owner]:
                del self._running[owner]

    def _count(self, owner: str, quota: Quota) -> dict[str, str]:
        item = window_of(quota)
        if item is None:
            return {}
        is_within = self._requests.hit(item, "requests", owner)
        reset, remaining = self._requests.get_window_stats(item, "requests", owner)
        left = max(0.0, reset - time.time())
        headers = {
            "RateLimit-Policy": f'"requests";q={item.amount};w={item.get_expiry()}',
            "RateLimit": f'"requests";r={remaining};t={math.ceil(left)}',
        }
        if not is_within:
            detail = f"The key allows {item.amount:,} requests in {item.get_expiry()} s."
            raise refusals.too_much(detail, left, headers)
        return headers

    def charge(self, caller: Caller, operations: float) -> None:
        """Count the operations of a computation, before it begins.

        Raises:
            Refusal: `rate-limited`, if they are more than the minute has left; `too-large`, if they are more than a whole
                minute has. They are then not counted.
        """
        most, item = caller.quota.operations, _minute_of(caller.quota)
        if most is None or item is None:
            return
        item, cost = RateLimitItemPerMinute(max(1, round(most))), max(1, math.ceil(operations))
        if cost > item.amount:
            detail = (
                f"The computation would take about {operations:,.3g} operations; the key allows {most:,.3g} a minute."
            )
            hint = (
                "Send fewer examples or smaller layers, or ask the operator of the server for a key that allows more."
            )
            raise Refusal.of("too-large", detail, expected=most, got=operations, hint=hint)
        if not self._operations.hit(item, "operations", str(caller.owner), cost=cost):
            reset, _ = self._operations.get_window_stats(item, "operations", str(caller.owner))
            detail = (
                f"The key allows {most:,.3g} operations a minute, and this computation takes about {operations:,.3g}."
            )
            raise refusals.too_much(detail, min(MINUTE, reset - time.time()))

    def operations_left(self, caller: Caller) -> float | None:
        """Return the floating-point operations that an owner may still use now; None if they are unlimited."""
        item = _minute_of(caller.quota)
        if item is None:
            return None
        return float(self._operations.get_window_stats(item, "operations", str(caller.owner)).remaining)


def _minute_of(quota: Quota) -> RateLimitItem | None:
    return None if quota.operations is None else RateLimitItemPerMinute(max(1, round(quota.operations)))


def window_of(quota: Quota) -> RateLimitItem | None:
    """Return the number of requests and the whole seconds in which they may come; None if the rate is unlimited.

    A burst of 30 at 10 requests a second is 30 requests in 3 seconds.
    """
    if quota.rate is None:
        return None
    burst = quota.burst or max(1, math.ceil(quota.rate))
    seconds = max(1, math.ceil(burst / quota.rate - 1e-9))
    return RateLimitItemPerSecond(max(burst, round(quota.rate * seconds)), seconds)
