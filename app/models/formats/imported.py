"""What an importer hands over."""

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
    """A model as a file has it, before it is checked."""

    layers: Sequence[Layer]
    parameters: Mapping[str, Mapping[str, Array]]
    state: Mapping[str, Mapping[str, Array]] = field(default_factory=dict)
    convention: Convention = "row"
    warnings: Sequence[Issue] = ()


@dataclass(frozen=True, slots=True)
class Options:
    """What the query says of a file."""

    network: NetworkSpec | None = None
    convention: Convention | None = None
    activation: str | None = None
    output_activation: str | None = None
