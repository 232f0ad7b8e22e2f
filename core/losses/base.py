"""The base class of losses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np

from core.activations.base import Activation
from core.arrays import Array, Op, Shape, in_memory_order
from core.equations.equation import Equation
from core.errors import Issue
from core.spec import Spec, constraints

Scalar = Callable[[], Any]
"""Computes the loss of the batch: a real number, or a complex one during a complex step."""


@dataclass(slots=True)
class LossContext:
    """The arrays of a loss; the first axis counts the examples, and Y has the shape of A."""

    A: Array
    """The network's output, or its logits for a loss on logits."""

    Y: Array
    """The targets."""

    coefficients: Array
    """The share of each example in the batch loss: 1/n under "mean", 1 under "sum", times its weight."""

    dA: Array
    """Memory for ∂ℓ/∂A. The loss may use it from `value` on; the plan multiplies by the shares of the examples later."""

    probabilities: Array
    """Memory for f(A) of a loss on logits: the activations of the output that the loss is fused with."""

    one_hot: bool = False
    """True if Y is known to be one-hot in every run, so that its sums over the features are 1."""

    @property
    def share(self) -> float | None:
        """The share that all examples have in common; None if their shares differ."""
        first = self.coefficients[0]
        return first if np.all(self.coefficients == first) else None

    @property
    def flat(self) -> Array:
        """The memory of dA as a vector."""
        return in_memory_order(self.dA)


class AppliedFunction(NamedTuple):
    """The activation function that a loss on logits applies itself."""

    name: str
    on_probabilities: str
    """The same loss on what the function gives."""

    repeated_by: tuple[str, ...]
    """The activation functions that should not come before the loss."""

    warning: str
    """The code of the warning where one does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss(Spec):
    """Base of all losses: a value ℓ for each example, then one reduction over the n examples.

    A loss is one file: ℓ, its gradient ∂ℓ/∂a, and, if there is one, the form on logits that replaces loss and activation
    after the matching activation.

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
    """True if targets may be a list of class numbers instead of one-hot rows."""

    needs_targets: ClassVar[bool] = True

    boundary: ClassVar[tuple[float, float] | None] = None
    """The threshold between two classes, in the output and in the targets, if every output decides between two."""

    measures_distance: ClassVar[bool] = False
    """True if ℓ is a distance: 0 if the output is the target. Metrics then report other distances."""

    averages_outputs: ClassVar[bool] = False
    """True if ℓ is a mean over the features of the output rather than a sum."""

    advice_on_logarithms: ClassVar[str] = ""
    """For a loss that takes logarithms of the output: how to avoid one that is no probability."""

    applies: ClassVar[AppliedFunction | None] = None
    """The function that a loss on logits applies to them."""

    kink: ClassVar[str] = ""
    """The place where the loss has no derivative, as part of a sentence."""

    def per_example(self, A: Array, Y: Array) -> Array:
        """Return ℓ of each example, by plain NumPy; A may carry a complex step."""
        raise NotImplementedError

    def value(self, at: LossContext) -> Scalar:
        """Return the function that computes the loss of the batch. It runs once in every forward pass, before `gradient`."""
        return lambda: at.coefficients.dot(self.per_example(at.A, at.Y))

    @property
    def has_derivation(self) -> bool:
        """Whether the loss writes its gradient as NumPy, which derivations and the rules of a check are made of."""
        return type(self).numpy_gradient is not Loss.numpy_gradient

    def distance_to_kink(self, A: Array, Y: Array) -> Array | None:
        """Return the distance of each output from the kink of the loss; None for a loss without a kink."""
        return None

    def at_kink(self, A: Array, Y: Array) -> Array | None:
        """Return True at each output at which the loss has no derivative, in the shape of A; None for one without a kink."""
        distance = self.distance_to_kink(A, Y)
        return None if distance is None else np.asarray(distance == 0)

    def draw_targets(self, shape: Shape, generator: np.random.Generator) -> Array:
        """Return random targets of that shape, batch-first, that the loss accepts."""
        if self.takes_class_indices:
            return generator.integers(2, size=shape).astype(np.float64)
        return generator.standard_normal(shape)

    def gradient(self, at: LossContext) -> Op:
        """Return the operation that completes ∂ℓ/∂A in dA, after `value` has run."""
        raise NotImplementedError

    def on_logits(self, activation: Activation) -> Loss | None:
        """Return this loss on the preactivation of an output with that activation; None if there is no fused form."""
        return None

    def intermediate(self) -> list[Equation]:
        """Return the loss's own equations between output and value, for a derivation; the gradient may use them."""
        return []

    def numpy(self) -> str:
        """Return ℓ of each example as NumPy in <A> and <Y>; <axis> is that of the features, <rest> all but the examples'."""
        raise NotImplementedError

    def numpy_gradient(self) -> str:
        """Return ∂ℓ/∂A as a NumPy expression; <K> is the number of outputs of an example."""
        raise NotImplementedError

    def latex_gradient(self) -> str:
        """Return ∂ℓ/∂A in LaTeX."""
        raise NotImplementedError

    def numpy_fused(self) -> str:
        """Return ∂ℓ/∂Z as NumPy for an activation that is fused with the loss, in terms of its result <A>."""
        return "<A> - <Y>"

    def refusal_of_output(self, output: Shape) -> Issue | None:
        """Return an issue if the loss cannot read an output of that shape; its path is relative to the loss."""
        return None

    def as_output(self, sent: Array, output: Shape) -> Array:
        """Return the targets in the shape of the output, for a loss whose targets have another shape."""
        return sent

    def refusal_of(self, Y: Array) -> Issue | None:
        """Return an issue if targets of the right shape have values that the loss cannot take."""
        return None

    def batch_formula(self) -> str:
        """Return the loss of the batch in LaTeX."""
        total = r"\frac{1}{n} \sum_{i=1}^{n} \ell_i" if self.reduction == "mean" else r"\sum_{i=1}^{n} \ell_i"
        penalty = r" + \frac{\lambda}{2} \sum_l \lVert W_l \rVert^2" if self.l2 else ""
        return rf"L = {total}{penalty}, \quad \ell = {self.formula}"
