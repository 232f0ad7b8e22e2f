"""The mistakes in the heads of attention: n x T x d divided into n x k x T x s, and joined again."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.attention.backward import Attention, AttentionBackward, Blocks


class OfHeads(AttentionBackward):
    """A mistake that needs two heads."""

    unseen = "there is one head, or the heads have equal gradients"

    def is_possible(self, at: Attention) -> bool:
        return at.Q.shape[1] > 1 and super().is_possible(at)


class OneHead(OfHeads):
    """One head's gradients in the place of all heads, or beside zeros."""

    head: ClassVar[int]
    zeros: ClassVar[bool]

    def by_part(self, dQ: Array, dK: Array, dV: Array) -> Blocks:
        queries, keys, values = (self._of_one(part) for part in (dQ, dK, dV))
        return super().by_part(queries, keys, values)

    def _of_one(self, divided: Array) -> Array:
        one = divided[:, self.head : self.head + 1 or None]
        if not self.zeros:
            return np.broadcast_to(one, divided.shape)
        found = np.zeros_like(divided)
        found[:, self.head : self.head + 1 or None] = one
        return found


class FirstHeadCopied(OneHead):
    """The gradients of the first head in the place of all heads."""

    slug = "first-head-copied"
    said = "is formed with the gradients of the first head in the place of every head"
    wrong = r"\partial Q_h = \partial Q_1, \quad \partial K_h = \partial K_1, \quad \partial V_h = \partial V_1"
    why = "Every head has queries, keys and values of its own, hence gradients of its own."
    head, zeros = 0, False


class LastHeadCopied(OneHead):
    """The gradients of the last head in the place of all heads."""

    slug = "last-head-copied"
    said = "is formed with the gradients of the last head in the place of every head"
    wrong = r"\partial Q_h = \partial Q_k, \quad \partial K_h = \partial K_k, \quad \partial V_h = \partial V_k"
    why = (
        "Every head has queries, keys and values of its own. A loop over the heads has to store each head's gradients."
    )
    head, zeros = -1, False


class LastHeadOnly(OneHead):
    """The gradients of all heads but the last are 0."""

    slug = "last-head-only"
    said = "is formed with the gradients of the last head alone, and 0 for the other heads"
    wrong = r"\partial Q_h = 0, \quad \partial K_h = 0, \quad \partial V_h = 0 \quad \text{for } h < k"
    why = "Every head contributes. A loop that allocates the gradients anew for each head keeps only those of the last one."
    unseen = "there is one head, or the other heads have gradients of 0"
    head, zeros = -1, True


class HeadsInAnotherOrder(OfHeads):
    """n x T x d and n x k x T x s turned into each other in another order of axes than in the forward pass."""

    slug = "heads-in-another-order"
    unseen = "there is one head, or the sequences have one time step"
    splits: ClassVar[Callable[[Array, int], Array] | None] = None
    """How Δ Uᵀ is divided; None for rightly."""
    joins: ClassVar[Callable[[Array], Array] | None] = None
    """How dQ, dK and dV are joined; None for rightly."""

    def split(self, at: Attention, joined: Array) -> Array:
        splits = type(self).splits
        return super().split(at, joined) if splits is None else splits(joined, at.Q.shape[1])

    def join(self, at: Attention, divided: Array) -> Array:
        joins = type(self).joins
        return super().join(at, divided) if joins is None else joins(divided).reshape(at.X.shape)


def _reshaped_apart(joined: Array, heads: int) -> Array:
    """Reshape without exchanging axes: each head gets time steps instead of features."""
    n, time, features = joined.shape
    return joined.reshape(n, heads, time, features // heads)


def _interleaved_apart(joined: Array, heads: int) -> Array:
    """Give neighbouring features to different heads."""
    n, time, features = joined.shape
    return joined.reshape(n, time, features // heads, heads).transpose(0, 3, 1, 2)


def _reshaped_together(divided: Array) -> Array:
    return divided


def _interleaved_together(divided: Array) -> Array:
    return divided.transpose(0, 2, 3, 1)


_WHY_ORDER = (
    "The forward pass divides the features into blocks of s, one head after another, and puts the axis of the heads before "
    "that of time. The backward pass undoes exactly that: exchange the two axes, then reshape."
)
_ORDERS = (
    ("Reshaped", "reshaped without exchanging the axes of time and heads", _reshaped_apart, _reshaped_together),
    ("Interleaved", "with neighbouring features in different heads", _interleaved_apart, _interleaved_together),
)
_FORMULA = (
    r"\partial C_h \text{ from } \back{\delta}{U}, \quad "
    r"[\partial Q \; \partial K \; \partial V] \text{ from the heads}"
)


def _orders() -> tuple[type[HeadsInAnotherOrder], ...]:
    found: list[type[HeadsInAnotherOrder]] = []
    for name, how, splits, joins in _ORDERS:
        for where, apart, together in (
            ("when dC is divided into heads", True, False),
            ("when the heads of dQ, dK and dV are joined", False, True),
            ("when dC is divided into heads and when those of dQ, dK and dV are joined", True, True),
        ):
            fields = {
                "said": f"is formed with the heads in another order than in the forward pass, {how}, {where}",
                "wrong": _FORMULA,
                "why": _WHY_ORDER,
                "splits": staticmethod(splits) if apart else None,
                "joins": staticmethod(joins) if together else None,
            }
            found.append(type(f"Heads{name}{apart:d}{together:d}", (HeadsInAnotherOrder,), fields))
    return tuple(found)


HEADS: tuple[type[AttentionBackward], ...] = (FirstHeadCopied, LastHeadCopied, LastHeadOnly, *_orders())
