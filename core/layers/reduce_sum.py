"""reduce_sum: sums along axes."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from core.layers.shared.reduce import Reduction


@dataclass(frozen=True, slots=True, kw_only=True)
class ReduceSum(Reduction):
    """Sum along one or more axes.

        Forward    Z  = Σ_axes X
        Backward   dX = dZ, repeated along the axes

    The summed axes are removed, or kept with length 1 by `keep_axis`.
    """

    kind: Literal["reduce_sum"] = "reduce_sum"
    equations: ClassVar[dict[str, str]] = {"any": "Z = sum of A along axes"}
