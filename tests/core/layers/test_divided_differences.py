"""Divided differences against sixty decimal digits, and against whole-number arithmetic."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.linalg.functions import Logarithm, Power, SpectralFunction, WholePower

positive = st.floats(1e-8, 1e8)
nearness = st.sampled_from([0.0, 1e-16, 1e-12, 1e-8, 1e-4, 9e-4, 1.1e-3, 0.1, 3.0])


def quotient(function: str, a: float, b: float, p: float) -> float:
    """f[a, b] with 100 digits."""
    with localcontext() as context:
        context.prec = 100
        x, y, e = Decimal(a), Decimal(b), Decimal(p)
        if x == y:
            return float(1 / x if function == "log" else e * x ** (e - 1))
        return float((x.ln() - y.ln()) / (x - y) if function == "log" else (x**e - y**e) / (x - y))


@given(b=positive, nearness=nearness, p=st.sampled_from([0.5, -0.5, 1.5, -3.7, 0.01]))
@example(b=1.0, nearness=0.0, p=0.5)
def test_they_keep_all_digits_however_near_the_values_are(b: float, nearness: float, p: float) -> None:
    a = b * (1 + nearness)
    values = np.array([a, b])
    functions: dict[str, SpectralFunction] = {"log": Logarithm(), "power": Power(p)}
    for name, function in functions.items():
        found = function.divided_differences(values)
        expected = [[quotient(name, x, y, p) for y in (a, b)] for x in (a, b)]
        np.testing.assert_allclose(found, expected, rtol=2e-14)


@given(a=st.integers(-9, 9).map(float), b=st.integers(-9, 9).map(float), exponent=st.integers(-6, 9))
def test_whole_powers_are_exact_sums(a: float, b: float, exponent: int) -> None:
    if exponent < 0 and 0 in (a, b):
        return
    x, y = Fraction(a), Fraction(b)
    slope = exponent * x ** (exponent - 1) if exponent else Fraction(0)
    expected = slope if x == y else (x**exponent - y**exponent) / (x - y)
    found = WholePower(exponent).divided_difference(np.array(a), np.array(b))
    np.testing.assert_allclose(found, float(expected), rtol=1e-14)
    np.testing.assert_allclose(WholePower(exponent).value(np.array(a)), float(x**exponent), rtol=1e-15)


@pytest.mark.parametrize("function", [Logarithm(), Power(0.5), Power(-1.7), WholePower(5), WholePower(-3)])
@pytest.mark.parametrize("b", [2.0, 2.0 * (1 + 1e-9), 2.002, 3.0])
def test_a_complex_step_passes(function: SpectralFunction, b: float) -> None:
    """d f[a, b]/da by complex step, against a symmetric difference of the digits-keeping real form."""
    a, h = np.array(2.0), 1e-4
    step = np.imag(function.divided_difference(a + 1e-30j, np.array(b) + 0j)) / 1e-30
    near, far = (
        function.divided_difference(a + k * h, np.array(b)) - function.divided_difference(a - k * h, np.array(b))
        for k in (1, 2)
    )
    np.testing.assert_allclose(step, (8 * near - far) / (12 * h), rtol=1e-6)
