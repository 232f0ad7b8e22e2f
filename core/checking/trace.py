"""Trace: the numbers around the rules, all variables of a hand-written backpropagation at the time of one rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from core.arrays import Array, Shape
from core.checking.layer_rules import Backward, LayerRules
from core.convention import Convention
from core.layers import Layer
from core.network import Node
from core.plan import Objective
from core.problem import Problem


class Reader(NamedTuple):
    """A layer that reads a tensor."""

    layer: str
    position: int
    """The position of the tensor among those that the layer reads."""


class Network:
    """The layers of a problem as `LayerRules`, in double precision whatever the problem's dtype."""

    def __init__(self, problem: Problem, dtype: np.dtype[Any] | None = None) -> None:
        dtype = dtype or np.dtype(np.float64)
        self.problem = problem
        self.nodes: dict[str, Node] = {node.name: node for node in problem.nodes}
        self.last = problem.nodes[-1].name
        self.inputs = {name: array.astype(dtype) for name, array in problem.inputs.items()}
        self.shapes: dict[str, Shape] = {name: array.shape for name, array in problem.inputs.items()}
        self.readers: dict[str, list[Reader]] = {name: [] for name in problem.inputs}
        self.layer_rules: dict[str, LayerRules] = {}
        for node in problem.nodes:
            self.shapes[node.name] = node.shape
            self.readers[node.name] = []
            for position, name in enumerate(node.reads):
                self.readers[name].append(Reader(node.name, position))
            self.layer_rules[node.name] = LayerRules(
                node,
                [self.shapes[name] for name in node.reads],
                problem.parameters[node.name],
                problem.state.get(node.name, {}),
                dtype=dtype,
                column=problem.convention == "column",
            )

    def variant(
        self, layer: str, *, kind: Layer | None = None, parameters: Mapping[str, Array] | None = None
    ) -> LayerRules:
        """Return the rules of a layer with other fields or other parameters."""
        node = self.nodes[layer]
        return LayerRules(
            node if kind is None else replace(node, layer=kind),
            [self.shapes[name] for name in node.reads],
            {**self.layer_rules[layer].parameters, **(parameters or {})},
            self.problem.state.get(layer, {}),
            dtype=np.dtype(np.float64),
            column=self.problem.convention == "column",
        )

    def multiplies_by_weight(self, layer: str) -> bool:
        """Return whether a layer is Z = X W + b, which sends dZ Wᵀ back."""
        return self.nodes[layer].layer.feedback_weight is not None

    @property
    def convention(self) -> Convention:
        """The convention in which the caller writes matrices."""
        return self.problem.convention

    @property
    def objective(self) -> Objective:
        """The loss with its targets.

        Raises:
            LookupError: if the problem has none.
        """
        if self.problem.objective is None:
            raise LookupError("gradients are those of a loss")
        return self.problem.objective

    @property
    def examples(self) -> int:
        """n, the length of the batch."""
        return len(self.objective.coefficients) if self.problem.objective else len(next(iter(self.inputs.values())))

    @property
    def outputs(self) -> int:
        """K, the number of features of the output."""
        return self.shapes[self.last][-1] if len(self.shapes[self.last]) > 1 else 1


BackwardOfLayer = Callable[["Trace"], Backward]
"""A layer's backward rules: from the trace that holds its delta to the gradients of its inputs and parameters."""


@dataclass(slots=True)
class Trace:
    """The numbers around the rules of one run: the submitted ones, and the results of the rules for all others."""

    network: Network
    preactivations: MutableMapping[str, Array] = field(default_factory=dict)
    activations: MutableMapping[str, Array] = field(default_factory=dict)
    """By layer, with the inputs of the batch by their names."""
    deltas: MutableMapping[str, Array] = field(default_factory=dict)
    given: frozenset[tuple[str, str]] = frozenset()
    """The submitted ones among them, as (layer, part)."""
    inside: Mapping[str, BackwardOfLayer] = field(default_factory=dict)
    """Layers whose own backward rules are wrong in the user's program, with the wrong ones."""
    _backward: dict[str, Backward] = field(default_factory=dict)
    _saved: dict[str, tuple[Sequence[Array], Mapping[str, Array]]] = field(default_factory=dict)
    """What layers save in a forward run, with what they read; shared by all branches, since no delta enters it."""

    def __post_init__(self) -> None:
        for name, array in self.network.inputs.items():
            self.activations.setdefault(name, array)

    def branch(self) -> Trace:
        """Return a copy of the trace that can be continued differently. Arrays are shared; no rule writes into one."""
        return Trace(
            self.network,
            copy(self.preactivations),
            copy(self.activations),
            copy(self.deltas),
            self.given,
            self.inside,
            dict(self._backward),
            self._saved,
        )

    def read_by(self, layer: str) -> Sequence[Array]:
        """Return the tensors that a layer reads."""
        return [self.activations[name] for name in self.network.nodes[layer].reads]

    def saved(self, layer: str) -> Mapping[str, Array]:
        """Return the arrays that a layer saves in a forward run: the gates of an lstm, the mask of a dropout."""
        read = self.read_by(layer)
        held, saved = self._saved.get(layer, ((), {}))
        if len(held) != len(read) or any(one is not other for one, other in zip(held, read, strict=True)):
            saved = self.network.layer_rules[layer].saved(read)
            self._saved[layer] = (read, saved)
        return saved

    def backward(self, layer: str) -> Backward:
        """Return the gradients that a layer's rules compute from its delta: the user's rules, where those are known."""
        if layer not in self._backward:
            wrong = self.inside.get(layer)
            self._backward[layer] = wrong(self.with_rules_of(layer, None)) if wrong else self._by_right_rules(layer)
        return self._backward[layer]

    def _by_right_rules(self, layer: str) -> Backward:
        return self.network.layer_rules[layer].backward(self.read_by(layer), self.deltas[layer])

    def with_delta(self, layer: str, delta: Array) -> Trace:
        """Return a copy of the trace with a delta of that layer."""
        found = self.branch()
        found.deltas[layer] = delta
        found._backward.pop(layer, None)
        return found

    def with_rules_of(self, layer: str, backward: BackwardOfLayer | None) -> Trace:
        """Return a copy of the trace in which that layer's own backward rules are these; None for the right ones."""
        found = self.branch()
        others = {name: rules for name, rules in self.inside.items() if name != layer}
        found.inside = others if backward is None else {**others, layer: backward}
        found._backward.pop(layer, None)
        return found

    def parameters(self, layer: str) -> Mapping[str, Array]:
        """Return the parameters of a layer."""
        return self.network.layer_rules[layer].parameters
