"""another-gate-order, update-gate-turned: the blocks of a recurrent layer's parameters as another library has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations

import numpy as np

from core.arrays import Array
from core.checking.forward_readings.base import Changed, ForwardReading, Variant, at, of_layers, one_or_all
from core.checking.forward_readings.gates import letters
from core.checking.forward_readings.wrapped import ByName, Reparametrised
from core.layers.gru import Gru
from core.layers.lstm import Lstm
from core.network import Node
from core.problem import Problem

KNOWN = {
    "ifog": "as in Caffe and in many courses",
    "ifgo": "as in torch, Keras and cuDNN",
    "iofg": "as in ONNX",
    "igfo": "as in TensorFlow's BasicLSTMCell",
    "gifo": "as in Chainer",
    "figo": "forget gate first",
    "fiog": "forget gate first",
    "zrn": "as in Keras and ONNX",
    "rzn": "as in torch and cuDNN",
}
"""The orders of the libraries, and of many programs."""


class AnotherGateOrder(ForwardReading):
    """The blocks i, f, o, g or z, r, n instead of the request's order."""

    slug = "another-gate-order"

    def variants(self, problem: Problem) -> Iterator[Variant]:
        for kind in (Lstm, Gru):
            own = next((letters(node.layer) for node in problem.nodes if isinstance(node.layer, kind)), "")
            orders = ["".join(order) for order in permutations(own)] if own else []
            for order in sorted(orders, key=lambda each: (each not in KNOWN, list(KNOWN).index(each) if each in KNOWN else 0)):

                def change(node: Node, order: str = order, kind: type = kind) -> Changed | None:
                    layer = node.layer
                    if not isinstance(layer, kind) or letters(layer) == order:
                        return None
                    return Changed(replace(node, layer=in_order(layer, order)))

                for other, names in one_or_all(problem, change):
                    known = f", {KNOWN[order]}" if order in KNOWN else ""
                    said = (
                        f"The blocks of your {of_layers(names)} stand in the order {' '.join(order)}{known}; the request's "
                        f"are in the order {' '.join(own)}."
                    )
                    yield Variant(
                        problem=other,
                        slug=self.slug,
                        places=at("preactivations", names),
                        said=said,
                        common=order in KNOWN,
                    )


def in_order(layer: Lstm | Gru, order: str) -> Reparametrised:
    """Return the layer that takes the blocks of its parameters in another order."""
    own = letters(layer)
    to_own, to_other = [order.index(letter) for letter in own], [own.index(letter) for letter in order]
    return Reparametrised(
        inner=layer,
        used=lambda named: {name: _moved(array, to_own) for name, array in named.items()},
        back=lambda named: {name: _moved(array, to_other) for name, array in named.items()},
    )


def _moved(array: Array, order: Sequence[int]) -> Array:
    """Return the blocks along the last axis in another order."""
    blocks = np.split(array, len(order), axis=-1)
    return np.concatenate([blocks[k] for k in order], axis=-1)


class UpdateGateTurned(ForwardReading):
    """h_t = (1 − z) ∘ h_{t−1} + z ∘ m, with 1 − z = σ(−a_z) for z."""

    slug = "update-gate-turned"

    def variants(self, problem: Problem) -> Iterator[Variant]:
        for other, names in one_or_all(problem, self._change):
            said = (
                f"In your {of_layers(names)} the update gate z is the share of the candidate; in the request's it is the share "
                "of the previous state, as in torch and Keras."
            )
            yield Variant(problem=other, slug=self.slug, places=at("preactivations", names), said=said, common=True)

    def _change(self, node: Node) -> Changed | None:
        layer = node.layer
        if not isinstance(layer, Gru):
            return None
        z = letters(layer).index("z")
        block = slice(z * layer.units, (z + 1) * layer.units)

        def turned(named: ByName) -> dict[str, Array]:
            found = {name: np.array(array) for name, array in named.items()}
            for array in found.values():
                array[..., block] *= -1
            return found

        return Changed(replace(node, layer=Reparametrised(inner=layer, used=turned, back=turned)))
