"""Translation of an ONNX graph: the builder that operator translators read from and write to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from app.models.formats.onnx.file import Lengths, OnnxGraph
from app.models.formats.onnx.node import OnnxNode, Untranslatable
from app.models.formats.onnx.views import View, plain_view, rearrangement
from core.arrays import Array
from core.errors import Issue
from core.network import INPUT


class Builder:
    """Collects the translated layers, and maps the values of the graph to them."""

    def __init__(self, graph: OnnxGraph) -> None:
        self.graph = graph
        self.constants = dict(graph.constants)
        self.layers: list[dict[str, Any]] = []
        self.parameters: dict[str, dict[str, Array]] = {}
        self.state: dict[str, dict[str, Array]] = {}
        self.shapes = dict(graph.shapes)
        """The shapes of the values of the graph."""

        self.readers = Counter(name for node in graph.nodes for name in node.inputs if name) + Counter(graph.outputs)
        one = len(graph.inputs) == 1
        self.values: dict[str, str] = {name: INPUT if one else name for name in graph.inputs}
        """The layer or input that computes each value of the graph."""
        self.views: dict[str, View] = {}
        """The values of the graph that are the result of a layer with its axes in another order."""

        self.warnings: list[Issue] = []
        self.fixed: list[str] = []
        """The parameters, as `freeze` names them, that may be fixed numbers in the file."""

        self._made: dict[str, list[str]] = {}
        """The values of the graph that each layer computes."""
        self._aliases: Counter[str] = Counter()
        self._positions: dict[str, int] = {}
        self._owners: dict[str, OnnxNode] = {}
        """The node whose parameter each constant of the file has become."""
        self._numbers: Counter[str] = Counter()

    def tensor(self, node: OnnxNode, position: int) -> str:
        """Return the layer that computes an input of a node.

        Raises:
            Untranslatable: if the input is a constant or is left out.
        """
        name = node.inputs[position] if position < len(node.inputs) else ""
        if name in self.views and name not in self.values:
            self.values[name] = self._materialise(node, name)
        if name not in self.values:
            raise Untranslatable("one of its operands is a constant, not a layer" if name in self.constants else
                                 "one of its operands is computed by a node that cannot be translated")  # fmt: skip
        return self.values[name]

    def _materialise(self, node: OnnxNode, name: str) -> str:
        """Return the layer that computes a view, added now.

        Raises:
            Untranslatable: if the first axis does not count the examples.
        """
        view = self.views[name]
        layer = view.layer
        for position, spec in enumerate(list(rearrangement(view))):
            layer = self.add(node, [layer], spec, output=f"{name} arranged {position}")
        return layer

    def view(self, name: str) -> View:
        """Return a value as a view of a layer.

        Raises:
            Untranslatable: if its shape is not known, or its first axis does not count the examples.
        """
        if name in self.views:
            return self.views[name]
        if name not in self.values:
            raise Untranslatable(f"{name[:60]!r} is not computed by a layer")
        shape = self._shape_of(name)
        if not self.keeps_examples(shape):
            raise Untranslatable("the first axis of its input does not count the examples")
        return plain_view(self.values[name], shape)

    def show(self, node: OnnxNode, view: View) -> None:
        """Let the output of a node be a view of a layer, or the layer itself."""
        if view.is_plain:
            self.alias(node, view.layer)
            return
        made = node.outputs[0]
        self.views[made] = view
        if view.layer in self._made:
            self._share(node, view.layer)

    def is_tensor(self, node: OnnxNode, position: int) -> bool:
        """Return whether an input of a node is computed by a layer, in contrast to a constant."""
        name = node.inputs[position] if position < len(node.inputs) else ""
        return name in self.values or name in self.views

    def is_given(self, node: OnnxNode, position: int) -> bool:
        """Return whether an input of a node is not left out."""
        return position < len(node.inputs) and bool(node.inputs[position])

    def is_zero(self, node: OnnxNode, position: int) -> bool:
        """Return whether an input of a node is a constant of zeros, for however many examples."""
        found = self.constants.get(node.inputs[position])
        return found is not None and not found.any()

    def constant(self, node: OnnxNode, position: int) -> Array | None:
        """Return a constant input of a node; None if it is left out.

        Raises:
            Untranslatable: if the input is computed, or depends on the number of examples.
        """
        name = node.inputs[position] if position < len(node.inputs) else ""
        if not name:
            return None
        if name in self.graph.varying:
            raise Untranslatable(f"its input {position + 1} depends on the number of examples")
        if name not in self.constants:
            made = "is computed" if name in self.values else "is no constant of numbers"
            raise Untranslatable(f"its input {position + 1} ({name[:60]!r}) {made}, but must be a constant")
        return self.constants[name]

    def weight(self, node: OnnxNode, position: int) -> Array | None:
        """Return a constant input of a node that becomes a parameter; None if it is left out.

        Raises:
            Untranslatable: as `constant` does, or if the constant is a parameter of another layer already.
        """
        found = self.constant(node, position)
        if found is None:
            return None
        name = node.inputs[position]
        if name in self.graph.integers:
            raise Untranslatable(f"its input {name[:60]!r} has integers, and a parameter has real numbers")
        first = self._owners.setdefault(self.graph.origins.get(name, name), node)
        if first.outputs[0] != node.outputs[0] and found.ndim > 1:
            raise Untranslatable(
                f"its weight {name[:60]!r} is shared with {first.describe()}, and two layers share no parameter here: the "
                "gradient of a shared weight is the sum of both; export the model with a copy of the weight for each of them "
                "(in torch: second.weight = torch.nn.Parameter(first.weight.detach().clone())), which are then trained apart"
            )
        return found

    def integers(self, node: OnnxNode, position: int, attribute: str) -> list[int] | None:
        """Return a list of integers that is an input in newer operator sets and an attribute in older ones.

        Raises:
            Untranslatable: if it is something else.
        """
        if attribute in node.attributes:
            return node.integers(attribute, None)
        found = self.constant(node, position)
        if found is None:
            return None
        if found.size and (node.inputs[position] not in self.graph.integers or found.ndim > 1):
            raise Untranslatable(f"its {attribute} are not a list of integers")
        return [int(value) for value in found.reshape(-1)]

    def shape(self, node: OnnxNode, position: int) -> Lengths:
        """Return the shape of an input of a node, None for each length that is not fixed.

        Raises:
            Untranslatable: if not even the number of axes is known.
        """
        return self._shape_of(node.inputs[position] if position < len(node.inputs) else "")

    def result_shape(self, node: OnnxNode) -> Lengths:
        """Return the shape of the output of a node, as `shape` does."""
        return self._shape_of(node.outputs[0])

    def _shape_of(self, name: str) -> Lengths:
        if name in self.constants:
            return self.constants[name].shape
        shape = self.shapes.get(name)
        if shape is None:
            raise Untranslatable(f"the shape of {name[:60]!r} is not known; send ?input_shape=")
        return shape

    def keeps_examples(self, *shapes: Lengths) -> bool:
        """Return whether the first axis of each shape counts the examples."""
        return all(shape and shape[0] in (None, self.graph.examples) for shape in shapes)

    def only_feeds(self, node: OnnxNode, operator: str) -> bool:
        """Return whether the output of a node is read by nodes of one operator alone."""
        made = node.outputs[0]
        readers = [other.operator for other in self.graph.nodes if made in other.inputs]
        return made not in self.graph.outputs and bool(readers) and set(readers) == {operator}

    def axis(self, node: OnnxNode, axis: int, rank: int) -> int:
        """Return an axis counted from 0.

        Raises:
            Untranslatable: if there is no such axis.
        """
        if not -rank <= axis < rank:
            raise Untranslatable(f"its axis {axis} is none of the {rank} axes of its input")
        return axis % rank

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

    def name_output(self, output: str) -> str:
        """Return the layer with the result of an output of the graph under its name; a new one where it has another."""
        layer = self.values[output]
        return layer if layer == output else self.add_identity(output, layer)

    def add_identity(self, name: str, layer: str) -> str:
        """Add a layer that passes on the result of another one. Returns its name, the given one where it is free."""
        name, count = name[:80], 1
        free = name
        while self._is_taken(free):
            count += 1
            free = f"{name}_{count}"
        self._positions[free] = len(self.layers)
        self.layers.append({"kind": "activation", "function": "identity", "name": free, "inputs": [layer]})
        return free

    def alias(self, node: OnnxNode, layer: str) -> None:
        """Map the output of a node to an existing layer or input."""
        made = node.outputs[0]
        self.values[made] = layer
        if layer in self._made:
            self._share(node, layer)

    def _share(self, node: OnnxNode, layer: str) -> None:
        """Note that the output of a node is the result of a layer. What the node itself reads of it counts no more."""
        self._aliases[layer] += any(name in self._made[layer] for name in node.inputs)
        self._made[layer].append(node.outputs[0])

    def merge(self, node: OnnxNode, layer: dict[str, Any]) -> None:
        """Map the output of a node to a layer that now also performs the node's operation."""
        name, made = layer["name"], node.outputs[0]
        self.values[made], self._made[name], self._aliases[name] = name, [made], 0

    def alone(self, name: str) -> dict[str, Any] | None:
        """Return the layer of that name if only one node reads its result, so that this node can be merged into it."""
        reads = sum(self.readers[value] for value in self._made.get(name, ())) - self._aliases[name]
        return self.layers[self._positions[name]] if reads == 1 else None

    def warn_of_batch(self, node: OnnxNode, length: int) -> None:
        """Warn that a fixed number of examples was made variable."""
        if not any(issue.code == "assumed-batch" for issue in self.warnings):
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
