"""Writer of ONNX graphs: collects nodes and constants under unique names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from core.arrays import Array

OPSET = 20
"""The first operator set with Gelu."""


class Writer:
    """Collects the nodes and constants of a graph.

    Values have the names of layers; intermediate values are numbered.
    """

    def __init__(self, dtype: str, reserved: Collection[str]) -> None:
        import onnx

        self.onnx = onnx
        self.taken = set(reserved)
        self.dtype = np.dtype(dtype)
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.opset = OPSET
        self._numbers = 0

    def needs(self, opset: int) -> None:
        """Let the file have at least that operator set."""
        self.opset = max(self.opset, opset)

    def node(
        self, operator: str, inputs: Sequence[str], output: str | None = None, position: int = 0, **attributes: Any
    ) -> str:
        """Add a node and return the name of its result, which is its output at that position."""
        made = self.fresh(operator) if output is None else output
        outputs = [*[""] * position, made]
        self.nodes.append(
            self.onnx.helper.make_node(operator, list(inputs), outputs, name=f"node_{len(self.nodes)}", **attributes)
        )
        return made

    def fresh(self, what: str) -> str:
        """Return an unused name."""
        self._numbers += 1
        while f"{what}:{self._numbers}" in self.taken:
            self._numbers += 1
        return f"{what}:{self._numbers}"

    def constant(self, name: str, array: Array) -> str:
        """Add a parameter in the precision of the model, under its own name if that is unused. Returns the name."""
        name = self.fresh(name) if name in self.taken else name
        self.taken.add(name)
        return self._add_initializer(name, np.ascontiguousarray(array, self.dtype).reshape(array.shape))

    def number(self, value: float) -> str:
        """Add a single number and return its name."""
        return self._add_initializer(self.fresh("number"), np.array(value, self.dtype))

    def singles(self, values: Sequence[float]) -> str:
        """Add a list of numbers in single precision, such as scales, and return its name."""
        return self._add_initializer(self.fresh("numbers"), np.array(list(values), np.float32))

    def integer(self, value: int) -> str:
        """Add a single integer, such as a position, and return its name."""
        return self._add_initializer(self.fresh("integer"), np.array(value, np.int64))

    def integers(self, values: Sequence[int]) -> str:
        """Add a list of integers, such as a shape or axes, and return its name."""
        return self._add_initializer(self.fresh("integers"), np.array(list(values), np.int64))

    def _add_initializer(self, name: str, array: Array) -> str:
        self.initializers.append(self.onnx.numpy_helper.from_array(array, name))
        return name

    def finish(self, inputs: Mapping[str, Sequence[int | str] | None], outputs: Sequence[tuple[str, str]]) -> bytes:
        """Return the file: a graph whose outputs are the given values under the given names."""
        helper = self.onnx.helper
        kind = helper.np_dtype_to_tensor_dtype(self.dtype)
        for made, name in outputs:
            self.node("Identity", [made], name)
        graph = helper.make_graph(
            self.nodes,
            "gradd",
            [helper.make_tensor_value_info(name, kind, shape) for name, shape in inputs.items()],
            [helper.make_tensor_value_info(name, kind, None) for _, name in outputs],
            self.initializers,
        )
        model = helper.make_model(graph, producer_name="gradd", opset_imports=[helper.make_opsetid("", self.opset)])
        model.ir_version = 10
        inferred = self.onnx.shape_inference.infer_shapes(model)
        del inferred.graph.value_info[:]  # Only the shapes of the outputs are kept, because readers use them.
        content: bytes = inferred.SerializeToString(deterministic=True)
        return content
