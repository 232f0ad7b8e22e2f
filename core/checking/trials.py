"""Trials: the wrong formulas that are replayed for one rule, single mistakes first and then two at once.

Trying every two mistakes would take thousands of replays. But the numbers of two mistakes mostly follow from those of each:
a wrong factor of a product multiplies the right numbers, a wrong summand is added to them. So the numbers that two mistakes
would give are predicted from the single replays, and only pairs whose prediction agrees are replayed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.arrays import Array
from core.checking.mistakes import MISTAKES
from core.checking.mistakes.base import Fitted, Mistake, both
from core.checking.mistakes.shared.factor import ConstantFactor
from core.checking.mistakes.shared.kind import InsideLayer
from core.checking.mistakes.sizes import SizeFactor
from core.checking.quantity import Quantity
from core.checking.trace import Trace

SAMPLE = 24
"""Number of values in which a prediction is compared."""

FEW = 6
"""Number of values in which the predictions of all pairs are compared first."""

INSIDE = 12
"""Number of mistakes inside a layer, those nearest to the submission, that are tried two at a time."""

NEAR = 1e-3
"""Largest relative error of a prediction whose pair is replayed."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Formulas to try."""

    mistakes: tuple[type[Mistake], ...]
    formulas: Mistake


@dataclass(frozen=True, slots=True)
class Replayed:
    """The numbers that one mistake gives, all submitted tensors one after another; empty if a shape does not fit."""

    kind: type[Mistake]
    numbers: Array


_SIZED = (ConstantFactor, SizeFactor)
"""The factors that follow from the sizes of the problem."""

Scope = Literal["rule", "layer", "tensor"]
"""What is explained: a rule; all gradients of a layer at once, by a mistake inside it or a factor; or one of its gradients
after that has failed, by a mistake that concerns that gradient alone."""


def singles(trace: Trace, struck: Quantity, scope: Scope) -> list[Trial]:
    """Return the mistakes that are possible in a rule."""
    found = []
    for kind in MISTAKES:
        inside = issubclass(kind, InsideLayer)
        if scope == "layer" and not (inside or issubclass(kind, _SIZED)):
            continue
        if scope == "tensor" and inside and not kind.parameters:
            continue
        mistake = kind()
        if mistake.strikes_at(trace, struck):
            found.append(Trial((kind,), mistake))
            narrower = ((form, form()) for form in kind.forms(trace) if form is not kind)
            found += [Trial((form,), each) for form, each in narrower if each.strikes_at(trace, struck)]
    return found


def pairs(
    trace: Trace,
    struck: Quantity,
    single: Sequence[Replayed],
    right: Array,
    yours: Array,
    scope: Scope,
    penalty: Array | None = None,
) -> Iterator[Trial]:
    """Yield the pairs of mistakes that may reproduce the submitted numbers.

    Args:
        trace: the numbers before the rule.
        struck: the quantity whose rule is examined.
        single: what each mistake gives.
        right: what the right rule gives.
        yours: what was submitted.
        scope: what is explained. Two mistakes inside a layer are tried only for all its gradients at once.
        penalty: the part of the numbers that a factor leaves as it is; None for none.
    """
    fitting = (each for each in single if each.numbers.shape == yours.shape)
    usable = [each for each in fitting if np.isfinite(each.numbers).all()]
    structural = [each for each in usable if not _is_factor(each.kind) and not each.kind.alone]
    factors = [each for each in usable if issubclass(each.kind, _SIZED)]
    yield from in_proportion(trace, struck, usable, yours, penalty)
    if right.shape == yours.shape and len(structural) > 1:
        yield from _predicted([*structural, *factors] if penalty is not None else structural, right, yours)
    within = [each for each in structural if scope == "layer" and issubclass(each.kind, InsideLayer)]
    nearest = sorted(within, key=lambda each: float(np.linalg.norm(each.numbers - yours)))[:INSIDE]
    yield from _inside_one_layer(nearest)


def _is_factor(kind: type[Mistake]) -> bool:
    return kind.plain or issubclass(kind, (Fitted, ConstantFactor))


