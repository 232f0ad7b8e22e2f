"""From the nodes of an ONNX graph to layers: what a translator of an operator sees and writes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from app.models.formats.onnx_file import OnnxGraph, OnnxNode
from core.arrays import Array
from core.errors import Issue
from core.network import INPUT


class Untranslatable(Exception):
    """Why a node has no layer here."""


class Builder:
    """The layers that were made so far, and which of them stands for which value of the graph."""

    def __init__(self, graph: OnnxGraph) -> None:
        self.graph = graph
        self.constants = dict(graph.constants)
        self.layers: list[dict[str, Any]] = []
        self.parameters: dict[str, dict[str, Array]] = {}
        self.state: dict[str, dict[str, Array]] = {}
        self.readers = Counter(name for node in graph.nodes for name in node.inputs) + Counter(graph.outputs)
        one = len(graph.inputs) == 1
        self.values: dict[str, str] = {name: INPUT if one else name for name in graph.inputs}
        """For each value of the graph the layer, or the input, that it is."""
        self.warnings: list[Issue] = []
        self._made: dict[str, list[str]] = {}
        """For each layer the values that it is."""
        self._aliases: Counter[str] = Counter()
        self._positions: dict[str, int] = {}
        self._numbers: Counter[str] = Counter()

    def tensor(self, node: OnnxNode, position: int) -> str:
        """The layer that an input of a node is.

        Raises:
            Untranslatable: where it is a constant or is left out.
        """
        name = node.inputs[position] if position < len(node.inputs) else ""
        if name not in self.values:
            raise Untranslatable("one of its operands is a constant, which is no layer" if name in self.constants else
                                 "one of its operands was made by a node that is not translated")  # fmt: skip
        return self.values[name]

    def is_tensor(self, node: OnnxNode, position: int) -> bool:
        """Whether an input of a node is made by a layer, and not a constant."""
        return position < len(node.inputs) and node.inputs[position] in self.values

    def constant(self, node: OnnxNode, position: int) -> Array | None:
        """A constant input of a node; None where it is left out.

        Raises:
            Untranslatable: where it is computed.
        """
        name = node.inputs[position] if position < len(node.inputs) else ""
        if not name:
            return None
        if name not in self.constants:
            raise Untranslatable(f"its input {position + 1} is computed, and would have to be a constant")
        return self.constants[name]

    def integers(self, node: OnnxNode, position: int, attribute: str) -> list[int] | None:
        """A list that is an input in newer versions of an operator and an attribute in older ones."""
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
        """Add a layer that makes the output of a node; it is named after the constant at the position `named_by`."""
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
        """Let the output of a node be what a layer, or an input, is."""
        made = node.outputs[0]
        self.values[made] = layer
        if layer in self._made:
            self._made[layer].append(made)
            self._aliases[layer] += 1

    def done_in(self, node: OnnxNode, layer: dict[str, Any]) -> None:
        """Let the output of a node be what a layer makes, which now does the work of the node as well."""
        name, made = layer["name"], node.outputs[0]
        self.values[made], self._made[name], self._aliases[name] = name, [made], 0

    def alone(self, name: str) -> dict[str, Any] | None:
        """The layer of that name, if a single node reads what it makes, so that the work of that node may go into it."""
        reads = sum(self.readers[value] for value in self._made.get(name, ())) - self._aliases[name]
        return self.layers[self._positions[name]] if reads == 1 else None

    def warn_of_axis(self, node: OnnxNode) -> None:
        """Warn that an axis was taken for the last, which it is for matrices alone."""
        detail = (
            f"{node.shown()} runs over axis 1, which is the last axis of matrices; here it runs over the last axis."
        )
        self.warnings.append(Issue(code="assumed-axis", path=("graph", "node"), detail=detail))

    def warn_of_batch(self, node: OnnxNode, length: int) -> None:
        """Warn that a fixed number of examples was made free."""
        detail = f"{node.shown()} fixes the number of examples at {length}; the model takes any number."
        self.warnings.append(Issue(code="assumed-batch", path=("graph", "node"), detail=detail))

    def _name(self, node: OnnxNode, named_by: int | None) -> str:
        """A name that is not taken: that of the module whose weight it is, or the operator's."""
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
