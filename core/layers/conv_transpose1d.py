"""conv_transpose1d: the transpose of a convolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from core.layers.shared.transposed_convolution import TransposedConvolution


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvTranspose1D(TransposedConvolution):
    """Transposed one-dimensional convolution over sequences, which are n x channels x time in every convention.

    With filter o, channel c, position s of the input and kernel offset j (padding omitted; t the stride, d the dilation):

        Forward    Z[n, o, t s + d j] = Σ W[c, o, j] X[n, c, s] + b[o]      over all c, s, j that fit
        Backward   dX[n, c] = Σ_o dZ[n, o] ⋆ W[c, o]        cross-correlation at the stride of the layer
                   dW[c, o] = Σ_n dZ[n, o] ⋆ X[n, c]
                   db[o]    = Σ_nt dZ[n, o, t]

    This is conv_transpose2d on images of height 1.

    Source: torch.nn.ConvTranspose1d for the names and the shape of W, channels x filters / groups x kernel.
    """

    kind: Literal["conv_transpose1d"] = "conv_transpose1d"
    axes: ClassVar[tuple[str, ...]] = ("time",)
    equations: ClassVar[dict[str, str]] = {
        "any": "Z[n, o] = sum over c of W[c, o] laid out at every number of A[n, c] + b[o], "
        "W is channels x filters / groups x kernel"
    }
