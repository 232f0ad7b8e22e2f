"""Functions that are composed of activation layers, normalisations of single examples, and functions that are refused."""

from __future__ import annotations

import math

from app.models.formats.onnx.graph import Builder, Translator
from app.models.formats.onnx.node import OnnxNode, Untranslatable
from app.models.formats.onnx.operators.functions import activate
from app.models.formats.onnx.operators.steps import Steps


def celu(builder: Builder, node: OnnxNode) -> None:
    """Translate Celu: alpha · elu(x / alpha)."""
    alpha = node.number("alpha", 1.0)
    if alpha <= 0:
        raise Untranslatable(f"its alpha is {alpha:g}; it is not positive")
    if alpha == 1:
        activate(builder, node, {"function": "elu", "alpha": 1.0})
        return
    steps = Steps(builder, node)
    curved = steps.apply(builder.tensor(node, 0), "elu", alpha=1.0, gain=1 / alpha)
    steps.apply(curved, "identity", gain=alpha)
    steps.finish()


def gelu(builder: Builder, node: OnnxNode) -> None:
    """Translate Gelu. The approximation by tanh is x σ(2 √(2/π) (x + 0.044715 x³)), as 1 + tanh z = 2 σ(2 z)."""
    node.require("approximate", "none", "none", "tanh")
    if node.text("approximate", "none") == "none":
        activate(builder, node, {"function": "gelu"})
        return
    reads, steps = builder.tensor(node, 0), Steps(builder, node)
    cube = steps.apply(reads, "power", exponent=3.0, gain=0.044715 ** (1 / 3))
    gate = {"function": "sigmoid", "gain": 2 * math.sqrt(2 / math.pi)}
    share = steps.add([reads, cube], "add", activation=gate)
    steps.add([reads, share], "multiply")
    steps.finish()


def shrink(builder: Builder, node: OnnxNode) -> None:
    """Translate Shrink where it is continuous: x less what is left of it between the thresholds."""
    threshold, bias = node.number("lambd", 0.5), node.number("bias", 0.0)
    if threshold != bias or threshold < 0:
        raise Untranslatable(
            f"its bias {bias:g} differs from its lambd {threshold:g}, so that it jumps at ±lambd, as no layer does"
        )
    reads, steps = builder.tensor(node, 0), Steps(builder, node)
    near = steps.apply(reads, "clip", lower=-threshold, upper=threshold)
    steps.add([reads, near], "subtract")
    steps.finish()


def thresholded_relu(builder: Builder, node: OnnxNode) -> None:
    """Translate ThresholdedRelu with the threshold 0, at which it does not jump."""
    alpha = node.number("alpha", 1.0)
    if alpha != 0:
        raise Untranslatable(f"it jumps from 0 to its alpha {alpha:g}, as no layer does")
    activate(builder, node, {"function": "relu"})


def flat(builder: Builder, node: OnnxNode) -> None:
    """Refuse a function that is constant between its jumps."""
    raise Untranslatable("its derivative is 0 wherever it has one, so that no gradient passes through it")


def lp_normalization(builder: Builder, node: OnnxNode) -> None:
    """Translate LpNormalization along an axis: each number times the reciprocal of the Euclidean norm."""
    axis = builder.axis(node, node.integer("axis", -1), len(builder.shape(node, 0)))
    node.require("p", 2, 2)
    if axis == 0:
        raise Untranslatable("it runs over the examples")
    reads, steps = builder.tensor(node, 0), Steps(builder, node)
    squares = steps.apply(reads, "square")
    inverse = {"function": "power", "exponent": -0.5}
    scale = steps.add([squares], "reduce_sum", axis=[axis], keep_axis=True, activation=inverse)
    steps.add([reads, scale], "multiply")
    steps.finish()


def mean_variance_normalization(builder: Builder, node: OnnxNode) -> None:
    """Translate MeanVarianceNormalization: (x - mean) / deviation, without the 1e-9 that some add to the deviation."""
    rank = len(builder.shape(node, 0))
    axes = sorted({builder.axis(node, axis, rank) for axis in node.integers("axes", [0, 2, 3])})
    if not axes or axes[0] == 0:
        raise Untranslatable("it takes the mean over the examples")
    reads, steps = builder.tensor(node, 0), Steps(builder, node)
    mean = steps.add([reads], "reduce_mean", axis=axes, keep_axis=True)
    centred = steps.add([reads, mean], "subtract")
    squares = steps.apply(centred, "square")
    inverse = {"function": "power", "exponent": -0.5}
    scale = steps.add([squares], "reduce_mean", axis=axes, keep_axis=True, activation=inverse)
    steps.add([centred, scale], "multiply")
    steps.finish()


FLAT: dict[str, Translator] = dict.fromkeys(("Ceil", "Floor", "Not", "Round", "Sign"), flat)
"""Functions that are refused, with the reason."""
