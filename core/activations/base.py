"""The base class of activation functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from core.arrays import Array, Op
from core.operations import FUNCTION

Interval = tuple[float, float]
"""An open interval; its ends may be infinite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """A function f that is applied to the result of a layer: A = f(Z).

    A subclass is one file: its formula, its derivative, and the two operations that compute them into existing arrays.
    Its constants are dataclass fields, named as in the request.

    Adding one: the file, and its class in ``FUNCTIONS`` of ``core/activations/__init__.py``.
    """

    name: ClassVar[str]
    """The word that a request uses."""

    reads: ClassVar[Literal["result", "preactivation"]] = "result"
    """The array that the derivative is computed from. With "result", A may be computed in place of Z."""

    elementwise: ClassVar[bool] = True
    """True if a_i depends on z_i alone, so that the Jacobian is diagonal."""

    is_identity: ClassVar[bool] = False
    """True if f(z) = z, so that a plan needs no operation for it."""

    rectifies: ClassVar[bool] = False
    """True if f passes about half of its arguments, so that He's initial variance preserves the scale of the signal."""

    units_may_die: ClassVar[bool] = False
    """True if f' is 0 on a half-line: a unit whose arguments all lie there has the gradient 0 and never moves again."""

    operations: ClassVar[float] = FUNCTION
    """Operations for each element in one direction, in the unit of ``core/operations.py``."""

    formula: ClassVar[str]
    """a in terms of z, in LaTeX."""

    derivative: ClassVar[str]
    """∂a/∂z in LaTeX, in terms of a where that is the shorter form."""

    symbol: ClassVar[str] = ""
    """The function in LaTeX; default: its name in upright letters."""

    def latex(self) -> str:
        """Return the function in LaTeX, without its argument."""
        return self.symbol or rf"\text{{{self.name.replace('_', ' ')}}}"

    def numpy(self) -> str:
        """Return f(<Z>) as a NumPy expression; <axis> is the axis of the features."""
        raise NotImplementedError

    def numpy_derivative(self) -> str:
        """Return f'(<Z>) as a NumPy expression, in terms of <A> where that is shorter."""
        raise NotImplementedError

    def numpy_backward(self) -> str:
        """Return ∂L/∂Z as a NumPy expression in <dA>."""
        return f"<dA> * ({self.numpy_derivative()})"

    def latex_backward(self) -> str:
        """Return ∂L/∂Z in LaTeX, in terms of <dA>."""
        return rf"<dA> \circ {self.latex()}'(<Z>)"

    def kinks(self) -> tuple[float, ...]:
        """Return the z at which f has no derivative."""
        return ()

    def steepest(self) -> float:
        """Return the largest slope of a function whose units die or saturate where it is flat; 0 for other functions."""
        return 0.0

    def image(self) -> Interval | None:
        """Return the open interval of the values of f; None if f has no inverse."""
        return None

    def inverse(self, A: Array) -> Array:
        """Return the Z with f(Z) = A, for numbers inside `image()`."""
        raise NotImplementedError

    @property
    def title(self) -> str:
        """The name of the function in a sentence."""
        return self.name

    def forward(self, Z: Array, A: Array) -> Op:
        """Return the operation that writes f(Z) into A, which may be Z itself if `reads` is "result"."""
        raise NotImplementedError

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        """Return the operation that writes ∂L/∂Z into dZ, given ∂L/∂A in dA. The two never share memory."""
        raise NotImplementedError
