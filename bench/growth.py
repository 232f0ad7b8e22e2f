"""How the cost of dense networks grows with batch, width and depth: the slope of log time over log size.

Run it with `make bench`. *plan* is forward and backward of a plan that is laid anew each time; *request* is the whole
work of a request in JSON, in process: decoding, computing and encoding. Where calls outweigh the work, a slope is smaller
than expected; where arrays leave the processor's cache, it is larger for a while, by 0.1 to 0.3. More than that is a fault.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from app.computations.gradients.schemas import GradientsRequest
from app.computations.gradients.service import compute_gradients
from app.problem.from_request import problem_of
from app.settings import Settings
from app.wire.decode import decode
from app.wire.encode import encode
from bench import _cases
from bench._cases import Network
from bench._stopwatch import medians, readable

ROUNDS = 15


@dataclass(frozen=True)
class Series:
    """Networks of which one size grows, and the exponent of the cost that it should have."""

    size: str
    networks: dict[int, Network]
    expected: int


SERIES = (
    Series("batch", {n: Network((64, 64, 64, 8), n) for n in (256, 512, 1024, 2048, 4096)}, 1),
    Series("width", {w: Network((w, w, w, 8), 16) for w in (256, 384, 512, 768, 1024)}, 2),
    Series("depth", {d: Network((64,) * d + (8,), 64) for d in (8, 16, 32, 64, 128)}, 1),
)


def _no_deadline() -> None:
    pass


def plan(network: Network) -> Callable[[], object]:
    """Return a call that lays the plan of a problem and runs it."""
    body = GradientsRequest.model_validate(_cases.problem(network))
    problem = problem_of(body, Settings(), needs_loss=True)

    def run() -> None:
        laid = problem.plan()
        laid.forward()
        laid.backward()

    return run


def request(network: Network) -> Callable[[], object]:
    """Return a call that does the work of a whole request."""
    body, settings = encode(_cases.problem(network)), Settings()
    return lambda: encode(compute_gradients(decode(body, GradientsRequest), settings, _no_deadline))


WORK = {"plan": plan, "request": request}


def slope(sizes: list[int], seconds: list[float]) -> float:
    """Return the exponent that fits best."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def main() -> None:
    """Print the table."""
    print(f"Exponents of the cost of gradients, float64; medians of {ROUNDS} interleaved turns\n")
    print("| grows | work | sizes and times | exponent | between the last two | expected |\n|---|---|---|---|---|---|")
    for series in SERIES:
        sizes = list(series.networks)
        for name, work in WORK.items():
            found = medians({str(size): work(network) for size, network in series.networks.items()}, ROUNDS)
            seconds = list(found.values())
            times = ", ".join(f"{size}: {readable(time)}" for size, time in zip(sizes, seconds, strict=True))
            exponents = f"{slope(sizes, seconds):.2f} | {slope(sizes[-2:], seconds[-2:]):.2f}"
            print(f"| {series.size} | {name} | {times} | {exponents} | {series.expected} |", flush=True)


if __name__ == "__main__":
    main()
