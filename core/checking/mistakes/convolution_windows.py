"""The mistakes in what a convolution's backward pass reads: its stride, dilation, padding, channels, groups and positions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.mistakes.shared.filters import Correlation, OfConvolution, with_axes
from core.checking.trace import Trace

_GEOMETRY = (
    "The backward pass visits the same windows as the forward pass: window o reads the numbers "
    "o · stride − padding + offset · dilation."
)


class StrideIgnored(OfConvolution):
    """Windows side by side, where the forward pass left a distance between them."""

    slug = "stride-ignored"
    said = "is computed as if the windows of the convolution were at stride 1"
    wrong = r"x_{o + k} \quad \text{instead of} \quad x_{s o + k}"
    why = f"{_GEOMETRY} Here the stride is left out."
    unseen = "the stride is 1"

    def altered(self, correlation: Correlation) -> Correlation | None:
        return with_axes(correlation, stride=1)


class DilationIgnored(OfConvolution):
    """The offsets of the kernel side by side."""

    slug = "dilation-ignored"
    said = "is computed as if the kernel of the convolution had no dilation"
    wrong = r"x_{o + k} \quad \text{instead of} \quad x_{o + d k}"
    why = f"{_GEOMETRY} Here the dilation is left out."
    unseen = "the dilation is 1"

    def altered(self, correlation: Correlation) -> Correlation | None:
        return with_axes(correlation, dilation=1)


class PaddingIgnored(OfConvolution):
    """The first window at the first number, where the forward pass began in the padding."""

    slug = "padding-ignored"
    said = "is computed as if the convolution had no padding"
    wrong = r"x_{o + k} \quad \text{instead of} \quad x_{o + k - p}"
    why = f"{_GEOMETRY} Here the padding is left out: the gradient of the padded image was not cut at both sides."
    unseen = "there is no padding"

    def altered(self, correlation: Correlation) -> Correlation | None:
        return with_axes(correlation, before=0)


class PaddingTooLarge(OfConvolution):
    """Every window one number too far to the left."""

    slug = "padding-off-by-one"
    said = "is shifted by one number along each axis: the padding in its rule is too large by one"
    wrong = r"x_{o + k - p - 1} \quad \text{instead of} \quad x_{o + k - p}"
    why = f"{_GEOMETRY} Here the padding is wrong by one."
    unseen = "the numbers that the shift loses are 0"

    def altered(self, correlation: Correlation) -> Correlation | None:
        rows, columns = (
            replace(axis, before=axis.before + 1) if axis.length > 1 else axis for axis in correlation.axes
        )
        return replace(correlation, axes=(rows, columns))


class PaddingTooSmall(PaddingTooLarge):
    """Every window one number too far to the right."""

    said = "is shifted by one number along each axis: the padding in its rule is too small by one"
    wrong = r"x_{o + k - p + 1} \quad \text{instead of} \quad x_{o + k - p}"

    def altered(self, correlation: Correlation) -> Correlation | None:
        if all(axis.before == 1 or axis.length == 1 for axis in correlation.axes):
            return None  # This is no padding at all.
        rows, columns = (
            replace(axis, before=axis.before - 1) if axis.length > 1 else axis for axis in correlation.axes
        )
        return replace(correlation, axes=(rows, columns))


class ChannelsSummed(OfConvolution):
    """The sum over the channels where each has its own gradient."""

    slug = "channels-summed"
    said = "is the same for every channel: the channels of the convolution were summed"
    wrong = r"\textstyle\sum_c \dots \quad \text{for every channel}"
    why = (
        "A filter has a kernel for each channel. Channel c receives the deltas through kernel c alone, and the gradient "
        "of kernel c is formed with channel c alone."
    )
    unseen = "there is one channel"

    def altered(self, correlation: Correlation) -> Correlation | None:
        W = correlation.W
        if W.shape[1] == 1:
            return None
        return replace(correlation, W=np.broadcast_to(W.sum(axis=1, keepdims=True), W.shape))

    def altered_for_kernel(self, correlation: Correlation) -> Correlation | None:
        X = correlation.X
        if X.shape[1] == 1 or correlation.groups > 1:
            return None
        return replace(correlation, X=np.broadcast_to(X.sum(axis=1, keepdims=True), X.shape))


class ChannelsSwapped(OfConvolution):
    """K[c, o] where K[o, c] belongs, with as many filters as channels."""

    slug = "filters-and-channels-swapped"
    said = "has the filters and the channels of the convolution in each other's place"
    wrong = r"K_{c o} \quad \text{instead of} \quad K_{o c}"
    why = (
        "The first axis of a kernel counts the filters (of the result) and the second the channels (of the input). With "
        "as many filters as channels, swapping them raises no error."
    )
    unseen = "the kernels of o, c and c, o are equal"

    def altered(self, correlation: Correlation) -> Correlation | None:
        W = correlation.W
        return replace(correlation, W=W.swapaxes(0, 1)) if W.shape[0] == W.shape[1] > 1 else None

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        W = trace.parameters(layer)["weight"]
        swapped = parameter == "weight" and W.shape[0] == W.shape[1] > 1
        return trace.backward(layer).parameters["weight"].swapaxes(0, 1) if swapped else None


class GroupsIgnored(OfConvolution):
    """Every filter reads the first group's channels."""

    slug = "groups-ignored"
    said = "is formed with the channels of the first group for every filter of the convolution"
    wrong = r"X_{c} \quad \text{instead of} \quad X_{g C / G + c}"
    why = "With groups, a filter reads the channels of its own group only; the gradients belong to those channels."
    unseen = "there is one group"

    def altered_for_kernel(self, correlation: Correlation) -> Correlation | None:
        if correlation.groups == 1:
            return None
        first = correlation.X[:, : correlation.W.shape[1]]
        return replace(correlation, X=np.tile(first, (1, correlation.groups, 1, 1)))


class LastPositionOnly(OfConvolution):
    """∂L/∂K[...] = in the loop over the positions: the last one's."""

    slug = "last-position-only"
    said = "is that of the last position alone"
    wrong = r"\texttt{dK = } \dots \text{ instead of } \texttt{dK += } \dots \text{ in the loop over the positions}"
    why = (
        "A kernel is used at every position, so its gradient is the sum over all positions and examples. Here each "
        "position overwrote the one before it."
    )
    unseen = "there is one position"

    def altered_for_kernel(self, correlation: Correlation) -> Correlation | None:
        D = correlation.D
        if D[0, 0].size == 1:
            return None
        last = np.zeros_like(D)
        last[:, :, -1, -1] = D[:, :, -1, -1]
        return replace(correlation, D=last)


class LastWindowOnly(LastPositionOnly):
    """The same in a loop over the examples and, within it, the positions."""

    said = "is that of the last position of the last example alone"

    def altered_for_kernel(self, correlation: Correlation) -> Correlation | None:
        found = super().altered_for_kernel(correlation)
        if found is None or len(found.D) == 1:
            return None
        found.D[:-1] = 0
        return found


CONVOLUTION_WINDOWS: tuple[type[Mistake], ...] = (
    StrideIgnored,
    DilationIgnored,
    PaddingIgnored,
    PaddingTooLarge,
    PaddingTooSmall,
    ChannelsSummed,
    ChannelsSwapped,
    GroupsIgnored,
    LastPositionOnly,
    LastWindowOnly,
)
"""Every one of them; if two give the same numbers, the earlier one is named."""
