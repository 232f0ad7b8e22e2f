"""The normal distribution function against that of the C library."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.activations.normal import error_function_complement, normal_distribution
from tests.gradient import STEP

# Every branch of the approximation, its ends among them.
X = np.concatenate([np.linspace(-7, 27, 3001), [0, 0.84375, -0.84375, 1.25, -1.25, 1 / 0.35, 1e-300, -1e-9]])


def test_the_complement_is_accurate_to_a_few_units_in_the_last_place() -> None:
    np.testing.assert_allclose(error_function_complement(X), [math.erfc(x) for x in X], rtol=2e-15, atol=0)


def test_a_complex_step_passes_through_every_branch() -> None:
    x = X[X < 20]  # Further out the imaginary part underflows.
    slope = error_function_complement(x + 1j * STEP).imag / STEP
    np.testing.assert_allclose(slope, -2 / math.sqrt(math.pi) * np.exp(-x * x), rtol=3e-13, atol=0)


@pytest.mark.parametrize(("z", "probability"), [(-800.0, 0.0), (-40.0, 0.0), (0.0, 0.5), (40.0, 1.0), (800.0, 1.0)])
def test_the_distribution_is_exact_far_out(z: float, probability: float) -> None:
    assert normal_distribution(np.array(z)) == probability


def test_float32_stays_float32() -> None:
    found = normal_distribution(X.astype(np.float32))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, normal_distribution(X.astype(np.float32).astype(float)), rtol=1e-4)
