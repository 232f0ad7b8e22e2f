"""Recovering a delta that was not submitted from the gradients that were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.arrays import Array
from core.checking.quantity import Quantity
from core.checking.trace import Network, Trace

CONSISTENT = 1e-7
"""Relative residual up to which the gradients of a layer are those of one delta."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """The delta that follows from the gradients of a layer."""

    delta: Array | None = None
    """The delta, if the gradients determine it."""
    possible: bool = True
    """False if no delta has these gradients."""


def recovered_delta(network: Network, trace: Trace, layer: str, values: Mapping[Quantity, Array]) -> Recovered:
    """Solve [A 1]ᵀ Δ = [dW; db] for Δ by least squares.

    For a dense layer with i inputs that reads n examples A (n x i) there are i + 1 equations for the n unknowns of every
    column: if n ≤ i + 1 and the examples are independent, Δ is determined, and if n < i + 1, gradients that belong to no Δ
    are detected. For other layers and larger batches the result is empty.
    """
    node = network.nodes[layer]
    weight, bias = (values.get(Quantity("gradients", layer, name)) for name in ("weight", "bias"))
    if not node.layer.feedback_weight or weight is None or weight.ndim != 2:
        return Recovered()
    parameters = node.parameters
    (A,) = trace.read_by(layer)
    l2 = network.objective.loss.l2
    if A.ndim != 2 or weight.shape != parameters["weight"].shape:
        return Recovered()
    rows, right = A, weight - l2 * trace.parameters(layer)["weight"]
    if bias is not None and bias.shape == parameters["bias"].shape:
        rows, right = np.hstack([A, np.ones((len(A), 1))]), np.vstack([right, bias])
    unknowns, equations = rows.shape
    if unknowns > equations or np.linalg.matrix_rank(rows) < unknowns:
        return Recovered()
    delta, *_ = np.linalg.lstsq(rows.T, right, rcond=None)
    residual = float(np.linalg.norm(rows.T @ delta - right))
    if residual > CONSISTENT * float(np.linalg.norm(right)):
        return Recovered(possible=False)
    return Recovered(delta)
