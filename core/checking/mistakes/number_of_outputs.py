"""multiplied-by-outputs, divided-by-outputs: the mean over the outputs, or not."""

from __future__ import annotations

from core.checking.mistakes.shared.factor import ConstantFactor
from core.checking.quantity import Quantity
from core.checking.trace import Trace


class _Outputs(ConstantFactor):
    """The mean runs over the examples alone, or over all n · K numbers: one of the two was meant."""

    unseen = "with one output the mean over the outputs is the sum"

    def applies(self, trace: Trace, quantity: Quantity) -> bool:
        return trace.network.outputs > 1


class DividedByOutputs(_Outputs):
    """1/(nK) where 1/n belongs."""

    slug = "divided-by-outputs"
    said = "is exactly $K times too small (K = $K outputs)"
    wrong = r"\tfrac{1}{K} \cdot \text{(the right value)}"
    why = (
        "The loss sums over the $K outputs of an example. Here it was also averaged over them, as np.mean of the "
        "whole matrix does."
    )

    def multiplier(self, trace: Trace) -> float:
        return 1 / trace.network.outputs


class MultipliedByOutputs(_Outputs):
    """1/n where 1/(nK) belongs."""

    slug = "multiplied-by-outputs"
    said = "is exactly $K times too large (K = $K outputs)"
    wrong = r"K \cdot \text{(the right value)}"
    why = (
        "The loss is the mean over the $K outputs of an example, so the gradient contains 1/K. Here the outputs "
        "were summed."
    )

    def multiplier(self, trace: Trace) -> float:
        return float(trace.network.outputs)
