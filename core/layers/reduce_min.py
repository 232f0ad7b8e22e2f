"""reduce_min: the smallest numbers along axes."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from core.layers.shared.extreme import Extreme


@dataclass(frozen=True, slots=True, kw_only=True)
class ReduceMin(Extreme):
    """Smallest number along one or more axes.

        Forward    Z  = min_axes X
        Backward   dX = dZ where X is the smallest, 0 elsewhere

    Equal smallest numbers receive equal parts of the gradient, as torch.amin has it. The axes are removed, or kept with
    length 1 by `keep_axis`.
    """

    kind: Literal["reduce_min"] = "reduce_min"
    is_largest: ClassVar[bool] = False
    equations: ClassVar[dict[str, str]] = {"any": "Z = smallest A along axes"}
