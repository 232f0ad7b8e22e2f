"""Convolutions and pooling whose windows lie otherwise: another padding or stride, padding that is not counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from core.arrays import Shape
from core.checking.forward_readings.base import Changed, ForwardReading, Variant, at, of_layers, one_or_all
from core.checking.forward_readings.wrapped import Rescaled
from core.errors import Refusal
from core.layers.average_pool2d import AveragePool2D
from core.layers.base import Layer
from core.layers.conv1d import Conv1D
from core.layers.conv2d import Conv2D
from core.layers.max_pool2d import MaxPool2D
from core.layers.shared.filters import Filters
from core.layers.shared.pooling import Pooling
from core.layers.shared.windows import Windows
from core.network import Node
from core.problem import Problem


def _moved(windows: tuple[Windows, Windows], side: str) -> tuple[Windows, Windows]:
    """Return the windows with the padding of both sides of an axis moved to one, or exchanged."""

    def move(axis: Windows) -> Windows:
        total = axis.before + axis.after
        before = {"front": total, "back": 0, "exchanged": axis.after}[side]
        return replace(axis, before=before, after=total - before)

    return move(windows[0]), move(windows[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Conv1DPaddedAside(Conv1D):
    """conv1d with its padding at another side."""

    side: str

    def windows(self, x: Shape) -> tuple[Windows, Windows]:
        return _moved(Filters.windows(self, x), self.side)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conv2DPaddedAside(Conv2D):
    """conv2d with its padding at another side."""

    side: str

    def windows(self, x: Shape) -> tuple[Windows, Windows]:
        return _moved(Filters.windows(self, x), self.side)


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxPoolPaddedAside(MaxPool2D):
    """max_pool2d with its padding at another side."""

    side: str

    def _windows(self, x: Shape) -> tuple[Windows, Windows]:
        return _moved(Pooling._windows(self, x), self.side)


@dataclass(frozen=True, slots=True, kw_only=True)
class AveragePoolPaddedAside(AveragePool2D):
    """average_pool2d with its padding at another side."""

    side: str

    def _windows(self, x: Shape) -> tuple[Windows, Windows]:
        return _moved(Pooling._windows(self, x), self.side)


ASIDE: dict[type[Layer], Any] = {
    Conv1D: Conv1DPaddedAside,
    Conv2D: Conv2DPaddedAside,
    MaxPool2D: MaxPoolPaddedAside,
    AveragePool2D: AveragePoolPaddedAside,
}


def _read_shape(problem: Problem, node: Node) -> Shape:
    """Return the shape of what a layer reads."""
    shapes = {name: array.shape for name, array in problem.inputs.items()}
    return (shapes | {each.name: each.shape for each in problem.nodes})[node.reads[0]]


def _padded(layer: Filters | Pooling, x: Shape) -> tuple[Windows, Windows]:
    return layer.windows(x) if isinstance(layer, Filters) else layer._windows(x)


class PaddingAtAnotherSide(ForwardReading):
    """All zeros before the first number, all behind the last, or the odd one before instead of behind."""

    slug = "padding-at-another-side"

    def variants(self, problem: Problem) -> Iterator[Variant]:
        for side, how in (
            ("exchanged", "has the odd zero of its padding at the front"),
            ("front", "has all its padding at the front"),
            ("back", "has all its padding behind"),
        ):

            def change(node: Node, side: str = side) -> Changed | None:
                layer = node.layer
                if type(layer) not in ASIDE or not isinstance(layer, (Filters, Pooling)):
                    return None
                windows = _padded(layer, _read_shape(problem, node))
                if windows == _moved(windows, side):
                    return None
                return Changed(replace(node, layer=ASIDE[type(layer)](**_fields(layer), side=side)))

            for other, names in one_or_all(problem, change):
                said = f"Your {of_layers(names)} {how}; the request's is divided between both sides."
                yield Variant(problem=other, slug=self.slug, places=at("preactivations", names), said=said)


class AnotherPadding(ForwardReading):
    """Another padding, stride or dilation with which the result has the same shape."""

    slug = "another-padding-or-stride"

    def variants(self, problem: Problem) -> Iterator[Variant]:
        for name, values in (("padding", (0, 1, 2, 3, "same")), ("stride", (1, 2, 3)), ("dilation", (1, 2, 3))):
            for value in values:

                def change(node: Node, name: str = name, value: int | str = value) -> Changed | None:
                    layer = node.layer
                    if not isinstance(layer, (Filters, Pooling)) or not hasattr(layer, name):
                        return None
                    read = _read_shape(problem, node)
                    try:
                        other = replace(layer, **{name: value})  # type: ignore[arg-type]
                        fits = other.result_shape(read, column=False) == node.shape
                    except Refusal:
                        return None
                    if not fits or _padded(other, read) == _padded(layer, read):
                        return None
                    return Changed(replace(node, layer=other))

                for other, names in one_or_all(problem, change):
                    said = f"Your {of_layers(names)} has the {name} {value}, which the request's has not."
                    yield Variant(problem=other, slug=self.slug, places=at("preactivations", names), said=said)


class PaddingNotCounted(ForwardReading):
    """The mean of a window over its numbers inside the image, as in Keras and in torch without count_include_pad."""

    slug = "padding-not-counted"

    def variants(self, problem: Problem) -> Iterator[Variant]:
        def change(node: Node) -> Changed | None:
            layer = node.layer
            if not isinstance(layer, AveragePool2D):
                return None
            rows, columns = layer._windows(_read_shape(problem, node))
            counts = np.outer(_inside(rows), _inside(columns))
            scale = rows.size * columns.size / np.maximum(counts, 1)
            return None if np.all(scale == 1) else Changed(replace(node, layer=Rescaled(inner=layer, scale=scale)))

        for other, names in one_or_all(problem, change):
            said = (
                f"Your {of_layers(names)} divides by the numbers of a window that lie inside the image; the request's "
                "divides by the size of the window."
            )
            yield Variant(problem=other, slug=self.slug, places=at("preactivations", names), said=said, common=True)


def _inside(axis: Windows) -> Any:
    """Return, for each window, how many of its numbers are not padding."""
    numbers = np.arange(axis.count)[:, None] * axis.stride - axis.before + np.arange(axis.size) * axis.dilation
    return np.count_nonzero((numbers >= 0) & (numbers < axis.length), axis=1)


def _fields(layer: Layer) -> dict[str, Any]:
    return {each.name: getattr(layer, each.name) for each in fields(layer) if each.name != "kind"}
