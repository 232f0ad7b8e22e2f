"""Network: its layers in execution order, wired, each with its name, its shape and its parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from core.activations.base import Activation
from core.arrays import Shape
from core.layers import Layer
from core.parameters import Parameter

INPUT = "input"
"""The name under which layers read the batch."""


@dataclass(frozen=True, slots=True)
class Node:
    """One layer in its place in the network."""

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
    """How many numbers the layer keeps beside its result."""


def names_of(layers: Sequence[Layer]) -> list[str]:
    """Each layer's name: its own, or its position counted from 1."""
    return [layer.name or str(position) for position, layer in enumerate(layers, 1)]


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest problem that is accepted."""

    parameters: int = 2**63
    """Numbers in all parameters together."""

    activations: int = 2**63
    """Numbers in all layers' results, and in what they keep beside them, together."""
