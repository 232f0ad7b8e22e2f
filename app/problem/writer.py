"""ProblemWriter: writes the tensors of an answer in the convention of the request."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from core.arrays import Array
from core.convention import layer_parameters, tensor
from core.errors import Refusal
from core.network import INPUT, Node
from core.problem import Problem


class ProblemWriter:
    """Writes the tensors of a problem in the request's convention, limited to the requested parts and layers."""

    def __init__(self, problem: Problem, parts: Iterable[str], layers: Sequence[str] | None) -> None:
        self.problem = problem
        self.parts = set(parts)
        self.nodes: dict[str, Node] = {node.name: node for node in problem.nodes}
        self.layers = set(self.nodes if layers is None else layers)

    def tensor(self, array: Array) -> Array:
        """Return a tensor in the request's convention."""
        return tensor(array, self.problem.convention)

    def tensors(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """Return tensors by layer in the request's convention."""
        return {name: self.tensor(arrays[name]) for name in self.nodes if name in self.layers and name in arrays}

    def parameters(self, arrays: Mapping[str, Mapping[str, Array]], *, everything: bool = False) -> dict[str, Any]:
        """Return parameters or their gradients by layer and name, each in the shape in which the parameter was sent."""
        return {
            name: self._layer_parameters(node, arrays[name])
            for name, node in self.nodes.items()
            if node.parameters and (everything or name in self.layers)
        }

    def _layer_parameters(self, node: Node, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """The parameters of a layer, their gradients, or one gradient for each example."""
        written = layer_parameters(arrays, node.parameters, self.problem.convention)
        for name, shape in self.problem.sent_shapes.get(node.name, {}).items():
            examples = written[name].shape[: written[name].ndim - len(node.parameters[name].shape)]
            written[name] = written[name].reshape((*examples, *shape))
        return written

    def named_inputs(self, arrays: Mapping[str, Array]) -> Any:
        """Return the tensors of the inputs in the form of the batch: one tensor, or an object of tensors by name."""
        written = {name: self.tensor(array) for name, array in arrays.items()}
        return written[INPUT] if set(written) == {INPUT} else written

    def refuse_large(self, limit: int, *, seeded: bool) -> None:
        """Refuse an answer with more numbers than the limit before it is computed.

        Args:
            limit: maximum number of elements of an answer.
            seeded: whether the answer contains the parameters, because some were drawn from a seed.

        Raises:
            Refusal: `too-large`.
        """
        nodes = [node for name, node in self.nodes.items() if name in self.layers]
        per_layer = sum(math.prod(node.shape) for node in nodes)
        weights = sum(math.prod(parameter.shape) for node in nodes for parameter in node.parameters.values())
        inputs = sum(array.size for array in self.problem.inputs.values())
        sizes = {
            "output": math.prod(self.problem.output_shape),
            "preactivations": per_layer,
            "activations": per_layer,
            "deltas": per_layer,
            "gradients": weights,
            "input_gradient": inputs,
            "per_example_gradients": weights * self.problem.output_shape[0] if self.problem.output_shape else 0,
        }
        total = sum(size for part, size in sizes.items() if part in self.parts)
        if seeded:
            every = (parameter for node in self.nodes.values() for parameter in node.parameters.values())
            total += sum(math.prod(parameter.shape) for parameter in every)
        if total > limit:
            detail = f"The answer would have {total:,} numbers; this server allows {limit:,}."
            hint = 'Request fewer parts with "include" or fewer layers with "layers".'
            raise Refusal.of("too-large", detail, "include", expected=limit, got=total, hint=hint)


def scalar(value: Any) -> Any:
    """Return a number in the precision of the computation."""
    return value if isinstance(value, np.generic) else float(value)
