"""Functions of a symmetric matrix, f(X) = U f(Λ) Uᵀ, and their divided differences.

    f[a, b] = (f(a) − f(b))/(a − b)          f'(a) where a = b
    df(X)[B] = U (F ∘ (Uᵀ B U)) Uᵀ           F_ij = f[λ_i, λ_j]

A quotient of differences loses digits as a and b approach each other. These forms lose none, not even at a = b, so the
derivative of f(X) is exact however close the eigenvalues are. They are analytic: a complex step passes through.

Source: Daleckii & Krein (1965); Higham, Functions of Matrices (2008), §3.2, theorem 3.11.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from core.arrays import Array, real

NEAR = 1e-3
"""Below this size the quotients are summed as series, of which eight terms suffice."""

TERMS = 8


def log1p(x: Array) -> Array:
    """Return log(1 + x), accurate near 0 for a complex step too, unlike NumPy's."""
    return np.asarray(np.log1p(x.real) + 1j * x.imag / (1 + x.real) if np.iscomplexobj(x) else np.log1p(x))


def expm1(x: Array) -> Array:
    """Return exp(x) − 1, accurate near 0 for a complex step too."""
    return np.asarray(np.expm1(x.real) + 1j * x.imag * np.exp(x.real) if np.iscomplexobj(x) else np.expm1(x))


def log1p_quotient(x: Array) -> Array:
    """Return log(1 + x)/x, which is 1 at 0."""
    near = np.abs(real(x)) < NEAR
    away = np.where(near, 1, x)
    quotient, small = np.asarray(log1p(away) / away), x[near]
    series = np.full_like(small, 1 / TERMS)
    for k in range(TERMS - 1, 0, -1):
        series = 1 / k - small * series
    quotient[near] = series
    return quotient


def expm1_quotient(x: Array) -> Array:
    """Return (exp(x) − 1)/x, which is 1 at 0."""
    near = np.abs(real(x)) < NEAR
    away = np.where(near, 1, x)
    quotient, small = np.asarray(expm1(away) / away), x[near]
    series = np.ones_like(small)
    for k in range(TERMS, 1, -1):
        series = 1 + small / k * series
    quotient[near] = series
    return quotient


def _order(a: Array, b: Array) -> tuple[Array, Array]:
    """Return the smaller of each pair, and the relative difference of the other one from it."""
    if np.iscomplexobj(a):
        swap = real(a) < real(b)
        low, high = np.where(swap, a, b), np.where(swap, b, a)
    else:
        low, high = np.minimum(a, b), np.maximum(a, b)
    return low, (high - low) / low


class SpectralFunction(ABC):
    """A function of the eigenvalues."""

    @abstractmethod
    def value(self, x: Array) -> Array:
        """Return f(x)."""

    @abstractmethod
    def divided_difference(self, a: Array, b: Array) -> Array:
        """Return f[a, b]."""

    def divided_differences(self, values: Array) -> Array:
        """Return F_ij = f[λ_i, λ_j] for a stack of spectra (…, n)."""
        a, b = values[..., :, np.newaxis], values[..., np.newaxis, :]
        return self.divided_difference(*np.broadcast_arrays(a, b))


class Logarithm(SpectralFunction):
    """log x for x > 0, with log[a, b] = log(1 + t)/t / b, where t = (a − b)/b."""

    def value(self, x: Array) -> Array:
        return np.asarray(np.log(x))

    def divided_difference(self, a: Array, b: Array) -> Array:
        low, share = _order(a, b)
        return log1p_quotient(share) / low


class Power(SpectralFunction):
    """x^p for x > 0, with f[a, b] = b^(p − 1) ((1 + t)^p − 1)/t, where t = (a − b)/b."""

    def __init__(self, exponent: float) -> None:
        self.exponent = exponent

    def value(self, x: Array) -> Array:
        return np.asarray(x**self.exponent)

    def divided_difference(self, a: Array, b: Array) -> Array:
        low, share = _order(a, b)
        p = self.exponent
        growth = expm1_quotient(p * log1p(share)) * log1p_quotient(share)
        return np.asarray(p * low ** (p - 1) * growth)


class WholePower(SpectralFunction):
    """x^p for a whole number p and x of any sign (x ≠ 0 where p < 0).

    f[a, b] = Σ_{k<p} a^k b^(p−1−k)               p ≥ 0
    f[a, b] = −(Σ_{k<q} a^k b^(q−1−k)) / (ab)^q     p = −q
    """

    def __init__(self, exponent: int) -> None:
        self.exponent = exponent

    def value(self, x: Array) -> Array:
        power = self._power(x, abs(self.exponent))
        return 1 / power if self.exponent < 0 else power

    def divided_difference(self, a: Array, b: Array) -> Array:
        total, power = np.zeros_like(a), np.ones_like(b)
        for _ in range(abs(self.exponent)):
            total, power = a * total + power, b * power
        if self.exponent >= 0:
            return total
        return np.asarray(-total / self._power(a, -self.exponent) / power)

    def _power(self, x: Array, exponent: int) -> Array:
        """Return the power by squaring: NumPy's uses the complex logarithm, which loses a small imaginary part."""
        result, square = np.ones_like(x), x
        while exponent:
            if exponent & 1:
                result = result * square
            square, exponent = square * square if exponent > 1 else square, exponent >> 1
        return result
