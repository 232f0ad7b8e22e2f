"""A choice of slopes: the numbers that a program puts in the place of a derivative at the kinks of one function."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from core.activations.base import Activation
from core.arrays import Array, Op
from core.checking.formulas import loss_gradient
from core.checking.layer_rules import activate, through
from core.checking.slopes.overriding import overriding
from core.layer_context import LayerContext
from core.layers.base import Ops
from core.layers.max_pool2d import MaxPool2D
from core.layers.prelu import Prelu
from core.layers.shared.extreme import Extreme
from core.losses import Loss, LossContext
from core.plan import Objective

BESIDE = 1e-150
"""A distance from a kink at 0 so small that only the side matters."""

BESIDE_OTHERS = 1e-12
"""The same for other kinks, relative to their place: rounding moves a number by less."""

NEXT = 1e-6
"""A distance from the kink of a loss, relative to its output: both of its sides are straight."""


@dataclass(slots=True, kw_only=True)
class Choice:
    """The slopes at the kinks of one function, s = low + x (high − low) with one x from 0 to 1 for each of its kinks."""

    where: Array
    """True at the kinks, in the shape of the function's argument; of a pool, in the shape offsets x windows."""
    low: Array
    high: Array
    own: Array
    """The x of this service's own slopes."""
    x: Array
    what: str
    """The function with its place, in words."""
    target: str = ""
    """The tensor whose delta these slopes multiply, one by one; empty if they do not."""
    windows: Array | None = None
    """Of a pool, the number of the window that each share is of."""

    @property
    def ties(self) -> Array:
        """The number of shares that the window of each of them has; 2 for the sides of a kink that is no window."""
        if self.windows is None:
            return np.full(len(self.x), 2)
        return np.bincount(self.windows)[self.windows]

    @property
    def slopes(self) -> Array:
        """The chosen slopes, one for each kink."""
        return np.asarray(self.low + self.x * (self.high - self.low))


def choice_at(where: Array, slopes: tuple[Array, Array, Array], what: str, target: str) -> Choice:
    """Return the choice at these places; `slopes` are those of both sides and this service's own, in the shape of `where`."""
    one, other, own = (np.broadcast_to(each, where.shape)[where] for each in slopes)
    low, high = np.minimum(one, other), np.maximum(one, other)
    apart = np.where(high > low, high - low, 1)
    x = np.clip((own - low) / apart, 0, 1)
    return Choice(where=where, low=low, high=high, own=x, x=x.copy(), what=what, target=target)


def nearest_kink(function: Activation, Z: Array) -> Array:
    """Return the kink of the function that is nearest to each z."""
    points = np.array(function.kinks())
    return np.asarray(points[np.abs(np.subtract.outer(Z, points)).argmin(axis=-1)])


def at_kinks(function: Activation, Z: Array, where: Array, what: str, target: str) -> Choice:
    """Return the choice of slopes of an elementwise function at its kinks."""

    def slope(at: Array) -> Array:
        return through(function, at, activate(function, at), np.ones_like(at))

    points = nearest_kink(function, Z)
    beside = np.where(points == 0, BESIDE, BESIDE_OTHERS * np.abs(points))
    return choice_at(
        where, (slope(points - beside), slope(points + beside), slope(np.where(where, Z, 1.0))), what, target
    )


def at_kink_of_loss(objective: Objective, A: Array, where: Array, what: str, target: str) -> Choice:
    """Return the choice of ∂ℓ/∂a at the kinks of a loss."""
    each = replace(objective, coefficients=np.ones_like(objective.coefficients, np.float64))
    step = NEXT * max(float(np.abs(A).max(initial=0)), 1.0)
    sides = (loss_gradient(each.loss, each, A - step), loss_gradient(each.loss, each, A + step))
    return choice_at(where, (*sides, loss_gradient(each.loss, each, A)), what, target)


