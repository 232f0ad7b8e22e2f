"""Quantities: the tensors of a backpropagation by name, each with the rule that computes it."""

from __future__ import annotations

from typing import NamedTuple

from core.arrays import Array, Shape
from core.checking.formulas import Formulas
from core.checking.trace import Network, Trace

PARTS = ("preactivations", "activations", "loss", "deltas", "gradients", "input_gradient")
"""In the order in which a program computes them."""


class Quantity(NamedTuple):
    """One tensor of a run."""

    part: str
    """One of `PARTS`."""

    layer: str = ""
    """Its layer, or the input of the batch for `input_gradient`; empty for the loss."""

    name: str = ""
    """The parameter, for a gradient."""

    @property
    def tensor(self) -> str:
        """Its name in an answer: `deltas`, `gradients.bias`."""
        return f"{self.part}.{self.name}" if self.name else self.part

    def by_rule(self, formulas: Formulas, trace: Trace) -> Array:
        """Return its value, computed from the tensors before it in the trace."""
        match self.part:
            case "preactivations":
                return formulas.preactivation(trace, self.layer)
            case "activations":
                return formulas.activation(trace, self.layer)
            case "loss":
                return formulas.loss(trace)
            case "deltas":
                return formulas.delta(trace, self.layer)
            case "gradients":
                return formulas.gradient(trace, self.layer, self.name)
            case _:
                return formulas.input_gradient(trace, self.layer)

    def shape(self, network: Network) -> Shape:
        """Return its shape, batch-first and in x out."""
        if self.part == "loss":
            return ()
        if self.part == "gradients":
            return network.nodes[self.layer].parameters[self.name].shape
        return network.shapes[self.layer]


def quantities(network: Network) -> list[Quantity]:
    """Every quantity of a network, in the order in which a program computes them: forward, loss, backward."""
    forward = [Quantity(part, name) for name in network.nodes for part in ("preactivations", "activations")]
    if network.problem.objective is None:
        return forward
    backward = [quantity for node in reversed(network.problem.nodes) for quantity in backward_of(network, node.name)]
    inputs = [Quantity("input_gradient", name) for name in network.inputs]
    loss = [Quantity("loss")] if network.objective.loss.needs_targets else []
    return [*forward, *loss, *backward, *inputs]


def backward_of(network: Network, layer: str) -> list[Quantity]:
    """The quantities of a layer's backward pass: its delta, then its gradients."""
    gradients = [Quantity("gradients", layer, name) for name in network.nodes[layer].parameters]
    return [Quantity("deltas", layer), *gradients]


def run(network: Network, formulas: Formulas) -> Trace:
    """A trace with everything computed by these formulas."""
    trace = run_forward(network, formulas)
    if network.problem.objective is not None:
        for node in reversed(network.problem.nodes):
            trace.deltas[node.name] = formulas.delta(trace, node.name)
    return trace


def run_forward(network: Network, formulas: Formulas) -> Trace:
    """A trace with the forward pass computed by these formulas."""
    trace = Trace(network)
    for name in network.nodes:
        trace.preactivations[name] = formulas.preactivation(trace, name)
        trace.activations[name] = formulas.activation(trace, name)
    return trace


def value_in(trace: Trace, quantity: Quantity, formulas: Formulas) -> Array:
    """A quantity of a trace that has been run."""
    stored = {
        "preactivations": trace.preactivations,
        "activations": trace.activations,
        "deltas": trace.deltas,
    }.get(quantity.part)
    return quantity.by_rule(formulas, trace) if stored is None else stored[quantity.layer]
