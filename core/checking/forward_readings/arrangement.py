"""Dropout, flatten, normalisation over another axis, and the constant of a loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from core.checking.forward_readings.another_normalisation import AnotherNormalisation, axes_of
from core.checking.forward_readings.base import Changed, ForwardReading, Variant, at, one_or_all
from core.checking.forward_readings.epsilon import NORMALISATIONS
from core.checking.forward_readings.texts import forward_mistake
from core.checking.forward_readings.wrapped import Rescaled, Wrapped
from core.checking.quantity import Quantity
from core.layer_context import LayerContext
from core.layers.base import Ops
from core.layers.batch_norm import BatchNorm
from core.layers.dropout import Dropout
from core.layers.flatten import Flatten
from core.layers.rms_norm import RmsNorm
from core.losses.huber import Huber
from core.network import Node
from core.problem import Problem


class DropoutLeftOut(ForwardReading):
    """X without the mask, or with a mask of 0 and 1."""

    slug = "dropout-left-out"

    def variants(self, problem: Problem) -> Iterator[Variant]:
        def without_mask(node: Node) -> Changed | None:
            layer = node.layer
            if not isinstance(layer, Dropout) or not layer.drop_probability:
                return None
            return Changed(replace(node, layer=replace(layer, drop_probability=0.0)))

        def without_scale(node: Node) -> Changed | None:
            layer = node.layer
            if not isinstance(layer, Dropout) or not layer.drop_probability:
                return None
            return Changed(replace(node, layer=Rescaled(inner=layer, scale=np.asarray(1 - layer.drop_probability))))

        for change, slug, said, wrong in (
            (without_mask, self.slug, "is not masked", "Z = X"),
            (
                without_scale,
                "dropout-scale-left-out",
                "lacks the factor 1/(1 − p) of the numbers that are kept",
                r"Z = X \circ [M > 0]",
            ),
        ):
            mistake = forward_mistake(
                slug, said=said, wrong=wrong, why="Z = X ∘ M, where M is 0 for a dropped number and 1/(1 − p) else."
            )
            for other, names in one_or_all(problem, change):
                yield Variant(problem=other, slug=slug, places=at("preactivations", names), mistake=mistake)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlattenChannelsLast(Wrapped):
    """Flattening with the channels as the fastest axis, as in Keras."""

    def forward(self, context: LayerContext) -> Ops:
        (X,), Z = context.inputs, context.new_result()
        return [lambda: np.copyto(Z, np.moveaxis(X, 1, -1).reshape(Z.shape))]

    def backward(self, context: LayerContext) -> Ops:
        (X,), (dX,), dZ = context.inputs, context.d_inputs, context.d_result
        if dX is None:
            return []
        turned = np.moveaxis(X, 1, -1).shape
        return [lambda: np.copyto(dX, np.moveaxis(dZ.reshape(turned), -1, 1))]


class FlattenInAnotherOrder(ForwardReading):
    """Maps read column by column instead of row by row, or with the channels last."""

    slug = "forward-flatten-order"

    def variants(self, problem: Problem) -> Iterator[Variant]:
        ranks = {name: array.ndim for name, array in problem.inputs.items()}
        ranks |= {node.name: len(node.shape) for node in problem.nodes}

        def scanned(node: Node) -> Changed | None:
            layer = node.layer
            if not isinstance(layer, Flatten) or ranks[node.reads[0]] < 3:
                return None
            other = "column_scan" if layer.order == "row_major" else "row_major"
            return Changed(replace(node, layer=replace(layer, order=other)))  # type: ignore[arg-type]

        def channels_last(node: Node) -> Changed | None:
            if not isinstance(node.layer, Flatten) or ranks[node.reads[0]] < 3:
                return None
            return Changed(replace(node, layer=FlattenChannelsLast(inner=node.layer)))

        for change, how in ((scanned, "in the other scan order"), (channels_last, "with the channels last")):
            mistake = forward_mistake(
                self.slug,
                said=f"has its numbers {how}",
                wrong=r"Z = \operatorname{flatten}(\pi(X))",
                why="The weights of the next layer belong to the order of `flatten`; another order permutes what they read.",
            )
            for other, names in one_or_all(problem, change):
                yield Variant(problem=other, slug=self.slug, places=at("preactivations", names), mistake=mistake)


class NormalisedOverAnotherAxis(ForwardReading):
    """The mean and the variance of other numbers."""

    slug = "forward-normalised-over-another-axis"

    def variants(self, problem: Problem) -> Iterator[Variant]:
        largest = max((len(node.shape) for node in problem.nodes if isinstance(node.layer, NORMALISATIONS)), default=0)
        for count in range(1, largest + 1):
            for axes in combinations(range(largest), count):

                def change(node: Node, axes: tuple[int, ...] = axes) -> Changed | None:
                    layer = node.layer
                    if not isinstance(layer, NORMALISATIONS) or len(node.shape) <= axes[-1] or axes == axes_of(node):
                        return None
                    other = AnotherNormalisation(
                        inner=layer, epsilon=layer.epsilon, axes=axes, centred=not isinstance(layer, RmsNorm)
                    )
                    return Changed(replace(node, layer=other))

                named = " and ".join(str(axis) for axis in axes)
                mistake = forward_mistake(
                    self.slug,
                    said=f"is normalised over the {'axes' if count > 1 else 'axis'} {named}",
                    wrong="",
                    why=(
                        "batch_norm takes mean and variance over everything but the features or channels, layer_norm and "
                        "rms_norm over the features of one example. Axes are counted from 0, batch-first."
                    ),
                )
                for other, names in one_or_all(problem, change):
                    yield Variant(problem=other, slug=self.slug, places=at("preactivations", names), mistake=mistake)


class StatisticsOfAnotherMode(ForwardReading):
    """The statistics of the batch where the request has running ones, or the other way round."""

    slug = "statistics-of-another-mode"

    def variants(self, problem: Problem) -> Iterator[Variant]:
        def change(node: Node) -> Changed | None:
            layer = node.layer
            if not isinstance(layer, BatchNorm) or (layer.mode == "train" and not problem.state.get(node.name)):
                return None
            return Changed(replace(node, layer=replace(layer, mode="eval" if layer.mode == "train" else "train")))

        for other, names in one_or_all(problem, change):
            mistake = forward_mistake(
                self.slug,
                said="is normalised by the statistics of the other mode",
                wrong="",
                why="In mode `train` the statistics are those of the batch, in mode `eval` the running ones.",
            )
            yield Variant(problem=other, slug=self.slug, places=at("preactivations", names), mistake=mistake)


class AnotherHuberDelta(ForwardReading):
    """Another δ of Huber's loss."""

    slug = "another-huber-delta"

    def variants(self, problem: Problem) -> Iterator[Variant]:
        objective = problem.objective
        if objective is None or not isinstance(objective.loss, Huber):
            return
        for delta in (1.0, 0.5, 2.0, 1.345, 1.5, 0.1, 5.0, 10.0):
            if delta != objective.loss.delta:
                loss = replace(objective.loss, delta=delta)
                asked = objective.loss.delta
                said = f'Your Huber loss has δ = {delta:g}; the request\'s is {asked:g}: send "delta": {delta:g}.'
                yield Variant(
                    problem=replace(problem, objective=replace(objective, loss=loss)),
                    slug=self.slug,
                    places=(Quantity("loss"),),
                    said=said,
                    common=True,
                )
