"""The directions of a recurrent layer joined otherwise: swapped, in reversed time, or at the last time step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from core.arrays import Array
from core.checking.forward_readings.base import Changed, ForwardReading, Variant, at, of_layers, one_or_all
from core.checking.forward_readings.texts import forward_mistake
from core.checking.forward_readings.wrapped import Wrapped
from core.layer_context import LayerContext
from core.layers.base import Ops
from core.layers.shared.directions import REVERSE, in_reading_order
from core.layers.shared.recurrence import Recurrent
from core.network import Node
from core.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Rearranged(Wrapped):
    """The layer with its result rearranged by a function that is its own inverse."""

    rearrange: Callable[[Array], Array]

    def forward(self, context: LayerContext) -> Ops:
        ops = list(self.inner.forward(context))
        return [*ops, lambda: np.copyto(context.result, self.rearrange(context.result))]

    def backward(self, context: LayerContext) -> Ops:
        arriving, context.d_result = context.d_result, np.empty_like(context.d_result)
        passed = context.d_result
        ops = list(self.inner.backward(context))
        context.d_result = arriving
        return [lambda: np.copyto(passed, self.rearrange(arriving)), *ops]


@dataclass(frozen=True, slots=True, kw_only=True)
class AtLastStep(Wrapped):
    """The states of both directions at the last time step, where the backward direction has read one element only."""

    steps: int
    """The length of the sequence."""

    def forward(self, context: LayerContext) -> Ops:
        own, Z = self._every_step(context), context.new_result()
        ops = list(self._sequences().forward(own))
        context.saved = own.saved
        return [*ops, lambda: np.copyto(Z, own.result[:, -1])]

    def backward(self, context: LayerContext) -> Ops:
        own, arriving = self._every_step(context), context.d_result
        own.saved, own.d_inputs, own.gradients = context.saved, context.d_inputs, context.gradients
        own.d_result = np.zeros(own.shape, context.dtype)
        return [lambda: np.copyto(own.d_result[:, -1], arriving), *self._sequences().backward(own)]

    def _sequences(self) -> Recurrent:
        return replace(self.inner, return_sequences=True)  # type: ignore[call-arg, return-value]

    def _every_step(self, context: LayerContext) -> LayerContext:
        n, width = context.shape
        shape = (n, self.steps, width)
        return LayerContext(context.sources, context.parameters, shape, context.dtype, column=context.column)


def _swapped(Z: Array) -> Array:
    return np.roll(Z, Z.shape[-1] // 2, axis=-1)


def _backward_half_reversed(Z: Array) -> Array:
    first, second = np.split(Z, 2, axis=-1)
    return np.concatenate([first, in_reading_order(second, REVERSE)], axis=-1)


class DirectionsJoinedOtherwise(ForwardReading):
    """[Z← Z→], or Z← in the order in which its direction reads, or at the last time step."""

    slug = "directions-swapped"

    def variants(self, problem: Problem) -> Iterator[Variant]:
        for slug, rearrange, ranks, said, wrong, why in (
            (
                "backward-direction-not-reversed-back",
                _backward_half_reversed,
                (3,),
                "holds the states of the backward direction in reversed time",
                r"Z_t = [\overrightarrow{h}_t \; \overleftarrow{h}_{T+1-t}]",
                "The backward direction reads the sequence from its end, so its states are reversed before they stand beside "
                "those of the forward direction.",
            ),
            (
                self.slug,
                _swapped,
                (2, 3),
                "holds the backward direction before the forward direction",
                r"Z_t = [\overleftarrow{h}_t \; \overrightarrow{h}_t]",
                "The first half of the features is that of the forward direction.",
            ),
        ):
            mistake = forward_mistake(slug, said=said, wrong=wrong, why=why)

            def change(
                node: Node, rearrange: Callable[[Array], Array] = rearrange, ranks: tuple[int, ...] = ranks
            ) -> Changed | None:
                if not _is_bidirectional(node) or len(node.shape) not in ranks:
                    return None
                return Changed(replace(node, layer=Rearranged(inner=node.layer, rearrange=rearrange)))

            for other, names in one_or_all(problem, change):
                yield Variant(problem=other, slug=slug, places=at("preactivations", names), mistake=mistake)
        yield from _at_last_step(problem)


def _at_last_step(problem: Problem) -> Iterator[Variant]:
    shapes = {name: array.shape for name, array in problem.inputs.items()}
    shapes |= {node.name: node.shape for node in problem.nodes}

    def change(node: Node) -> Changed | None:
        if not _is_bidirectional(node) or len(node.shape) != 2:
            return None
        return Changed(replace(node, layer=AtLastStep(inner=node.layer, steps=shapes[node.reads[0]][1])))

    for other, names in one_or_all(problem, change):
        said = (
            f"Your {of_layers(names)} has the states of both directions at the last time step, as output[:, -1] of torch; "
            "there the backward direction has read the last element only. The request's has the last state of each "
            "direction, h_n of torch: that of the backward direction follows the first time step."
        )
        yield Variant(
            problem=other, slug="directions-at-last-step", places=at("preactivations", names), said=said, common=True
        )


def _is_bidirectional(node: Node) -> bool:
    return isinstance(node.layer, Recurrent) and node.layer.bidirectional
