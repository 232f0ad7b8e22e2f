"""reduce_mean: means along axes."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from core.layers.shared.reduce import Reduction


@dataclass(frozen=True, slots=True, kw_only=True)
class ReduceMean(Reduction):
    """Mean along one or more axes.

        Forward    Z  = (1/m) Σ_axes X
        Backward   dX = dZ / m, repeated along the axes

    Here m is the number of elements of each mean, the product of the lengths of the axes.
    """

    kind: Literal["reduce_mean"] = "reduce_mean"
    averages: ClassVar[bool] = True
    equations: ClassVar[dict[str, str]] = {"any": "Z = mean of A along axes"}
