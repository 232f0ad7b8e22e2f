"""The mistakes in the projections of attention: [Q K V] = X W + 1 bᵀ and Z = C U + 1 cᵀ."""

from __future__ import annotations

import itertools
from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.attention.backward import Attention, AttentionBackward, Blocks, flat

PARTS = ("queries", "keys", "values")


class OutputWeightNotTransposed(AttentionBackward):
    """dC = Δ U."""

    slug = "attention-output-weight-not-transposed"
    block = "output projection"
    said = "is formed with a delta that went back through the output weights without transposing them"
    wrong = r"\partial C = \delta U"
    why = "Z = C U + 1 cᵀ, so dC = Δ Uᵀ. The output weights are square, so Δ U has the same shape."
    unseen = "the output weights are symmetric"

    def context_gradient(self, at: Attention) -> Array:
        return at.D @ at.U


class OutputWeightLeftOut(AttentionBackward):
    """dC = Δ."""

    slug = "attention-output-weight-left-out"
    block = "output projection"
    said = "is formed with a delta that did not go back through the output weights"
    wrong = r"\partial C = \delta"
    why = "Z = C U + 1 cᵀ, so dC = Δ Uᵀ."
    unseen = "the output weights are the identity"

    def context_gradient(self, at: Attention) -> Array:
        return at.D


class OutputWeightGradientOfInput(AttentionBackward):
    """dU = Xᵀ Δ."""

    slug = "attention-output-weight-gradient-of-input"
    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    block = "output projection"
    said = "is formed with what the layer reads instead of the joined heads in the gradient of the output weights"
    wrong = r"\partial U = X^\top \delta"
    why = "U multiplies the joined heads C, so its gradient is Cᵀ Δ."
    unseen = "the joined heads are equal to what the layer reads"

    def out_weight(self, at: Attention) -> Array:
        return flat(at.X).T @ flat(at.D)


class OutputWeightGradientTransposed(AttentionBackward):
    """dU = Δᵀ C."""

    slug = "attention-output-weight-gradient-transposed"
    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    block = "output projection"
    said = "is formed with the gradient of the output weights transposed"
    wrong = r"\partial U = \delta^\top C"
    why = "Z = C U + 1 cᵀ, so dU = Cᵀ Δ. The output weights are square, so the transposed gradient has the same shape."
    unseen = "the gradient is symmetric"

    def out_weight(self, at: Attention) -> Array:
        return super().out_weight(at).T


class InputWeightGradientTransposed(AttentionBackward):
    """dW_Q = dQᵀ X, and so for keys and values."""

    slug = "attention-input-weight-gradient-transposed"
    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    block = "queries, keys and values"
    said = "is formed with the gradients of the weights of queries, keys and values transposed"
    wrong = r"\partial W_Q = \partial Q^\top X"
    why = "Q = X W_Q + 1 bᵀ, so dW_Q = Xᵀ dQ. Each block is square, so the transposed gradient has the same shape."
    unseen = "the gradients are symmetric"

    def in_weight(self, at: Attention, parts: Blocks) -> Array:
        return np.concatenate([block.T for block in np.split(super().in_weight(at, parts), 3, axis=1)], axis=1)


class InputWeightsNotTransposed(AttentionBackward):
    """dX = dQ W_Q + dK W_K + dV W_V."""

    slug = "attention-input-weights-not-transposed"
    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient")
    said = "goes back through the weights of queries, keys and values of layer '$above' without transposing them"
    wrong = r"\partial X = \partial Q \, W_Q + \partial K \, W_K + \partial V \, W_V"
    why = "Q = X W_Q + 1 bᵀ, so Q sends dQ W_Qᵀ back. Each block is square, so both products have the same shape."
    unseen = "the weights are symmetric"

    def sent_to_input(self, at: Attention, parts: Blocks) -> Array:
        return np.asarray(sum(part @ block for part, block in zip(parts, at.blocks, strict=True)))


class PathsMissing(AttentionBackward):
    """dX without what queries, keys or values send back."""

    slug = "attention-path-missing"
    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient")
    unseen = "what is missing is 0"
    kept: ClassVar[tuple[int, ...]]
    """The positions of the paths that are kept, among queries, keys and values."""

    def sent_to_input(self, at: Attention, parts: Blocks) -> Array:
        return np.asarray(sum(parts[k] @ at.blocks[k].T for k in self.kept))


class BlocksInAnotherOrder(AttentionBackward):
    """The columns of dW and the numbers of db in another order than those of W and b."""

    slug = "attention-blocks-in-another-order"
    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    unseen = "the blocks are equal"
    order: ClassVar[tuple[int, ...] | None]
    """The order of queries, keys and values; None for those of the first head before those of the second."""

    def is_possible(self, at: Attention) -> bool:
        return (self.order is not None or at.Q.shape[1] > 1) and super().is_possible(at)

    def in_weight(self, at: Attention, parts: Blocks) -> Array:
        return self._ordered(at, super().in_weight(at, parts))

    def in_bias(self, at: Attention, parts: Blocks) -> Array:
        return self._ordered(at, super().in_bias(at, parts))

    def _ordered(self, at: Attention, gradient: Array) -> Array:
        heads = at.Q.shape[1]
        divided = gradient.reshape(*gradient.shape[:-1], 3, heads, -1)
        if self.order is None:
            return divided.swapaxes(-2, -3).reshape(gradient.shape)
        return divided[..., list(self.order), :, :].reshape(gradient.shape)


