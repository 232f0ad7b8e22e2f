"""The words that fill the text of a mistake: names, numbers and formulas of the quantity that it concerns."""

from __future__ import annotations

from string import Template

from core.checking.equations import Equations
from core.checking.quantity import Quantity
from core.checking.trace import Network
from core.network import INPUT


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
