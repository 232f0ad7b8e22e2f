"""reduce_max: the largest numbers along axes."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from core.layers.shared.extreme import Extreme


@dataclass(frozen=True, slots=True, kw_only=True)
class ReduceMax(Extreme):
    """Largest number along one or more axes.

        Forward    Z  = max_axes X
        Backward   dX = dZ where X is the largest, 0 elsewhere

    Equal largest numbers receive equal parts of the gradient, as torch.amax has it. The axes are removed, or kept with
    length 1 by `keep_axis`.
    """

    kind: Literal["reduce_max"] = "reduce_max"
    is_largest: ClassVar[bool] = True
    equations: ClassVar[dict[str, str]] = {"any": "Z = largest A along axes"}
