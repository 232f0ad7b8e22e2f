"""What an activation function is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from core.arrays import Array, Op

Interval = tuple[float, float]
"""An open interval; its ends may be infinite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """A function f that is applied to the result of a layer: A = f(Z).

    A subclass is one file: its formula, its derivative, and the two steps that compute them into arrays that exist
    already. Its constants are dataclass fields; their names are those of the request.

    Adding one: the file, and its class in ``FUNCTIONS`` of ``core/activations/__init__.py``.
    """

    name: ClassVar[str]
    """The word that a request uses."""

    reads: ClassVar[Literal["result", "preactivation"]] = "result"
    """What the derivative is formed from. With "result", A may be computed in place of Z."""

    elementwise: ClassVar[bool] = True
    """Whether a_i depends on z_i alone, so that the Jacobian is diagonal."""

    is_identity: ClassVar[bool] = False
    """Whether f(z) = z, so that a plan spends no operation on it."""

    rectifies: ClassVar[bool] = False
    """Whether f passes about half of its arguments: He's initial variance keeps the signal's scale through it."""

    units_may_die: ClassVar[bool] = False
    """Whether f' is 0 on a half-line: a unit whose arguments all lie there has no gradient and stays there."""

    formula: ClassVar[str]
    """a in terms of z, in LaTeX."""

    derivative: ClassVar[str]
    """∂a/∂z in LaTeX, in terms of a where that is the shorter form."""

    symbol: ClassVar[str] = ""
    """The function in LaTeX; default: its name in upright letters."""

    def latex(self) -> str:
        """The function in LaTeX, as in symbol(Z)."""
        return self.symbol or rf"\text{{{self.name.replace('_', ' ')}}}"

    def numpy(self) -> str:
        """f(<Z>) as a NumPy expression; <axis> is that of the features."""
        raise NotImplementedError

    def numpy_derivative(self) -> str:
        """f'(<Z>) as a NumPy expression, in terms of <A> where that is shorter."""
        raise NotImplementedError

    def numpy_backward(self) -> str:
        """∂L/∂Z as a NumPy expression, given <dA>."""
        return f"<dA> * ({self.numpy_derivative()})"

    def latex_backward(self) -> str:
        """The same in LaTeX."""
        return rf"<dA> \circ {self.latex()}'(<Z>)"

    def kinks(self) -> tuple[float, ...]:
        """The z at which it has no derivative."""
        return ()

    def steepest(self) -> float:
        """The largest slope of a function that is nearly flat elsewhere, where units die or saturate; 0 for the others."""
        return 0.0

    def image(self) -> Interval | None:
        """The open interval of its values, where no two arguments share one; None for a function without an inverse."""
        return None

    def inverse(self, A: Array) -> Array:
        """The Z with f(Z) = A, for numbers inside `image()`."""
        raise NotImplementedError

    @property
    def title(self) -> str:
        """What a sentence calls it."""
        return self.name

    def forward(self, Z: Array, A: Array) -> Op:
        """The step that writes f(Z) into A, which may be Z itself where `reads` is "result"."""
        raise NotImplementedError

    def backward(self, Z: Array, A: Array, dA: Array, dZ: Array) -> Op:
        """The step that writes ∂L/∂Z into dZ, given ∂L/∂A in dA. The two never share memory."""
        raise NotImplementedError
