"""The backward pass of a plan: from the loss to every gradient."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from core.arrays import Array, Op, constant, stack
from core.feedback_alignment import Feedback
from core.layer_context import LayerContext, new_value
from core.network import Node
from core.nonfinite import of_gradient
from core.plan.forward import ForwardPass
from core.plan.pool import Pool
from core.plan.watch import Retain, Watch


class BackwardPass:
    """Operations that compute dZ_l = f_l'(Z_l) ∘ dA_l, then the layer's gradients, in reverse execution order.

    A tensor that several layers read receives the sum of their gradients, always added in the same order.
    """

    def __init__(
        self,
        forward: ForwardPass,
        d_output: Array,
        pool: Pool,
        *,
        l2: float,
        retain: Retain,
        watch: Watch,
        fused: bool,
        feedback: Feedback | None = None,
        memory: Mapping[str, Mapping[str, Array]] | None = None,
    ) -> None:
        self.ops: list[Op] = []
        self.deltas: dict[str, Array] = {}
        self.gradients: dict[str, dict[str, Array]] = {node.name: {} for node, _ in forward.contexts}
        self._values, self._pool, self._retain, self._watch, self._l2 = forward.values, pool, retain, watch, l2
        self._feedback, self._memory = feedback, memory or {}
        last = forward.contexts[-1][0]
        self._totals: dict[str, Array] = {last.name: d_output}
        self._wanted = _find_wanted(forward, retain)
        for node, context in reversed(forward.contexts):
            if node.name in self._wanted:
                self._build(node, context, fused=fused and node is last)
        self.input_gradients = {name: self._total(name) for name in forward.inputs if name in self._wanted}

    def _build(self, node: Node, context: LayerContext, *, fused: bool) -> None:
        """Append the operations of one layer: its delta, then the gradients of its parameters and inputs."""
        dA = self._total(node.name)
        if fused or node.function.is_identity:
            dZ = dA
        else:
            dZ = new_value(node.shape, context.dtype).array if self._retain.deltas else self._pool.acquire(node.shape)
            A = self._values[node.name].array
            self.ops.append(node.function.backward(context.result, A, dA, dZ))
            self._pool.release(dA)
        del self._totals[node.name]
        formed = of_gradient("it is formed from", ("an upstream gradient", dA), ("preactivations", context.result))
        self._watch.tensor(self.ops, node, "delta", dZ, formed)
        context.d_result = dZ
        self._receive_parameters(node, context)
        sums = self._receive_inputs(node, context)
        self._carry(node, context)
        self.ops += node.layer.backward(context)
        for total, contribution in sums:
            self.ops.append(partial(np.add, total, contribution, total))
            self._pool.release(contribution)
        self._regularise(node, context)
        for name, gradient in context.gradients.items():
            formed = of_gradient("it is formed from", ("deltas", dZ), ("inputs", context.inputs[0]))
            self._watch.tensor(self.ops, node, f"gradient of the {name}", gradient, formed)
        self._watch.layer(self.ops)
        if self._retain.deltas or (self._feedback and node.name == self._feedback.last):
            self.deltas[node.name] = dZ
        else:
            self._pool.release(dZ)

    def _total(self, name: str) -> Array:
        """Return the memory of ∂L/∂(tensor); for a tensor that nothing reads, every run fills it with zeros."""
        if name not in self._totals:
            array = self._pool.acquire(self._values[name].array.shape)
            self.ops.append(partial(array.fill, 0))
            self._totals[name] = array
        return self._totals[name]

    def _receive_parameters(self, node: Node, context: LayerContext) -> None:
        """Allocate the gradients of a layer's parameters, in memory that is never reused."""
        lent = self._memory.get(node.name, {})
        if context.packed is not None:
            whole = stack(lent["weight"], lent["bias"]) if lent.keys() >= {"weight", "bias"} else None
            context.packed_gradient = np.empty_like(context.packed) if whole is None else whole
            context.gradients = {"weight": context.packed_gradient[:-1], "bias": context.packed_gradient[-1]}
        else:
            context.gradients = {
                name: lent[name] if name in lent else np.empty(array.shape, array.dtype)
                for name, array in context.parameters.items()
            }
        self.gradients[node.name] = context.gradients

    def _receive_inputs(self, node: Node, context: LayerContext) -> list[tuple[Array, Array]]:
        """Allocate ∂L/∂(input) for each input. Returns the pairs (total, contribution) to add afterwards."""
        sums = []
        context.d_inputs = []
        for name, X in zip(node.reads, context.inputs, strict=True):
            if name not in self._wanted:
                context.d_inputs.append(None)
                continue
            dX = self._pool.acquire(X.shape)
            context.d_inputs.append(dX)
            if name in self._totals:
                sums.append((self._totals[name], dX))
            else:
                self._totals[name] = dX
        return sums

    def _carry(self, node: Node, context: LayerContext) -> None:
        """Under feedback alignment, set the delta and the matrix B that propagate the error."""
        if self._feedback and node.name in self._feedback.weights:
            direct = self._feedback.carries_last_delta(node.name)
            delta = self.deltas[self._feedback.last] if direct else context.d_result
            context.carrier = delta, self._feedback.weights[node.name]

    def _regularise(self, node: Node, context: LayerContext) -> None:
        """Append dW += λ W for every weight."""
        for name, parameter in node.parameters.items():
            if self._l2 and parameter.weight_like:
                gradient, weight = context.gradients[name], context.parameters[name]
                factor = constant(self._l2, weight)
                self.ops.append(partial(_add_multiple, gradient, weight, factor))


def _add_multiple(total: Array, array: Array, factor: Array) -> None:
    np.add(total, array * factor, total)


def _find_wanted(forward: ForwardPass, retain: Retain) -> set[str]:
    """Return the tensors whose gradient is needed: all layers' if deltas are retained, else those above parameters."""
    wanted = set(forward.inputs) if retain.input_gradients else set()
    for node, context in forward.contexts:
        if retain.deltas or context.parameters or wanted.intersection(node.reads):
            wanted.add(node.name)
    return wanted
