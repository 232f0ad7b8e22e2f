"""Invertible networks: chains of dense layers and invertible functions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.activations.base import Activation, Interval
from core.arrays import Array
from core.convention import Convention
from core.errors import Issue
from core.layers import KINDS, Layer
from core.network import INPUT, names_of
from core.problem import Problem


@dataclass(frozen=True, slots=True)
class Link:
    """One layer of the chain: x^l = f(x^{l−1} W + b), row convention."""

    name: str
    functions: tuple[Activation, ...]
    """The functions that the layer applies, in this order."""

    weight: Array | None = None
    """W, in x out; None for a layer that applies functions only."""

    bias: Array | None = None

    @property
    def interval(self) -> Interval:
        """The range of the result: that of the last function that is not the identity."""
        for function in reversed(self.functions):
            if not function.is_identity:
                return function.image() or (-math.inf, math.inf)
        return -math.inf, math.inf


def links_of(problem: Problem) -> list[Link]:
    """Return the chain of a problem whose layers pass `check_chain` without an issue."""
    links = []
    for node in problem.nodes:
        function = node.layer.function_of_input()
        if function:
            links.append(Link(node.name, (function, node.function)))
        else:
            parameters = problem.parameters[node.name]
            links.append(Link(node.name, (node.function,), parameters["weight"], parameters.get("bias")))
    return links


def check_chain(layers: Sequence[Layer]) -> list[Issue]:
    """Return an issue for every layer that cannot be inverted, or that does not read only the layer before it."""
    issues = []
    names = names_of(layers)
    for position, (name, layer) in enumerate(zip(names, layers, strict=True)):
        previous = names[position - 1] if position else INPUT
        reads = layer.inputs or [previous]
        if not layer.is_invertible:
            why = f"layer {name!r} is {layer.kind}"
        elif reads != [previous]:
            why = f"layer {name!r} reads {', '.join(map(repr, reads[:5]))}"
        else:
            functions = [function for function in _functions(layer) if function.image() is None]
            if not functions:
                continue
            why = f"layer {name!r} applies {functions[0].title}, which gives several arguments one value"
        issues.append(
            Issue(
                code="unsupported-operator",
                path=("network", "layers", position),
                detail=f"Networks are inverted layer by layer, dense layers and invertible functions in a chain; {why}.",
                expected=[kind for kind, layer_type in KINDS.items() if layer_type.is_invertible],
                got=layer.kind,
            )
        )
    return issues


def _functions(layer: Layer) -> list[Activation]:
    """Return the functions that an invertible layer applies, in this order."""
    function = layer.function_of_input()
    return [*([function] if function else []), layer.activation_function()]


def input_features(
    layers: Sequence[Layer],
    parameters: Mapping[str, Mapping[str, Array]],
    targets: Array,
    convention: Convention,
) -> int | None:
    """Return the number of features of the inputs: that of the first weight's inputs, or of the targets without a weight."""
    for name, layer in zip(names_of(layers), layers, strict=True):
        if layer.feedback_weight:
            weight = parameters.get(name, {}).get(layer.feedback_weight)
            if weight is None or weight.ndim != 2:
                return None
            return int(weight.shape[0 if convention == "row" else 1])
    return int(targets.shape[0 if convention == "column" else -1]) if targets.ndim else None
