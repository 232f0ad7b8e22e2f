"""conv2d: filters that move over images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from core.layers.shared.convolution import Convolution


@dataclass(frozen=True, slots=True, kw_only=True)
class Conv2D(Convolution):
    """Two-dimensional convolution over images, which are n x channels x height x width in every convention.

    With filter o, channel c, window (r, s) and kernel offset (i, j) (strides, padding and dilation omitted):

        Forward    Z[n, o, r, s] = Σ_c Σ_ij W[o, c, i, j] X[n, c, r + i, s + j] + b[o]        cross_correlation
                   Z[n, o, r, s] = Σ_c Σ_ij W[o, c, i, j] X[n, c, r + I − i, s + J − j] + b[o]    convolution: W rotated by
                                                                                     180°; I, J are the last offsets
        Backward   dW[o, c] = Σ_n X[n, c] ⋆ dZ[n, o]            valid cross-correlation (rotated by 180° for a convolution)
                   dX[n, c] = Σ_o dZ[n, o] ∗ W[o, c]            full convolution (cross-correlation for a convolution)
                   db[o]    = Σ_nrs dZ[n, o, r, s]

    The result has (H + padding − dilation (kernel − 1) − 1) div stride + 1 rows, where H is the height and padding counts
    both sides; columns likewise. With groups, filters and channels are divided into equal blocks, and a filter reads only
    the channels of its block: W is filters x channels / groups x kernel height x kernel width.

    Source: Zhang, Derivation of Backpropagation in Convolutional Neural Network (2016), for true convolution; torch.nn.Conv2d
    for the names and the shape of W.
    """

    kind: Literal["conv2d"] = "conv2d"
    axes: ClassVar[tuple[str, ...]] = ("height", "width")
    equations: ClassVar[dict[str, str]] = {
        "any": "Z[n, o] = sum over c of A[n, c] * W[o, c] + b[o], W is filters x channels / groups x kernel height x width"
    }
