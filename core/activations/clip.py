"""clip: numbers held between two bounds."""

import math
from dataclasses import dataclass, field

from numpy import copyto, maximum, minimum, multiply

from core.activations.base import Activation, Interval
from core.arrays import Array, Op, constant, real
from core.operations import ELEMENT
from core.spec import constraints


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip(Activation):
    """Clipping: numbers below l become l, numbers above u become u; relu6 is a clip from 0 to 6, hardtanh from −1 to 1.

        A  = min(max(Z, l), u)
        dZ = dA where l ≤ Z ≤ u, 0 elsewhere            dA at both kinks, as torch.clamp has it

    A bound that is not given does not exist. If l > u, every number becomes u.

    Source: torch.clamp, for the slope at the bounds; Krizhevsky, Convolutional Deep Belief Networks on CIFAR-10 (2010),
    for a unit that is capped at 6.
    """

    lower: float | None = field(default=None, metadata=constraints())
    """l: the least value. Default: none."""

    upper: float | None = field(default=None, metadata=constraints())
    """u: the largest value. Default: none."""

    name = "clip"
    reads = "preactivation"
    units_may_die = True
    operations = 4 * ELEMENT
    formula = r"\min(\max(z, l), u)"
    derivative = r"[l \le z \le u]"

    def numpy(self) -> str:
        held = "<Z>" if self.lower is None else f"np.maximum(<Z>, {self.lower!r})"
        return held + " * 1.0" if self.upper is None else f"np.minimum({held}, {self.upper!r})"

    def numpy_derivative(self) -> str:
        bounds = [f"(<Z> >= {self.lower!r})"] * (self.lower is not None)
        bounds += [f"(<Z> <= {self.upper!r})"] * (self.upper is not None)
        return " * ".join(bounds) + " * 1.0" if bounds else "np.ones_like(<Z>)"

    def kinks(self) -> tuple[float, ...]:
        bounds = tuple(bound for bound in (self.lower, self.upper) if bound is not None)
        return () if len(bounds) == 2 and bounds[0] >= bounds[1] else bounds

    def steepest(self) -> float:
        return 0.0 if self.lower is None and self.upper is None else 1.0

    def image(self) -> Interval | None:
        return (-math.inf, math.inf) if self.lower is None and self.upper is None else None

    def inverse(self, A: Array) -> Array:
        return A.copy()

    def forward(self, Z: Array, A: Array) -> Op:
        lower = None if self.lower is None else constant(self.lower, Z)
        upper = None if self.upper is None else constant(self.upper, Z)

        def op() -> None:
            copyto(A, Z)
            if lower is not None:
                maximum(A, lower, out=A)
            if upper is not None:
                minimum(A, upper, out=A)

        return op

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        values, lower, upper = real(Z), self.lower, self.upper

        def op() -> None:
            copyto(dZ, dA)
            if lower is not None:
                multiply(dZ, values >= lower, dZ)
            if upper is not None:
                multiply(dZ, values <= upper, dZ)

        return op
