"""The mistakes in the gradients of attention weights and values: P = softmax(S), C = P V."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.attention.backward import Attention, AttentionBackward

_WHY_SUM = (
    "The weights of one query sum to 1 over the keys, so each of them depends on all scores of that query: dS = P ∘ (dP − "
    "Σ_j P_ij dP_ij), with the sum over the keys of one head."
)


class AttentionJacobianDiagonal(AttentionBackward):
    """dS = P ∘ (1 − P) ∘ dP."""

    slug = "attention-softmax-diagonal"
    said = "is formed with the diagonal of the Jacobian of softmax alone in the gradient of the scores"
    wrong = r"\partial S = P \circ (1 - P) \circ \partial P"
    why = _WHY_SUM
    unseen = "every weight is 0 or 1"

    def scores_gradient(self, P: Array, dP: Array) -> Array:
        return np.asarray(P * (1 - P) * dP)


class AttentionSumMissing(AttentionBackward):
    """dS = P ∘ dP."""

    slug = "attention-softmax-sum-missing"
    said = "is formed without the sum in the derivative of softmax in the gradient of the scores"
    wrong = r"\partial S = P \circ \partial P"
    why = _WHY_SUM
    unseen = "the sums are 0"

    def scores_gradient(self, P: Array, dP: Array) -> Array:
        return np.asarray(P * dP)


class AttentionSoftmaxLeftOut(AttentionBackward):
    """dS = dP."""

    slug = "attention-softmax-left-out"
    said = "is formed without the derivative of softmax in the gradient of the scores"
    wrong = r"\partial S = \partial P"
    why = _WHY_SUM
    unseen = "the gradient of the weights is 0"

    def scores_gradient(self, P: Array, dP: Array) -> Array:
        return dP


class AttentionSumUnweighted(AttentionBackward):
    """dS = P ∘ (dP − Σ_j dP_ij)."""

    slug = "attention-softmax-sum-unweighted"
    said = "is formed with a sum of dP instead of P ∘ dP in the derivative of softmax in the gradient of the scores"
    wrong = r"\partial S = P \circ \bigl(\partial P - \textstyle\sum_j \partial P_{ij}\bigr)"
    why = _WHY_SUM
    unseen = "the sums are equal"

    def scores_gradient(self, P: Array, dP: Array) -> Array:
        return np.asarray(P * (dP - dP.sum(axis=-1, keepdims=True)))


class AttentionSumOverAxes(AttentionBackward):
    """dS = P ∘ (dP − Σ P dP) with the sum over other axes than the keys."""

    axes: ClassVar[tuple[int, ...]]
    """The axes of the sum in n x k x T x T."""

    unseen = "the sums are equal"
    why = _WHY_SUM

    def scores_gradient(self, P: Array, dP: Array) -> Array:
        return np.asarray(P * (dP - (P * dP).sum(axis=self.axes, keepdims=True)))


class AttentionSumOverQueries(AttentionSumOverAxes):
    """The sum over the queries."""

    slug = "attention-softmax-over-queries"
    said = "is formed with the derivative of softmax over the queries instead of the keys in the gradient of the scores"
    wrong = r"\partial S = P \circ \bigl(\partial P - \textstyle\sum_i P_{ij} \, \partial P_{ij}\bigr)"
    axes = (2,)


class AttentionSumOverHeads(AttentionSumOverAxes):
    """The sum over the keys of all heads."""

    slug = "attention-softmax-over-all-heads"
    said = "is formed with a sum over all heads in the derivative of softmax in the gradient of the scores"
    wrong = r"\partial S = P \circ \bigl(\partial P - \textstyle\sum_{h,j} P_{hij} \, \partial P_{hij}\bigr)"
    axes = (1, 3)

    def is_possible(self, at: Attention) -> bool:
        return at.P.shape[1] > 1 and super().is_possible(at)


class AttentionSumOverMatrix(AttentionSumOverAxes):
    """The sum over queries and keys."""

    slug = "attention-softmax-over-queries-and-keys"
    said = "is formed with a sum over queries and keys in the derivative of softmax in the gradient of the scores"
    wrong = r"\partial S = P \circ \bigl(\partial P - \textstyle\sum_{i,j} P_{ij} \, \partial P_{ij}\bigr)"
    axes = (2, 3)


class ValuesGradientNotTransposed(AttentionBackward):
    """dV = P dC."""

    slug = "value-gradient-weights-not-transposed"
    block = "values"
    said = "is formed with the gradient of the values from the attention weights without their transpose"
    wrong = r"\partial V = P \, \partial C"
    why = "C = P V, so dV = Pᵀ dC. The weights of a sequence are a square matrix, so P dC has the same shape."
    unseen = "the attention weights are symmetric"

    def values_gradient(self, at: Attention, P: Array, dC: Array) -> Array:
        return P @ dC


class ValuesGradientOfScores(AttentionBackward):
    """dV = Sᵀ dC."""

    slug = "value-gradient-of-scores"
    block = "values"
    said = "is formed with the gradient of the values from the scores before softmax"
    wrong = r"\partial V = S^\top \partial C"
    why = "The values are averaged with the weights after softmax, C = P V, so dV = Pᵀ dC."
    unseen = "scores and weights are equal"

    def is_possible(self, at: Attention) -> bool:
        return not at.causal and super().is_possible(at)  # With a mask, S is infinite.

    def values_gradient(self, at: Attention, P: Array, dC: Array) -> Array:
        return (at.K @ at.Q.swapaxes(-1, -2) * at.scale) @ dC


class WeightsGradientValuesNotTransposed(AttentionBackward):
    """dP = dC V."""

    slug = "weights-gradient-values-not-transposed"
    said = "is formed with the gradient of the attention weights from the values without their transpose"
    wrong = r"\partial P = \partial C \, V"
    why = "C = P V, so dP = dC Vᵀ. As many time steps as features of a head make V a square matrix."
    unseen = "the values are symmetric"

    def is_possible(self, at: Attention) -> bool:
        return at.V.shape[-1] == at.V.shape[-2] and super().is_possible(at)

    def weights_gradient(self, at: Attention, dC: Array) -> Array:
        return dC @ at.V


SOFTMAX: tuple[type[AttentionBackward], ...] = (
    AttentionJacobianDiagonal,
    AttentionSumMissing,
    AttentionSoftmaxLeftOut,
    AttentionSumUnweighted,
    AttentionSumOverQueries,
    AttentionSumOverHeads,
    AttentionSumOverMatrix,
    ValuesGradientNotTransposed,
    ValuesGradientOfScores,
    WeightsGradientValuesNotTransposed,
)
