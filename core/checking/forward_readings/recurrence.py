"""reset-gate-before-product, and gates with another function or the bias of another gate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from core.arrays import Array
from core.checking.forward_readings.base import Changed, ForwardReading, Variant, at, of_layers, one_or_all
from core.checking.forward_readings.gates import LstmOfFunctions
from core.checking.forward_readings.texts import forward_mistake
from core.checking.forward_readings.wrapped import ByName, Reparametrised
from core.layers.gru import Gru
from core.layers.lstm import Lstm
from core.layers.rnn import Rnn
from core.layers.shared.recurrence import Recurrent
from core.network import Node
from core.problem import Problem

GATES = {
    "i": "input gate",
    "f": "forget gate",
    "g": "candidate",
    "o": "output gate",
    "r": "reset gate",
    "z": "update gate",
    "n": "candidate",
}


class ResetGateBeforeProduct(ForwardReading):
    """tanh(x W + (r ∘ h) U + b), as Cho et al. have it."""

    slug = "reset-gate-before-product"

    def variants(self, problem: Problem) -> Iterator[Variant]:
        for other, names in one_or_all(problem, self._change):
            said = (
                f"In your {of_layers(names)} the reset gate multiplies the previous state before the product with the "
                "recurrent weight, as in Cho et al. (2014) and in Keras with reset_after=False; in the request's it "
                'multiplies the product, as in torch: send "reset_after": false.'
            )
            yield Variant(problem=other, slug=self.slug, places=at("preactivations", names), said=said, common=True)

    def _change(self, node: Node) -> Changed | None:
        layer = node.layer
        if not isinstance(layer, Gru) or not layer.reset_after:
            return None
        return Changed(replace(node, layer=replace(layer, reset_after=False)))


class BiasOfAnotherGate(ForwardReading):
    """One block of the bias is added in every gate, in every gate but the candidate, or in one other gate."""

    slug = "bias-of-another-gate"

    def variants(self, problem: Problem) -> Iterator[Variant]:
        for kind in (Lstm, Gru):
            own = next((node.layer.gates() for node in problem.nodes if isinstance(node.layer, kind)), ())
            for letter in own:
                others = [each for each in own if each != letter]
                gates = [each for each in others if GATES[each] != "candidate"]
                for into in dict.fromkeys((tuple(others), tuple(gates), *((each,) for each in others))):
                    where = f"the {GATES[into[0]]}" if len(into) == 1 else "every gate"
                    if into == tuple(gates) and len(gates) > 1:
                        where = "every gate but the candidate"
                    mistake = forward_mistake(
                        self.slug,
                        said=f"adds the {GATES[letter]}'s bias in {where}",
                        wrong=", ".join(rf"b_{each} = b_{letter}" for each in into),
                        why="Every gate has a block of the bias of its own.",
                    )
                    for together in (False, True):

                        def change(
                            node: Node,
                            kind: type[Lstm] | type[Gru] = kind,
                            source: str = letter,
                            into: Sequence[str] = into,
                            together: bool = together,
                        ) -> Changed | None:
                            layer = node.layer
                            if not isinstance(layer, kind) or "bias" not in node.parameters:
                                return None
                            return Changed(replace(node, layer=_with_bias_of(layer, source, into, together)))

                        for other, names in one_or_all(problem, change):
                            yield Variant(
                                problem=other, slug=self.slug, places=at("preactivations", names), mistake=mistake
                            )


def _with_bias_of(layer: Recurrent, source: str, into: Sequence[str], together: bool) -> Reparametrised:
    """Return the layer with the source's block of each bias in other gates as well.

    Args:
        layer: the layer.
        source: the letter of the block.
        into: the letters of the gates that use it instead of their own.
        together: whether the gradient of that block is the sum over its gates, as it is by the chain rule; otherwise each
            block has the sum of its own gate's deltas, as in a program whose backward pass knows nothing of it.
    """
    blocks, biases = layer.blocks("bias"), [f"{name}{end}" for name in layer.biases for end in layer.directions()]

    def used(named: ByName) -> dict[str, Array]:
        found = {name: np.array(array) for name, array in named.items()}
        for name in biases:
            for letter in into:
                found[name][blocks[letter]] = named[name][blocks[source]]
        return found

    def back(named: ByName) -> dict[str, Array]:
        found = {name: np.array(array) for name, array in named.items()}
        for name in biases if together else ():
            for letter in into:
                found[name][blocks[source]] += named[name][blocks[letter]]
                found[name][blocks[letter]] = 0
        return found

    return Reparametrised(inner=layer, used=used, back=back)


class AnotherGateFunction(ForwardReading):
    """A gate, the candidate or the cell's exit without its function, or with another one."""

    slug = "another-gate-function"

    def variants(self, problem: Problem) -> Iterator[Variant]:
        right = {"i": "sigmoid", "f": "sigmoid", "g": "tanh", "o": "sigmoid", "c": "tanh"}
        changes = [
            (place, function)
            for place, own in right.items()
            for function in ("identity", "tanh", "sigmoid", "relu")
            if function != own
        ]
        for place, function in changes:

            def change(node: Node, place: str = place, function: str = function) -> Changed | None:
                if type(node.layer) is not Lstm or len(node.reads) > 1 or node.layer.gates() != tuple("ifgo"):
                    return None
                functions = tuple(function if letter == place else right[letter] for letter in "ifgo")
                shown = function if place == "c" else "tanh"
                layer = LstmOfFunctions(**_fields(node.layer), functions=functions, shown=shown)  # type: ignore[arg-type]
                return Changed(replace(node, layer=layer))

            where = "the cell before the output gate" if place == "c" else f"the {GATES[place]}"
            did = "applies no function to" if function == "identity" else f"applies {function} to"
            slug = "gate-function-left-out" if function == "identity" else self.slug
            mistake = forward_mistake(
                slug,
                said=f"{did} {where}, not {right[place]}",
                wrong=rf"{place} = {'a' if function == 'identity' else chr(92) + 'mathrm{' + function + '}(a)'}_{place}",
                why=f"The function of {where} is {right[place]}.",
            )
            for other, names in one_or_all(problem, change):
                yield Variant(problem=other, slug=slug, places=at("preactivations", names), mistake=mistake)


class AnotherNonlinearity(ForwardReading):
    """Another function inside the recurrence of an rnn."""

    slug = "another-nonlinearity"

    def variants(self, problem: Problem) -> Iterator[Variant]:
        for function in ("tanh", "identity", "relu", "sigmoid"):

            def change(node: Node, function: str = function) -> Changed | None:
                layer = node.layer
                if not isinstance(layer, Rnn) or layer.nonlinearity == function:
                    return None
                return Changed(replace(node, layer=replace(layer, nonlinearity=function)))  # type: ignore[arg-type]

            did = "applies no function" if function == "identity" else f"applies {function}"
            mistake = forward_mistake(
                self.slug,
                said=f"{did} inside the recurrence, not the layer's nonlinearity",
                wrong=rf"h_t = \mathrm{{{function}}}(a_t)",
                why="h_t = f(a_t) at every time step, where f is the layer's `nonlinearity`.",
            )
            for other, names in one_or_all(problem, change):
                yield Variant(problem=other, slug=self.slug, places=at("preactivations", names), mistake=mistake)


def _fields(layer: Recurrent) -> dict[str, Any]:
    """Return the fields of a layer, to make a near relation of it."""
    return {each.name: getattr(layer, each.name) for each in fields(layer) if each.name != "kind"}
