"""NetworkCost: the figures of a network, layer by layer, from inferred shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.arrays import Shape
from core.network import Node
from core.operations import CALL, ELEMENT, count


@dataclass(slots=True)
class LayerCost:
    """The figures of one layer."""

    node: Node

    inputs: Sequence[Shape]
    """Shapes of the tensors that it reads."""

    forward: float
    """Operations of the forward pass, with the activation function and the look for numbers that are not finite."""

    backward: float
    """Operations of the backward pass."""

    parameters: int
    """Number of elements of the parameters."""

    result: int
    """Number of elements of the result."""

    stored: int
    """Number of elements that a forward pass allocates: results before and after the activation, and working memory."""


class NetworkCost:
    """The figures of a network whose shapes are known."""

    def __init__(self, nodes: Sequence[Node], shapes: Mapping[str, Shape], *, column: bool = False) -> None:
        """Work out the figures.

        Args:
            nodes: the layers with their shapes.
            shapes: shape of every tensor that layers read, by name, batch-first.
            column: whether the request writes matrices as features x n.
        """
        self.shapes, self._column = shapes, column
        self.layers = [_layer(node, [shapes[name] for name in node.reads], column) for node in nodes]
        self.inputs = sum(count(shape) for shape in shapes.values()) - sum(layer.result for layer in self.layers)
        """Number of elements of the batch."""

        self.parameters = self.results = self.stored = self.largest = 0
        self.forward = self.backward = 0.0
        for layer in self.layers:
            self.forward += layer.forward
            self.backward += layer.backward
            self.parameters += layer.parameters
            self.results += layer.result
            self.stored += layer.stored
            self.largest = max(self.largest, layer.stored)
        self.output: Shape = nodes[-1].shape if nodes else ()

    def up_to(self, position: int) -> NetworkCost:
        """Return the figures of the network that ends with a layer."""
        nodes = [layer.node for layer in self.layers[: position + 1]]
        later = {layer.node.name for layer in self.layers[position + 1 :]}
        shapes = {name: shape for name, shape in self.shapes.items() if name not in later}
        return NetworkCost(nodes, shapes, column=self._column)

    @property
    def examples(self) -> int:
        """Number of examples of the output."""
        return self.output[0] if self.output else 1

    @property
    def drawn(self) -> int:
        """Number of elements of the parameters that a seed draws at random."""
        parameters = [parameter for layer in self.layers for parameter in layer.node.parameters.values()]
        return sum(count(parameter.shape) for parameter in parameters if parameter.initial == "scheme")

    def slowest(self) -> LayerCost | None:
        """Return the layer with the most operations."""
        return max(self.layers, key=lambda layer: layer.forward + layer.backward, default=None)

    def heaviest(self) -> LayerCost | None:
        """Return the layer with the most elements."""
        return max(self.layers, key=lambda layer: layer.stored + layer.parameters, default=None)


def _layer(node: Node, inputs: Sequence[Shape], column: bool) -> LayerCost:
    layer, function, result = node.layer, node.function, count(node.shape)
    forward = layer.operations(*inputs, result=node.shape, column=column)
    backward = layer.backward_operations(*inputs, result=node.shape, column=column)
    looks = CALL + ELEMENT * result
    stored = result + node.working_size
    if not function.is_identity:
        looks += CALL + function.operations * result
        stored += result
    parameters = sum(count(parameter.shape) for parameter in node.parameters.values())
    return LayerCost(node, inputs, forward + looks, backward + looks, parameters, result, stored)
