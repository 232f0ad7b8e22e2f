"""The mistakes in the three paths of attention: queries, keys and values are all computed from what the layer reads."""

from __future__ import annotations

import itertools
from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.attention.backward import Attention, AttentionBackward, Blocks

PARTS = ("queries", "keys", "values")
LETTERS = "QKV"


class InputWeightsNotTransposed(AttentionBackward):
    """dX = dQ W_Q + dK W_K + dV W_V."""

    slug = "attention-input-weights-not-transposed"
    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient")
    said = "goes back through the weights of queries, keys and values of layer '$above' without transposing them"
    wrong = r"\partial X = \backwrong{\partial Q}{W_Q} + \backwrong{\partial K}{W_K} + \backwrong{\partial V}{W_V}"
    why = (
        "Q is the product of X and W_Q, so the gradient of Q goes back through the transpose of the matrix that the "
        "forward pass uses. Each block is square, so both products have the same shape."
    )
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


_WHY_PATHS = (
    "Queries, keys and values are all computed from what the layer reads, so its gradient is the sum of what the three "
    "send back: += instead of =."
)


def _paths() -> tuple[type[PathsMissing], ...]:
    found: list[type[PathsMissing]] = []
    for kept in (*((k,) for k in range(3)), *itertools.combinations(range(3), 2)):
        lost = [PARTS[k] for k in range(3) if k not in kept]
        fields = {
            "block": " and ".join(lost),
            "said": f"lacks what the {' and the '.join(lost)} of layer '$above' send back",
            "wrong": r"\partial X = " + " + ".join(rf"\back{{\partial {LETTERS[k]}}}{{W_{LETTERS[k]}}}" for k in kept),
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
        letters = "first head before second" if order is None else "".join(LETTERS[k] for k in order)
        how = (
            "one head after another, each with its queries, keys and values"
            if order is None
            else ", ".join(PARTS[k] for k in order)
        )
        fields = {
            "order": order,
            "said": f"has its blocks in another order than the weights: {how}",
            "wrong": r"\partial W = \outer{X}{["
            + r" \; ".join(rf"\partial {LETTERS[k]}" for k in order or (0, 1, 2))
            + "]}",
            "why": _WHY_BLOCKS,
        }
        found.append(type(f"Blocks{letters.title().replace(' ', '')}", (BlocksInAnotherOrder,), fields))
    return tuple(found)


PATHS: tuple[type[AttentionBackward], ...] = (InputWeightsNotTransposed, *_paths(), *_block_orders())
