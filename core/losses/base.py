"""What a loss is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np

from core.activations.base import Activation
from core.arrays import Array, Op, Shape, in_memory_order
from core.equations.equation import Equation
from core.errors import Issue
from core.spec import Spec, constraints

Scalar = Callable[[], Any]
"""Computes the loss of the batch: a real number, or a complex one while a complex step passes through."""


@dataclass(slots=True)
class LossContext:
    """The arrays around a loss; the first axis counts the examples, and Y has the shape of A."""

    A: Array
    """What the loss reads: the network's output, or its logits for a loss on logits."""

    Y: Array
    """The targets."""

    coefficients: Array
    """The share of each example in the batch loss: 1/n under "mean", 1 under "sum", times its weight."""

    dA: Array
    """Memory for ∂ℓ/∂A. The loss may use it from its first step on; the plan multiplies the examples' shares in later."""

    probabilities: Array
    """Memory for f(A) of a loss on logits: the output's activations where the loss is fused with them."""

    @property
    def share(self) -> float | None:
        """The share of every example, where they all have the same."""
        first = self.coefficients[0]
        return first if np.all(self.coefficients == first) else None

    @property
    def flat(self) -> Array:
        """Memory of dA as a vector."""
        return in_memory_order(self.dA)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss(Spec):
    """Base of all losses: a value ℓ for each example, then one reduction over the n examples.

    A loss is one file: ℓ, its gradient ∂ℓ/∂a, and, where it has one, the form on logits with which it is fused after
    the matching activation.

    Adding one: the file, and its class in `AnyLoss` of ``core/losses/__init__.py``.
    """

    kind: str

    reduction: Literal["mean", "sum"] = field(
        default="mean",
        metadata=constraints(
            strict=False,
            description="How the values of the examples become one: their mean (with sample weights, the weighted mean) or "
            "their sum.",
        ),
    )

    l2: float = field(
        default=0.0,
        metadata=constraints(
            ge=0,
            description="λ: adds ½ λ Σ‖weight‖² after the reduction, never on biases; reported as a term of its own.",
        ),
    )

    formula: ClassVar[str]
    """ℓ in LaTeX; a is the output, y the target, K the number of features."""

    takes_class_indices: ClassVar[bool] = False
    """Whether targets may be a list of class numbers instead of one-hot rows."""

    needs_targets: ClassVar[bool] = True

    boundary: ClassVar[tuple[float, float] | None] = None
    """What divides two classes where every output decides between two: in the output, and between the targets."""

    measures_distance: ClassVar[bool] = False
    """Whether it is 0 where the output is the target and grows with the distance, so that other distances say more."""

    averages_outputs: ClassVar[bool] = False
    """Whether ℓ is a mean over the features of the output rather than a sum."""

    advice_on_logarithms: ClassVar[str] = ""
    """For a loss that takes logarithms of the output: how to avoid one that is no probability."""

    kink: ClassVar[str] = ""
    """Where the loss has no derivative, for a sentence."""

    def per_example(self, A: Array, Y: Array) -> Array:
        """ℓ of each example, as plain NumPy; a complex step may pass through A."""
        raise NotImplementedError

    def value(self, at: LossContext) -> Scalar:
        """What computes the loss of the batch. It runs once in every forward pass, before `gradient`."""
        return lambda: at.coefficients.dot(self.per_example(at.A, at.Y))

    def distance_to_kink(self, A: Array, Y: Array) -> Array | None:
        """How far each output is from the point where the loss has no derivative; None for a loss without a kink."""
        return None

    def at_kink(self, A: Array, Y: Array) -> Array:
        """Where the loss has no derivative, in the shape of A."""
        distance = self.distance_to_kink(A, Y)
        return np.zeros(A.shape, bool) if distance is None else np.asarray(distance == 0)

    def draw_targets(self, shape: Shape, generator: np.random.Generator) -> Array:
        """Random targets of that shape, batch-first, that the loss can be compared with."""
        if self.takes_class_indices:
            return generator.integers(2, size=shape).astype(np.float64)
        return generator.standard_normal(shape)

    def gradient(self, at: LossContext) -> Op:
        """The step that completes ∂ℓ/∂A in dA, after `value` has run."""
        raise NotImplementedError

    def on_logits(self, activation: Activation) -> Loss | None:
        """The same loss on the preactivation of an output with that activation, where there is a stable fused form."""
        return None

    def intermediate(self) -> list[Equation]:
        """Equations of its own between the output and its value, for a derivation; the last ones may serve the gradient."""
        return []

    def numpy(self) -> str:
        """ℓ of each example as NumPy in <A> and <Y>; <rest> are all axes but the examples', <axis> the features'."""
        raise NotImplementedError

    def numpy_gradient(self) -> str:
        """∂ℓ/∂A as a NumPy expression; <K> is how many numbers an example has."""
        raise NotImplementedError

    def latex_gradient(self) -> str:
        """The same in LaTeX."""
        raise NotImplementedError

    def numpy_fused(self) -> str:
        """∂ℓ/∂Z where the activation is fused with the loss, in terms of its result <A>."""
        return "<A> - <Y>"

    def refusal_of_output(self, output: Shape) -> Issue | None:
        """What is wrong with an output of that shape, if anything; the path is relative to the loss."""
        return None

    def as_output(self, sent: Array, output: Shape) -> Array:
        """Targets in the shape of the output, for a loss that takes them in a shape of its own."""
        return sent

    def refusal_of(self, Y: Array) -> Issue | None:
        """What is wrong with targets of the right shape, if anything."""
        return None

    def batch_formula(self) -> str:
        """The loss of the batch in LaTeX."""
        total = r"\frac{1}{n} \sum_{i=1}^{n} \ell_i" if self.reduction == "mean" else r"\sum_{i=1}^{n} \ell_i"
        penalty = r" + \frac{\lambda}{2} \sum_l \lVert W_l \rVert^2" if self.l2 else ""
        return rf"L = {total}{penalty}, \quad \ell = {self.formula}"