def at_ties(layer: MaxPool2D, Z: Array, X: Array, what: str, target: str) -> Choice | None:
    """Return the choice of the shares of a delta that the equal numbers of a window receive; None without equal ones.

    A program may send the whole delta to the first or the last of them, a part to each, or the whole to each. The last is
    no subgradient, for its shares add up to the number of ties, but a widespread way to write a pool.
    """
    largest = np.zeros_like(Z)
    for (windows, numbers), (counted, _) in zip(layer.offsets(Z, X), layer.offsets(largest, X), strict=True):
        np.add(counted, windows == numbers, counted)
    ties, left = largest > 1, np.ones(Z.shape, bool)
    where, own, of = [], [], []
    each = np.arange(Z.size).reshape(Z.shape)
    for (windows, numbers), (tied, _), (first, _), (number, _) in zip(
        layer.offsets(Z, X), layer.offsets(ties, X), layer.offsets(left, X), layer.offsets(each, X), strict=True
    ):
        equal = tied & (windows == numbers)
        where.append(np.ravel(equal))
        of.append(number[equal])
        own.append(np.ravel(equal & first))
        first &= ~equal
    flat = np.concatenate(where)
    if not flat.any():
        return None
    zeros, ones = np.zeros(flat.shape), np.ones(flat.shape)
    choice = choice_at(flat, (zeros, ones, np.concatenate(own).astype(np.float64)), what, target)
    choice.windows = np.concatenate(of)
    return choice


def at_equal_extremes(layer: Extreme, Z: Array, X: Array, what: str, column: bool) -> Choice | None:
    """Return the choice of the shares of a delta that equal largest or smallest numbers receive; None without equal ones."""
    tied = layer.tied(X, Z, column)
    where = layer.wins(X, Z, column) & tied
    if not where.any():
        return None
    choice = choice_at(where, (np.zeros(X.shape), np.ones(X.shape), layer.shares(X, Z, column)), what, "")
    choice.windows = np.broadcast_to(np.arange(tied.size).reshape(tied.shape), X.shape)[where]
    return choice


def extreme_with_shares(layer: Extreme, choice: Choice) -> Extreme:
    """Return the reduction with the chosen shares of equal numbers."""

    def shares(_: Extreme, X: Array, Z: Array, column: bool) -> Array:
        found = layer.shares(X, Z, column)
        if found.shape == choice.where.shape:
            found[choice.where] = choice.slopes
        return found

    return overriding(layer, shares=shares)


def with_slopes(function: Activation, choice: Choice) -> Activation:
    """Return the function with the chosen slopes."""

    def backward(_: Activation, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        differentiate = function.backward(Z, A, dA, dZ)
        if Z.shape != choice.where.shape:
            return differentiate

        def op() -> None:
            differentiate()
            dZ[choice.where] = choice.slopes * dA[choice.where]

        return op

    return overriding(function, backward=backward)


def loss_with_slopes(loss: Loss, choice: Choice) -> Loss:
    """Return the loss with the chosen ∂ℓ/∂a."""

    def gradient(_: Loss, at: LossContext) -> Op:
        differentiate, where = loss.gradient(at), choice.where.reshape(at.A.shape)

        def op() -> None:
            differentiate()
            at.dA[where] = choice.slopes

        return op

    return overriding(loss, gradient=gradient)


def prelu_with_slopes(layer: Prelu, choice: Choice) -> Prelu:
    """Return the layer with the chosen slopes at its kinks."""

    def backward(_: Prelu, context: LayerContext) -> Ops:
        (dX,), dZ = context.d_inputs, context.d_result
        ops = layer.backward(context)
        if dX is None or dX.shape != choice.where.shape:
            return ops
        into = dX

        def op() -> None:
            into[choice.where] = choice.slopes * dZ[choice.where]

        return [*ops, op]

    return overriding(layer, backward=backward)


def pool_with_shares(layer: MaxPool2D, choice: Choice) -> MaxPool2D:
    """Return the pool with the chosen shares in windows of several equal numbers."""

    def backward(_: MaxPool2D, context: LayerContext) -> Ops:
        (X,), (dX,), dZ, Z = context.inputs, context.d_inputs, context.d_result, context.result
        if dX is None:
            return []
        into = dX

        def op() -> None:
            into.fill(0)
            shares = np.zeros(choice.where.shape)
            shares[choice.where] = choice.slopes
            tied = np.zeros(Z.shape, bool)
            start = 0
            for kept in (False, True):  # The windows with ties first, then all of them.
                start = 0
                for (windows, numbers), (deltas, arriving), (marked, _) in zip(
                    layer.offsets(Z, X), layer.offsets(dZ, into), layer.offsets(tied, X), strict=True
                ):
                    part = slice(start, start + windows.size)
                    start += windows.size
                    here = choice.where[part].reshape(windows.shape)
                    if not kept:
                        marked |= here
                    else:
                        share = np.where(marked, shares[part].reshape(windows.shape), windows == numbers)
                        np.add(arriving, share * deltas, arriving)

        return [op]

    return overriding(layer, backward=backward)
