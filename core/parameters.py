"""Parameter: the description of one weight, bias or gain of a layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.arrays import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What a layer says of one of its parameters."""

    shape: Shape
    """Its shape in the row convention."""

    follows_convention: bool = False
    """Whether it is an in x out matrix, which `column` and `torch` write out x in."""

    fan_in: int = 0
    fan_out: int = 0
    """How many values a result is made of, and how many results a value enters: the scale of random initial values."""

    initial: Literal["scheme", "zeros", "ones"] = "zeros"
    """"scheme": drawn at random by the layer's initializer."""

    weight_like: bool = False
    """Whether l2 and weight decay apply: to weights, never to biases and gains."""
