"""The oracle of the gradient tests: derivatives of the loss that owe nothing to a backward pass.

Derivatives are dictionaries by path: "1.weight" for a parameter, "batch.input" for a tensor of the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import numpy as np

from core.arrays import Array, Op
from core.derivatives.certificate import read_as_classes
from core.plan import Plan, Retain
from core.problem import Problem

STEP = 1e-30
"""Of the complex step: L(x + i h) = L(x) + i h L'(x) to rounding, as nothing is subtracted."""

DIFFERENCE = 1e-5
"""Of central differences, near the cube root of the machine precision."""

Derivatives = dict[str, Array]


def build_plan(
    problem: Problem, *, backward: bool = True, retain: Retain | None = None, check_deadline: Op | None = None
) -> Plan:
    """A plan of the problem; unless told otherwise, one that also finds the gradients of the inputs."""
    return problem.plan(backward=backward, retain=retain or Retain(input_gradients=True), check_deadline=check_deadline)


def solved(problem: Problem, retain: Retain | None = None) -> Plan:
    """A plan that has run forward and backward."""
    plan = build_plan(problem, retain=retain)
    plan.forward()
    plan.backward()
    return plan


def by_path(parameters: Mapping[str, Mapping[str, Array]], inputs: Mapping[str, Array]) -> Derivatives:
    """Parameters and inputs (or what belongs to them) in one dictionary."""
    leaves = {f"{layer}.{name}": array for layer, named in parameters.items() for name, array in named.items()}
    return leaves | {f"batch.{name}": array for name, array in inputs.items()}


def gradients_of(plan: Plan) -> Derivatives:
    """What a plan's backward pass left."""
    return by_path(plan.gradients.gradients, plan.gradients.input_gradients)


def backpropagated(problem: Problem) -> Derivatives:
    """The derivatives by the backward pass, which is what is under test."""
    return gradients_of(solved(problem))


def complex_steps(problem: Problem) -> Derivatives:
    """The derivatives by one complex forward run for each number that the loss depends on."""
    plan = problem.plan(
        inputs={name: array.astype(complex) for name, array in problem.inputs.items()},
        parameters={
            layer: {name: array.astype(complex) for name, array in named.items()}
            for layer, named in problem.parameters.items()
        },
        dtype=np.dtype(complex),
        backward=False,
    )

    def derivative(at: Array, index: tuple[int, ...]) -> float:
        at[index] += 1j * STEP
        plan.forward()
        at[index] = at[index].real
        return float(np.imag(plan.loss.total)) / STEP

    return _element_by_element(plan, derivative)


def central_differences(problem: Problem) -> Derivatives:
    """The derivatives by two real forward runs for each number that the loss depends on."""
    # A plan may use an input where it lies, and this one is about to write there.
    plan = problem.plan(inputs={name: array.copy() for name, array in problem.inputs.items()}, backward=False)

    def derivative(at: Array, index: tuple[int, ...]) -> float:
        kept, losses = at[index], []
        for moved in (kept + DIFFERENCE, kept - DIFFERENCE):
            at[index] = moved
            plan.forward()
            losses.append(float(plan.loss.total))
        at[index] = kept
        return (losses[0] - losses[1]) / (2 * DIFFERENCE)

    return _element_by_element(plan, derivative, still=read_as_classes(problem.nodes))


def _element_by_element(
    plan: Plan, derivative: Callable[[Array, tuple[int, ...]], float], still: Collection[str] = ()
) -> Derivatives:
    """The derivative by every number. Class numbers, which are `still`, cannot be moved; theirs is 0."""
    found = {}
    for path, array in by_path(plan.parameters, plan.inputs).items():
        found[path] = np.zeros(array.shape)
        if path.removeprefix("batch.") not in still:
            for index in np.ndindex(array.shape):
                found[path][index] = derivative(array, index)
    return found


def assert_same(found: Mapping[str, Array], expected: Mapping[str, Array], tolerance: float) -> None:
    """Every tensor agrees with its twin, within `tolerance` of the largest number in it."""
    assert found.keys() == expected.keys()
    overall = max((float(np.abs(array).max()) for array in expected.values() if array.size), default=0.0)
    for path, array in expected.items():
        assert found[path].shape == array.shape, path
        scale = float(np.abs(array).max()) + 1e-4 * overall
        np.testing.assert_allclose(found[path], array, rtol=0, atol=tolerance * scale, err_msg=path)


def assert_backward_is_the_derivative(problem: Problem) -> None:
    """The backward pass agrees with the other derivative in every parameter and every input."""
    if all(node.layer.complex_safe for node in problem.nodes):
        assert_same(backpropagated(problem), complex_steps(problem), 1e-11)
    else:
        assert_same(backpropagated(problem), central_differences(problem), 1e-7)
