"""The oracle: a derivative that owes nothing to the backward pass, for every delta and every gradient at once.

Parameters, inputs and the preactivations of every layer are moved together by i h v, each along its own random v. The
loss then changes at the rate Σ ⟨∂L/∂(tensor), v⟩ over all of them, and that is the imaginary part of one forward pass:
a single number in which every element of every delta and gradient has a part. Around layers where a complex step cannot
go it is a central difference of fourth order.

Source: Squire & Trapp (1998); the projection on a random direction is that of HIPS autograd's `check_vjp`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.arrays import Array
from core.certificate import COMPLEX_STEP, DIFFERENCE, SEED, read_as_classes
from core.checking.formulas import RIGHT
from core.checking.quantity import Quantity
from core.checking.scene import Network, Scene
from core.problem import Problem


@dataclass(frozen=True, slots=True)
class Oracle:
    """How far the expected gradients are from an independent derivative."""

    method: str
    error: float
    """Difference of the two rates, relative to the sum of the magnitudes of all terms."""


def certify(problem: Problem, right: dict[Quantity, Array]) -> Oracle:
    """Compare deltas and gradients with the change of the loss along one random direction of everything."""
    generator = np.random.Generator(np.random.PCG64(SEED))
    still = read_as_classes(problem.nodes)
    direction = {
        quantity: np.zeros(array.shape) if quantity.layer in still else generator.standard_normal(array.shape)
        for quantity, array in right.items()
        if quantity.part in ("deltas", "gradients", "input_gradient")
    }
    terms = np.concatenate([(right[quantity] * v).ravel() for quantity, v in direction.items()])
    method, independent = _derivative(problem, lambda step: _loss_along(problem, direction, step))
    size = float(np.abs(terms).sum())
    error = abs(float(terms.sum()) - independent)
    return Oracle(method, error / size if size else error)


def _loss_along(problem: Problem, direction: dict[Quantity, Array], step: complex) -> Any:
    """The loss with everything moved by `step` along the direction."""
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
    scene = Scene(network)
    for name in network.nodes:
        Z = RIGHT.preactivation(scene, name)
        scene.preactivations[name] = Z + step * direction[Quantity("deltas", name)]
        scene.activations[name] = RIGHT.activation(scene, name)
    return RIGHT.loss(scene)[()]


def _derivative(problem: Problem, loss_at: Callable[[complex], Any]) -> tuple[str, float]:
    if all(node.layer.complex_safe for node in problem.nodes):
        return "complex_step", float(np.imag(loss_at(1j * COMPLEX_STEP))) / COMPLEX_STEP
    h = DIFFERENCE
    near, far = loss_at(h) - loss_at(-h), loss_at(2 * h) - loss_at(-2 * h)
    return "central_difference", float((8 * near - far) / (12 * h))
