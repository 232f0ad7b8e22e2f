"""conv1d: filters that move along sequences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from core.layers.shared.convolution import Convolution


@dataclass(frozen=True, slots=True, kw_only=True)
class Conv1D(Convolution):
    """One-dimensional convolution over sequences, which are n x channels x time in every convention.

    With filter o, channel c, window t and kernel offset j (stride, padding and dilation omitted):

        Forward    Z[n, o, t] = Σ_c Σ_j W[o, c, j] X[n, c, t + j] + b[o]         cross_correlation
                   Z[n, o, t] = Σ_c Σ_j W[o, c, j] X[n, c, t + J − j] + b[o]     convolution; J is the last offset
        Backward   dW[o, c] = Σ_n X[n, c] ⋆ dZ[n, o]         valid cross-correlation (flipped for a convolution)
                   dX[n, c] = Σ_o dZ[n, o] ∗ W[o, c]         full convolution (cross-correlation for a convolution)
                   db[o]    = Σ_nt dZ[n, o, t]

    This is conv2d on images of height 1. Recurrent layers read n x time x features; put a transpose layer between the two.

    Source: torch.nn.Conv1d for the names and the shape of W, filters x channels / groups x kernel.
    """

    kind: Literal["conv1d"] = "conv1d"
    axes: ClassVar[tuple[str, ...]] = ("time",)
    equations: ClassVar[dict[str, str]] = {
        "any": "Z[n, o] = sum over c of A[n, c] * W[o, c] + b[o], W is filters x channels / groups x kernel"
    }
