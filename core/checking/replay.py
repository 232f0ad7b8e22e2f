"""Replay: a mistake is named only if its wrong formula, run on the user's own numbers, reproduces the submission."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from core.arrays import Array
from core.checking.comparison import Comparator
from core.checking.effort import Effort
from core.checking.evidence import different, is_sure
from core.checking.formulas import RIGHT, Formulas
from core.checking.mistakes.base import Fitted, Mistake
from core.checking.mistakes.sizes import is_product_of_sizes
from core.checking.mistakes.unknown_factor import UnknownFactor
from core.checking.quantity import Quantity
from core.checking.trace import Trace
from core.checking.trials import Replayed, Scope, Trial, in_proportion, pairs, singles
from core.errors import Refusal

ENOUGH = 64
"""Numbers in which a direction is looked at, whether it is one number in every place."""

Made = Callable[[Formulas, Trace], Array]
"""Computes the tensor that a program with these formulas submits, from the trace before the rule."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A mistake, or two, whose replay reproduces a submission."""

    mistakes: tuple[type[Mistake], ...]
    formulas: Formulas
    residual: float | None
    """‖yours − replayed‖ / ‖yours‖; None if only what follows from the tensor was compared, not the tensor itself."""
    sure: bool
    """True if too many independent numbers agree for a coincidence."""

    @property
    def slug(self) -> str:
        """Its name in an answer."""
        return "+".join(mistake.slug for mistake in self.mistakes)

    @property
    def is_factor(self) -> bool:
        """True if a constant factor is all that is wrong."""
        return all(mistake.plain for mistake in self.mistakes)

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
    effort: Effort | None = None,
    scope: Scope = "rule",
) -> list[Finding]:
    """Return the mistakes in the rule of `struck` that reproduce all of `yours`: single ones, or pairs if there are none.

    Args:
        comparator: decides whether two tensors agree.
        trace: the numbers before the rule.
        struck: the quantity whose rule is examined.
        yours: the submitted tensors.
        made: the function that computes each of these from the rule.
        effort: what is left of the replays; None for no limit.
        scope: what is explained.
    """
    effort = effort or Effort(lambda: None)
    if effort.is_over:
        return []
    rule = _Rule(comparator, trace, yours, made, effort)
    single = singles(trace, struck, scope)
    replayed: list[Replayed] = []
    found = _without_needless_fits(list(rule.reproducing(single, replayed)))
    trials: list[Trial] = []
    if not found and not effort.is_spent:
        numbers = rule.flat(rule.right), rule.flat(yours)
        trials = list(pairs(trace, struck, replayed, *numbers, scope, rule.penalty()))
    elif found and all(each.slug == UnknownFactor.slug for each in found):
        trials = list(in_proportion(trace, struck, replayed, rule.flat(yours), rule.penalty()))
    found += [each for each in rule.reproducing(trials, [], tried=len(single) ** 2) if each.sure]
    return _one_of_each(found)


def _one_of_each(found: list[Finding]) -> list[Finding]:
    """Several forms of one mistake, such as f' from z and from a, are one reading."""
    first: dict[tuple[str, ...], Finding] = {}
    for each in found:
        first.setdefault(tuple(sorted(mistake.slug for mistake in each.mistakes)), each)
    return list(first.values())


def _without_needless_fits(found: list[Finding]) -> list[Finding]:
    """A number that least squares choose explains nothing that a mistake without such a number explains."""
    exact = [each for each in found if not isinstance(each.formulas, Fitted)]
    if not exact:
        return found
    plain = all(each.plain for each in exact[0].mistakes)
    return [
        each
        for each in found
        if not isinstance(each.formulas, Fitted)
        or (plain and abs(each.formulas.factor - round(each.formulas.factor)) < 1e-6)
    ]


