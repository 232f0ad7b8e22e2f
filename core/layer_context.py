"""LayerContext: the arrays that the equations of one layer of a plan read and write."""

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
    """The tensor: n x features, n x channels x height x width, …"""

    extended: Array | None = None
    """The matrix with a column of ones, [A 1], if memory holds one."""


def new_value(shape: Shape, dtype: np.dtype[Any]) -> Value:
    """Allocate memory for a tensor; a small matrix gets a column of ones."""
    if is_small(shape):
        extended = extended_matrix(shape[0], shape[1], dtype)
        return Value(extended[:, :-1], extended)
    return Value(tensor_memory(shape, dtype))


@dataclass(slots=True)
class LayerContext:
    """The arrays around one layer.

    The layer's `forward` sets `result`; its `backward` reads `d_result` and writes every array of `d_inputs` that is not
    None and every array of `gradients`. Arrays keep their identity for the life of a plan, so operations may be bound to
    them.
    """

    sources: tuple[Value, ...]
    parameters: dict[str, Array]
    shape: Shape
    """Shape of the result."""

    dtype: np.dtype[Any]
    name: str = ""
    """The layer's name."""

    position: int = 0
    """Position of the layer in the network, counted from 0."""

    column: bool = False
    """True if the request writes matrices as features x n; it matters to layers whose fields name an axis."""

    state: dict[str, Array] = field(default_factory=dict)
    """State of the layer before this batch, such as running statistics. `forward` never writes into it."""

    packed: Array | None = None
    """[W; b], weight and bias as one matrix, if memory holds them so."""

    value: Value = field(init=False)
    fresh: bool = field(default=False, init=False)
    """True if the result owns its memory, so that the activation may be computed in place."""

    new_state: dict[str, Array] = field(default_factory=dict, init=False)
    """Memory for the state after this batch, which a forward run writes."""

    saved: dict[str, Array] = field(default_factory=dict, init=False)
    """Arrays that `forward` writes for `backward`, besides inputs and parameters."""

    reported: dict[str, Array] = field(default_factory=dict, init=False)
    """Arrays that a response reports besides the result, such as the mask of dropout."""

    warnings: list[Issue] = field(default_factory=list, init=False)
    """Warnings of the last forward run; paths are relative to the layer. An operation that may warn replaces the list at
    every run."""

    d_result: Array = field(init=False)
    carrier: tuple[Array, Array] | None = field(default=None, init=False)
    """Under feedback alignment, the delta and the matrix B whose product replaces dZ Wᵀ; otherwise None."""

    d_inputs: list[Array | None] = field(default_factory=list, init=False)
    gradients: dict[str, Array] = field(default_factory=dict, init=False)
    packed_gradient: Array | None = field(default=None, init=False)

    @property
    def inputs(self) -> tuple[Array, ...]:
        """Tensors that the layer reads, in the order of its `inputs`."""
        return tuple(source.array for source in self.sources)

    @property
    def extended_input(self) -> Array:
        """[X 1], the first input with its column of ones, which exists wherever `packed` is set."""
        extended = self.sources[0].extended
        if extended is None:
            raise LookupError("the input of a layer with packed parameters has no column of ones")
        return extended

    @property
    def result(self) -> Array:
        """Z, the layer's result before its activation function."""
        return self.value.array

    def new_result(self) -> Array:
        """Allocate memory for the result and return it."""
        self.value = new_value(self.shape, self.dtype)
        self.fresh = True
        return self.value.array

    def view_as_result(self, view: Array) -> None:
        """Make the result a view of what the layer reads. Copies nothing."""
        self.value = Value(view)

    def as_sent(self, array: Array) -> Array:
        """Return a tensor in the orientation of the request, or the reverse."""
        return orient(array, self.column)

    def refusal(self, code: str, detail: str, **more: Any) -> Refusal:
        """Return a refusal, which names the layer, of numbers that an operation of this layer met."""
        path = ("network", "layers", self.position)
        return Refusal.of(code, f"Layer {self.name!r}: {detail}", *path, **more)

    def scratch(self, shape: Shape) -> Array:
        """Allocate working memory for an operation."""
        return tensor_memory(shape, self.dtype)
