"""ProblemForm: what follows from everything of a problem but its numbers, and the problem for given numbers.

The form of a problem is its network, shapes, convention and options. Problems of one form share their shapes, their
warnings and their plans; what depends on numbers (targets in range, sample weights, casts, seeds, state) is done for each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.arrays import Array, Shape
from core.convention import Convention, layer_parameters
from core.errors import Issue, refuse_if_any
from core.feedback_alignment import feedback_of
from core.initializers import initial_parameters
from core.network import INPUT, Node
from core.nonfinite import cast
from core.problem import Problem
from core.problem_reading import in_documented_shapes, oriented_inputs, read_objective
from core.problem_spec import ProblemSpec
from core.shape_inference import ShapeReport


@dataclass(frozen=True, slots=True)
class ProblemForm:
    """A form whose shapes fit."""

    convention: Convention
    report: ShapeReport
    """The network with its shapes."""

    needs_loss: bool
    sent_shapes: Mapping[str, Mapping[str, Shape]]
    """The shape of each parameter that is sent in an accepted shape other than its documented one."""

    is_documented: bool
    """Whether every tensor is sent in its documented shape."""

    warnings: Sequence[Issue]

    @property
    def nodes(self) -> Sequence[Node]:
        """The layers of the network."""
        return self.report.nodes

    def fill(self, sent: ProblemSpec) -> Problem:
        """Return the problem of this form with the numbers of `sent`.

        Raises:
            Refusal: for numbers that the problem cannot take, such as targets that are no class.
        """
        convention, dtype = self.convention, np.dtype(sent.dtype)
        documented = sent if self.is_documented else in_documented_shapes(sent, self.report, convention)
        objective, issues = read_objective(documented, self.report, convention, self.needs_loss)
        refuse_if_any(issues)
        return Problem(
            nodes=self.nodes,
            inputs={
                name: cast(array, dtype, *path_of_input(sent, name))
                for name, array in oriented_inputs(documented, convention).items()
            },
            parameters={node.name: self._parameters(node, documented, dtype) for node in self.nodes},
            objective=objective,
            convention=convention,
            dtype=dtype,
            warnings=self.warnings,
            state={
                layer: {name: cast(array, dtype, "state", layer, name) for name, array in named.items()}
                for layer, named in sent.state.items()
            },
            feedback=feedback_of(sent.feedback, self.nodes, convention, dtype) if sent.feedback else None,
            sent_shapes=self.sent_shapes,
        )

    def _parameters(self, node: Node, documented: ProblemSpec, dtype: np.dtype[np.generic]) -> dict[str, Array]:
        """Return the parameters of a layer: those that were sent, and the others as the seed draws them."""
        drawn = {} if documented.seed is None else initial_parameters(node, self.nodes, documented.seed, dtype)
        given = layer_parameters(documented.parameters.get(node.name, {}), node.parameters, self.convention)
        known = {name: given.get(name, drawn.get(name)) for name in node.parameters}
        return {
            name: cast(array, dtype, "parameters", node.name, name)
            for name, array in known.items()
            if array is not None
        }


def path_of_input(sent: ProblemSpec, name: str) -> tuple[str, ...]:
    """Return the path of an input in the request, with its name if the inputs are named."""
    return ("batch", "inputs") if set(sent.inputs) == {INPUT} else ("batch", "inputs", name)
