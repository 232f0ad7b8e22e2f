"""conv1d: filters that move along sequences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from core.layers.shared.convolution import Convolution


@dataclass(frozen=True, slots=True, kw_only=True)
class Conv1D(Convolution):
    """Convolutional layer for sequences, in every convention n x channels x time.

    With filter o, channel c, window t, kernel offset j, and stride, padding and dilation left out:

        Forward    Z[n, o, t] = Σ_c Σ_j W[o, c, j] X[n, c, t + j] + b[o]         cross_correlation
                   Z[n, o, t] = Σ_c Σ_j W[o, c, j] X[n, c, t + J − j] + b[o]     convolution, J the kernel's last offset
        Backward   dW[o, c] = Σ_n X[n, c] ⋆ dZ[n, o]         valid cross-correlation (turned around for a convolution)
                   dX[n, c] = Σ_o dZ[n, o] ∗ W[o, c]         full convolution (cross-correlation for a convolution)
                   db[o]    = Σ_nt dZ[n, o, t]

    It is conv2d on images of height 1. The recurrent layers read n x time x features: a transpose layer lies between.

    Source: torch.nn.Conv1d for the names and the shape of W, filters x channels / groups x kernel.
    """

    kind: Literal["conv1d"] = "conv1d"
    axes: ClassVar[tuple[str, ...]] = ("time",)
    equations: ClassVar[dict[str, str]] = {
        "any": "Z[n, o] = sum over c of A[n, c] * W[o, c] + b[o], W is filters x channels / groups x kernel"
    }
