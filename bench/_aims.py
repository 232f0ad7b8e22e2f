"""The aims of the HTTP service: ratios of requests per second between contenders of one run."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from bench._load import Turn


@dataclass(frozen=True)
class Aim:
    """A ratio that should be reached on a network."""

    network: str
    contender: str
    other: str
    at_least: float


AIMS = (
    Aim("2-3-1", "gradd json", "constant", 0.5),
    Aim("2-3-1", "gradd json", "peer", 2.5),
    Aim("2-3-1", "gradd stored", "gradd json", 1.0),
    Aim("784-128-10", "gradd json", "peer", 10.0),
    Aim("784-128-10", "gradd safetensors", "peer", 25.0),
    Aim("784-128-10", "gradd stored", "gradd json", 1.0),
)


def lines(network: str, connections: int, turns: dict[str, list[Turn]]) -> Iterator[str]:
    """Yield a line for every aim on the network whose contenders were measured.

    A ratio is taken within a round, where both met the same machine; the line shows the median and the range.
    """
    for aim in AIMS:
        if aim.network == network and {aim.contender, aim.other} <= turns.keys():
            pairs = zip(turns[aim.contender], turns[aim.other], strict=True)
            ratios = sorted(one.per_second / other.per_second for one, other in pairs)
            ratio = statistics.median(ratios)
            verdict = "reached" if ratio >= aim.at_least else "missed"
            yield (
                f"| {aim.contender} / {aim.other} | {network} | {connections} | {ratio:.2f} | "
                f"{ratios[0]:.2f} to {ratios[-1]:.2f} | {aim.at_least:g}: {verdict} |"
            )
