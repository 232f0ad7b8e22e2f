"""Place: where a layer stands in a plan, and the arrays that its equations read and write there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.arrays import Array, Shape, extended_matrix, is_small, tensor_memory
from core.convention import orient
from core.errors import Issue, Refusal


@dataclass(slots=True)
class Value:
    """A tensor that layers read, batch-first."""

    array: Array
    """The tensor: n x features, n x channels x height x width, ..."""

    extended: Array | None = None
    """The same matrix with a column of ones, [A 1], where memory holds one."""


def new_value(shape: Shape, dtype: np.dtype[Any]) -> Value:
    """Fresh memory for a tensor; a small matrix gets a column of ones beside it."""
    if is_small(shape):
        extended = extended_matrix(shape[0], shape[1], dtype)
        return Value(extended[:, :-1], extended)
    return Value(tensor_memory(shape, dtype))


@dataclass(slots=True)
class LayerContext:
    """The arrays around one layer.

    The layer's `forward` sets `result`; its `backward` reads `d_result` and writes into every array of `d_inputs`
    that is not None and into every array of `gradients`. Arrays keep their identity for the life of a plan, so steps
    may be bound to them.
    """

    sources: tuple[Value, ...]
    parameters: dict[str, Array]
    shape: Shape
    """Shape of the result."""

    dtype: np.dtype[Any]
    name: str = ""
    """The layer's name."""

    position: int = 0
    """Where the layer stands in the network, counted from 0."""

    column: bool = False
    """Whether the caller sees rank-2 tensors transposed; only layers whose axes have names in the request ask."""

    state: dict[str, Array] = field(default_factory=dict)
    """What the layer keeps between batches, as it was sent: running statistics. `forward` never writes into it."""

    packed: Array | None = None
    """[W; b], weight and bias as one matrix, where memory holds them so."""

    value: Value = field(init=False)
    fresh: bool = field(default=False, init=False)
    """Whether the result has memory of its own, in which the activation may be computed in place."""

    new_state: dict[str, Array] = field(default_factory=dict, init=False)
    """Memory in which a forward run leaves the state after this batch."""

    saved: dict[str, Array] = field(default_factory=dict, init=False)
    """Memory in which `forward` leaves what `backward` reads beside inputs and parameters."""

    reported: dict[str, Array] = field(default_factory=dict, init=False)
    """Memory of what else an answer shows of this layer: the mask of a dropout."""

    warnings: list[Issue] = field(default_factory=list, init=False)
    """What a forward run found worth a warning; paths are relative to the layer. A step that may warn
    replaces the content of this list at every run."""

    d_result: Array = field(init=False)
    carrier: tuple[Array, Array] | None = field(default=None, init=False)
    """Under feedback alignment: the delta and the matrix that carry the error down in place of the layer's own."""

    d_inputs: list[Array | None] = field(default_factory=list, init=False)
    gradients: dict[str, Array] = field(default_factory=dict, init=False)
    packed_gradient: Array | None = field(default=None, init=False)

    @property
    def inputs(self) -> tuple[Array, ...]:
        """What the layer reads, in the order of its `inputs`."""
        return tuple(source.array for source in self.sources)

    @property
    def extended_input(self) -> Array:
        """[X 1]: the first input with its column of ones. There is one wherever `packed` is set."""
        extended = self.sources[0].extended
        if extended is None:
            raise LookupError("the input of a layer with packed parameters has no column of ones")
        return extended

    @property
    def result(self) -> Array:
        """Z, the layer's result before its activation."""
        return self.value.array

    def new_result(self) -> Array:
        """Fresh memory for the result."""
        self.value = new_value(self.shape, self.dtype)
        self.fresh = True
        return self.value.array

    def view_as_result(self, view: Array) -> None:
        """Let the result be a view of what the layer reads; nothing is copied."""
        self.value = Value(view)

    def as_sent(self, array: Array) -> Array:
        """A tensor as the caller sees it (or back again)."""
        return orient(array, self.column)

    def refusal(self, code: str, detail: str, **more: Any) -> Refusal:
        """A refusal of the numbers that a step of this layer found when it ran; it names the layer."""
        path = ("network", "layers", self.position)
        return Refusal.of(code, f"Layer {self.name!r}: {detail}", *path, **more)

    def scratch(self, shape: Shape) -> Array:
        """Memory that a step may scribble in."""
        return tensor_memory(shape, self.dtype)
