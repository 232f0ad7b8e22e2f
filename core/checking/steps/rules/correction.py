"""Mistakes in the bias correction of Adam and AdamW, and in the number of the step that enters it."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.checking.steps.moment import Moment
from core.checking.steps.rules.families import WithMoments
from core.optimizers.moments import ByMoments

ONE_STEP = "in the first step β^t is β; send two steps"


class _Correction(WithMoments):
    """A mistake in the bias correction of the moments of these orders."""

    aspect = "correction"
    orders: ClassVar[tuple[int, ...]] = (1, 2)

    def applies(self, now: Moment) -> bool:
        optimizer = now.optimizer
        return super().applies(now) and not (
            isinstance(optimizer, ByMoments) and optimizer.amsgrad and optimizer.variant == "ruder"
        )

    def wrongly(self, now: Moment, moment: Array, beta: float) -> Array:
        """Return a moment as the mistake corrects it."""
        raise NotImplementedError

    def corrected(self, now: Moment, moment: Array, beta: float, order: int) -> Array:
        if order in self.orders:
            return np.asarray(self.wrongly(now, moment, beta))
        return super().corrected(now, moment, beta, order)


class PowerLeftOut(_Correction):
    """m / (1 − β) in place of m / (1 − β^t)."""

    slug = "bias-correction-without-power"
    said = "Your bias correction divides by 1 − β instead of 1 − β^t: the power t is left out"
    wrong = r"\hat m = \frac{m}{1 - \beta_1}, \quad \hat v = \frac{v}{1 - \beta_2}"
    why = (
        "The moments start at 0 and after t steps have the weight 1 − β^t, by which they are divided. With 1 − β the first "
        "step is right, and later ones are too long."
    )
    unseen = ONE_STEP

    def wrongly(self, now: Moment, moment: Array, beta: float) -> Array:
        return moment / (1 - beta)


class PowerLeftOutOfFirst(PowerLeftOut):
    """The same for m alone."""

    slug = "bias-correction-of-first-moment-without-power"
    orders = (1,)
    said = "Your bias correction divides the first moment by 1 − β₁ instead of 1 − β₁^t"
    wrong = r"\hat m = \frac{m}{1 - \beta_1}"


class PowerLeftOutOfSecond(PowerLeftOut):
    """The same for v alone."""

    slug = "bias-correction-of-second-moment-without-power"
    orders = (2,)
    said = "Your bias correction divides the second moment by 1 − β₂ instead of 1 − β₂^t"
    wrong = r"\hat v = \frac{v}{1 - \beta_2}"


class CorrectionMultiplied(_Correction):
    """m (1 − β^t) in place of m / (1 − β^t)."""

    slug = "bias-correction-multiplied"
    said = "Your bias correction multiplies the moments by 1 − β^t instead of dividing by it"
    wrong = r"\hat m = m\, (1 - \beta_1^t), \quad \hat v = v\, (1 - \beta_2^t)"
    why = "The moments start at 0 and are too small by the factor 1 − β^t; dividing by it makes good for that."

    def wrongly(self, now: Moment, moment: Array, beta: float) -> Array:
        return moment * (1 - beta ** self.count(now))


class CorrectionMultipliedFirst(CorrectionMultiplied):
    """The same for m alone."""

    slug = "bias-correction-of-first-moment-multiplied"
    orders = (1,)
    said = "Your bias correction multiplies the first moment by 1 − β₁^t instead of dividing by it"
    wrong = r"\hat m = m\, (1 - \beta_1^t)"


class CorrectionMultipliedSecond(CorrectionMultiplied):
    """The same for v alone."""

    slug = "bias-correction-of-second-moment-multiplied"
    orders = (2,)
    said = "Your bias correction multiplies the second moment by 1 − β₂^t instead of dividing by it"
    wrong = r"\hat v = v\, (1 - \beta_2^t)"


class CorrectionLeftOut(_Correction):
    """m and v as they are."""

    slug = "bias-correction-left-out"
    said = "Your update uses the moments without bias correction"
    wrong = r"\hat m = m, \quad \hat v = v"
    why = "The moments start at 0 and are too small by the factor 1 − β^t at first; dividing by it makes good for that."

    def wrongly(self, now: Moment, moment: Array, beta: float) -> Array:
        return moment


class CorrectionLeftOutOfFirst(CorrectionLeftOut):
    """The same for m alone."""

    slug = "bias-correction-of-first-moment-left-out"
    orders = (1,)
    said = "Your update uses the first moment without bias correction"
    wrong = r"\hat m = m"


class CorrectionLeftOutOfSecond(CorrectionLeftOut):
    """The same for v alone."""

    slug = "bias-correction-of-second-moment-left-out"
    orders = (2,)
    said = "Your update uses the second moment without bias correction"
    wrong = r"\hat v = v"


class CorrectionStored(WithMoments):
    """The corrected moments are stored, and corrected again in the next step."""

    slug = "bias-correction-in-place"
    aspect = "correction stored"
    said = "Your bias correction changes the stored moments, so that the next step starts from corrected ones"
    wrong = r"m \leftarrow \frac{m}{1 - \beta_1^t}, \quad v \leftarrow \frac{v}{1 - \beta_2^t}"
    why = "The corrected moments are for this step alone: m and v are carried on uncorrected, or they are corrected twice."
    unseen = "the stored moments are not used before the second step; send two steps"

    def store(self, now: Moment, m: Array, v: Array) -> None:
        now.memory.slots["first_moment"][...] = m
        now.memory.slots["second_moment"][...] = v


class CountFromZero(WithMoments):
    """t − 1 in place of t."""

    slug = "counted-from-zero"
    aspect = "count"
    said = "Your update counts the steps from 0: its t is one too small"
    wrong = r"1 - \beta^{t-1}"
    why = "The first step has t = 1. With t = 0 the correction divides by 1 − β⁰ = 0."
    unseen = "the first step with t = 0 divides by 0"

    def count(self, now: Moment) -> int | Array:
        return now.t - 1


class CountAhead(WithMoments):
    """t + 1 in place of t."""

    slug = "counted-twice"
    aspect = "count"
    said = "Your update counts one step too many: its t is one too large"
    wrong = r"1 - \beta^{t+1}"
    why = "The first step has t = 1: increase the count once, before the correction."

    def count(self, now: Moment) -> int | Array:
        return now.t + 1


class CountedByParameter(WithMoments):
    """t grows with every parameter in place of every step."""

    slug = "counted-by-parameter"
    aspect = "count"
    said = "Your update increases t for every parameter instead of once a step"
    wrong = r"t \leftarrow t + 1 \text{ for each parameter}"
    why = "All parameters of one step share t: increase it once a step, outside the loop over the parameters."

    def count(self, now: Moment) -> int | Array:
        parameters = len(now.layout.slices)
        return np.asarray((now.t - 1) * parameters + now.layout.position + 1)


CORRECTION: tuple[type[WithMoments], ...] = (
    PowerLeftOut,
    CorrectionMultiplied,
    CorrectionLeftOut,
    CorrectionStored,
    PowerLeftOutOfFirst,
    PowerLeftOutOfSecond,
    CorrectionMultipliedFirst,
    CorrectionMultipliedSecond,
    CorrectionLeftOutOfFirst,
    CorrectionLeftOutOfSecond,
    CountFromZero,
    CountAhead,
    CountedByParameter,
)
