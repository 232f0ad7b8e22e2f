"""The shapes of a network's inputs, as far as its layers determine them: a file states them for its readers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.layers import Layer
from core.layers.shared.recurrence import Recurrent
from core.layers.shared.reduce import Reduction
from core.model import Model
from core.network import INPUT, names_of

SAME = frozenset({
    "activation", "batch_norm", "concatenate", "dense", "dropout", "group_norm", "layer_norm", "local_response_norm",
    "multi_head_attention", "prelu", "rms_norm", "scale", "transpose",
})  # fmt: skip
"""The kinds whose result has as many axes as what they read."""

RANKS = {"conv1d": 3, "conv_transpose1d": 3, "conv2d": 4, "conv_transpose2d": 4, "max_pool2d": 4, "average_pool2d": 4}
"""The number of axes that kinds read and give."""

KEEP_SHAPE = frozenset({
    "activation", "batch_norm", "dropout", "group_norm", "layer_norm", "local_response_norm", "multi_head_attention",
    "prelu", "rms_norm", "scale",
})  # fmt: skip
KEEP_CHANNELS = frozenset({"max_pool2d", "average_pool2d", "pad", "upsample"})

NAMES = {4: ("channels", "height", "width"), 3: ("channels", "length"), 2: ("features",)}
"""What a file calls the axes behind the examples whose lengths are open."""


class InputShapes:
    """The numbers of axes of all values of a network, and the shapes of its inputs."""

    def __init__(self, model: Model) -> None:
        names = names_of(model.layers)
        self._layers: list[tuple[str, Layer, list[str], Any]] = []
        for position, (name, layer) in enumerate(zip(names, model.layers, strict=True)):
            reads = list(layer.inputs or [names[position - 1] if position else INPUT])
            self._layers.append((name, layer, reads, model.parameters.get(name, {})))
        self._inputs = dict.fromkeys(read for *_, reads, _ in self._layers for read in reads if read not in names)
        self.ranks: dict[str, int] = {}
        """The number of axes of each input and each layer's result, where it is determined."""
        self._spread()
        # A dense layer reads any number of axes; where nothing else says how many, it reads rows of features.
        for _, layer, reads, _ in self._layers:
            if layer.kind == "dense" and reads[0] not in self.ranks:
                self.ranks[reads[0]] = 2
                self._spread()

    def _spread(self) -> None:
        """Find every number of axes that follows from those that are known."""
        before = -1
        while len(self.ranks) != before:
            before = len(self.ranks)
            for name, layer, reads, parameters in self._layers:
                for value, rank in self._known(name, layer, reads, parameters):
                    self.ranks.setdefault(value, rank)

    def _known(self, name: str, layer: Layer, reads: list[str], parameters: Any) -> Iterator[tuple[str, int]]:
        """Yield values that a layer reads or gives with their numbers of axes, where the layer determines them."""
        yield from _stated(name, layer, reads, parameters)
        ranks = self.ranks
        if (more := _difference(layer)) is not None:
            for read in reads:
                if read in ranks:
                    yield name, ranks[read] + more
                elif name in ranks:
                    yield read, ranks[name] - more
        elif layer.kind in ("add", "subtract", "multiply", "matmul") and all(read in ranks for read in reads):
            yield name, max(ranks[read] for read in reads)
        elif isinstance(layer, Reduction) and layer.axis is None and not layer.keep_axis:
            yield name, 1

    def of_input(self, name: str) -> list[int | str] | None:
        """Return the shape of an input, with a name for each length that is open; None if not even the axes are known."""
        rank = self.ranks.get(name)
        if rank is None:
            return None
        lengths = {axis % rank: length for axis, length in self._lengths(name) if -rank <= axis < rank}
        names = NAMES.get(rank, tuple(f"axis {axis}" for axis in range(1, rank)))
        if rank == 3 and 2 in lengths and 1 not in lengths:
            names = ("time", "features")
        prefix = f"{name} " if len(self._inputs) > 1 else ""
        return ["n", *(lengths.get(axis, prefix + names[axis - 1]) for axis in range(1, rank))][:rank]

    def _lengths(self, value: str) -> Iterator[tuple[int, int]]:
        """Yield axes of a value with the lengths that the layers behind it demand."""
        for name, layer, reads, parameters in self._layers:
            for position, read in enumerate(reads):
                if read == value:
                    yield from _demanded(layer, position, parameters)
                    yield from self._lengths_through(name, layer, self.ranks.get(value))

    def _lengths_through(self, name: str, layer: Layer, rank: int | None) -> Iterator[tuple[int, int]]:
        """Yield axes of what a layer reads with the lengths that are demanded of the same axes of its result."""
        if layer.kind in KEEP_SHAPE:
            yield from self._lengths(name)
        elif layer.kind in KEEP_CHANNELS:
            yield from ((axis, length) for axis, length in self._lengths(name) if axis == 1)
        elif layer.kind == "transpose" and rank is not None:
            order: list[int] = getattr(layer, "axes", None) or [*range(rank - 2), rank - 1, rank - 2][-rank:]
            yield from ((order[axis], length) for axis, length in self._lengths(name) if -rank <= axis < rank)


