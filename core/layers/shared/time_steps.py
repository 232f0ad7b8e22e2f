"""The operations over time that recurrent layers have in common: products over all time steps at once.

Internally, time is the first axis, so that every time step is contiguous in memory:

    X    T x n x features           the input
    P    T x n x gates·units        X W + 1 bᵀ, the contribution of the inputs to the gates, in one product
    H    (T + 1) x n x units        the states; H[0] = h_0, and H[t + 1] follows from P[t] and H[t]

h_0 is the second tensor that the layer reads, or 0 where it reads none.

The backward pass computes dP[t] = ∂L/∂P[t] from the last time step to the first, and dQ[t], the gradient with respect to
the contribution of the state, H[t] U (the same array as dP[t], except in gru). Then, over all time steps together,

    dW = Xᵀ dP     dU = Hᵀ dQ     db = dPᵀ 1     dX = dP Wᵀ

with the axes of time and examples taken as one. The gradient of h_0 is what the first time step sends back.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from core.arrays import Array, Op, product
from core.layer_context import LayerContext
from core.layers.base import Ops


def rows(array: Array) -> Array:
    """Return T x n x k as a matrix with a row for each time step of each example."""
    return array.reshape(-1, array.shape[-1])


def project_inputs(context: LayerContext, bias: Array | None) -> tuple[Array, Ops]:
    """Return P and the operations that compute it."""
    X, W = context.inputs[0], context.parameters["weight"]
    by_time = context.saved["X"] = np.empty((X.shape[1], X.shape[0], X.shape[2]), context.dtype)
    P = np.empty((*by_time.shape[:2], W.shape[1]), context.dtype)
    ops: list[Op] = [partial(np.copyto, by_time, X.swapaxes(0, 1)), product(rows(by_time), W, rows(P))]
    return P, ops if bias is None else [*ops, partial(np.add, P, bias, P)]


def states(context: LayerContext, units: int) -> Array:
    """Allocate H, with H[0] = 0, where `begin` copies the initial state."""
    n, time, _ = context.inputs[0].shape
    H = context.saved["H"] = np.zeros((time + 1, n, units), context.dtype)
    return H


def begin(context: LayerContext, *first: Array) -> Ops:
    """Return the operations that copy the initial states that the layer reads to where the first time step reads them."""
    return [partial(np.copyto, place, sent) for place, sent in zip(first, context.inputs[1:], strict=False)]


def return_to_start(context: LayerContext, *found: Array) -> Ops:
    """Return the operations that hand over the gradients of the initial states that the layer reads."""
    pairs = zip(context.d_inputs[1:], found, strict=False)
    return [partial(np.copyto, place, gradient) for place, gradient in pairs if place is not None]


def apart(array: Array, blocks: Mapping[str, slice], letters: str) -> list[Array]:
    """Return the blocks of these gates along the last axis, as views."""
    return [array[..., blocks[letter]] for letter in letters]


def result_of(context: LayerContext) -> Op:
    """Return the operation that copies states into the result: all of them for a result of rank 3, else the last one."""
    H, Z = context.saved["H"], context.new_result()
    return partial(np.copyto, Z, H[1:].swapaxes(0, 1) if Z.ndim == 3 else H[-1])


def receive_state_gradients(context: LayerContext) -> tuple[Array, Op]:
    """Return dH, where dH[t] is the gradient that the result passes to the state after time step t, and its operation."""
    dZ, H = context.d_result, context.saved["H"]
    dH = np.zeros_like(H[1:])
    if dZ.ndim == 3:
        return dH, partial(np.copyto, dH, dZ.swapaxes(0, 1))

    def op() -> None:
        dH.fill(0)
        np.copyto(dH[-1], dZ)

    return dH, op


def gather_gradients(context: LayerContext, dP: Array, dQ: Array) -> Ops:
    """Return the operations that compute the gradients of weight, recurrent_weight, bias and sequence from dP and dQ."""
    context.saved.update(dP=dP, dQ=dQ)
    X, H, W, dX = context.saved["X"], context.saved["H"], context.parameters["weight"], context.d_inputs[0]
    ops: list[Op] = [
        product(rows(X).T, rows(dP), context.gradients["weight"]),
        product(rows(H[:-1]).T, rows(dQ), context.gradients["recurrent_weight"]),
    ]
    if "bias" in context.gradients:
        ops.append(partial(np.sum, rows(dP), axis=0, out=context.gradients["bias"]))
    if dX is not None:
        through_weight = np.empty_like(X)
        ops += [product(rows(dP), W.T, rows(through_weight)), partial(np.copyto, dX.swapaxes(0, 1), through_weight)]
    return ops
