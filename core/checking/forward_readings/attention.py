"""Attention with other scores: scaled otherwise, masked or not, with the blocks in another order."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations

import numpy as np

from core.arrays import Array
from core.checking.forward_readings.base import Changed, ForwardReading, Variant, at, of_layers, one_or_all
from core.checking.forward_readings.texts import forward_mistake
from core.checking.forward_readings.wrapped import ByName, Reparametrised
from core.layers.multi_head_attention import MultiHeadAttention
from core.network import Node
from core.problem import Problem


class ScoresScaledOtherwise(ForwardReading):
    """Q Kᵀ, Q Kᵀ/s or Q Kᵀ/√(width of the model) instead of Q Kᵀ/√s."""

    slug = "scores-scaled-otherwise"

    def variants(self, problem: Problem) -> Iterator[Variant]:
        for scale, said_of in (
            (lambda s, d: 1.0, "does not scale its scores"),
            (lambda s, d: 1 / math.sqrt(d), "divides its scores by the root of the model's width"),
            (lambda s, d: 1 / s, "divides its scores by the features of a head, not by their root"),
        ):

            def change(node: Node, scale=scale) -> Changed | None:  # type: ignore[no-untyped-def]
                layer = node.layer
                if not isinstance(layer, MultiHeadAttention):
                    return None
                d = node.shape[-1]
                factor = scale(d // layer.heads, d) * math.sqrt(d // layer.heads)
                if factor == 1:
                    return None

                def scaled(named: ByName) -> dict[str, Array]:
                    """√s times the scale in the columns of Q: the scores are linear in Q."""
                    found = {name: np.array(array) for name, array in named.items()}
                    for name in ("in_weight", "in_bias"):
                        if name in found:
                            found[name][..., :d] *= factor
                    return found

                return Changed(replace(node, layer=Reparametrised(inner=layer, used=scaled, back=scaled)))

            for other, names in one_or_all(problem, change):
                said = f"Your {of_layers(names)} {said_of}; the request divides them by √s, s the features of a head."
                yield Variant(problem=other, slug=self.slug, places=at("preactivations", names), said=said, common=True)


class BlocksInAnotherOrder(ForwardReading):
    """[K Q V], …, or the three blocks of each head beside each other."""

    slug = "another-block-order"

    def variants(self, problem: Problem) -> Iterator[Variant]:
        orders: list[Sequence[str]] = ["heads", *permutations("QKV")]
        for order in orders:

            def change(node: Node, order: Sequence[str] = order) -> Changed | None:
                layer = node.layer
                if not isinstance(layer, MultiHeadAttention) or "".join(order) == "QKV":
                    return None
                d, k = node.shape[-1], layer.heads
                if order == "heads" and k == 1:
                    return None
                columns = np.arange(3 * d)
                if order == "heads":  # Column (head, block, feature) of the user's is (block, head, feature) here.
                    columns = columns.reshape(k, 3, d // k).swapaxes(0, 1).ravel()
                else:
                    columns = columns.reshape(3, d)[[order.index(letter) for letter in "QKV"]].ravel()
                return Changed(replace(node, layer=_with_columns(layer, columns)))

            for other, names in one_or_all(problem, change):
                how = (
                    "head by head, each with its Q, K and V" if order == "heads" else f"in the order {' '.join(order)}"
                )
                said = f"The blocks of your {of_layers(names)} stand {how}; the request's are in the order Q K V."
                yield Variant(problem=other, slug=self.slug, places=at("preactivations", names), said=said)


def _with_columns(layer: MultiHeadAttention, columns: Array) -> Reparametrised:
    def moved(named: ByName, order: Array) -> dict[str, Array]:
        return {name: array[..., order] if name.startswith("in_") else array for name, array in named.items()}

    return Reparametrised(
        inner=layer,
        used=lambda named: moved(named, columns),
        back=lambda named: moved(named, np.argsort(columns)),
    )


class MaskLeftOut(ForwardReading):
    """Every time step attends to all, or only to earlier ones, against the request."""

    slug = "mask-left-out"

    def variants(self, problem: Problem) -> Iterator[Variant]:
        def change(node: Node) -> Changed | None:
            layer = node.layer
            if not isinstance(layer, MultiHeadAttention):
                return None
            return Changed(replace(node, layer=replace(layer, causal=not layer.causal)))

        for other, names in one_or_all(problem, change):
            layer = next(node.layer for node in problem.nodes if node.name == names[0])
            causal = isinstance(layer, MultiHeadAttention) and layer.causal
            mistake = forward_mistake(
                self.slug if causal else "mask-added",
                said="attends to later time steps too" if causal else "attends to no later time steps",
                wrong="P = \\operatorname{softmax}(S)" if causal else "P = \\operatorname{softmax}(S + M)",
                why="`causal` says whether −∞ is added to the scores of later time steps before the softmax.",
            )
            yield Variant(problem=other, slug=mistake.slug, places=at("preactivations", names), mistake=mistake)
