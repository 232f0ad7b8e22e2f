"""conv_transpose2d: the transpose of a convolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from core.layers.shared.transposed_convolution import TransposedConvolution


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvTranspose2D(TransposedConvolution):
    """Transposed two-dimensional convolution over images, which are n x channels x height x width in every convention.

    With filter o, channel c, position (r, s) of the input and kernel offset (i, j) (padding omitted; t the stride, d the
    dilation):

        Forward    Z[n, o, t r + d i, t s + d j] = Σ W[c, o, i, j] X[n, c, r, s] + b[o]     over all c, r, s, i, j that fit
        Backward   dX[n, c] = Σ_o dZ[n, o] ⋆ W[c, o]        cross-correlation at the stride of the layer
                   dW[c, o] = Σ_n dZ[n, o] ⋆ X[n, c]
                   db[o]    = Σ_nhw dZ[n, o, h, w]

    It is the transpose of the linear map of a conv2d with the same stride, padding and dilation from the result to the input,
    sometimes called a deconvolution. The result has stride (height − 1) + dilation (kernel − 1) + 1 − padding +
    output_padding rows, where padding counts both sides; columns likewise.

    Source: Zeiler et al., Deconvolutional Networks (2010); Dumoulin & Visin, A guide to convolution arithmetic for deep
    learning (2016), §4; torch.nn.ConvTranspose2d for the names and the shape of W, channels x filters / groups x kernel
    height x kernel width.
    """

    kind: Literal["conv_transpose2d"] = "conv_transpose2d"
    axes: ClassVar[tuple[str, ...]] = ("height", "width")
    equations: ClassVar[dict[str, str]] = {
        "any": "Z[n, o] = sum over c of W[c, o] laid out at every number of A[n, c] + b[o], "
        "W is channels x filters / groups x kernel height x width"
    }
