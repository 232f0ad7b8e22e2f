"""Replay: a mistake is named only if its wrong formula, run on the user's own numbers, reproduces the submission."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from core.arrays import Array
from core.checking.comparison import Comparator
from core.checking.formulas import RIGHT, Formulas
from core.checking.mistakes import MISTAKES
from core.checking.mistakes.base import Fitted, Mistake, both
from core.checking.mistakes.shared.factor import ConstantFactor
from core.checking.quantity import Quantity
from core.checking.trace import Trace

Made = Callable[[Formulas, Trace], Array]
"""Computes the tensor that a program with these formulas submits, from the trace before the rule."""

SURE = 2.0
"""Decimal digits of agreement that must remain as evidence after those that the choice among all mistakes explains."""


LARGE = 20_000
"""For a submission of more numbers, the only pairs tried are a constant factor with another mistake."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A mistake, or two, whose replay reproduces a submission."""

    mistakes: tuple[type[Mistake], ...]
    formulas: Formulas
    residual: float | None
    """‖yours − replayed‖ / ‖yours‖; None if only what follows from the tensor was compared, not the tensor itself."""
    sure: bool
    """True if too many numbers agree for a coincidence."""

    @property
    def slug(self) -> str:
        """Its name in an answer."""
        return "+".join(mistake.slug for mistake in self.mistakes)

    @property
    def factor(self) -> float | None:
        """The number found by least squares, if there is one."""
        return self.formulas.factor if isinstance(self.formulas, Fitted) else None


def findings(
    comparator: Comparator,
    trace: Trace,
    struck: Quantity,
    yours: Mapping[Quantity, Array],
    made: Mapping[Quantity, Made],
) -> list[Finding]:
    """Return the mistakes in the rule of `struck` that reproduce all of `yours`: single ones, or pairs if there are none.

    Args:
        comparator: decides whether two tensors agree.
        trace: the numbers before the rule.
        struck: the quantity whose rule is examined.
        yours: the submitted tensors.
        made: the function that computes each of these from the rule.
    """
    right = {quantity: rule(RIGHT, trace) for quantity, rule in made.items()}
    concerned = [kind for kind in MISTAKES if kind().strikes_at(trace, struck)]
    single = [Trial((kind,), kind()) for kind in concerned]
    found = list(_reproducing(comparator, trace, single, right, yours, made))
    if not found:
        pairs = list(_pairs(concerned))
        if sum(array.size for array in yours.values()) > LARGE:
            pairs = list(_in_proportion(concerned, trace, yours, made))
        found = [finding for finding in _reproducing(comparator, trace, pairs, right, yours, made) if finding.sure]
    return found


@dataclass(frozen=True, slots=True)
class Trial:
    """Formulas to try."""

    mistakes: tuple[type[Mistake], ...]
    formulas: Mistake


def _pairs(concerned: Sequence[type[Mistake]]) -> Iterator[Trial]:
    """Yield pairs of mistakes in one rule, except two constant factors or a fitted number, which cannot be told apart."""
    for position, first in enumerate(concerned):
        for second in concerned[position + 1 :]:
            fitted = issubclass(first, Fitted) or issubclass(second, Fitted)
            same = issubclass(first, second) or issubclass(second, first)
            if not fitted and not same and not (first.plain and second.plain):
                yield Trial((first, second), both(first, second))


def _in_proportion(
    concerned: Sequence[type[Mistake]],
    trace: Trace,
    yours: Mapping[Quantity, Array],
    made: Mapping[Quantity, Made],
) -> Iterator[Trial]:
    """Yield pairs of a mistake and a constant factor, if the submission is that multiple of the mistake's result."""
    plain = [kind for kind in concerned if kind.plain]
    multipliers = {kind: kind().multiplier(trace) for kind in plain if issubclass(kind, ConstantFactor)}
    quantity, rule = max(made.items(), key=lambda item: yours[item[0]].size)
    for kind in concerned:
        if kind.plain or issubclass(kind, Fitted):
            continue
        replayed = made_by(rule, kind(), trace)
        square = float(np.vdot(replayed, replayed))
        if replayed.shape != yours[quantity].shape or not square > 0:
            continue
        ratio = float(np.vdot(yours[quantity], replayed)) / square
        for factor, multiplier in multipliers.items():
            if abs(ratio - multiplier) <= 1e-3 * abs(multiplier):
                yield Trial((factor, kind), both(factor, kind))


