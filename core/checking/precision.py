"""The agreement to expect of a submission, from the precision of its computation and the digits that were sent.

Two correct programs differ by rounding. By how much depends on the place: 1 − a loses the digits of a saturated sigmoid,
a sum may cancel. So rounding is tested instead of estimated: the same rules run again with every intermediate number
disturbed by a few units of its last place, and a number that moves by some amount may differ by that amount.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from core.arrays import Array
from core.checking.formulas import Formulas
from core.checking.trace import Network, Trace
from core.derivatives.certificate import read_as_classes

RELATIVE = {"float64": 1e-8, "float32": 1e-5}
"""Relative difference that is always allowed, by the precision of the computation."""

UNITS = 16
"""The disturbance of every intermediate number, in units of its last place."""

AMPLIFIED = 4
"""The factor by which a difference may exceed the effect of such a disturbance."""

FEWEST_DIGITS, MOST_DIGITS = 3, 12
FLOAT32_DIGITS = 9
"""A float32 in its shortest form has at most this many digits: numbers with no more may be float32."""

SAMPLE = 2048
"""Number of values whose digits are examined."""


@dataclass(frozen=True, slots=True)
class Digits:
    """The rounding of the numbers of a submission."""

    significant: int | None = None
    decimals: int | None = None

    def half_unit(self, values: Array) -> Array:
        """Return half a unit of the last digit that was sent."""
        if self.decimals is not None:
            return np.full(np.shape(values), 0.5 * 10.0**-self.decimals)
        size = np.abs(np.real(values))
        exponents = np.floor(np.log10(np.where(size == 0, 1, size)))
        return np.where(size == 0, 0.0, 0.5 * 10.0 ** (exponents - (self.significant or 17) + 1))

    def __str__(self) -> str:
        if self.decimals is not None:
            return f"{self.decimals} decimal places"
        return f"{self.significant} significant digits"


def digits_of(arrays: Iterable[Array]) -> Digits | None:
    """Return the digits to which all these numbers are rounded, or None if they are not rounded."""
    numbers = np.concatenate([np.ravel(array)[:SAMPLE] for array in arrays] or [np.zeros(0)]).astype(np.float64)
    numbers = numbers[numbers != 0]
    if not len(numbers):
        return None
    exact = 4 * np.finfo(np.float64).eps * np.abs(numbers)
    exponents = np.floor(np.log10(np.abs(numbers)))
    found = []
    for digits in range(FEWEST_DIGITS, MOST_DIGITS + 1):
        if np.all(np.abs(np.round(numbers, digits) - numbers) <= exact):
            found.append(Digits(decimals=digits))
            break
    for digits in range(FEWEST_DIGITS, MOST_DIGITS + 1):
        scale = 10.0 ** (digits - 1 - exponents)
        with np.errstate(all="ignore"):
            if np.all(np.abs(np.rint(numbers * scale) / scale - numbers) <= exact):
                found.append(Digits(significant=digits))
                break
    # Numbers of d decimal places have s significant digits for some s, and the other way round; the coarser form is meant.
    return max(found, key=lambda each: float(np.log(each.half_unit(numbers)).mean()), default=None)


@dataclass(frozen=True, slots=True)
class Criterion:
    """When two numbers agree."""

    rtol: float
    atol: float
    unit: float
    """Unit roundoff of the computation that was submitted."""
    digits: Digits | None = None
    chosen: bool = False
    """True if the caller chose the tolerance, so that nothing else is allowed."""

    def allowed(self, expected: Array) -> Array:
        """Return the allowed distance of a number from the expected one, without the effect of disturbances."""
        size = np.abs(expected)
        allowed = self.atol + self.rtol * size
        if not self.chosen:
            allowed = allowed + AMPLIFIED * self.unit * size.max(initial=0)
        return np.asarray(allowed if self.digits is None else allowed + self.digits.half_unit(expected) * (1 + 1e-6))

    def __str__(self) -> str:
        text = f"|yours − expected| ≤ {self.atol:g} + {self.rtol:g} |expected|"
        if self.digits:
            text += f" + half a unit of the last digit sent ({self.digits})"
        if not self.chosen:
            text += (
                f" + {AMPLIFIED * self.unit:.1e} times the largest number of the tensor + {AMPLIFIED} times the effect of "
                f"rounding, tried out by disturbing every number before it by {UNITS * self.unit:.1e}"
            )
        return text


def criterion_for(dtypes: set[str], arrays: Iterable[Array], rtol: float | None, atol: float | None) -> Criterion:
    """The criterion for a submission; `dtypes` are the precisions that it, or its tensors, say they have."""
    arrays = list(arrays)
    digits = digits_of(arrays)
    short = digits is not None and (digits.significant or digits.decimals or 0) <= FLOAT32_DIGITS
    single = "float32" in dtypes or short or _all_single(arrays)
    name = "float32" if single else "float64"
    return Criterion(
        rtol=RELATIVE[name] if rtol is None else rtol,
        atol=0.0 if atol is None else atol,
        unit=float(np.finfo(name).eps),
        digits=digits if rtol is None and atol is None else None,
        chosen=rtol is not None or atol is not None,
    )


def _all_single(arrays: list[Array]) -> bool:
    """Return True if all numbers are float32, and not only because they have few digits."""
    numbers = np.concatenate([np.ravel(array)[:SAMPLE] for array in arrays] or [np.zeros(0)]).astype(np.float64)
    with np.errstate(over="ignore"):
        single = numbers.astype(np.float32).astype(np.float64)
    coarse = numbers.astype(np.float16).astype(np.float64) if np.abs(numbers).max(initial=0) < 6e4 else single + 1
    return bool(np.all(numbers == single) and np.any(numbers != coarse))


class Disturbed(Formulas):
    """The right rules on a machine with a little less precision: every number is disturbed as soon as it is there."""

    def __init__(self, unit: float, seed: int) -> None:
        self._size = UNITS * unit
        self._generator = np.random.Generator(np.random.PCG64(seed))

    def moved(self, array: Array) -> Array:
        """An array with every number disturbed."""
        return np.asarray(array * (1 + self._size * self._generator.uniform(-1, 1, array.shape)))

    def around(self, array: Array) -> Array:
        """The same for a function's values, whose small ones may be differences of large ones: 1 − (1 − a) for a sigmoid."""
        slack = self._size * np.abs(array).max(initial=0) * self._generator.uniform(-1, 1, array.shape)
        return np.asarray(self.moved(array) + np.where(array == 0, 0, slack))

    def preactivation(self, trace: Trace, layer: str) -> Array:
        return self.moved(super().preactivation(trace, layer))

    def activation(self, trace: Trace, layer: str) -> Array:
        return self.around(super().activation(trace, layer))

    def loss(self, trace: Trace) -> Array:
        """From the output and not from its logits, as most programs do: log(1 − a) loses what a saturated a has left."""
        return super().loss(replace(trace, given=frozenset({(trace.network.last, "activations")})))

    def through_activation(self, trace: Trace, layer: str, dA: Array) -> Array:
        return self.moved(super().through_activation(trace, layer, self.moved(dA)))

    def output_delta(self, trace: Trace) -> Array:
        return self.moved(super().output_delta(trace))


