"""reduce_sum: sums along axes."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from core.layers.shared.reduce import Reduction


@dataclass(frozen=True, slots=True, kw_only=True)
class ReduceSum(Reduction):
    """Sum along the axes.

    Forward    Z  = Σ_axes X
    Backward   dX = dZ, repeated along the axes
    """

    kind: Literal["reduce_sum"] = "reduce_sum"
    equations: ClassVar[dict[str, str]] = {"any": "Z = sum of A along axes"}
