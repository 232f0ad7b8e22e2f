"""kullback_leibler: the divergence of the output from the target distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.activations.base import Activation
from core.activations.softmax import Softmax
from core.arrays import Array, Shape, sum_over_features
from core.losses.base import Loss, LossContext, Scalar
from core.losses.cross_entropy import TIMES_LOG, CrossEntropy, times_log
from core.losses.softmax_cross_entropy import SoftmaxCrossEntropy


@dataclass(frozen=True, slots=True, kw_only=True)
class _OnLogits(SoftmaxCrossEntropy):
    """The divergence on logits: softmax cross-entropy minus the entropy of the targets."""

    def numpy(self) -> str:
        entropy = f"{TIMES_LOG.replace('<A>', '<Y>')}.sum(axis=<rest>)"
        return f"{SoftmaxCrossEntropy.numpy(self)} + {entropy}"

    def per_example(self, A: Array, Y: Array) -> Array:
        return SoftmaxCrossEntropy.per_example(self, A, Y) + sum_over_features(times_log(Y, Y))

    def value(self, at: LossContext) -> Scalar:
        cross_entropy = SoftmaxCrossEntropy.value(self, at)
        return lambda: cross_entropy() + at.coefficients.dot(sum_over_features(times_log(at.Y, at.Y)))


@dataclass(frozen=True, slots=True, kw_only=True)
class KullbackLeibler(CrossEntropy):
    """Divergence of the output a from the target distribution y.

        ℓ      = Σ_k y_k log(y_k / a_k)
        ∂ℓ/∂a  = −y / a

    Directly after softmax it is computed on the logits, where ∂ℓ/∂z = a Σy − y.
    """

    kind: Literal["kullback_leibler"] = "kullback_leibler"  # type: ignore[assignment]
    formula = r"\sum_k y_k \log \frac{y_k}{a_k}"
    takes_class_indices = False
    advice_on_logarithms = "Use softmax as the last activation."

    def draw_targets(self, shape: Shape, generator: np.random.Generator) -> Array:
        shares = generator.uniform(0.1, 1, shape)
        return np.asarray(shares / shares.sum(axis=-1, keepdims=True))

    def numpy(self) -> str:
        return f"({TIMES_LOG.replace('<A>', '<Y>')} - {TIMES_LOG}).sum(axis=<rest>)"

    def per_example(self, A: Array, Y: Array) -> Array:
        return sum_over_features(times_log(Y, Y)) - sum_over_features(times_log(Y, A))

    def on_logits(self, activation: Activation) -> Loss | None:
        return _OnLogits(reduction=self.reduction, l2=self.l2) if isinstance(activation, Softmax) else None
