"""another-gate-order, update-gate-turned: the blocks of a recurrent layer's parameters as another library has them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations

import numpy as np

from core.arrays import Array
from core.checking.forward_readings.base import Changed, ForwardReading, Variant, at, of_layers, one_or_all
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
            own = next(("".join(node.layer.gates()) for node in problem.nodes if isinstance(node.layer, kind)), "")
            orders = ["".join(order) for order in permutations(own)] if own else []
            for order in [*(each for each in KNOWN if each in orders), *(each for each in orders if each not in KNOWN)]:

                def change(node: Node, order: str = order, kind: type[Lstm] | type[Gru] = kind) -> Changed | None:
                    layer = node.layer
                    if not isinstance(layer, kind) or "".join(layer.gates()) == order:
                        return None
                    return Changed(replace(node, layer=replace(layer, gate_order=order)))

                for other, names in one_or_all(problem, change):
                    known = f", {KNOWN[order]}" if order in KNOWN else ""
                    said = (
                        f"The blocks of your {of_layers(names)} stand in the order {' '.join(order)}{known}; the request's "
                        f'are in the order {" ".join(own)}: send "gate_order": "{order}".'
                    )
                    yield Variant(
                        problem=other,
                        slug=self.slug,
                        places=at("preactivations", names),
                        said=said,
                        common=order in KNOWN,
                    )


class UpdateGateTurned(ForwardReading):
    """h_t = (1 − z) ∘ h_{t−1} + z ∘ m, with 1 − z = σ(−a_z) for z."""

    slug = "update-gate-turned"

    def variants(self, problem: Problem) -> Iterator[Variant]:
        for other, names in one_or_all(problem, self._change):
            said = (
                f"In your {of_layers(names)} the update gate z is the share of the candidate; in the request's it is the "
                "share of the previous state, as in torch and Keras."
            )
            yield Variant(problem=other, slug=self.slug, places=at("preactivations", names), said=said, common=True)

    def _change(self, node: Node) -> Changed | None:
        layer = node.layer
        if not isinstance(layer, Gru):
            return None
        block = layer.blocks("weight")["z"]

        def turned(named: ByName) -> dict[str, Array]:
            found = {name: np.array(array) for name, array in named.items()}
            for array in found.values():
                array[..., block] *= -1
            return found

        return Changed(replace(node, layer=Reparametrised(inner=layer, used=turned, back=turned)))
