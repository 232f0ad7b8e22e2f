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


HEAD = (
    "| requests/s | network | connections | ratio | from round to round | by processor time | aim |",
    "|---|---|---|---|---|---|---|",
)


def lines(network: str, connections: int, turns: dict[str, list[Turn]]) -> Iterator[str]:
    """Yield a line for every aim on the network whose contenders were measured.

    A ratio is taken within a round, where both met the same machine; the line shows the median and the range. Behind
    them stands the ratio of requests per second of processor time, which moves less on a busy machine.
    """
    for aim in AIMS:
        if aim.network == network and {aim.contender, aim.other} <= turns.keys():
            both = turns[aim.contender], turns[aim.other]
            ratios = sorted(one.per_second / other.per_second for one, other in zip(*both, strict=True))
            ratio = statistics.median(ratios)
            times = [sum(turn.processor_seconds for turn in of) / sum(turn.requests for turn in of) for of in both]
            verdict = "reached" if ratio >= aim.at_least else "missed"
            yield (
                f"| {aim.contender} / {aim.other} | {network} | {connections} | {ratio:.2f} | "
                f"{ratios[0]:.2f} to {ratios[-1]:.2f} | {times[1] / times[0]:.2f} | {aim.at_least:g}: {verdict} |"
            )
