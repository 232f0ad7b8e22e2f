"""The result and the options of an import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.problem.schemas import NetworkSpec
from core.arrays import Array
from core.convention import Convention
from core.errors import Issue
from core.layers import Layer


@dataclass(frozen=True, slots=True)
class Imported:
    """A model as read from a file, before it is validated."""

    layers: Sequence[Layer]
    parameters: Mapping[str, Mapping[str, Array]]
    state: Mapping[str, Mapping[str, Array]] = field(default_factory=dict)
    convention: Convention = "row"
    warnings: Sequence[Issue] = ()


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """The options in the query of an import."""

    network: NetworkSpec | None = None
    convention: Convention | None = None
    activation: str | None = None
    output_activation: str | None = None

    shapes: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """The shape of an example of each input; under "" that of the only input."""

    outputs: Sequence[str] = ()
    """The values of a graph that the network computes; the last of them is its output."""
