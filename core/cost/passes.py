"""The costs of passes through a network."""

from __future__ import annotations

from core.cost.cost import Cost
from core.cost.network import NetworkCost
from core.operations import CALL, DRAW, ELEMENT

PASSES = (
    "A backward pass costs two forward passes. A step costs both for its examples; a certificate, a product along a "
    "direction and the oracle of a check cost passes in complex numbers, four times as much; a Jacobian costs a backward "
    "pass for each element of the tensor that is differentiated."
)
"""How passes are counted, for readers."""

COMPLEX = 4.0
"""Time of a pass in complex numbers, as a multiple of that in real ones: a product takes three to four times as long."""

STEP_CALLS = 25
"""Calls of NumPy of one step of an optimizer, besides the passes."""


def forward_pass(network: NetworkCost, itemsize: int = 8) -> Cost:
    """Return the cost of a plan and a forward pass."""
    return Cost(network.forward, network.stored * itemsize, network)


def backward_pass(network: NetworkCost, itemsize: int = 8) -> Cost:
    """Return what a backward pass adds: the gradients, and the deltas that are passed on from layer to layer."""
    elements = network.parameters + network.inputs + 2 * network.largest
    return Cost(network.backward + ELEMENT * network.parameters, elements * itemsize, network)


def both_passes(network: NetworkCost, itemsize: int = 8) -> Cost:
    """Return the cost of a forward and a backward pass."""
    return forward_pass(network, itemsize) + backward_pass(network, itemsize)


def complex_passes(network: NetworkCost, *, backward: bool) -> Cost:
    """Return the cost of passes at complex numbers, with complex copies of the parameters and inputs."""
    cost = both_passes(network, 16) if backward else forward_pass(network, 16)
    moved = network.parameters + network.inputs
    return cost * COMPLEX + Cost(2 * ELEMENT * moved, 32 * moved)


def initialisation(network: NetworkCost) -> Cost:
    """Return the cost of drawing the initial parameters from a seed: in double precision, then cast."""
    drawn = network.drawn
    largest = max((layer.parameters for layer in network.layers), default=0)
    return Cost(5 * CALL * len(network.layers) + DRAW * drawn, 8 * (network.parameters + largest), network)


def certificate(network: NetworkCost) -> Cost:
    """Return the cost of a derivative along a random direction of everything."""
    moved = network.parameters + network.inputs
    drawn = Cost((DRAW + 4 * ELEMENT) * moved, 24 * moved)
    if all(layer.node.layer.complex_safe for layer in network.layers):
        return drawn + complex_passes(network, backward=False)
    return drawn + forward_pass(network) * 4


def per_example_gradients(network: NetworkCost, itemsize: int = 8) -> Cost:
    """Return the cost of the gradients of every example, after passes of their own."""
    gradients = network.examples * network.parameters
    return both_passes(network, itemsize) + Cost(2 * ELEMENT * gradients + network.backward, gradients * itemsize)


def training_steps(network: NetworkCost, steps: int, slots: int, itemsize: int = 8) -> Cost:
    """Return the cost of so many steps of an optimizer with so many slots; the network reads the examples of one step."""
    updated = CALL * STEP_CALLS + ELEMENT * network.parameters * (4 + 3 * slots) + 2 * ELEMENT * network.inputs
    held = network.parameters * (4 + 2 * slots)
    return (both_passes(network, itemsize) + Cost(updated)) * steps + Cost(
        8 * ELEMENT * held, held * itemsize + 8 * steps
    )
