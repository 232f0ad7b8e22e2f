"""The costs of a check and of a probe, which try every known mistake in every rule."""

from __future__ import annotations

from core.cost.cost import Cost
from core.cost.network import NetworkCost
from core.cost.passes import both_passes, certificate
from core.operations import CALL, ELEMENT

MISTAKES = 60
"""Known mistakes that can be made in a typical rule."""

LARGE = 1_000_000
"""Numbers in all tensors beyond which blind spots are not searched for; see `core/checking/checker.py`."""

SEARCH = 300
"""Replays of a typical search for mistakes, for each rule."""

REPLAY = 30 * CALL
"""Operations of one replay of a rule, without its numbers."""


def examination(network: NetworkCost, *, searches: bool) -> Cost:
    """Return the cost of a check: passes, the oracle, the blind spots, and, with a submission, a search for mistakes."""
    cost = both_passes(network) * 3 + certificate(network)
    size = 2 * network.results + network.parameters + network.inputs
    if size <= LARGE:
        cost += _replays(network, MISTAKES)
    if searches:
        cost += _replays(network, SEARCH)
    return cost + Cost(bytes=6 * 8 * size)


def probing(network: NetworkCost) -> Cost:
    """Return the cost of a probe that finds its point in two draws."""
    return (both_passes(network) * 3 + _replays(network, MISTAKES)) * 2


def _replays(network: NetworkCost, times: float) -> Cost:
    """Return the cost of replaying every rule of the network so many times."""
    rules = sum(3 + len(layer.node.parameters) for layer in network.layers)
    passes = both_passes(network) * (times / 4)
    return Cost(REPLAY * times * rules + 4 * ELEMENT * network.results * times) + passes
