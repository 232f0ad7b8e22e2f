"""The mistakes in the gradients of attention's biases: sums over sequences and time steps."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.attention.backward import Attention, AttentionBackward, Blocks


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


BIASES: tuple[type[AttentionBackward], ...] = _sums()
