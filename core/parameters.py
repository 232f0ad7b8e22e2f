"""Parameter: the description of one weight, bias or gain of a layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.arrays import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """Shape, orientation and initial value of one parameter of a layer."""

    shape: Shape
    """Its shape in the row convention."""

    follows_convention: bool = False
    """True for an in x out matrix, which `column` and `torch` write as out x in."""

    fan_in: int = 0
    fan_out: int = 0
    """Number of values that enter a result, and of results that a value enters: the scale of random initial values."""

    initial: Literal["scheme", "zeros", "ones"] = "zeros"
    """"scheme": random numbers from the layer's initializer."""

    weight_like: bool = False
    """True if the l2 term of the loss applies: for weights, never for biases and gains."""
