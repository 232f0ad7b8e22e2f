"""Interleaved timing: contenders take turns, so that a change of the machine's speed meets them all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

ROUNDS = 21
SECONDS_PER_TURN = 0.02


def medians(contenders: Mapping[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, float]:
    """Seconds per call of each contender: the median over the rounds. Each gets one turn a round."""
    repeats = {}
    for name, call in contenders.items():
        call()
        start = time.perf_counter()
        call()
        repeats[name] = max(1, int(SECONDS_PER_TURN / max(time.perf_counter() - start, 1e-9)))
    turns: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, call in contenders.items():
            start = time.perf_counter()
            for _ in range(repeats[name]):
                call()
            turns[name].append((time.perf_counter() - start) / repeats[name])
    return {name: statistics.median(times) for name, times in turns.items()}


def readable(seconds: float) -> str:
    """A duration with a unit that suits it."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
