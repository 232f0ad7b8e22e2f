"""What can be inverted: a chain of dense layers and invertible functions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.activations.base import Activation, Interval
from core.activations.identity import Identity
from core.arrays import Array
from core.convention import Convention
from core.errors import Issue
from core.layers import Layer
from core.layers.activation import ActivationLayer
from core.layers.dense import Dense
from core.network import INPUT, names_of
from core.problem import Problem


@dataclass(frozen=True, slots=True)
class Link:
    """One layer of the chain: x^l = f(x^{l−1} W + b), row convention."""

    name: str
    functions: tuple[Activation, ...]
    """What is applied, in this order."""

    weight: Array | None = None
    """W, in x out; None for a layer that applies functions only."""

    bias: Array | None = None

    @property
    def interval(self) -> Interval:
        """Where its result lies: the range of the last function that is not the identity."""
        for function in reversed(self.functions):
            if not isinstance(function, Identity):
                return function.image() or (-math.inf, math.inf)
        return -math.inf, math.inf


def links_of(problem: Problem) -> list[Link]:
    """The chain of a problem whose layers were `chained` without an issue."""
    links = []
    for node in problem.nodes:
        if isinstance(node.layer, ActivationLayer):
            links.append(Link(node.name, (node.layer.applied(), node.function)))
        else:
            parameters = problem.parameters[node.name]
            links.append(Link(node.name, (node.function,), parameters["weight"], parameters.get("bias")))
    return links


def chained(layers: Sequence[Layer]) -> list[Issue]:
    """An issue for every layer that has no inverse here, or does not read the layer before it alone."""
    issues = []
    names = names_of(layers)
    for position, (name, layer) in enumerate(zip(names, layers, strict=True)):
        previous = names[position - 1] if position else INPUT
        reads = layer.inputs or [previous]
        if not isinstance(layer, Dense | ActivationLayer):
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
                expected=["dense", "activation"],
                got=layer.kind,
            )
        )
    return issues


def _functions(layer: Dense | ActivationLayer) -> list[Activation]:
    applied = [layer.applied()] if isinstance(layer, ActivationLayer) else []
    return [*applied, layer.activation_function()]


def input_features(
    layers: Sequence[Layer],
    parameters: Mapping[str, Mapping[str, Array]],
    targets: Array,
    convention: Convention,
) -> int | None:
    """How many features the inputs have: as many as the first weight reads, or as the targets have without any weight."""
    for name, layer in zip(names_of(layers), layers, strict=True):
        if isinstance(layer, Dense):
            weight = parameters.get(name, {}).get("weight")
            if weight is None or weight.ndim != 2:
                return None
            return int(weight.shape[0 if convention == "row" else 1])
    return int(targets.shape[0 if convention == "column" else -1]) if targets.ndim else None