def disturb_network(network: Network, formulas: Disturbed) -> Network:
    """The network with every parameter and every input disturbed; class numbers stay as they are."""
    problem, still = network.problem, read_as_classes(network.problem.nodes)
    return Network(
        replace(
            problem,
            inputs={
                name: array if name in still else formulas.moved(array.astype(np.float64))
                for name, array in problem.inputs.items()
            },
            parameters={
                layer: {name: formulas.moved(array.astype(np.float64)) for name, array in named.items()}
                for layer, named in problem.parameters.items()
            },
        )
    )


def disturb(trace: Trace, network: Network, formulas: Disturbed, digits: Digits | None) -> Trace:
    """The same trace with every number disturbed: by rounding, and by half a unit of the digits that were sent.

    Args:
        trace: what is disturbed.
        network: its network, disturbed.
        formulas: whose precision it is.
        digits: to which a submission is rounded.
    """
    generator = np.random.Generator(np.random.PCG64(len(trace.deltas)))

    def moved(array: Array) -> Array:
        near = formulas.moved(array)
        return near if digits is None else near + digits.half_unit(array) * generator.uniform(-1, 1, array.shape)

    still = read_as_classes(network.problem.nodes)
    found = Trace(network, given=trace.given)
    found.preactivations = {name: moved(array) for name, array in trace.preactivations.items()}
    found.activations = {
        name: network.inputs[name]
        if name in network.inputs
        else array
        if name in still
        else moved(formulas.around(array))
        for name, array in trace.activations.items()
    }
    found.deltas = {name: moved(array) for name, array in trace.deltas.items()}
    return found