class _Rule:
    """One rule with the submitted tensors that depend on it."""

    def __init__(
        self,
        comparator: Comparator,
        trace: Trace,
        yours: Mapping[Quantity, Array],
        made: Mapping[Quantity, Made],
        effort: Effort,
    ) -> None:
        self._comparator, self._trace, self._yours, self._made, self._effort = comparator, trace, yours, made, effort
        self._numbers = sum(array.size for array in yours.values())
        self.right = {quantity: made_by(rule, RIGHT, trace) for quantity, rule in made.items()}

    def reproducing(
        self, trials: Sequence[Trial], replayed: list[Replayed], tried: int | None = None
    ) -> Iterator[Finding]:
        """Yield the trials that reproduce the submission; `replayed` receives the numbers of the single mistakes."""
        for trial in trials:
            if self._effort.is_over or (tried is not None and self._effort.is_spent):
                return
            formulas = trial.formulas
            if isinstance(formulas, Fitted) and not fit(formulas, self._trace, self._yours, self._made):
                continue
            self._effort.spend(self._numbers)
            results = self._results(formulas)
            if len(trial.mistakes) == 1 and len(results) == len(self._yours):
                replayed.append(Replayed(trial.mistakes[0], self.flat(results)))
            if len(results) < len(self._yours) or not self._reproduces(formulas, results):
                continue
            sure = is_sure(self._comparator, self._yours, self.right, results, tried or len(trials), trial.mistakes)
            if isinstance(formulas, UnknownFactor):
                sure = sure and not any(
                    is_product_of_sizes(self._trace, quantity.layer, formulas.factor) for quantity in self._yours
                )
            yield Finding(trial.mistakes, formulas, _residual(self._yours, results), sure)

    def penalty(self) -> Array | None:
        """The part of all tensors that l2 adds, in one row of numbers; None if it adds nothing."""
        if self._trace.network.problem.objective is None or self._trace.network.objective.loss.l2 == 0:
            return None
        parts = [
            RIGHT.regularisation(self._trace, quantity.layer, quantity.name)
            if quantity.part == "gradients"
            else np.zeros_like(array)
            for quantity, array in self._yours.items()
        ]
        numbers = np.concatenate([np.ravel(each) for each in parts])
        return numbers if numbers.size == sum(array.size for array in self._yours.values()) else None

    def flat(self, arrays: Mapping[Quantity, Array]) -> Array:
        """All tensors in one row of numbers."""
        return np.concatenate([np.ravel(arrays[quantity]) for quantity in self._yours])

    def _results(self, formulas: Formulas) -> dict[Quantity, Array]:
        """Return what the formulas give, up to the first tensor of a wrong shape."""
        results = {}
        for quantity, rule in self._made.items():
            result = made_by(rule, formulas, self._trace)
            if result.shape != self._yours[quantity].shape:
                break
            results[quantity] = result
        return results

    def _reproduces(self, formulas: Formulas, results: Mapping[Quantity, Array]) -> bool:
        return all(
            self._comparator.agrees(
                self._yours[quantity], partial(made_by, self._made[quantity], formulas), self._trace, array
            )
            for quantity, array in results.items()
        ) and any(self._comparator.differs(array, self.right[quantity]) for quantity, array in results.items())


def made_by(rule: Made, formulas: Formulas, trace: Trace) -> Array:
    """Return the result of a rule, or an empty array, which agrees with none, if the mistake does not fit the shapes."""
    with np.errstate(all="ignore"):
        try:
            return np.asarray(rule(formulas, trace))
        except (ValueError, TypeError, IndexError, KeyError, np.linalg.LinAlgError, Refusal):
            return np.full(0, np.nan)


def fit(formulas: Fitted, trace: Trace, yours: Mapping[Quantity, Array], made: Mapping[Quantity, Made]) -> bool:
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
    if (
        not np.isfinite(square)
        or not square  # The squares of numbers below 1e-162 are 0.
        or np.count_nonzero(direction) < 3
        or different(direction[direction != 0][:ENOUGH]).size < 2
    ):
        return False  # A multiple of one number, in however many places, is any function of it.
    formulas.factor = float(difference @ direction) / square
    return math.isfinite(formulas.factor) and formulas.factor != 0 and formulas.accepts(trace, formulas.factor)


def _residual(yours: Mapping[Quantity, Array], replayed: Mapping[Quantity, Array]) -> float:
    scale = max((float(np.abs(array).max(initial=0)) for array in yours.values()), default=0.0) or 1.0
    size = math.hypot(*(float(np.linalg.norm(array / scale)) for array in yours.values()), 0.0)
    apart = math.hypot(*(float(np.linalg.norm((yours[q] - replayed[q]) / scale)) for q in yours), 0.0)
    return apart / size if size else apart
