"""Translation of an ONNX graph: the builder that operator translators read from and write to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from app.models.formats.onnx_file import OnnxGraph, OnnxNode
from core.arrays import Array
from core.errors import Issue
from core.network import INPUT


class Untranslatable(Exception):
    """A node has no corresponding layer; the message says why."""


class Builder:
    """Collects the translated layers, and maps the values of the graph to them."""

    def __init__(self, graph: OnnxGraph) -> None:
        self.graph = graph
        self.constants = dict(graph.constants)
        self.layers: list[dict[str, Any]] = []
        self.parameters: dict[str, dict[str, Array]] = {}
        self.state: dict[str, dict[str, Array]] = {}
        self.readers = Counter(name for node in graph.nodes for name in node.inputs) + Counter(graph.outputs)
        one = len(graph.inputs) == 1
        self.values: dict[str, str] = {name: INPUT if one else name for name in graph.inputs}
        """The layer or input that computes each value of the graph."""
        self.warnings: list[Issue] = []
        self._made: dict[str, list[str]] = {}
        """The values of the graph that each layer computes."""
        self._aliases: Counter[str] = Counter()
        self._positions: dict[str, int] = {}
        self._numbers: Counter[str] = Counter()

    def tensor(self, node: OnnxNode, position: int) -> str:
        """Return the layer that computes an input of a node.

        Raises:
            Untranslatable: if the input is a constant or is left out.
        """
        name = node.inputs[position] if position < len(node.inputs) else ""
        if name not in self.values:
            raise Untranslatable("one of its operands is a constant, not a layer" if name in self.constants else
                                 "one of its operands is computed by a node that cannot be translated")  # fmt: skip
        return self.values[name]

    def is_tensor(self, node: OnnxNode, position: int) -> bool:
        """Return whether an input of a node is computed by a layer, in contrast to a constant."""
        return position < len(node.inputs) and node.inputs[position] in self.values

    def constant(self, node: OnnxNode, position: int) -> Array | None:
        """Return a constant input of a node; None if it is left out.

        Raises:
            Untranslatable: if the input is computed.
        """
        name = node.inputs[position] if position < len(node.inputs) else ""
        if not name:
            return None
        if name not in self.constants:
            raise Untranslatable(f"its input {position + 1} is computed, but must be a constant")
        return self.constants[name]

    def integers(self, node: OnnxNode, position: int, attribute: str) -> list[int] | None:
        """Return a list of integers that is an input in newer operator sets and an attribute in older ones."""
        if attribute in node.attributes:
            return list(node.attributes[attribute])
        found = self.constant(node, position)
        return None if found is None else [int(value) for value in found.reshape(-1)]

    def add(
        self,
        node: OnnxNode,
        reads: Sequence[str],
        spec: dict[str, Any],
        parameters: dict[str, Array] | None = None,
        state: dict[str, Array] | None = None,
        *,
        named_by: int | None = None,
        output: str | None = None,
    ) -> str:
        """Add a layer that computes the output of a node.

        Args:
            node: the node.
            reads: the layers or inputs that the layer reads.
            spec: the fields of the layer.
            parameters: the parameters of the layer.
            state: the state of the layer.
            named_by: position of the constant after which the layer is named.
            output: name of the computed value, by default the output of the node.

        Returns:
            The name of the layer.
        """
        name = self._name(node, named_by)
        self._positions[name] = len(self.layers)
        self.layers.append({**spec, "name": name, "inputs": list(reads)})
        if parameters:
            self.parameters[name] = parameters
        if state:
            self.state[name] = state
        made = node.outputs[0] if output is None else output
        self.values[made], self._made[name] = name, [made]
        return name

    def alias(self, node: OnnxNode, layer: str) -> None:
        """Map the output of a node to an existing layer or input."""
        made = node.outputs[0]
        self.values[made] = layer
        if layer in self._made:
            self._made[layer].append(made)
            self._aliases[layer] += 1

    def merge(self, node: OnnxNode, layer: dict[str, Any]) -> None:
        """Map the output of a node to a layer that now also performs the node's operation."""
        name, made = layer["name"], node.outputs[0]
        self.values[made], self._made[name], self._aliases[name] = name, [made], 0

    def alone(self, name: str) -> dict[str, Any] | None:
        """Return the layer of that name if only one node reads its result, so that this node can be merged into it."""
        reads = sum(self.readers[value] for value in self._made.get(name, ())) - self._aliases[name]
        return self.layers[self._positions[name]] if reads == 1 else None

    def warn_of_axis(self, node: OnnxNode) -> None:
        """Warn that axis 1 was interpreted as the last axis, which is correct only for matrices."""
        detail = f"{node.describe()} operates along axis 1, but the layer along the last axis; for matrices this is the same."
        self.warnings.append(Issue(code="assumed-axis", path=("graph", "node"), detail=detail))

    def warn_of_batch(self, node: OnnxNode, length: int) -> None:
        """Warn that a fixed number of examples was made variable."""
        detail = f"{node.describe()} fixes the number of examples at {length}; the model accepts any number."
        self.warnings.append(Issue(code="assumed-batch", path=("graph", "node"), detail=detail))

    def _name(self, node: OnnxNode, named_by: int | None) -> str:
        """Return an unused name for a layer: the module of its weight, otherwise the operator with a number."""
        constant = node.inputs[named_by] if named_by is not None and named_by < len(node.inputs) else ""
        module = constant.rpartition(".")[0] if constant.endswith((".weight", ".gamma")) else ""
        module = module.removeprefix("parameters.")
        base = module if 0 < len(module) <= 80 else node.operator.lower()[:80]
        if base == module and not self._is_taken(base):
            return base
        self._numbers[base] += 1
        while self._is_taken(f"{base}_{self._numbers[base]}"):
            self._numbers[base] += 1
        return f"{base}_{self._numbers[base]}"

    def _is_taken(self, name: str) -> bool:
        return name in self._positions or name == INPUT or name in self.graph.inputs


Translator = Callable[[Builder, OnnxNode], None]