def in_proportion(
    trace: Trace, struck: Quantity, single: Sequence[Replayed], yours: Array, penalty: Array | None = None
) -> Iterator[Trial]:
    """Yield a size with a mistake of another sort, if the submission is that multiple of the mistake's result.

    All sizes that are that multiple are yielded, so that none is named without the others.
    """
    multipliers: dict[type[ConstantFactor | SizeFactor], float] = {}
    for kind in dict.fromkeys(each.kind for each in single):
        if issubclass(kind, ConstantFactor | SizeFactor):
            multipliers[kind] = kind().multiplier_at(trace, struck.layer)
    data = yours if penalty is None else yours - penalty
    size = float(np.linalg.norm(data))
    most = np.argpartition(-np.abs(data), SAMPLE - 1)[:SAMPLE] if data.size > SAMPLE else slice(None)
    for each in single:
        if _is_factor(each.kind) or each.numbers.shape != yours.shape:
            continue
        numbers = each.numbers if penalty is None else each.numbers - penalty
        if not _are_multiples(numbers[most], data[most], size):
            continue
        square = float(np.vdot(numbers, numbers))
        if not (np.isfinite(square) and square > 0):
            continue
        ratio = float(np.vdot(data, numbers)) / square
        if float(np.linalg.norm(data - ratio * numbers)) > NEAR * size:
            continue
        for factor, multiplier in multipliers.items():
            if abs(ratio - multiplier) <= NEAR * abs(multiplier):
                yield Trial((factor, each.kind), both(factor, each.kind))


def _are_multiples(numbers: Array, data: Array, size: float) -> bool:
    """Return True if a few numbers, the largest of the submission, do not rule out that all are multiples."""
    square = float(np.vdot(numbers, numbers))
    if not (np.isfinite(square) and square > 0):
        return False
    return float(np.linalg.norm(data - float(np.vdot(data, numbers)) / square * numbers)) <= 4 * NEAR * size


def _predicted(single: Sequence[Replayed], right: Array, yours: Array) -> Iterator[Trial]:
    """Yield the pairs whose numbers, as far as they follow from the single ones, are those of the submission."""
    at = np.argsort(-np.abs(yours - right), kind="stable")[:SAMPLE]
    P, r, y = np.stack([each.numbers[at] for each in single]), right[at], yours[at]
    near = NEAR * (np.abs(y).max(initial=0) or 1.0)
    changed = np.abs(P - r).max(axis=1) > near
    few = np.linspace(0, len(at) - 1, min(FEW, len(at))).astype(int)
    likely = _apart(P[:, None, few], P[None][..., few], r[few], y[few]) <= near
    likely &= changed[:, None] & changed
    for first, second in np.argwhere(np.triu(likely, 1)):
        one, other = single[first].kind, single[second].kind
        if _apart(P[first], P[second], r, y) > near:
            continue
        if _is_factor(one) and _is_factor(other):
            continue
        if not issubclass(one, other) and not issubclass(other, one):
            yield Trial((one, other), both(one, other))


def _apart(first: Array, second: Array, right: Array, yours: Array) -> Array:
    """Return the distance of the submission from the nearer of two predictions, for many pairs at once."""
    with np.errstate(all="ignore"):
        product = np.abs(first * second / right - yours).max(axis=-1)
    return np.asarray(np.fmin(product, np.abs(first + second - right - yours).max(axis=-1)))


def _inside_one_layer(single: Sequence[Replayed]) -> Iterator[Trial]:
    """Yield the pairs of mistakes in different terms of one layer's backward pass, which cannot be predicted."""
    kinds = [(each.kind, _own(each.kind)) for each in single]
    for position, (first, own) in enumerate(kinds):
        for second, others in kinds[position + 1 :]:
            if own and others and not own & others and _common_base(first, second):
                yield Trial((first, second), both(first, second))


def _own(kind: type[Mistake]) -> frozenset[str]:
    """Return the names of the terms that a mistake overrides in a written-out backward pass."""
    names: set[str] = set()
    for each in kind.__mro__:
        if _is_written_out(each):
            break
        names |= {name for name, value in vars(each).items() if callable(value) and not name.startswith("__")}
    return frozenset(names - {"applies", "is_kind", "strikes_at"})


def _common_base(first: type[Mistake], second: type[Mistake]) -> bool:
    """Return True if both change the same written-out backward pass, so that each finds the other's terms."""
    shared = [each for each in first.__mro__ if each in second.__mro__ and issubclass(each, InsideLayer)]
    return any(_is_written_out(each) for each in shared)


def _is_written_out(kind: type) -> bool:
    """Return True for a base class that writes out the right backward pass of some kinds of layers."""
    return "kinds" in vars(kind) and "slug" not in vars(kind)
