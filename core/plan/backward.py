"""The backward pass of a plan: from the loss to every gradient."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from core.activations.identity import Identity
from core.arrays import Array, Op, constant, stacked
from core.feedback_alignment import Feedback
from core.layer_context import LayerContext, new_value
from core.network import Node
from core.nonfinite import of_gradient
from core.plan.forward import ForwardPass
from core.plan.pool import Pool
from core.plan.watch import Retain, Watch


class BackwardPass:
    """dZ_l = f_l'(Z_l) ∘ dA_l, then the layer's own rules, in reverse order of execution.

    A tensor that several layers read receives the sum of their gradients, always added in the same order.
    """

    def __init__(
        self,
        forward: ForwardPass,
        d_output: Array,
        pool: Pool,
        *,
        l2: float,
        keep: Retain,
        watch: Watch,
        fused: bool,
        feedback: Feedback | None = None,
        memory: Mapping[str, Mapping[str, Array]] | None = None,
    ) -> None:
        self.steps: list[Op] = []
        self.deltas: dict[str, Array] = {}
        self.gradients: dict[str, dict[str, Array]] = {node.name: {} for node, _ in forward.places}
        self._values, self._pool, self._keep, self._watch, self._l2 = forward.values, pool, keep, watch, l2
        self._feedback, self._memory = feedback, memory or {}
        last = forward.places[-1][0]
        self._totals: dict[str, Array] = {last.name: d_output}
        self._wanted = _wanted(forward, keep)
        for node, place in reversed(forward.places):
            if node.name in self._wanted:
                self._lay(node, place, fused=fused and node is last)
        self.input_gradients = {name: self._total(name) for name in forward.inputs if name in self._wanted}

    def _lay(self, node: Node, place: LayerContext, *, fused: bool) -> None:
        """The steps of one layer: its delta, then the gradients of its parameters and of what it reads."""
        dA = self._total(node.name)
        if fused or isinstance(node.function, Identity):
            dZ = dA
        else:
            dZ = new_value(node.shape, place.dtype).array if self._keep.deltas else self._pool.lend(node.shape)
            A = self._values[node.name].array
            self.steps.append(node.function.backward(place.result, A, dA, dZ))
            self._pool.hand_back(dA)
        del self._totals[node.name]
        formed = of_gradient("it is formed from", ("an upstream gradient", dA), ("preactivations", place.result))
        self._watch.tensor(self.steps, node, "delta", dZ, formed)
        place.d_result = dZ
        self._receive_parameters(node, place)
        sums = self._receive_inputs(node, place)
        self._carry(node, place)
        self.steps += node.layer.backward(place)
        for total, contribution in sums:
            self.steps.append(partial(np.add, total, contribution, total))
            self._pool.hand_back(contribution)
        self._regularise(node, place)
        for name, gradient in place.gradients.items():
            formed = of_gradient("it is formed from", ("deltas", dZ), ("inputs", place.inputs[0]))
            self._watch.tensor(self.steps, node, f"gradient of the {name}", gradient, formed)
        self._watch.layer(self.steps)
        if self._keep.deltas or (self._feedback and node.name == self._feedback.last):
            self.deltas[node.name] = dZ
        else:
            self._pool.hand_back(dZ)

    def _total(self, name: str) -> Array:
        """Memory of ∂L/∂(a tensor); zeros, written in every run, for one that nothing reads."""
        if name not in self._totals:
            array = self._pool.lend(self._values[name].array.shape)
            self.steps.append(partial(array.fill, 0))
            self._totals[name] = array
        return self._totals[name]

    def _receive_parameters(self, node: Node, place: LayerContext) -> None:
        """Memory for the gradients of a layer's parameters, which is never used for anything else."""
        lent = self._memory.get(node.name, {})
        if place.packed is not None:
            whole = stacked(lent["weight"], lent["bias"]) if lent.keys() >= {"weight", "bias"} else None
            place.packed_gradient = np.empty_like(place.packed) if whole is None else whole
            place.gradients = {"weight": place.packed_gradient[:-1], "bias": place.packed_gradient[-1]}
        else:
            place.gradients = {
                name: lent[name] if name in lent else np.empty(array.shape, array.dtype)
                for name, array in place.parameters.items()
            }
        self.gradients[node.name] = place.gradients

    def _receive_inputs(self, node: Node, place: LayerContext) -> list[tuple[Array, Array]]:
        """Memory for ∂L/∂(what a layer reads). Returns what has to be added to what once the layer's steps have run."""
        sums = []
        place.d_inputs = []
        for name, X in zip(node.reads, place.inputs, strict=True):
            if name not in self._wanted:
                place.d_inputs.append(None)
                continue
            dX = self._pool.lend(X.shape)
            place.d_inputs.append(dX)
            if name in self._totals:
                sums.append((self._totals[name], dX))
            else:
                self._totals[name] = dX
        return sums

    def _carry(self, node: Node, place: LayerContext) -> None:
        """Under feedback alignment the error goes down through other matrices."""
        if self._feedback and node.name in self._feedback.weights:
            direct = self._feedback.kind == "direct" and node.name != self._feedback.last
            delta = self.deltas[self._feedback.last] if direct else place.d_result
            place.carrier = delta, self._feedback.weights[node.name]

    def _regularise(self, node: Node, place: LayerContext) -> None:
        """dW += λ W for every weight."""
        for name, parameter in node.parameters.items():
            if self._l2 and parameter.weight_like:
                gradient, weight = place.gradients[name], place.parameters[name]
                factor = constant(self._l2, weight)
                self.steps.append(partial(_add_multiple, gradient, weight, factor))


def _add_multiple(total: Array, array: Array, factor: Array) -> None:
    np.add(total, array * factor, total)


def _wanted(forward: ForwardPass, keep: Retain) -> set[str]:
    """The tensors whose gradient somebody needs: all layers' where deltas are kept, else those above parameters."""
    wanted = set(forward.inputs) if keep.input_gradients else set()
    for node, place in forward.places:
        if keep.deltas or place.parameters or wanted.intersection(node.reads):
            wanted.add(node.name)
    return wanted
