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
    ) -> Plan:
        """Build a plan of this problem, optionally with other inputs, parameters or precision; arguments as in `Plan`."""
        return Plan(
            self.nodes,
            self.inputs if inputs is None else inputs,
            self.parameters if parameters is None else parameters,
            self.objective,
            dtype=dtype or self.dtype,
            state=self.state,
            column=self.convention == "column",
            backward=backward,
            retain=retain,
            feedback=self.feedback,
            check_deadline=check_deadline,
            gradients=gradients,
            by_row=by_row,
        )

    @property
    def output_shape(self) -> Shape:
        """Shape of the last layer's result."""
        return self.nodes[-1].shape
