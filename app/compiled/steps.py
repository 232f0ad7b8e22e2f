"""The steps of an epoch as one compiled function: one compilation per precision serves all chains and optimizers."""

from __future__ import annotations

import math
from typing import Any

from app.compiled.codes import IDENTITY
from app.compiled.copies import add_multiple, add_rows, clear, gather, repeat, sum_of_squares, transpose
from app.compiled.jit import compiled
from app.compiled.kernels import activate, compare, differentiate
from app.compiled.product import add_product
from app.compiled.updates import clip, update


@compiled
def run_steps(
    X: Any,
    Y: Any,
    order: Any,
    begin: int,
    steps: int,
    size: int,
    shares: Any,
    chain: Any,
    slopes: Any,
    loss: int,
    l2: float,
    kind: int,
    numbers: Any,
    rates: Any,
    done: int,
    theta: Any,
    gradient: Any,
    before: Any,
    first: Any,
    second: Any,
    largest: Any,
    batch: Any,
    results: Any,
    deltas: Any,
    turned: Any,
    outputs: Any,
    losses: Any,
) -> int:
    """Run steps of an epoch, of which the first starts at place `begin` of the order; return their number.

    It is smaller where a loss is not finite, which then is the last one. `shares` are those of an example in a full and in
    the last step. `chain` has rows: sizes (one more than layers), places of weights and biases in θ, functions, and places
    of the layers in `results` and `deltas`; these, `batch` and `turned` are memory, matrices in row-major order.
    """
    sizes, weights, biases, functions, places = chain[0], chain[1], chain[2], chain[3], chain[4]
    layers = chain.shape[1] - 1
    for step in range(steps):
        start = begin + step * size
        count = min(size, len(order) - start)
        if start + size >= len(order):
            for i in range(theta.size):
                before[i] = theta[i]
        gather(X, order, start, count, batch)
        penalty = 0.0
        for layer in range(layers):
            n, o, w, at = sizes[layer], sizes[layer + 1], weights[layer], places[layer]
            repeat(theta, biases[layer], o, count, results, at)
            if layer == 0:
                add_product(count, o, n, batch, 0, n, 1, theta, w, results, at)
            else:
                add_product(count, o, n, results, places[layer - 1], n, 1, theta, w, results, at)
            if functions[layer] != IDENTITY:
                activate(functions[layer], slopes[layer], results, at, count * o)
            if l2:
                penalty += sum_of_squares(theta, w, n * o)
        share = shares[0] if count == size else shares[1]
        value = (
            compare(loss, share, results, places[layers - 1], Y, order, start, count, deltas, outputs)
            + 0.5 * l2 * penalty
        )
        losses[step] = value
        if not math.isfinite(value):
            return step + 1
        for layer in range(layers - 1, -1, -1):
            n, o, w, at = sizes[layer], sizes[layer + 1], weights[layer], places[layer]
            if functions[layer] != IDENTITY:
                differentiate(functions[layer], slopes[layer], results, deltas, at, count * o)
            clear(gradient, w, n * o)
            if layer == 0:
                add_product(n, o, count, batch, 0, 1, n, deltas, at, gradient, w)
            else:
                add_product(n, o, count, results, places[layer - 1], 1, n, deltas, at, gradient, w)
                transpose(theta, w, n, o, turned)
                clear(deltas, places[layer - 1], count * n)
                add_product(count, n, o, deltas, at, o, 1, turned, 0, deltas, places[layer - 1])
            if biases[layer] >= 0:
                add_rows(deltas, at, o, count, gradient, biases[layer])
            if l2:
                add_multiple(l2, theta, w, n * o, gradient)
        if numbers[9] != math.inf:
            clip(gradient, numbers[9])
        update(kind, numbers, rates[step], done + step + 1, theta, gradient, first, second, largest)
    return steps
