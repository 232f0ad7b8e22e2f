"""The dense Jacobian of a layer's activations with respect to an input or a parameter.

    J[i…, j…] = ∂a_i… / ∂x_j…          shape: that of a, then that of x

It is computed row by row: a backward pass with a single 1 at a_i gives the row ∂a_i/∂x. Reshaped to a matrix in row-major
order it is the Jacobian of vec a by vec x: X ⊗ I for a linear layer's weights.

Source: Johnson, Derivatives, Backpropagation, and Vectorization (2017), on generalized Jacobians and their size.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from core.arrays import Array, Shape
from core.errors import Refusal
from core.losses.upstream import Upstream
from core.plan import Objective, Retain
from core.problem import Problem

GIBIBYTE = 2**30


@dataclass(frozen=True, slots=True)
class Variable:
    """The variable of a Jacobian: a tensor of the batch, or a parameter of a layer."""

    layer: str | None
    name: str

    def shape(self, problem: Problem) -> Shape:
        """Return its shape, batch-first and in x out."""
        if self.layer is None:
            return problem.inputs[self.name].shape
        return problem.parameters[self.layer][self.name].shape


def refuse_large(problem: Problem, of: str, wrt: Variable, limit: int) -> None:
    """Refuse a Jacobian of more than `limit` numbers before anything of its size is allocated.

    Raises:
        Refusal: `too-large`, with the size of the Jacobian.
    """
    rows, columns = _shape_of(problem, of), wrt.shape(problem)
    size = math.prod(rows) * math.prod(columns)
    if size > limit:
        detail = (
            f"The Jacobian of a tensor of shape {list(rows)} by one of shape {list(columns)} has {size:,} numbers and would "
            f"take {size * problem.dtype.itemsize / GIBIBYTE:,.4g} GiB in {problem.dtype}; this server takes {limit:,}."
        )
        hint = "Ask /v1/products for the product with a vector, which never forms the matrix."
        raise Refusal.of("too-large", detail, "wrt", expected=limit, got=size, hint=hint)


def jacobian(problem: Problem, of: str, wrt: Variable, check_deadline: Callable[[], object]) -> Array:
    """Return the Jacobian of the activations of layer `of` by `wrt`, batch-first and in x out."""
    position = next(context for context, node in enumerate(problem.nodes) if node.name == of)
    shape = _shape_of(problem, of) or (1,)
    seed = np.zeros(shape, problem.dtype)
    objective = Objective(Upstream(), seed, np.ones(shape[0]))
    plan = replace(problem, nodes=problem.nodes[: position + 1], objective=objective).plan(
        retain=Retain(input_gradients=wrt.layer is None)
    )
    rows = np.zeros((math.prod(shape), *wrt.shape(problem)), problem.dtype)
    plan.forward()
    for row, index in enumerate(np.ndindex(shape)):
        check_deadline()
        plan.loss.targets[index] = 1
        plan.backward()
        plan.loss.targets[index] = 0
        if wrt.layer is None:
            rows[row] = plan.gradients.input_gradients[wrt.name]
        elif wrt.layer in plan.gradients.gradients:
            rows[row] = plan.gradients.gradients[wrt.layer][wrt.name]
    return rows.reshape(*_shape_of(problem, of), *wrt.shape(problem))


def _shape_of(problem: Problem, layer: str) -> Shape:
    return next(node.shape for node in problem.nodes if node.name == layer)
