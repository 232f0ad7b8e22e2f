"""The mistakes in conv_transpose1d and conv_transpose2d."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from core.arrays import Array
from core.checking.mistakes.base import Mistake
from core.checking.mistakes.convolution import turned
from core.checking.mistakes.shared.filters import Axis, Correlation, with_axes
from core.checking.mistakes.shared.kind import OfKind
from core.checking.trace import Trace

_TRANSPOSED = ("conv_transpose1d", "conv_transpose2d")


class KernelTurned(OfKind):
    """∂L/∂X through the kernel turned by 180°, as for a convolution."""

    slug = "kernel-turned"
    kinds = _TRANSPOSED
    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient")
    said = "comes back through the kernels of layer '$above' rotated by 180°"
    wrong = r"\frac{\partial L}{\partial X} = \delta * K \quad \text{instead of} \quad \delta \star K"
    why = (
        "A transposed convolution lays its kernel out at every number of the input, so that number receives the sum of its "
        "window times the kernel as it is: a cross-correlation."
    )
    unseen = "the kernels are symmetric"

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        rules = trace.network.variant(layer, parameters={"weight": turned(trace.parameters(layer)["weight"])})
        return rules.backward(trace.read_by(layer), trace.deltas[layer]).inputs[position]


class KernelGradientTurned(OfKind):
    """∂L/∂K turned by 180°."""

    slug = "kernel-gradient-turned"
    kinds = _TRANSPOSED
    strikes: ClassVar[tuple[str, ...]] = ("gradients",)
    parameters: ClassVar[tuple[str, ...]] = ("weight",)
    said = "is rotated by 180°"
    wrong = r"\frac{\partial L}{\partial K} = \mathrm{rot}_{180}(\Delta \star X)"
    why = "The gradient of a kernel has the orientation of the kernel: offset (i, j) of the windows of Δ, times X."
    unseen = "each kernel has a single number, or the gradient is symmetric"

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        return turned(trace.backward(layer).parameters["weight"]) if parameter == "weight" else None


class _Windows(OfKind):
    """The windows of Δ that the numbers of the input are laid out in, wrong."""

    kinds = _TRANSPOSED
    strikes: ClassVar[tuple[str, ...]] = ("deltas", "input_gradient", "gradients")
    parameters: ClassVar[tuple[str, ...]] = ("weight",)

    def altered(self, correlation: Correlation) -> Correlation | None:
        """Return the wrong convolution of Δ; None where the mistake is not possible."""
        raise NotImplementedError

    def sent_back(self, trace: Trace, layer: str, position: int) -> Array | None:
        wrong = self.altered(_over_delta(trace, layer))
        return None if wrong is None else _result(wrong).reshape(trace.read_by(layer)[position].shape)

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        wrong = self.altered(_over_delta(trace, layer)) if parameter == "weight" else None
        return None if wrong is None else wrong.kernel_gradient().reshape(trace.parameters(layer)["weight"].shape)


class StrideIgnored(_Windows):
    """Windows of Δ side by side, where the layer left a distance between them."""

    slug = "stride-ignored"
    said = "is computed as if the windows of the result were at stride 1"
    wrong = r"\delta_{x + k} \quad \text{instead of} \quad \delta_{s x + k}"
    why = "Number x of the input was laid out from s · x − padding on, so its gradient is read there. The stride is left out."
    unseen = "the stride is 1"

    def altered(self, correlation: Correlation) -> Correlation | None:
        return with_axes(correlation, stride=1)


class PaddingIgnored(_Windows):
    """The first window of Δ at its first number, where the layer cut the first ones off."""

    slug = "padding-ignored"
    said = "is computed as if the layer cut nothing off its result"
    wrong = r"\delta_{x + k} \quad \text{instead of} \quad \delta_{x + k - p}"
    why = (
        "The padding of a transposed convolution is cut off its result. On the way back Δ has to be padded by as much "
        "before its windows are read."
    )
    unseen = "there is no padding"

    def altered(self, correlation: Correlation) -> Correlation | None:
        return with_axes(correlation, before=0)


class ChannelsSwapped(_Windows):
    """K[o, c] where K[c, o] belongs, with as many filters as channels."""

    slug = "filters-and-channels-swapped"
    said = "has the channels and the filters of the transposed convolution in each other's place"
    wrong = r"K_{o c} \quad \text{instead of} \quad K_{c o}"
    why = (
        "The first axis of the kernels of a transposed convolution counts the channels of its input and the second its "
        "filters, the reverse of a convolution. With as many of both, swapping them raises no error."
    )
    unseen = "the kernels of o, c and c, o are equal"

    def altered(self, correlation: Correlation) -> Correlation | None:
        W = correlation.W
        return replace(correlation, W=W.swapaxes(0, 1)) if W.shape[0] == W.shape[1] > 1 else None

    def parameter_gradient(self, trace: Trace, layer: str, parameter: str) -> Array | None:
        W = trace.parameters(layer)["weight"]
        swapped = parameter == "weight" and W.shape[0] == W.shape[1] > 1
        return trace.backward(layer).parameters["weight"].swapaxes(0, 1) if swapped else None


def _over_delta(trace: Trace, layer: str) -> Correlation:
    """Return the convolution whose images are Δ and whose result is the input."""
    kind: Any = trace.network.nodes[layer].layer
    (X,), W, D = trace.read_by(layer), trace.parameters(layer)["weight"], trace.deltas[layer]
    rows, columns = (
        Axis(axis.length, axis.size, axis.count, axis.stride, axis.before, axis.dilation)
        for axis in kind.windows(X.shape)
    )
    X, W, D = (array if array.ndim == 4 else array[:, :, None] for array in (X, W, D))
    return Correlation(D, W, X, kind.groups, (rows, columns))


def _result(correlation: Correlation) -> Array:
    """Return the images times the kernels, window after window."""
    X, W, groups = correlation.X, correlation.W, correlation.groups
    found = np.zeros_like(correlation.D)
    X = X.reshape(len(X), groups, -1, *X.shape[2:])
    W = W.reshape(groups, -1, *W.shape[1:])
    for i, j in np.ndindex(W.shape[3:]):
        (r, y), (s, x) = correlation.axes[0].places(i), correlation.axes[1].places(j)
        met = np.einsum("ngcrs,goc->ngors", X[..., y[:, None], x], W[..., i, j])
        found[..., r[:, None], s] += met.reshape(len(found), found.shape[1], len(r), len(s))
    return found


TRANSPOSED_CONVOLUTION: tuple[type[Mistake], ...] = (
    KernelTurned,
    KernelGradientTurned,
    StrideIgnored,
    PaddingIgnored,
    ChannelsSwapped,
)
"""Every one of them; if two give the same numbers, the earlier one is named."""
