"""Networks: layers in execution order, each with its name, inputs, shape and parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from core.activations.base import Activation
from core.arrays import Shape
from core.layers import Layer
from core.parameters import Parameter

INPUT = "input"
"""Name under which layers read the batch."""


@dataclass(frozen=True, slots=True)
class Node:
    """A layer of a network, with the names of its inputs and its inferred shapes."""

    position: int
    name: str
    layer: Layer
    reads: tuple[str, ...]
    function: Activation
    shape: Shape
    """Shape of the result, batch-first."""
    parameters: dict[str, Parameter]
    state: dict[str, Shape] = field(default_factory=dict)
    working_size: int = 0
    """Number of elements that the layer stores besides its result."""


def names_of(layers: Sequence[Layer]) -> list[str]:
    """Return each layer's name, by default its position counted from 1."""
    return [layer.name or str(position) for position, layer in enumerate(layers, 1)]


@dataclass(frozen=True, slots=True)
class NetworkLimits:
    """The largest problem that is accepted."""

    parameters: int = 2**63
    """Total number of elements of all parameters."""

    activations: int = 2**63
    """Total number of elements of all layers' results and of what layers store besides them."""
