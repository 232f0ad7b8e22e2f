"""The agreement to expect of a submission, from the precision of its computation and the digits that were sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from core.arrays import Array
from core.checking.digits import BINARY, FLOAT32_DIGITS, Digits, digits_of, is_evident, may_be_float32
from core.checking.quantity import Quantity

RELATIVE = {"float64": 1e-8, "float32": 1e-5}
"""Relative difference that is always allowed, by the precision of the computation."""

UNITS = 16
"""The disturbance of every intermediate number, in units of its last place."""

AMPLIFIED = 4
"""The factor by which a difference may exceed the effect of such a disturbance."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """When two numbers agree."""

    rtol: float
    atol: float
    unit: float
    """Unit roundoff of the computation that was submitted."""
    digits: Digits | None = None
    """The rounding of all that was submitted."""
    chosen: bool = False
    """True if the caller chose the tolerance, so that nothing else is allowed."""
    by_quantity: Mapping[Quantity, Digits | None] = field(default_factory=dict)
    """The rounding of each submitted tensor."""
    scale_of_deltas: float = 1.0
    """What a reading multiplies the submitted deltas by, and half a unit of their last digit with them."""

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """The precision of the computation that was submitted."""
        return np.dtype(np.float32 if self.unit > np.finfo(np.float64).eps else np.float64)

    def allowed(self, expected: Array, digits: Digits | None = None) -> Array:
        """Return the allowed distance of a number from the expected one, without the effect of disturbances.

        Args:
            expected: the expected numbers.
            digits: to which the submitted ones are rounded. Default: that of all that was submitted.
        """
        size = np.abs(expected)
        allowed = self.atol + self.rtol * size
        if not self.chosen:
            allowed = allowed + AMPLIFIED * self.unit * size.max(initial=0)
        digits = digits or self.digits
        if digits is None:
            return np.asarray(allowed)
        # A number next to a power of ten may be rounded with the coarser unit beyond it.
        return np.asarray(allowed + digits.half_unit(size + digits.half_unit(size)) * (1 + 1e-6))

    def digits_for(self, quantity: Quantity) -> Digits | None:
        """Return the rounding of a submitted tensor, or of all of them."""
        digits = self.by_quantity.get(quantity, self.digits)
        if digits is None or quantity.part != "deltas" or self.scale_of_deltas == 1:
            return digits
        return replace(digits, scale=self.scale_of_deltas)

    def digits_in(self, yours: Array) -> Digits | None:
        """Return the rounding of an array that was submitted, whichever it is."""
        if self.chosen:
            return None
        if is_evident([yours]):
            scaled = self.scale_of_deltas
            if found := digits_of([yours]):
                return found
            if scaled != 1 and (found := digits_of([yours / scaled])):
                return replace(found, scale=scaled)
        return self.digits

    def scaling_deltas(self, scale: float) -> Criterion:
        """Return the criterion for a reading that multiplies the submitted deltas."""
        return self if scale == self.scale_of_deltas else replace(self, scale_of_deltas=scale)

    def __str__(self) -> str:
        text = f"|yours − expected| ≤ {self.atol:g} + {self.rtol:g} |expected|"
        if self.digits:
            text += f" + half a unit of the last digit sent ({self.digits})"
        elif any(self.by_quantity.values()):
            text += " + half a unit of the last digit sent, where a tensor is rounded"
        if not self.chosen:
            text += (
                f" + {AMPLIFIED * self.unit:.1e} times the largest number of the tensor + {AMPLIFIED} times the effect of "
                f"rounding, tried out by disturbing every number before it by {UNITS * self.unit:.1e} and computing in "
                f"{self.dtype.name}"
            )
        return text


def criterion_for(
    dtypes: set[str], values: Mapping[Quantity, Array], rtol: float | None, atol: float | None
) -> Criterion:
    """Return the criterion for a submission; `dtypes` are the precisions that it, or its tensors, say they have.

    Numbers of few digits may have been computed in float32, and so may the ones of full precision beside them: the whole
    submission is then compared as float32. A tensor too small to show its rounding is rounded like the others of its part.
    """
    chosen = rtol is not None or atol is not None
    said = next((Digits(binary=name) for name in BINARY if name in dtypes), None)
    digits = digits_of(values.values()) or said
    by_part = {
        part: _digits_shown([array for quantity, array in values.items() if quantity.part == part])
        for part in {quantity.part for quantity in values}
    }
    by_quantity = {
        quantity: _together(digits_of([array]) or said if is_evident([array]) else by_part[quantity.part], digits)
        for quantity, array in values.items()
    }
    short = digits is not None and (digits.significant or digits.decimals or 0) <= FLOAT32_DIGITS
    single = short or "float32" in dtypes or any(may_be_float32([array]) for array in values.values())
    name = "float32" if single or may_be_float32(values.values(), few=True) else "float64"
    return Criterion(
        rtol=RELATIVE[name] if rtol is None else rtol,
        atol=0.0 if atol is None else atol,
        unit=float(np.finfo(name).eps),
        digits=None if chosen else digits,
        chosen=chosen,
        by_quantity={} if chosen else by_quantity,
    )


def _digits_shown(arrays: Sequence[Array]) -> Digits | None:
    """Return the rounding of tensors that show it together."""
    return digits_of(arrays) if is_evident(arrays) else None


def _together(one: Digits | None, other: Digits | None) -> Digits | None:
    """Return the rounding of numbers for which either may be meant."""
    return other if one is None else one.or_else(other)
