"""The mistakes in the projections of attention: [Q K V] = X W + 1 bᵀ and Z = C U + 1 cᵀ."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.attention.backward import Attention, AttentionBackward, Blocks, flat


class OutputWeightNotTransposed(AttentionBackward):
    """dC = Δ U."""

    slug = "attention-output-weight-not-transposed"
    block = "output projection"
    said = "is formed with a delta that went back through the output weights without transposing them"
    wrong = r"\partial C = \backwrong{\delta}{U}"
    why = (
        "Z is the product of C and U, so the delta goes back to C through the transpose of the matrix that the forward "
        "pass uses. U is square, so both products have the same shape."
    )
    unseen = "the output weights are symmetric"

    def context_gradient(self, at: Attention) -> Array:
        return at.D @ at.U


class OutputWeightLeftOut(AttentionBackward):
    """dC = Δ."""

    slug = "attention-output-weight-left-out"
    block = "output projection"
    said = "is formed with a delta that did not go back through the output weights"
    wrong = r"\partial C = \delta"
    why = "Z is the product of the joined heads C and U, so the gradient of C is the delta, multiplied by U on its way back."
    unseen = "the output weights are the identity"

    def context_gradient(self, at: Attention) -> Array:
        return at.D


class OutputWeightGradientOfInput(AttentionBackward):
    """dU = Xᵀ Δ."""

    slug = "attention-output-weight-gradient-of-input"
    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    block = "output projection"
    said = "is formed with what the layer reads instead of the joined heads in the gradient of the output weights"
    wrong = r"\partial U = \outer{X}{\delta}"
    why = "U multiplies the joined heads C, so its gradient is the outer product of C and the delta."
    unseen = "the joined heads are equal to what the layer reads"

    def out_weight(self, at: Attention) -> Array:
        return flat(at.X).T @ flat(at.D)


class OutputWeightGradientTransposed(AttentionBackward):
    """dU = Δᵀ C."""

    slug = "attention-output-weight-gradient-transposed"
    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    block = "output projection"
    said = "is formed with the gradient of the output weights transposed"
    wrong = r"\partial U = \outer{\delta}{C}"
    why = (
        "A gradient has the layout of its weight, so that the update can subtract it. U is square, so the transposed "
        "gradient has the same shape."
    )
    unseen = "the gradient is symmetric"

    def out_weight(self, at: Attention) -> Array:
        return super().out_weight(at).T


class InputWeightGradientTransposed(AttentionBackward):
    """dW_Q = dQᵀ X, and so for keys and values."""

    slug = "attention-input-weight-gradient-transposed"
    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    block = "queries, keys and values"
    said = "is formed with the gradients of the weights of queries, keys and values transposed"
    wrong = r"\partial W_Q = \outer{\partial Q}{X}"
    why = (
        "A gradient has the layout of its weight, so that the update can subtract it. Each block is square, so the "
        "transposed gradient has the same shape."
    )
    unseen = "the gradients are symmetric"

    def in_weight(self, at: Attention, parts: Blocks) -> Array:
        return np.concatenate([block.T for block in np.split(super().in_weight(at, parts), 3, axis=1)], axis=1)


PROJECTIONS: tuple[type[AttentionBackward], ...] = (
    OutputWeightNotTransposed,
    OutputWeightLeftOut,
    OutputWeightGradientOfInput,
    OutputWeightGradientTransposed,
    InputWeightGradientTransposed,
)