def _reproducing(
    comparator: Comparator,
    trace: Trace,
    trials: Sequence[Trial] | Iterator[Trial],
    right: Mapping[Quantity, Array],
    yours: Mapping[Quantity, Array],
    made: Mapping[Quantity, Made],
) -> Iterator[Finding]:
    trials = list(trials)
    for trial in trials:
        formulas = trial.formulas
        if isinstance(formulas, Fitted) and not _fit(formulas, trace, yours, made):
            continue
        replayed = {quantity: made_by(rule, formulas, trace) for quantity, rule in made.items()}
        if not any(comparator.differs(array, right[quantity]) for quantity, array in replayed.items()):
            continue
        if all(
            comparator.agrees(yours[quantity], partial(made_by, made[quantity], formulas), trace, array)
            for quantity, array in replayed.items()
        ):
            residual = _residual(yours, replayed)
            yield Finding(trial.mistakes, formulas, residual, _is_sure(comparator, yours, len(trials), formulas))


def made_by(rule: Made, formulas: Formulas, trace: Trace) -> Array:
    """Return the result of a rule, or an empty array, which agrees with none, if the mistake does not fit the shapes."""
    with np.errstate(all="ignore"):
        try:
            return np.asarray(rule(formulas, trace))
        except (ValueError, TypeError, IndexError, np.linalg.LinAlgError):
            return np.full(0, np.nan)


def _fit(formulas: Fitted, trace: Trace, yours: Mapping[Quantity, Array], made: Mapping[Quantity, Made]) -> bool:
    """Find the number in the formulas by least squares. Return False if the data do not overdetermine it."""
    differences, directions = [], []
    for quantity, rule in made.items():
        formulas.factor = 0.0
        without = made_by(rule, formulas, trace)
        formulas.factor = 1.0
        along = made_by(rule, formulas, trace) - without
        if without.shape != yours[quantity].shape:
            return False
        differences.append((yours[quantity] - without).ravel())
        directions.append(along.ravel())
    difference, direction = np.concatenate(differences), np.concatenate(directions)
    square = float(direction @ direction)
    if not np.isfinite(square) or np.count_nonzero(direction) < 3:
        return False
    formulas.factor = float(difference @ direction) / square
    return math.isfinite(formulas.factor) and formulas.factor != 0 and formulas.accepts(trace, formulas.factor)


def _residual(yours: Mapping[Quantity, Array], replayed: Mapping[Quantity, Array]) -> float:
    scale = max((float(np.abs(array).max(initial=0)) for array in yours.values()), default=0.0) or 1.0
    size = math.hypot(*(float(np.linalg.norm(array / scale)) for array in yours.values()), 0.0)
    apart = math.hypot(*(float(np.linalg.norm((yours[q] - replayed[q]) / scale)) for q in yours), 0.0)
    return apart / size if size else apart


def _is_sure(comparator: Comparator, yours: Mapping[Quantity, Array], tried: int, formulas: Formulas) -> bool:
    """Return True if more digits agree than a choice among everything that was tried gives by chance."""
    digits = 0.0
    for array in yours.values():
        size = np.abs(array[np.nonzero(array)]) if array.ndim else np.abs(np.atleast_1d(array))
        with np.errstate(divide="ignore"):
            precision = -np.log10(np.clip(comparator.criterion.allowed(size) / np.where(size == 0, 1, size), 1e-17, 1))
        digits += float(precision.sum())
    spent = math.log10(max(tried, 1)) + (3.0 if isinstance(formulas, Fitted) else 0.0)
    return digits >= spent + SURE