def _stated(name: str, layer: Layer, reads: list[str], parameters: Any) -> Iterator[tuple[str, int]]:
    """Yield the numbers of axes that follow from a layer alone."""
    fields: Any = layer
    if layer.kind in RANKS:
        yield reads[0], RANKS[layer.kind]
        yield name, RANKS[layer.kind]
    elif isinstance(layer, Recurrent):
        yield reads[0], 3
        yield from ((state, 2) for state in reads[1:])
        yield name, 3 if layer.return_sequences else 2
    elif layer.kind == "multi_head_attention":
        yield reads[0], 3
    elif layer.kind == "transpose" and fields.axes is not None:
        yield reads[0], len(fields.axes)
    elif layer.kind == "reshape":
        yield name, 1 + len(fields.shape)
    elif layer.kind in ("flatten", "global_average_pool"):
        yield name, 2
    elif layer.kind == "upsample":
        sides = fields.scale if fields.size is None else fields.size
        if isinstance(sides, list):
            yield reads[0], 2 + len(sides)


def _difference(layer: Layer) -> int | None:
    """Return how many axes the result of a layer has more than what it reads, where that is always the same."""
    fields: Any = layer
    if layer.kind in SAME or layer.kind in ("pad", "upsample"):
        return 0
    if layer.kind == "embedding":
        return 1
    if layer.kind == "slice":
        return 0 if fields.keep_axis else -1
    if isinstance(layer, Reduction):
        if layer.keep_axis:
            return 0
        return None if layer.axis is None else -len(layer.axis) if isinstance(layer.axis, list) else -1
    return None


def _demanded(layer: Layer, position: int, parameters: Any) -> Iterator[tuple[int, int]]:
    """Yield axes of what a layer reads with the lengths that its parameters demand."""
    fields: Any = layer
    weight = parameters.get("weight")
    if isinstance(layer, Recurrent):
        if position:
            yield 1, layer.width()
        elif weight is not None:
            yield -1, weight.shape[0]
    elif layer.kind == "dense" and weight is not None:
        yield -1, weight.shape[0]
    elif layer.kind in ("conv1d", "conv2d") and weight is not None:
        yield 1, weight.shape[1] * fields.groups
    elif layer.kind in ("conv_transpose1d", "conv_transpose2d") and weight is not None:
        yield 1, weight.shape[0]
    elif layer.kind in ("batch_norm", "group_norm") and "gamma" in parameters:
        yield 1, parameters["gamma"].size
    elif layer.kind in ("layer_norm", "rms_norm") and "gamma" in parameters:
        yield -1, parameters["gamma"].size
    elif layer.kind == "multi_head_attention" and "out_weight" in parameters:
        yield -1, parameters["out_weight"].shape[0]
    elif layer.kind in ("scale", "prelu") and parameters:
        axes = [-1] if fields.axes is None else fields.axes
        if len({axis < 0 for axis in axes}) == 1:
            yield from zip(sorted(axes), next(iter(parameters.values())).shape, strict=False)
