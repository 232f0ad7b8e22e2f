"""Per-example gradients, in matrix form: one backward pass for all examples, without a loop.

ℓ_i is the loss of example i alone, before shares and weights. Where no layer couples the examples, row i of every δ
depends on example i only, so one backward pass with shares of 1 gives all ∂ℓ_i/∂Z, and each layer returns its terms
separately instead of their sum: for a dense layer ∂ℓ_i/∂W = x_iᵀ δ_i. With the shares c_i of the batch loss,

    ∂L/∂W = Σ_i c_i ∂ℓ_i/∂W + λ W

Source: Nielsen, Neural Networks and Deep Learning (2015), ch. 2, for the two ways to a minibatch; Goodfellow, Efficient
Per-Example Gradient Computations (2015), for ‖x_iᵀ δ_i‖ = ‖x_i‖ ‖δ_i‖.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from core.arrays import Array, CheckDeadline
from core.errors import Refusal
from core.network import Node
from core.plan import Objective, Plan, Retain
from core.problem import Problem

Gradients = dict[str, dict[str, Array]]


def couplings(problem: Problem) -> Iterator[Node]:
    """Yield the layers that couple examples, in order; layers that read a coupling layer may couple them too."""
    shapes = {name: array.shape for name, array in problem.inputs.items()}
    column = problem.convention == "column"
    for node in problem.nodes:
        inputs = [shapes[name] for name in node.reads]
        lengths = {shape[:1] for shape in (*inputs, node.shape)}
        if len(lengths) > 1 or () in lengths or node.layer.couples_examples(*inputs, column=column):
            yield node
        shapes[node.name] = node.shape


def coupling(problem: Problem) -> Node | None:
    """Return the first layer that couples examples, if there is one."""
    return next(couplings(problem), None)


def indivisible(problem: Problem) -> Node | None:
    """Return the first layer for which a batch cannot be divided. batch_norm can: each part has its own statistics."""
    return next((node for node in couplings(problem) if not node.layer.accepts_parts), None)


def refuse_divided(problem: Problem, batch_size: int | None) -> None:
    """Refuse to divide a batch if a layer couples its examples.

    Raises:
        Refusal: `unsupported-operator`, with the layer.
    """
    layer = indivisible(problem)
    if layer is None or problem.objective is None or batch_size is None:
        return
    examples = max(len(array) for array in (problem.objective.targets, *problem.inputs.values()))
    if batch_size < examples:
        detail = f"Layer {layer.name!r} ({layer.layer.kind}) couples the examples, so they cannot be divided."
        hint = f'"batch_size": {examples} or more, and no validation_fraction.'
        raise Refusal.of("unsupported-operator", detail, "batch_size", got=batch_size, hint=hint)


def plan_apart(problem: Problem, check_deadline: CheckDeadline | None = None) -> Plan:
    """Return a plan that has run forward and backward with a share of 1 for every example, and without l2."""
    if problem.objective is None:
        raise LookupError("gradients are those of a loss")
    objective = problem.objective
    ones = np.ones_like(objective.coefficients)
    apart = replace(problem, objective=Objective(replace(objective.loss, l2=0.0), objective.targets, coefficients=ones))
    plan = apart.plan(retain=Retain(deltas=True), check_deadline=check_deadline)
    plan.forward()
    plan.backward()
    return plan


def gradients(plan: Plan) -> Gradients:
    """Return ∂ℓ_i/∂(parameter) by layer and name, n x the parameter's shape, from the plan of `plan_apart`."""
    return {node.name: node.layer.example_gradients(context) for node, context in plan.contexts if context.parameters}


def norms(plan: Plan) -> Array:
    """Return ‖∂ℓ_i/∂θ‖ over all parameters together, for each example, from the plan of `plan_apart`."""
    squares = [node.layer.example_square_norms(context) for node, context in plan.contexts if context.parameters]
    return np.sqrt(np.sum(squares, axis=0)) if squares else np.zeros(len(plan.output), plan.output.dtype)
