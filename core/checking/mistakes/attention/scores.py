"""The mistakes in the gradients of queries and keys: S = Q Kᵀ/√s, with its mask."""

from __future__ import annotations

import math

import numpy as np

from core.arrays import Array
from core.checking.mistakes.attention.backward import Attention, AttentionBackward, Blocks


class QueriesAndKeysSwapped(AttentionBackward):
    """The gradient of the queries where that of the keys belongs, and the other way round."""

    slug = "query-and-key-gradients-swapped"
    block = "queries and keys"
    said = "is formed with the gradients of the queries and of the keys in each other's place"
    wrong = r"\partial Q = \partial S^\top Q / \sqrt{s}, \quad \partial K = \partial S \, K / \sqrt{s}"
    why = (
        "S = Q Kᵀ/√s, so the gradient of the queries contains the keys, dQ = dS K/√s, and that of the keys contains the "
        "queries, dK = dSᵀ Q/√s. Both have the same shape, so no error is raised."
    )
    unseen = "both gradients are equal"

    def by_part(self, dQ: Array, dK: Array, dV: Array) -> Blocks:
        return super().by_part(dK, dQ, dV)


class KeysScoreNotTransposed(AttentionBackward):
    """dK = dS Q/√s."""

    slug = "key-gradient-score-not-transposed"
    block = "keys"
    said = "is formed with the gradient of the keys from the scores' gradient without its transpose"
    wrong = r"\partial K = \partial S \, Q / \sqrt{s}"
    why = (
        "A key is a column of S = Q Kᵀ/√s, so dK = dSᵀ Q/√s. The scores of a sequence are a square matrix, so dS Q has "
        "the same shape."
    )
    unseen = "the gradient of the scores is symmetric"

    def keys_gradient(self, at: Attention, dS: Array) -> Array:
        return dS @ at.Q


class QueriesScoreTransposed(AttentionBackward):
    """dQ = dSᵀ K/√s."""

    slug = "query-gradient-score-transposed"
    block = "queries"
    said = "is formed with the gradient of the queries from the transposed gradient of the scores"
    wrong = r"\partial Q = \partial S^\top K / \sqrt{s}"
    why = "A query is a row of S = Q Kᵀ/√s, so dQ = dS K/√s; only the gradient of the keys contains the transpose."
    unseen = "the gradient of the scores is symmetric"

    def queries_gradient(self, at: Attention, dS: Array) -> Array:
        return dS.swapaxes(-1, -2) @ at.K


class QueriesGradientOfQueries(AttentionBackward):
    """dQ = dS Q/√s."""

    slug = "query-gradient-of-queries"
    block = "queries"
    said = "is formed with the gradient of the queries from the queries themselves instead of the keys"
    wrong = r"\partial Q = \partial S \, Q / \sqrt{s}"
    why = "S = Q Kᵀ/√s is linear in Q with the factor K, so dQ = dS K/√s."
    unseen = "queries and keys are equal"

    def queries_gradient(self, at: Attention, dS: Array) -> Array:
        return dS @ at.Q


class KeysGradientOfKeys(AttentionBackward):
    """dK = dSᵀ K/√s."""

    slug = "key-gradient-of-keys"
    block = "keys"
    said = "is formed with the gradient of the keys from the keys themselves instead of the queries"
    wrong = r"\partial K = \partial S^\top K / \sqrt{s}"
    why = "S = Q Kᵀ/√s is linear in K with the factor Q, so dK = dSᵀ Q/√s."
    unseen = "queries and keys are equal"

    def keys_gradient(self, at: Attention, dS: Array) -> Array:
        return dS.swapaxes(-1, -2) @ at.K


class AttentionScale(AttentionBackward):
    """Another factor than 1/√s in dQ, dK or both."""

    unseen = "the heads have one feature, so the factor is 1"
    on: tuple[bool, bool] = (True, True)
    """Whether the wrong factor is in dQ, and in dK."""

    def wrong_scale(self, at: Attention) -> float:
        """Return the wrong factor."""
        return 1.0

    def scales(self, at: Attention) -> tuple[float, float]:
        of_queries, of_keys = super().scales(at)
        wrong = self.wrong_scale(at)
        return (wrong if self.on[0] else of_queries, wrong if self.on[1] else of_keys)


