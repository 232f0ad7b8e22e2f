"""The oracle: a derivative that owes nothing to the backward pass, for every delta and every gradient at once.

Parameters, inputs and the preactivations of every layer are moved together by i h v, each along its own random v. The
loss then changes at the rate Σ ⟨∂L/∂(tensor), v⟩ over all of them, and that is the imaginary part of one forward pass:
a single number in which every element of every delta and gradient has a part. Around layers where a complex step cannot
go it is a central difference of fourth order.

Source: Squire & Trapp (1998); the projection on a random direction is that of HIPS autograd's `check_vjp`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.arrays import Array
from core.checking.formulas import RIGHT, Formulas
from core.checking.kinks import kinks
from core.checking.quantity import Quantity, quantities, value_in
from core.checking.slopes.straight import straight_inside
from core.checking.trace import Network, Trace
from core.derivatives.certificate import SEED, derivative_at_zero, read_as_classes
from core.layers.rnn import Rnn
from core.problem import Problem

NEAR = 1e-2
"""Numbers nearer to a kink than this part of the largest around them are held where a difference might cross it."""

NEGLIGIBLE = 1e-6
"""Rates of change below this part of the loss are rounding errors, and may be all that there is: gradients may be 0."""


@dataclass(frozen=True, slots=True)
class Oracle:
    """The agreement of the expected gradients with an independent derivative."""

    method: str
    error: float
    """Difference of the two rates, relative to the sum of the magnitudes of all terms."""


class _Held(Formulas):
    """The right rules with the numbers at kinks held: there is no derivative there, and nothing passes."""

    def __init__(self, held: dict[str, Array]) -> None:
        self._held = held

    def through_activation(self, trace: Trace, layer: str, dA: Array) -> Array:
        return super().through_activation(trace, layer, dA * ~self._held[layer])

    def through_layer(self, trace: Trace, layer: str, position: int) -> Array:
        found = super().through_layer(trace, layer, position)
        kind = trace.network.nodes[layer].layer
        return found * ~self._held[layer] if kind.function_of_input() else found


def certify(problem: Problem, trace: Trace) -> Oracle:
    """Compare deltas and gradients of a right trace with the change of the loss along one random direction of everything."""
    exact = all(node.layer.complex_safe for node in problem.nodes)
    held = {name: np.zeros(node.shape, bool) for name, node in trace.network.nodes.items()}
    near = 0.0 if exact else NEAR
    for kink in kinks(trace, near, most=None):
        if not isinstance(trace.network.nodes[kink.layer].layer, Rnn) or not kink.inside:
            held[kink.layer][kink.index] = True
    formulas = _Held(held)
    away = trace.branch()
    for node in reversed(problem.nodes):
        away = away.with_delta(node.name, formulas.delta(away, node.name))
    generator = np.random.Generator(np.random.PCG64(SEED))
    still = read_as_classes(problem.nodes)
    direction, terms = {}, []
    for quantity in quantities(trace.network):
        if quantity.part in ("deltas", "gradients", "input_gradient"):
            right = value_in(away, quantity, formulas)
            v = np.zeros(right.shape) if quantity.layer in still else generator.standard_normal(right.shape)
            direction[quantity] = v
            terms.append((right * v).ravel())
    products = np.concatenate(terms)

    straight = straight_inside(problem, trace, near)

    def loss_at(step: complex) -> Any:
        return _loss_along(straight, direction, step, held, trace)

    method, _, independent = derivative_at_zero(loss_at, complex_safe=exact)
    size = float(np.abs(products).sum()) + NEGLIGIBLE * abs(float(RIGHT.loss(trace)))
    error = abs(float(products.sum()) - independent)
    return Oracle(method, error / size if size else error)


def _loss_along(
    problem: Problem, direction: dict[Quantity, Array], step: complex, held: dict[str, Array], right: Trace
) -> Any:
    """The loss with everything moved by `step` along the direction, but for what is held."""
    moved = replace(
        problem,
        inputs={
            name: array + step * direction[Quantity("input_gradient", name)] for name, array in problem.inputs.items()
        },
        parameters={
            layer: {name: array + step * direction[Quantity("gradients", layer, name)] for name, array in named.items()}
            for layer, named in problem.parameters.items()
        },
    )
    network = Network(moved, np.dtype(np.complex128 if isinstance(step, complex) else np.float64))
    trace = Trace(network)
    for name, node in network.nodes.items():
        Z, still = RIGHT.preactivation(trace, name), held[name]
        if node.layer.function_of_input():
            Z = np.where(still, right.preactivations[name], Z)
        trace.preactivations[name] = Z + step * direction[Quantity("deltas", name)]
        trace.activations[name] = np.where(still, right.activations[name], RIGHT.activation(trace, name))
    return RIGHT.loss(trace)[()]
