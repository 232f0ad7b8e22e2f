"""A certificate for a set of gradients: a directional derivative computed without the backward pass.

If every parameter and every input moves along one random direction v, the loss changes at the rate ⟨∂L/∂θ, v⟩. The same
rate is the imaginary part of L(θ + i h v) / h, exact to rounding because nothing is subtracted; h may be arbitrarily
small. For networks with layers that take no complex step, it is a central difference of fourth order. Class numbers are
not moved: v is 0 there.

Source: Squire & Trapp, Using Complex Variables to Estimate Derivatives of Real Functions (1998).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.arrays import Array
from core.derivatives.rounding import allowance, product_size
from core.network import Node
from core.plan import Plan, Retain
from core.problem import Problem

COMPLEX_STEP = 1e-30
"""h. Its square is negligible beside 1 in double precision, so the real parts are those of the real computation."""

DIFFERENCE = 1e-3
"""Step of the difference, near which its error of order h⁴ and the rounding error of order eps/h balance."""

SEED = 0
"""Seed of the direction: the same problem always gets the same direction."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """The derivative of the loss along one random direction, found in two independent ways."""

    method: str
    """The method of the independent value: `complex_step` or `central_difference`."""

    step: float
    """h."""

    directional_derivative: float
    """The independent value."""

    from_gradients: float
    """⟨gradients, direction⟩."""

    relative_error: float
    """The difference of both values, divided by Σ|gradient · direction|, the size of the summed terms.

    A difference that rounding explains is divided by the size of the intermediate products, if that is larger: gradients
    may be 0. 1 if all gradients are 0 and the independent value is not.
    """


def certify(problem: Problem, gradients: dict[str, dict[str, Array]], input_gradients: dict[str, Array]) -> Certificate:
    """Certify gradients of a problem, batch-first; they may come from any source."""
    generator = np.random.Generator(np.random.PCG64(SEED))
    terms: list[Array] = []

    still = read_as_classes(problem.nodes)

    def direction_of(owner: str, array: Array, gradient: Array) -> Array:
        direction = np.zeros(array.shape) if owner in still else generator.standard_normal(array.shape)
        terms.append((direction * gradient).ravel())
        return direction

    parameters = {
        layer: {name: direction_of(layer, array, gradients[layer][name]) for name, array in named.items()}
        for layer, named in problem.parameters.items()
    }
    inputs = {name: direction_of(name, array, input_gradients[name]) for name, array in problem.inputs.items()}

    def moved(step: complex) -> Plan:
        """Return a plan that has gone forward with everything moved by `step` along the direction."""
        plan = problem.plan(
            inputs={name: array + step * inputs[name] for name, array in problem.inputs.items()},
            parameters={
                layer: {name: array + step * parameters[layer][name] for name, array in named.items()}
                for layer, named in problem.parameters.items()
            },
            dtype=np.dtype(np.complex128 if isinstance(step, complex) else np.float64),
            backward=False,
            retain=Retain(preactivations=True),
        )
        plan.forward()
        return plan

    def loss_at(step: complex) -> Any:
        return moved(step).loss.total

    complex_safe = all(node.layer.complex_safe for node in problem.nodes)
    method, step, independent = derivative_at_zero(loss_at, complex_safe=complex_safe)
    products: Any = np.concatenate(terms)
    claimed, size = float(products.sum()), float(np.abs(products).sum())
    error = abs(claimed - independent)
    if complex_safe and problem.objective and error > allowance(problem.dtype, size):
        unmoved = problem.plan(backward=False)
        unmoved.forward()
        products_inside = product_size(moved(1j * step), step, unmoved, problem.objective.loss, parameters)
        if error <= allowance(problem.dtype, products_inside):
            size = max(size, products_inside)
    return Certificate(method, step, independent, claimed, error / (size or abs(independent) or 1.0))


def read_as_classes(nodes: Sequence[Node]) -> set[str]:
    """Return the names of the tensors that a layer reads as class numbers, directly or through other layers."""
    still: set[str] = set()
    for node in reversed(nodes):
        if node.layer.reads_classes or node.name in still:
            still.update(node.reads)
    return still


def derivative_at_zero(loss_at: Callable[[complex], Any], *, complex_safe: bool) -> tuple[str, float, float]:
    """Return the method, the length of its step and the derivative of a function at 0.

    A complex step h gives Im f(ih) / h, exact to rounding; a function that is not `complex_safe` gets the central
    difference of fourth order, (8 (f(h) − f(−h)) − (f(2h) − f(−2h))) / 12h.
    """
    if complex_safe:
        return "complex_step", COMPLEX_STEP, float(np.imag(loss_at(1j * COMPLEX_STEP)) / COMPLEX_STEP)
    h = DIFFERENCE
    near, far = loss_at(h) - loss_at(-h), loss_at(2 * h) - loss_at(-2 * h)
    return "central_difference", h, float((8 * near - far) / (12 * h))
