"""The right rule of every quantity, in LaTeX and NumPy, in the caller's convention and with the caller's names of layers."""

from __future__ import annotations

import json

from core.activations.identity import Identity
from core.checking.quantity import Quantity
from core.checking.trace import Network, Reader
from core.network import INPUT

DELTA = r"\Delta"
DERIVATIVES = {
    "sigmoid": "{A} * (1 - {A})",
    "tanh": "(1 - {A} ** 2)",
    "relu": "({Z} > 0)",
    "leaky_relu": "np.where({Z} > 0, 1, {slope})",
    "softplus": "1 / (1 + np.exp(-{Z}))",
    "square": "2 * {Z}",
    "exp": "{A}",
    "sin": "np.cos({Z})",
    "log": "1 / {Z}",
    "negate": "-1",
}
"""f'(Z) in NumPy, by function."""


class Equations:
    """The right rules of one network."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._column = network.convention == "column"
        self._row = network.convention == "row"

    def latex(self, quantity: Quantity) -> str:
        """The right rule of a quantity in LaTeX."""
        network, layer = self._network, quantity.layer
        match quantity.part:
            case "loss":
                return network.objective.loss.batch_formula()
            case "preactivations":
                return self._forward_latex(layer)
            case "activations":
                return rf"{_name('A', layer)} = f({_name('Z', layer)}), \quad f(z) = {network.nodes[layer].function.formula}"
            case "gradients":
                return self._gradient_latex(quantity)
            case "deltas" if layer == network.last:
                return self._output_latex(layer)
            case "deltas":
                back = " + ".join(self._back_latex(reader) for reader in network.readers[layer]) or "0"
                if isinstance(network.nodes[layer].function, Identity):
                    return f"{_name(DELTA, layer)} = {back}"
                return rf"{_name(DELTA, layer)} = \left( {back} \right) \circ f'({_name('Z', layer)})"
            case _:
                back = " + ".join(self._back_latex(reader) for reader in network.readers[layer]) or "0"
                return rf"\frac{{\partial L}}{{\partial {_name('X', layer)}}} = {back}"

    def numpy(self, quantity: Quantity) -> str:
        """The right rule of a quantity as a line of NumPy."""
        network, layer = self._network, quantity.layer
        match quantity.part:
            case "gradients":
                return self._gradient_numpy(quantity)
            case "deltas" if layer == network.last:
                return self._output_numpy(layer)
            case "deltas":
                back = " + ".join(self._back_numpy(reader) for reader in network.readers[layer]) or "0"
                derivative = self.derivative(layer)
                return (
                    f"{_code('D', layer)} = ({back}) * {derivative}" if derivative else f"{_code('D', layer)} = {back}"
                )
            case "input_gradient":
                back = " + ".join(self._back_numpy(reader) for reader in network.readers[layer]) or "0"
                return f"{_code('dX', layer)} = {back}"
            case "preactivations" if network.nodes[layer].layer.kind == "dense":
                return self._dense_forward_numpy(layer)
            case "activations":
                return f"{_code('A', layer)} = {network.nodes[layer].function.name}({_code('Z', layer)})"
            case _:
                return ""

    def derivative(self, layer: str) -> str:
        """f'(Z) of a layer in NumPy, "" for the identity."""
        function = self._network.nodes[layer].function
        if isinstance(function, Identity):
            return ""
        slope = getattr(function, "negative_slope", "")
        text = DERIVATIVES.get(function.name, "f_prime({Z})")
        return text.format(A=_code("A", layer), Z=_code("Z", layer), slope=slope)

    def _back_latex(self, reader: Reader) -> str:
        """What a layer sends back to what it reads."""
        D, W, Z = (_name(symbol, reader.layer) for symbol in (DELTA, "W", "Z"))
        if self._network.nodes[reader.layer].layer.kind != "dense":
            return rf"\left(\frac{{\partial {Z}}}{{\partial A}}\right)^\top {D}"
        if self._column:
            return rf"{W}^\top {D}"
        return rf"{D} {W}^\top" if self._row else f"{D} {W}"

    def _back_numpy(self, reader: Reader) -> str:
        if self._network.nodes[reader.layer].layer.kind != "dense":
            return f"{_code('backward', reader.layer)}({_code('D', reader.layer)})"
        D, W = _code("D", reader.layer), _code("W", reader.layer)
        if self._column:
            return f"{W}.T @ {D}"
        return f"{D} @ {W}.T" if self._row else f"{D} @ {W}"

    def _gradient_latex(self, quantity: Quantity) -> str:
        node = self._network.nodes[quantity.layer]
        D, A = _name(DELTA, node.name), _name("A", node.reads[0])
        symbol = {"weight": "W", "bias": "b"}.get(quantity.name, r"\mathrm{" + quantity.name.replace("_", r"\_") + "}")
        left = rf"\frac{{\partial L}}{{\partial {_name(symbol, node.name)}}}"
        if node.layer.kind != "dense":
            return rf"{left} = \left(\frac{{\partial Z}}{{\partial {symbol}}}\right)^\top {D}"
        if quantity.name == "bias":
            return rf"{left} = {D} \mathbf{{1}}" if self._column else rf"{left} = {D}^\top \mathbf{{1}}"
        product = rf"{D} {A}^\top" if self._column else rf"{A}^\top {D}" if self._row else rf"{D}^\top {A}"
        l2 = self._network.objective.loss.l2
        return rf"{left} = {product}" + (rf" + \lambda {_name('W', node.name)}" if l2 else "")

    def _gradient_numpy(self, quantity: Quantity) -> str:
        node = self._network.nodes[quantity.layer]
        D, A, name = _code("D", node.name), _code("A", node.reads[0]), _code("d" + quantity.name, node.name)
        if node.layer.kind != "dense":
            return ""
        if quantity.name == "bias":
            return f"{name} = {D}.sum(axis={1 if self._column else 0})"
        product = f"{D} @ {A}.T" if self._column else f"{A}.T @ {D}" if self._row else f"{D}.T @ {A}"
        l2 = self._network.objective.loss.l2
        return f"{name} = {product}" + (f" + {l2:g} * {_code('W', node.name)}" if l2 else "")

    def _output_latex(self, layer: str) -> str:
        node, objective = self._network.nodes[layer], self._network.objective
        D, A = _name(DELTA, layer), _name("A", layer)
        if objective.loss.on_logits(node.function):
            return rf"{D} = c \, ({A} - Y)" + self._shares()
        tail = "" if isinstance(node.function, Identity) else rf" \circ f'({_name('Z', layer)})"
        if objective.loss.kind == "half_squared_error":
            return rf"{D} = c \, ({A} - Y){tail}" + self._shares()
        return rf"{D} = \frac{{\partial L}}{{\partial {A}}}{tail}"

    def _shares(self) -> str:
        share = self._network.objective.coefficients
        if (share != share[0]).any():
            return r", \quad c_i = w_i"
        return r", \quad c = \tfrac{1}{n}" if self._network.objective.loss.reduction == "mean" else ", \\quad c = 1"

    def _output_numpy(self, layer: str) -> str:
        node, objective = self._network.nodes[layer], self._network.objective
        mean = " / n" if objective.loss.reduction == "mean" else ""
        derivative = self.derivative(layer)
        factor = f" * {derivative}" if derivative else ""
        A, D = _code("A", layer), _code("D", layer)
        if objective.loss.on_logits(node.function):
            return f"{D} = ({A} - Y){mean}"
        match objective.loss.kind:
            case "half_squared_error":
                return f"{D} = ({A} - Y){factor}{mean}"
            case "mean_squared_error":
                return f"{D} = 2 / {self._network.outputs} * ({A} - Y){factor}{mean}"
            case _:
                return f"{D} = {_code('dL_dA', layer)}{factor}"

    def _forward_latex(self, layer: str) -> str:
        node = self._network.nodes[layer]
        if node.layer.kind != "dense":
            kind = node.layer.kind.replace("_", r"\_")
            return rf"{_name('Z', layer)} = \mathrm{{{kind}}}({', '.join(_name('A', name) for name in node.reads)})"
        Z, W, b = (_name(symbol, layer) for symbol in ("Z", "W", "b"))
        A = _name("A", node.reads[0])
        bias = "bias" in node.parameters
        if self._column:
            return rf"{Z} = {W} {A}" + (rf" + {b} \mathbf{{1}}^\top" if bias else "")
        return rf"{Z} = {A} {W}" + ("" if self._row else r"^\top") + (rf" + \mathbf{{1}} {b}^\top" if bias else "")

    def _dense_forward_numpy(self, layer: str) -> str:
        node = self._network.nodes[layer]
        Z, W, b = (_code(symbol, layer) for symbol in ("Z", "W", "b"))
        A = _code("A", node.reads[0])
        bias = "bias" in node.parameters
        if self._column:
            return f"{Z} = {W} @ {A}" + (f" + {b}[:, None]" if bias else "")
        return f"{Z} = {A} @ {W}" + ("" if self._row else ".T") + (f" + {b}" if bias else "")


def _name(symbol: str, layer: str) -> str:
    """A symbol with the layer as its index, in LaTeX."""
    index = layer if layer.isalnum() and len(layer) == 1 else r"\text{" + layer.replace("_", r"\_") + "}"
    return "X" if symbol == "A" and layer == INPUT else f"{symbol}_{{{index}}}"


def _code(symbol: str, layer: str) -> str:
    """A symbol with the layer as its index, in Python."""
    if layer == INPUT:
        return symbol if symbol == "dX" else "X"
    return f"{symbol}_{layer}" if f"{symbol}_{layer}".isidentifier() else f"{symbol}[{json.dumps(layer)}]"
