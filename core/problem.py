"""Problem: a network, a batch, parameters and a loss whose shapes fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.arrays import Array, CheckDeadline, Shape
from core.convention import Convention, parameter_shape
from core.errors import Issue
from core.feedback_alignment import Feedback
from core.network import Node
from core.plan import Objective, Plan, Retain


@dataclass(frozen=True, slots=True)
class Problem:
    """A validated problem. All arrays are batch-first and weights in x out, whatever the request's convention."""

    nodes: Sequence[Node]
    inputs: Mapping[str, Array]
    parameters: Mapping[str, Mapping[str, Array]]
    objective: Objective | None
    convention: Convention
    dtype: np.dtype[Any]
    warnings: Sequence[Issue] = ()
    state: Mapping[str, Mapping[str, Array]] = field(default_factory=dict)
    feedback: Feedback | None = None
    sent_shapes: Mapping[str, Mapping[str, Shape]] = field(default_factory=dict)
    """The shape of each parameter that was sent in an accepted shape other than its documented one."""

    def documented(self, layer: str, name: str, array: Array) -> Array:
        """Return an array in the documented shape of a parameter if it has the shape in which that one was sent."""
        if array.shape != self.sent_shapes.get(layer, {}).get(name):
            return array
        node = next(node for node in self.nodes if node.name == layer)
        return array.reshape(parameter_shape(node.parameters[name], self.convention))

    def plan(
        self,
        *,
        inputs: Mapping[str, Array] | None = None,
        parameters: Mapping[str, Mapping[str, Array]] | None = None,
        dtype: np.dtype[Any] | None = None,
        backward: bool = True,
        retain: Retain | None = None,
        check_deadline: CheckDeadline | None = None,
        gradients: Mapping[str, Mapping[str, Array]] | None = None,
        by_row: bool = False,
        copies: bool = False,
    ) -> Plan:
        """Build a plan of this problem, optionally with other inputs, parameters or precision; arguments as in `Plan`.

        With `copies`, the plan reads no array of this problem in place, so that `write_into` may change its numbers.
        """
        inputs = self.inputs if inputs is None else inputs
        parameters = self.parameters if parameters is None else parameters
        state = self.state
        if copies:
            inputs = _copied(inputs)
            parameters, state = (
                {layer: _copied(named) for layer, named in each.items()} for each in (parameters, state)
            )
        return Plan(
            self.nodes,
            inputs,
            parameters,
            self.objective,
            dtype=dtype or self.dtype,
            state=state,
            column=self.convention == "column",
            backward=backward,
            retain=retain,
            feedback=self.feedback,
            check_deadline=check_deadline,
            gradients=gradients,
            by_row=by_row,
        )

    def write_into(self, plan: Plan) -> bool:
        """Write the numbers of this problem into a plan of a problem of the same form, built with `copies`.

        Returns:
            False, with nothing written, if the plan does not fit: shares of the examples are part of a plan's operations.
        """
        objective = self.objective
        # As bytes, because -0.0 equals 0.0.
        if objective and plan.loss.coefficients.tobytes() != objective.coefficients.tobytes():
            return False
        for name, array in self.inputs.items():
            plan.inputs[name][...] = array
        for layer, named in self.parameters.items():
            held = plan.parameters[layer]
            for name, array in named.items():
                held[name][...] = array
        if self.state:
            for node, context in plan.contexts:
                for name, array in context.state.items():
                    array[...] = self.state[node.name][name]
        if objective:
            plan.loss.targets[...] = objective.targets
        return True

    @property
    def output_shape(self) -> Shape:
        """Shape of the last layer's result."""
        return self.nodes[-1].shape


def _copied(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Return copies with the layout of the arrays, so that the operations on them and their results are the same."""
    return {name: array.copy(order="K") for name, array in arrays.items()}
