"""Every activation function with its constants, beside a formula of its own in Python's math."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from core.activations.choice import CONSTANTS, Function

MODERATE = (-3.7, -1.0, -0.3, -1e-9, 1e-9, 0.2, 0.8, 1.0, 2.9)
EXTREME = (-800.0, -40.0, -1e-300, 0.0, 1e-300, 40.0, 800.0)
POSITIVE = (1e-300, 1e-9, 0.3, 1.0, 2.9, 40.0, 800.0)
OF_POSITIVE_NUMBERS = ("log", "sqrt")
"""Functions that are defined for positive numbers only."""

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


@dataclass(frozen=True)
class Case:
    """A function of one number, and where it can be asked for."""

    function: Function
    reference: Callable[[float], float]
    arguments: Sequence[float] = field(default=(*MODERATE, *EXTREME))

    tolerance: float = 2e-14
    """Relative. In its tail gelu multiplies the rounding error of its argument by the argument's square."""

    @property
    def name(self) -> str:
        """The function with the constants that are given."""
        given = {name: getattr(self.function, name) for name in ("gain", *CONSTANTS)}
        constants = [f"{name}={value}" for name, value in given.items() if value not in (None, 1.0)]
        return "-".join([self.function.function, *constants])


def sigmoid(z: float) -> float:
    """1 / (1 + e^−z) without an exponential that overflows."""
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


def softplus(z: float) -> float:
    """log(1 + e^z)."""
    return max(z, 0.0) + math.log1p(math.exp(-abs(z)))


def elu(z: float, alpha: float = 1.0) -> float:
    """Z above 0, α (e^z − 1) below."""
    return z if z > 0 else alpha * math.expm1(z)


def normal_distribution(z: float) -> float:
    """Φ(z), by erfc where erf would cancel."""
    root = z / math.sqrt(2)
    return 0.5 * math.erfc(-root) if z < 0 else 0.5 * (1 + math.erf(root))


def _named(name: str, reference: Callable[[float], float], arguments: Sequence[float] = (*MODERATE, *EXTREME)) -> Case:
    return Case(Function(function=name), reference, arguments)


ELEMENTWISE = [
    _named("identity", lambda z: z),
    _named("sigmoid", sigmoid),
    _named("tanh", math.tanh),
    _named("relu", lambda z: max(z, 0.0)),
    _named("leaky_relu", lambda z: z if z > 0 else 0.01 * z),
    _named("elu", elu),
    _named("selu", lambda z: SELU_SCALE * elu(z, SELU_ALPHA)),
    Case(
        Function(function="gelu"),
        lambda z: z * normal_distribution(z),
        arguments=(*MODERATE, *EXTREME, -1.7, -6.0, -12.5, -30.0),
        tolerance=5e-13,
    ),
    _named("silu", lambda z: z * sigmoid(z)),
    _named("softplus", softplus),
    _named("softsign", lambda z: z / (1 + abs(z))),
    _named("square", lambda z: z * z),
    _named("sin", math.sin),
    _named("exp", math.exp, arguments=(*MODERATE, -800.0, -40.0, 0.0, 40.0, 700.0)),
    _named("log", math.log, arguments=POSITIVE),
    _named("negate", lambda z: -z),
    _named("hard_sigmoid", lambda z: min(max(z / 6 + 0.5, 0.0), 1.0)),
    Case(Function(function="hard_sigmoid", alpha=0.2, beta=0.4), lambda z: min(max(0.2 * z + 0.4, 0.0), 1.0)),
    _named("hard_swish", lambda z: z * min(max(z / 6 + 0.5, 0.0), 1.0)),
    _named("mish", lambda z: z * math.tanh(softplus(z))),
    _named("erf", math.erf),
    _named("clip", lambda z: z),
    Case(Function(function="clip", lower=-0.5, upper=1.5), lambda z: min(max(z, -0.5), 1.5)),
    Case(Function(function="clip", lower=0.1), lambda z: max(z, 0.1)),
    Case(Function(function="clip", upper=-0.1, gain=2.0), lambda z: min(2 * z, -0.1)),
    Case(Function(function="clip", lower=1.5, upper=0.5), lambda z: 0.5),
    _named("sqrt", math.sqrt, arguments=POSITIVE),
    _named("reciprocal", lambda z: 1 / z, arguments=(*MODERATE, -800.0, 800.0)),
    _named("abs", abs),
    _named("power", lambda z: z**2),
    Case(Function(function="power", exponent=3.0), lambda z: z**3),
    Case(Function(function="power", exponent=1.0), lambda z: z),
    Case(Function(function="power", exponent=0.0), lambda z: 1.0),
    Case(Function(function="power", exponent=-1.5), lambda z: z**-1.5, arguments=POSITIVE[1:]),
    Case(Function(function="power", exponent=0.3, gain=2.0), lambda z: (2 * z) ** 0.3, arguments=POSITIVE[1:]),
    Case(Function(function="power", exponent=-2.0), lambda z: z**-2, arguments=(-800.0, -1.0, -0.3, 0.2, 2.9)),
    Case(Function(function="sigmoid", gain=3.0), lambda z: sigmoid(3 * z)),
    Case(Function(function="tanh", gain=-0.5), lambda z: math.tanh(-0.5 * z)),
    Case(Function(function="exp", gain=0.5), lambda z: math.exp(0.5 * z)),
    Case(Function(function="relu", gain=-2.0), lambda z: max(-2 * z, 0.0)),
    Case(Function(function="leaky_relu", negative_slope=0.3), lambda z: z if z > 0 else 0.3 * z),
    Case(Function(function="elu", alpha=0.4), lambda z: elu(z, 0.4)),
    Case(Function(function="elu", alpha=2.0, gain=0.7), lambda z: elu(0.7 * z, 2.0)),
]


def softmax(z: Sequence[float]) -> list[float]:
    """Probabilities, from exact sums of exponentials that do not overflow."""
    exponentials = [math.exp(score - max(z)) for score in z]
    return [exponential / math.fsum(exponentials) for exponential in exponentials]


def log_softmax(z: Sequence[float]) -> list[float]:
    """Their logarithms, also where they underflow."""
    logarithm = math.log(math.fsum(math.exp(score - max(z)) for score in z))
    return [score - max(z) - logarithm for score in z]


OVER_FEATURES: dict[str, Callable[[Sequence[float]], list[float]]] = {"softmax": softmax, "log_softmax": log_softmax}
