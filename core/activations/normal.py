"""The normal distribution function, which NumPy lacks.

The coefficients of the rational approximations of erf and erfc are those of fdlibm (s_erf.c, Sun Microsystems 1993); the
code is not. Each branch is analytic and is chosen by the real part, so a complex step passes through.
"""

import math

import numpy as np

from core.arrays import Array

# Numerators and denominators in ascending powers. Near 0: erf(x) = x + x P(x²)/Q(x²).
SMALL = (
    (1.28379167095512558561e-01, -3.25042107247001499370e-01, -2.84817495755985104766e-02,
     -5.77027029648944159157e-03, -2.37630166566501626084e-05),
    (1.0, 3.97917223959155352819e-01, 6.50222499887672944485e-02, 5.08130628187576562776e-03,
     1.32494738004321644526e-04, -3.96022827877536812320e-06),
)  # fmt: skip
# 0.84375 ≤ |x| < 1.25: erf(x) = ERX + P(|x| − 1)/Q(|x| − 1).
ERX = 8.45062911510467529297e-01
MIDDLE = (
    (-2.36211856075265944077e-03, 4.14856118683748331666e-01, -3.72207876035701323847e-01,
     3.18346619901161753674e-01, -1.10894694282396677476e-01, 3.54783043256182359371e-02,
     -2.16637559486879084300e-03),
    (1.0, 1.06420880400844228286e-01, 5.40397917702171048937e-01, 7.18286544141962662868e-02,
     1.26171219808761642112e-01, 1.36370839120290507362e-02, 1.19844998467991074170e-02),
)  # fmt: skip
# 1.25 ≤ |x| < 1/0.35 and beyond: erfc(x) = exp(−x² − 0.5625 + P(1/x²)/Q(1/x²)) / x.
LARGE = (
    (-9.86494403484714822705e-03, -6.93858572707181764372e-01, -1.05586262253232909814e+01,
     -6.23753324503260060396e+01, -1.62396669462573470355e+02, -1.84605092906711035994e+02,
     -8.12874355063065934246e+01, -9.81432934416914548592e+00),
    (1.0, 1.96512716674392571292e+01, 1.37657754143519042600e+02, 4.34565877475229228821e+02,
     6.45387271733267880336e+02, 4.29008140027567833386e+02, 1.08635005541779435134e+02,
     6.57024977031928170135e+00, -6.04244152148580987438e-02),
)  # fmt: skip
HUGE = (
    (-9.86494292470009928597e-03, -7.99283237680523006574e-01, -1.77579549177547519889e+01,
     -1.60636384855821916062e+02, -6.37566443368389627722e+02, -1.02509513161107724954e+03,
     -4.83519191608651397019e+02),
    (1.0, 3.03380607434824582924e+01, 3.25792512996573918826e+02, 1.53672958608443695994e+03,
     3.19985821950859553908e+03, 2.55305040643316442583e+03, 4.74528541206955367215e+02,
     -2.24409524465858183362e+01),
)  # fmt: skip


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: Array) -> Array:
    """Return P(x) / Q(x), by Horner's rule."""
    numerator, denominator = (np.zeros_like(x), np.zeros_like(x))
    for coefficient in reversed(coefficients[0]):
        numerator = numerator * x + coefficient
    for coefficient in reversed(coefficients[1]):
        denominator = denominator * x + coefficient
    return np.asarray(numerator / denominator)


def _tail(x: Array) -> Array:
    """Return erfc(x) for x ≥ 1.25. The square of x is split, so that exp keeps its relative accuracy."""
    inverse_square = 1 / (x * x)
    ratio = np.where(x.real < 1 / 0.35, _ratio(LARGE, inverse_square), _ratio(HUGE, inverse_square))
    leading = x.real.astype(np.float32).astype(x.real.dtype)
    return np.asarray(np.exp(-leading * leading - 0.5625) * np.exp((leading - x) * (leading + x) + ratio) / x)


def error_function_complement(x: Array) -> Array:
    """Return erfc(x) = 1 − erf(x), to a few units in the last place even if it is tiny; x may carry a complex step."""
    magnitude = np.maximum(x, -x)
    negative = x.real < 0
    square = x * x
    small = 1 - (x + x * _ratio(SMALL, np.where(magnitude.real < 0.84375, square, 0)))
    offset = np.where((magnitude.real >= 0.84375) & (magnitude.real < 1.25), magnitude - 1, 0)
    middle = ERX + _ratio(MIDDLE, offset)
    tail = _tail(np.where(magnitude.real < 1.25, 1.25, np.where(magnitude.real > 28, 28, magnitude)))
    beyond = np.where(
        magnitude.real < 1.25, np.where(negative, 1 + middle, 1 - middle), np.where(negative, 2 - tail, tail)
    )
    return np.asarray(np.where(magnitude.real < 0.84375, small, beyond), dtype=x.dtype)


def error_function(x: Array) -> Array:
    """Return erf(x), to a few units in the last place even if it is tiny; x may carry a complex step."""
    inside = np.abs(x.real) < 0.84375
    near = np.where(inside, x, 0)
    small = near + near * _ratio(SMALL, near * near)
    return np.asarray(np.where(inside, small, 1 - error_function_complement(x)), dtype=x.dtype)


def normal_distribution(z: Array) -> Array:
    """Return Φ(z), the probability that a standard normal variable is below z."""
    return np.asarray(0.5 * error_function_complement(z * -math.sqrt(0.5)), dtype=z.dtype)
