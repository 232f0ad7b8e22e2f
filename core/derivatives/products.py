"""Products of the network's derivatives with a vector, computed without forming a matrix.

    jvp            J v               the change of the output along v            Im f(θ + i h v) / h
    vjp            Jᵀ u              the gradient of ⟨u, output⟩                 one backward pass
    hvp            H v               the change of the gradient along v          Im ∇L(θ + i h v) / h
    gauss_newton   Jᵀ (∇²ℓ) J v      the Hessian without the network's own curvature

θ is all parameters and, if the vector names them, the inputs. Every product costs one or two passes and is exact
to rounding: the imaginary part of a computation at θ + i h v is its derivative along v, and nothing is subtracted.

Source: Pearlmutter, Fast Exact Multiplication by the Hessian (1994); Schraudolph, Fast Curvature Matrix-Vector Products
(2002); Squire & Trapp (1998) for the complex step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from core.activations.identity import Identity
from core.arrays import Array
from core.derivatives.certificate import COMPLEX_STEP
from core.errors import Refusal
from core.layers.activation import ActivationLayer
from core.losses.upstream import Upstream
from core.plan import Objective, Plan, Retain
from core.problem import Problem
from core.shape_inference import infer_shapes

STEP = 1j * COMPLEX_STEP


@dataclass(frozen=True, slots=True)
class Direction:
    """A vector in the space of parameters and inputs, batch-first; a missing tensor is 0."""

    parameters: Mapping[str, Mapping[str, Array]]
    inputs: Mapping[str, Array]


def jacobian_vector(problem: Problem, direction: Direction) -> Array:
    """Return J v, the change of the output along a direction."""
    plan = _plan_along(problem, direction, backward=False)
    plan.forward()
    return _slope(plan.output)


def vector_jacobian(problem: Problem, upstream: Array) -> Direction:
    """Return Jᵀ u, the gradients of ⟨u, output⟩ with respect to parameters and inputs."""
    shape = problem.output_shape or (1,)
    objective = Objective(Upstream(), upstream.reshape(shape), np.ones(shape[0]))
    plan = replace(problem, objective=objective).plan(retain=Retain(input_gradients=True))
    plan.forward()
    plan.backward()
    return Direction(plan.gradients.gradients, plan.gradients.input_gradients)


def hessian_vector(problem: Problem, direction: Direction) -> Direction:
    """Return H v, the change of the gradient of the loss along a direction."""
    plan = _plan_along(problem, direction, backward=True)
    plan.forward()
    plan.backward()
    gradients = plan.gradients
    return Direction(
        {layer: {name: _slope(array) for name, array in named.items()} for layer, named in gradients.gradients.items()},
        {name: _slope(array) for name, array in gradients.input_gradients.items()},
    )


def gauss_newton_vector(problem: Problem, direction: Direction) -> Direction:
    """Return Jᵀ (∇²ℓ) J v, where ∇²ℓ is the Hessian of the loss by its argument. The l2 term adds λ v for weights.

    The argument is the network's output, or its logits if loss and activation are fused (Schraudolph's matching loss).

    Raises:
        Refusal: for a problem without a loss.
    """
    if problem.objective is None:
        raise Refusal.of("invalid-request", "The Gauss-Newton matrix is that of a loss.", "loss")
    objective, problem = problem.objective, _on_logits(problem)
    change = jacobian_vector(problem, direction)
    plan = problem.plan(backward=False)
    plan.forward()
    curved = _loss_curvature(problem, plan.output, change)
    product = vector_jacobian(problem, curved)
    l2 = objective.loss.l2
    for node in problem.nodes:
        for name, parameter in node.parameters.items():
            moved = direction.parameters.get(node.name, {}).get(name)
            if l2 and parameter.weight_like and moved is not None:
                product.parameters[node.name][name][...] += l2 * moved
    return product


def _on_logits(problem: Problem) -> Problem:
    """Return the problem with the last activation as part of the loss, if the two are fused."""
    objective, last = problem.objective, problem.nodes[-1]
    fused = objective.loss.on_logits(last.function) if objective else None
    if objective is None or fused is None:
        return problem
    bare = replace(last, function=Identity())
    return replace(problem, nodes=[*problem.nodes[:-1], bare], objective=replace(objective, loss=fused))


def _loss_curvature(problem: Problem, output: Array, change: Array) -> Array:
    """Return (∇²ℓ) times a change of the output, by a complex step through the gradient of the loss alone."""
    shape = output.shape or (1,)
    found = infer_shapes([ActivationLayer(function="identity")], {"input": shape}, {}, "row")
    alone = replace(problem, nodes=found.nodes, parameters={"1": {}}, inputs={"input": output.reshape(shape)}, state={})
    plan = _plan_along(alone, Direction({}, {"input": change.reshape(shape)}), backward=True)
    plan.forward()
    plan.backward()
    return _slope(plan.gradients.input_gradients["input"])


def _plan_along(problem: Problem, direction: Direction, *, backward: bool) -> Plan:
    """Return a plan at θ + i h v."""
    stuck = [node for node in problem.nodes if not node.layer.complex_safe]
    if stuck:
        raise Refusal.of(
            "invalid-request",
            f"Products along a direction use a complex step, which cannot pass through layer {stuck[0].name!r} "
            f"({stuck[0].layer.kind}).",
            "network",
            "layers",
            stuck[0].position,
            hint="vjp goes through every layer.",
        )
    return problem.plan(
        inputs={name: array + STEP * direction.inputs.get(name, 0.0) for name, array in problem.inputs.items()},
        parameters={
            layer: {
                name: array + STEP * direction.parameters.get(layer, {}).get(name, 0.0) for name, array in named.items()
            }
            for layer, named in problem.parameters.items()
        },
        dtype=np.dtype(np.complex128),
        backward=backward,
        retain=Retain(input_gradients=True),
    )


def _slope(array: Array) -> Array:
    """Return the derivative that a complex step left in an array."""
    return np.imag(array) / COMPLEX_STEP
