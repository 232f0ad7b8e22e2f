"""The forward pass of a plan: from the batch to the output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core.arrays import Array, Op, extended_matrix, stack
from core.layer_context import LayerContext, Value, new_value
from core.network import Node
from core.nonfinite import of_activation, of_result
from core.plan.watch import Retain, Watch

PACKED = 2**19
"""Largest number of elements for which a weight and its bias are copied into one matrix and a batch gets a column of ones:
one product then costs less than a product and an addition. For larger ones, the copy costs more than the addition."""


class ForwardPass:
    """Operations that compute Z_l = layer_l(A_j for each input j) and A_l = f_l(Z_l), in execution order."""

    def __init__(
        self,
        nodes: Sequence[Node],
        inputs: Mapping[str, Array],
        parameters: Mapping[str, Mapping[str, Array]],
        *,
        state: Mapping[str, Mapping[str, Array]],
        dtype: np.dtype[Any],
        column: bool,
        retain: Retain,
        watch: Watch,
        fused: bool,
        by_row: bool = False,
    ) -> None:
        self.ops: list[Op] = []
        self.contexts: list[tuple[Node, LayerContext]] = []
        self.values = {name: _batch(array, by_row) for name, array in inputs.items()}
        self.inputs = {name: value.array for name, value in self.values.items()}
        self.input_memory = {
            name: value.array if value.extended is None else value.extended for name, value in self.values.items()
        }
        self.parameters: dict[str, dict[str, Array]] = {}
        self.preactivations: dict[str, Array] = {}
        self.activations: dict[str, Array] = {}
        for node in nodes:
            context = LayerContext(
                sources=tuple(self.values[name] for name in node.reads),
                parameters=dict(parameters[node.name]),
                shape=node.shape,
                dtype=dtype,
                name=node.name,
                position=node.position,
                column=column,
                state=dict(state.get(node.name, {})),
            )
            _pack(context)
            self.contexts.append((node, context))
            self._build(node, context, retain, watch, fused=fused and node is nodes[-1])
            watch.layer(self.ops)
        self.output = self.activations[nodes[-1].name]

    def _build(self, node: Node, context: LayerContext, retain: Retain, watch: Watch, *, fused: bool) -> None:
        """Append the operations of one layer. An activation that is fused with the loss is computed by the loss."""
        self.ops += node.layer.forward(context)
        Z, value, function = context.result, context.value, node.function
        of_input = node.layer.function_of_input()
        if of_input is not None:
            cause = of_activation(of_input.title, context.inputs[0], Z)
        else:
            cause = of_result(node.layer.kind, context.inputs, context.parameters)
        watch.tensor(self.ops, node, "preactivation", Z, cause)
        if not function.is_identity:
            in_place = context.fresh and function.reads == "result" and not retain.preactivations and not fused
            if not in_place:
                value = new_value(node.shape, context.dtype)
            if not fused:
                self.ops.append(function.forward(Z, value.array))
                watch.tensor(self.ops, node, "activation", value.array, of_activation(function.title, Z, value.array))
        self.values[node.name] = value
        self.parameters[node.name] = context.parameters
        self.preactivations[node.name] = Z
        self.activations[node.name] = value.array


def _batch(array: Array, by_row: bool) -> Value:
    """Return a tensor of the batch; a small matrix is copied and gets a column of ones."""
    if array.ndim != 2 or array.size > PACKED:
        return Value(array)
    extended = extended_matrix(len(array), array.shape[1], array.dtype, by_row=by_row)
    extended[:, :-1] = array
    return Value(extended[:, :-1], extended)


def _pack(context: LayerContext) -> None:
    """Make a small weight and its bias views of one matrix [W; b], copying them unless they already are."""
    weight, bias = context.parameters.get("weight"), context.parameters.get("bias")
    if weight is None or bias is None or weight.ndim != 2 or bias.shape != weight.shape[1:]:
        return
    source = context.sources[0]
    if weight.size <= PACKED and source.extended is not None and source.array.shape[1:] == weight.shape[:1]:
        packed = stack(weight, bias)
        if packed is None:
            packed = np.empty((len(weight) + 1, len(bias)), context.dtype)
            packed[:-1] = weight
            packed[-1] = bias
        context.packed = packed
        context.parameters.update(weight=packed[:-1], bias=packed[-1])