class ScaleLeftOut(AttentionScale):
    """dQ = dS K and dK = dSᵀ Q."""

    slug = "attention-scale-left-out"
    block = "queries and keys"
    said = "is formed without the factor 1/√s of the scores in the gradients of queries and keys"
    wrong = r"\partial Q = \partial S \, K, \quad \partial K = \partial S^\top Q"
    why = (
        "The forward pass divides the scores by √s, s the features of a head, so both gradients are divided by √s too."
    )


class ScaleLeftOutOfQueries(AttentionScale):
    """dQ = dS K."""

    slug = "attention-scale-left-out-of-queries"
    block = "queries"
    said = "is formed without the factor 1/√s of the scores in the gradient of the queries"
    wrong = r"\partial Q = \partial S \, K"
    why = "The forward pass divides the scores by √s, s the features of a head, so dQ = dS K/√s."
    on = (True, False)


class ScaleLeftOutOfKeys(AttentionScale):
    """dK = dSᵀ Q."""

    slug = "attention-scale-left-out-of-keys"
    block = "keys"
    said = "is formed without the factor 1/√s of the scores in the gradient of the keys"
    wrong = r"\partial K = \partial S^\top Q"
    why = "The forward pass divides the scores by √s, s the features of a head, so dK = dSᵀ Q/√s."
    on = (False, True)


class ScaleAppliedTwice(AttentionScale):
    """dQ = dS K/s and dK = dSᵀ Q/s."""

    slug = "attention-scale-applied-twice"
    block = "queries and keys"
    said = "is formed with the factor 1/√s of the scores twice in the gradients of queries and keys"
    wrong = r"\partial Q = \partial S \, K / s, \quad \partial K = \partial S^\top Q / s"
    why = (
        "The scores are divided by √s once, s the features of a head. The division belongs either to dS or to dQ and dK, "
        "not to both."
    )

    def wrong_scale(self, at: Attention) -> float:
        return at.scale**2


class ScaleOfAllFeatures(AttentionScale):
    """dQ = dS K/√d and dK = dSᵀ Q/√d."""

    slug = "attention-scale-of-all-features"
    block = "queries and keys"
    said = (
        "is formed with 1/√d of all features instead of 1/√s of a head's features in the gradients of queries and keys"
    )
    wrong = r"\partial Q = \partial S \, K / \sqrt{d}, \quad \partial K = \partial S^\top Q / \sqrt{d}"
    why = "The forward pass divides the scores by √s, where s = d/k is the number of features of one head."
    unseen = "there is one head, so s = d"

    def wrong_scale(self, at: Attention) -> float:
        return 1 / math.sqrt(at.X.shape[-1])


class MaskLeftOutBackward(AttentionBackward):
    """P in the backward pass is softmax(Q Kᵀ/√s) without the mask."""

    slug = "causal-mask-left-out-backward"
    said = "is formed with attention weights without the causal mask"
    wrong = r"P = \operatorname{softmax}(Q K^\top / \sqrt{s})"
    why = (
        "The forward pass attends to earlier time steps only, so the weights of later ones are 0 in the backward pass "
        "too: use the weights of the forward pass."
    )
    unseen = "the sequences have one time step"

    def is_possible(self, at: Attention) -> bool:
        return at.causal and super().is_possible(at)

    def weights(self, at: Attention) -> Array:
        S = at.Q @ at.K.swapaxes(-1, -2) * at.scale
        E = np.exp(S - S.max(axis=-1, keepdims=True))
        return np.asarray(E / E.sum(axis=-1, keepdims=True))


SCORES: tuple[type[AttentionBackward], ...] = (
    QueriesAndKeysSwapped,
    KeysScoreNotTransposed,
    QueriesScoreTransposed,
    QueriesGradientOfQueries,
    KeysGradientOfKeys,
    ScaleLeftOut,
    ScaleLeftOutOfQueries,
    ScaleLeftOutOfKeys,
    ScaleAppliedTwice,
    ScaleOfAllFeatures,
    MaskLeftOutBackward,
)
