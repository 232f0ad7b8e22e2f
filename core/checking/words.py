"""The words that fill the text of a mistake: names, numbers and formulas of the quantity that it concerns."""

from __future__ import annotations

from string import Template

from core.arrays import Shape
from core.checking.equations import Equations
from core.checking.mistakes.base import Mistake
from core.checking.products import convention_of, written
from core.checking.quantity import Quantity
from core.checking.trace import Network
from core.convention import is_transposed
from core.network import INPUT, Node


class Words:
    """The names, counts and equations of a network, for the texts of mistakes."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.equations = Equations(network)

    def fill(self, text: str, quantity: Quantity, **more: object) -> str:
        """Return a text with its placeholders filled in."""
        network, layer = self._network, quantity.layer
        node = network.nodes.get(layer)
        readers = network.readers.get(layer, [])
        words: dict[str, object] = {
            "n": network.examples,
            "K": network.outputs,
            "layer": layer,
            "f": node.function.name if node else "",
            "above": readers[0].layer if readers else "the loss",
            "below": node.reads[0] if node else "",
            "loss": network.problem.objective.loss.kind if network.problem.objective else "",
            "parameter": quantity.name,
            "turned": ".T" if network.convention == "column" else "",
        }
        return Template(text).safe_substitute(words | more)

    def wrong(self, mistake: type[Mistake], quantity: Quantity) -> str:
        """Return the wrong formula of a mistake, its products written in the convention of the request."""
        return written(
            self.fill(mistake.wrong, quantity), convention_of(self._read(quantity), self._network.convention)
        )

    def _read(self, quantity: Quantity) -> Shape:
        """Return the shape of what the layer reads whose weights are in the rule: the layer above, for a delta."""
        network, weighted = self._network, quantity.layer
        if quantity.part in ("deltas", "input_gradient") and network.readers.get(weighted):
            weighted = network.readers[weighted][0].layer
        node = network.nodes.get(weighted)
        return network.shapes[node.reads[0]] if node else ()

    def node(self, quantity: Quantity) -> Node | None:
        """Return the layer of a quantity; None for the loss and for an input of the batch."""
        return self._network.nodes.get(quantity.layer)

    def shape(self, quantity: Quantity, shape: Shape) -> str:
        """Return a shape as the convention of the request writes it."""
        node = self.node(quantity)
        turned = self._network.convention == "column" and len(shape) == 2
        if quantity.part == "gradients" and node is not None:
            turned = is_transposed(node.parameters[quantity.name], self._network.convention) and len(shape) == 2
        return str(list(shape[::-1] if turned else shape))

    def named(self, quantity: Quantity) -> str:
        """Return the quantity as part of a sentence: "bias gradient of layer 'out'"."""
        where = f" of layer {quantity.layer!r}"
        match quantity.part:
            case "loss":
                return "loss"
            case "gradients":
                return f"{quantity.name.replace('_', ' ')} gradient{where}"
            case "input_gradient":
                return "input gradient" if quantity.layer == INPUT else f"gradient of the input {quantity.layer!r}"
            case "deltas":
                return f"delta{where}"
            case "preactivations":
                return f"preactivation{where}"
            case _:
                return f"activation{where}"