class BiasSummedOtherwise(AttentionBackward):
    """The gradient of a bias as another sum than that over sequences and time steps."""

    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    unseen = "the sequences have one time step"
    biases: ClassVar[tuple[str, ...]]
    """Those with the mistake: in_bias, out_bias or both."""

    def summed(self, terms: Array) -> Array:
        """Return the wrong sum of n x T x features."""
        raise NotImplementedError

    def is_possible(self, at: Attention) -> bool:
        return at.X.shape[1] > 1 and super().is_possible(at)

    def in_bias(self, at: Attention, parts: Blocks) -> Array:
        right = super().in_bias(at, parts)
        return self.summed(np.concatenate(parts, axis=-1)) if "in_bias" in self.biases else right

    def out_bias(self, at: Attention) -> Array:
        return self.summed(at.D) if "out_bias" in self.biases else super().out_bias(at)


class BiasMeanOverTime(BiasSummedOtherwise):
    """db as the mean over the time steps."""

    slug = "attention-bias-gradient-mean-over-time"

    def summed(self, terms: Array) -> Array:
        return np.asarray(terms.mean(axis=1).sum(axis=0))


class BiasOverExamplesOnly(BiasSummedOtherwise):
    """db summed over the sequences, with a row for every time step."""

    slug = "attention-bias-gradient-over-examples-only"

    def summed(self, terms: Array) -> Array:
        return np.asarray(terms.sum(axis=0))


class BiasOverTimeOnly(BiasSummedOtherwise):
    """db summed over the time steps, with a row for every sequence."""

    slug = "attention-bias-gradient-over-time-only"

    def summed(self, terms: Array) -> Array:
        return np.asarray(terms.sum(axis=1))


_WHY_PATHS = (
    "Queries, keys and values are all computed from what the layer reads, so its gradient is the sum of what the three "
    "send back: += instead of =."
)
_LETTERS = "QKV"


def _paths() -> tuple[type[PathsMissing], ...]:
    found: list[type[PathsMissing]] = []
    for kept in (*((k,) for k in range(3)), *itertools.combinations(range(3), 2)):
        lost = [PARTS[k] for k in range(3) if k not in kept]
        fields = {
            "block": " and ".join(lost),
            "said": f"lacks what the {' and the '.join(lost)} of layer '$above' send back",
            "wrong": r"\partial X = " + " + ".join(rf"\partial {_LETTERS[k]} \, W_{_LETTERS[k]}^\top" for k in kept),
            "why": _WHY_PATHS,
            "kept": kept,
        }
        found.append(type("PathOf" + "And".join(PARTS[k].title() for k in kept), (PathsMissing,), fields))
    return tuple(found)


_WHY_BLOCKS = (
    "The gradient has the order of the weights: queries, keys, values, and in each block one head after another."
)


def _block_orders() -> tuple[type[BlocksInAnotherOrder], ...]:
    others = [order for order in itertools.permutations(range(3)) if order[2] != 2]  # K Q V: `QueriesAndKeysSwapped`.
    orders: list[tuple[int, ...] | None] = [*others, None]
    found: list[type[BlocksInAnotherOrder]] = []
    for order in orders:
        letters = "first head before second" if order is None else "".join(_LETTERS[k] for k in order)
        how = (
            "one head after another, each with its queries, keys and values"
            if order is None
            else ", ".join(PARTS[k] for k in order)
        )
        fields = {
            "order": order,
            "said": f"has its blocks in another order than the weights: {how}",
            "wrong": r"\partial W = X^\top ["
            + r" \; ".join(rf"\partial {_LETTERS[k]}" for k in order or (0, 1, 2))
            + "]",
            "why": _WHY_BLOCKS,
        }
        found.append(type(f"Blocks{letters.title().replace(' ', '')}", (BlocksInAnotherOrder,), fields))
    return tuple(found)


_SUMS: tuple[tuple[type[BiasSummedOtherwise], str, str], ...] = (
    (BiasMeanOverTime, "the mean over the time steps", r"\frac{1}{T} \textstyle\sum_{i,t}"),
    (BiasOverExamplesOnly, "the sum over the sequences alone", r"\textstyle\sum_i"),
    (BiasOverTimeOnly, "the sum over the time steps alone", r"\textstyle\sum_t"),
)


def _sums() -> tuple[type[BiasSummedOtherwise], ...]:
    found: list[type[BiasSummedOtherwise]] = []
    for base, what, latex in _SUMS:
        for biases in (("in_bias", "out_bias"), ("in_bias",), ("out_bias",)):
            fields = {
                "biases": biases,
                "block": "output projection" if biases == ("out_bias",) else "",
                "said": f"is formed with {what} in the gradient of {' and '.join(biases)}",
                "wrong": latex
                + (r" \delta_{it}" if biases == ("out_bias",) else r" [\partial Q \; \partial K \; \partial V]_{it}"),
                "why": "Every time step of every sequence adds the bias, so its gradient is the sum over all of them.",
            }
            found.append(type(f"{base.__name__}Of{''.join(name.title() for name in biases)}", (base,), fields))
    return tuple(found)


PROJECTIONS: tuple[type[AttentionBackward], ...] = (
    OutputWeightNotTransposed,
    OutputWeightLeftOut,
    OutputWeightGradientOfInput,
    OutputWeightGradientTransposed,
    InputWeightGradientTransposed,
    InputWeightsNotTransposed,
    *_paths(),
    *_block_orders(),
    *_sums(),
)
