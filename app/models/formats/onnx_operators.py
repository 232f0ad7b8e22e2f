"""Translation of ONNX operators to layers: one translator for each supported operator.

Source: https://onnx.ai/onnx/operators/, operator set 24 and the older forms of attributes that became inputs.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from app.models.formats.onnx_file import OnnxNode
from app.models.formats.onnx_graph import Builder, Translator, Untranslatable
from core.arrays import Array


def _attribute(node: OnnxNode, name: str, default: Any) -> Any:
    return node.attributes.get(name, default)


def _require(node: OnnxNode, name: str, default: Any, *allowed: Any) -> None:
    """Refuse an attribute value that has no equivalent in a layer."""
    value = _attribute(node, name, default)
    if value not in allowed:
        raise Untranslatable(f"its {name} is {str(value)[:40]}; only {' or '.join(map(str, allowed))} is supported")


def gemm(builder: Builder, node: OnnxNode) -> None:
    """Translate Y = alpha A' B' + beta C, with a constant B, to a dense layer."""
    alpha, beta = float(_attribute(node, "alpha", 1.0)), float(_attribute(node, "beta", 1.0))
    weight, bias = builder.constant(node, 1), builder.constant(node, 2)
    if weight is None or weight.ndim != 2:
        raise Untranslatable("its input B is not a constant matrix")
    reads = builder.tensor(node, 0)
    if _attribute(node, "transA", 0):
        reads = builder.add(node, [reads], {"kind": "transpose"}, output=f"{node.outputs[0]} transposed")
    W = weight.T if _attribute(node, "transB", 0) else weight
    _dense(builder, node, reads, _scaled(W, alpha), None if bias is None or beta == 0 else _scaled(bias, beta))


def _scaled(array: Array, factor: float) -> Array:
    return array if factor == 1 else array * array.dtype.type(factor)


def _dense(builder: Builder, node: OnnxNode, reads: str, W: Array, bias: Array | None) -> None:
    """Add a dense layer. A bias of one number is repeated for every unit."""
    units = W.shape[1]
    parameters = {"weight": W}
    if bias is not None:
        if bias.size not in (1, units) or (bias.size == units and bias.shape[-1:] != (units,) and units != 1):
            raise Untranslatable(
                f"its input C has the shape {list(bias.shape)}; a bias needs one number for each of {units} units"
            )
        parameters["bias"] = np.array(np.broadcast_to(bias.reshape(-1), (units,)))
    spec = {"kind": "dense", "units": units, "bias": bias is not None}
    builder.add(node, [reads], spec, parameters, named_by=1)


def matmul(builder: Builder, node: OnnxNode) -> None:
    """Translate a product with a constant right factor to a dense layer, any other to a product of two tensors."""
    if builder.is_tensor(node, 1):
        builder.add(node, [builder.tensor(node, 0), builder.tensor(node, 1)], {"kind": "matmul"})
        return
    weight = builder.constant(node, 1)
    if weight is None or weight.ndim != 2:
        raise Untranslatable("its right factor is not a constant matrix")
    _dense(builder, node, builder.tensor(node, 0), weight, None)


def add(builder: Builder, node: OnnxNode) -> None:
    """Translate a sum of tensors. An added constant becomes the bias of the preceding dense layer."""
    positions = range(len(node.inputs))
    tensors = [position for position in positions if builder.is_tensor(node, position)]
    if len(tensors) == len(node.inputs):
        reads = [builder.tensor(node, position) for position in tensors]
        if len(reads) == 1:
            builder.alias(node, reads[0])
        else:
            builder.add(node, reads, {"kind": "add"})
        return
    if len(node.inputs) == 2 and len(tensors) == 1:
        name = builder.tensor(node, tensors[0])
        bias, layer = builder.constant(node, 1 - tensors[0]), builder.alone(name)
        if bias is not None and not bias.any() and bias.size == 1:
            builder.alias(node, name)
            return
        fits = layer is not None and layer["kind"] == "dense" and not layer["bias"] and "activation" not in layer
        if layer is not None and fits and bias is not None and bias.size == layer["units"] == bias.shape[-1]:
            layer["bias"] = True
            builder.parameters[name]["bias"] = bias.reshape(-1)
            builder.merge(node, layer)
            return
    raise Untranslatable("it adds a constant that is not the bias of a dense layer")


def subtract(builder: Builder, node: OnnxNode) -> None:
    """Translate the difference of two tensors."""
    builder.add(node, [builder.tensor(node, 0), builder.tensor(node, 1)], {"kind": "subtract"})


def multiply(builder: Builder, node: OnnxNode) -> None:
    """Translate the product of two tensors, or of a tensor and a single number."""
    tensors = [position for position in (0, 1) if builder.is_tensor(node, position)]
    if len(tensors) == 2:
        builder.add(node, [builder.tensor(node, 0), builder.tensor(node, 1)], {"kind": "multiply"})
        return
    (position,) = tensors or (0,)
    factor = builder.constant(node, 1 - position)
    if factor is None or factor.size != 1 or factor.ndim > 1:
        raise Untranslatable("it multiplies by a constant that is not a single number")
    _scale(builder, node, builder.tensor(node, position), float(factor.reshape(())))


def divide(builder: Builder, node: OnnxNode) -> None:
    """Translate the division of a tensor by a single number."""
    divisor = builder.constant(node, 1)
    if divisor is None or divisor.size != 1 or divisor.ndim > 1 or not divisor.any():
        raise Untranslatable("its divisor is not a single constant number")
    _scale(builder, node, builder.tensor(node, 0), 1 / float(divisor.reshape(())))


def _scale(builder: Builder, node: OnnxNode, reads: str, factor: float) -> None:
    builder.add(node, [reads], {"kind": "activation", "function": "identity", "gain": factor})


def power(builder: Builder, node: OnnxNode) -> None:
    """Translate the square."""
    exponent = builder.constant(node, 1)
    if exponent is None or exponent.size != 1 or float(exponent.reshape(-1)[0]) != 2:
        raise Untranslatable("its exponent is not 2")
    _activate(builder, node, {"function": "square"})


def _activate(builder: Builder, node: OnnxNode, function: dict[str, Any]) -> None:
    """Set the activation function of the preceding layer, or add an activation layer if other nodes read that layer."""
    name = builder.tensor(node, 0)
    layer = builder.alone(name)
    if layer is not None and "activation" not in layer and layer["kind"] not in ("activation", "dropout"):
        layer["activation"] = function if len(function) > 1 else function["function"]
        builder.merge(node, layer)
    else:
        builder.add(node, [name], {"kind": "activation", **function})


def activation(function: str, **constants: tuple[str, float]) -> Translator:
    """Return the translator of an elementwise function.

    Args:
        function: the name of the activation function.
        constants: for each constant of the function, the attribute in ONNX and its default.
    """

    def translate(builder: Builder, node: OnnxNode) -> None:
        found = {ours: float(_attribute(node, *theirs)) for ours, theirs in constants.items()}
        _activate(builder, node, {"function": function, **found})

    return translate


def selu(builder: Builder, node: OnnxNode) -> None:
    """Translate Selu with its standard constants, which are the defaults."""
    alpha, gamma = _attribute(node, "alpha", 1.6732632), _attribute(node, "gamma", 1.050701)
    if not math.isclose(alpha, 1.6732632423543772, rel_tol=1e-5) or not math.isclose(
        gamma, 1.0507009873554805, rel_tol=1e-5
    ):
        raise Untranslatable("its constants are not the standard ones of selu")
    _activate(builder, node, {"function": "selu"})


def gelu(builder: Builder, node: OnnxNode) -> None:
    """Translate Gelu in its exact form."""
    _require(node, "approximate", "none", "none")
    _activate(builder, node, {"function": "gelu"})


def over_features(function: str) -> Translator:
    """Return the translator of softmax or log_softmax, which operate along the last axis."""

    def translate(builder: Builder, node: OnnxNode) -> None:
        default = -1 if builder.graph.opset >= 13 else 1
        _require(node, "axis", default, -1, 1)
        if _attribute(node, "axis", default) == 1:
            builder.warn_of_axis(node)
        _activate(builder, node, {"function": function})

    return translate


def _sides(node: OnnxNode, weight_shape: list[int] | None) -> dict[str, Any]:
    """Return the kernel size, stride, padding and dilation of a window."""
    kernel = [int(side) for side in _attribute(node, "kernel_shape", weight_shape) or []]
    rank = len(kernel)
    dilations = list(_attribute(node, "dilations", [1] * rank))
    strides = list(_attribute(node, "strides", [1] * rank))
    automatic = _attribute(node, "auto_pad", "NOTSET")
    pads = list(_attribute(node, "pads", [0] * 2 * rank))
    if automatic in ("SAME_UPPER", "SAME_LOWER"):
        reaches = [(side - 1) * dilation for side, dilation in zip(kernel, dilations, strict=False)]
        if set(strides) != {1} or any(reach % 2 for reach in reaches):
            raise Untranslatable("its auto_pad pads the two sides differently")
        pads = [reach // 2 for reach in reaches] * 2
    elif automatic not in ("NOTSET", "VALID", ""):
        raise Untranslatable(f"its auto_pad is {automatic[:20]}")
    if not rank or pads[:rank] != pads[rank:]:
        raise Untranslatable(f"its pads {pads[:8]} differ between the two sides")
    return {"size": kernel, "stride": strides, "padding": pads[:rank], "dilation": dilations}


def conv(builder: Builder, node: OnnxNode) -> None:
    """Translate Conv to conv1d or conv2d."""
    weight, bias = builder.constant(node, 1), builder.constant(node, 2)
    if weight is None or weight.ndim not in (3, 4):
        raise Untranslatable("its weight is not a constant of rank 3 or 4")
    sides = _sides(node, list(weight.shape[2:]))
    spec = {
        "kind": f"conv{weight.ndim - 2}d",
        "filters": weight.shape[0],
        "kernel_size": sides.pop("size"),
        **sides,
        "groups": int(_attribute(node, "group", 1)),
        "bias": bias is not None,
    }
    parameters = {"weight": weight} | ({} if bias is None else {"bias": bias.reshape(-1)})
    builder.add(node, [builder.tensor(node, 0)], spec, parameters, named_by=1)


def pool(kind: str) -> Translator:
    """Return the translator of max or average pooling over images."""

    def translate(builder: Builder, node: OnnxNode) -> None:
        _require(node, "ceil_mode", 0, 0)
        _require(node, "storage_order", 0, 0)
        sides = _sides(node, None)
        if len(sides["size"]) != 2 or len([name for name in node.outputs if name]) > 1:
            raise Untranslatable("its input is not an image, or it also returns positions")
        if set(sides.pop("dilation")) != {1}:
            raise Untranslatable("its dilations are not 1")
        if kind == "average_pool2d" and any(sides["padding"]):
            _require(node, "count_include_pad", 0, 1)
        builder.add(node, [builder.tensor(node, 0)], {"kind": kind, **sides})

    return translate


def global_average(builder: Builder, node: OnnxNode) -> None:
    """Translate GlobalAveragePool. A reshape adds the axes of length 1 that ONNX keeps."""
    pooled = builder.add(
        node, [builder.tensor(node, 0)], {"kind": "global_average_pool"}, output=f"{node.outputs[0]} pooled"
    )
    builder.add(node, [pooled], {"kind": "reshape", "shape": [-1, 1, 1]})


def batch_norm(builder: Builder, node: OnnxNode) -> None:
    """Translate BatchNormalization to batch_norm with its running statistics."""
    _require(node, "training_mode", 0, 0)
    gamma, beta, mean, variance = (builder.constant(node, position) for position in (1, 2, 3, 4))
    if gamma is None or beta is None or mean is None or variance is None:
        raise Untranslatable("a parameter is missing")
    spec = {"kind": "batch_norm", "mode": "eval", "epsilon": float(_attribute(node, "epsilon", 1e-5))}
    state = {"running_mean": mean, "running_variance": variance}
    builder.add(node, [builder.tensor(node, 0)], spec, {"gamma": gamma, "beta": beta}, state, named_by=1)


def layer_norm(builder: Builder, node: OnnxNode) -> None:
    """Translate LayerNormalization over the last axis."""
    _require(node, "axis", -1, -1)
    gamma, beta = builder.constant(node, 1), builder.constant(node, 2)
    if gamma is None or gamma.ndim != 1:
        raise Untranslatable("its scale is not a vector")
    spec = {"kind": "layer_norm", "epsilon": float(_attribute(node, "epsilon", 1e-5))}
    parameters = {"gamma": gamma, "beta": np.zeros_like(gamma) if beta is None else beta}
    builder.add(node, [builder.tensor(node, 0)], spec, parameters, named_by=1)


def flatten(builder: Builder, node: OnnxNode) -> None:
    """Translate Flatten to rows, one for each example."""
    _require(node, "axis", 1, 1)
    builder.add(node, [builder.tensor(node, 0)], {"kind": "flatten"})


def reshape(builder: Builder, node: OnnxNode) -> None:
    """Translate Reshape of each example. The first axis must stay, as 0, as -1 or as a fixed number of examples."""
    _require(node, "allowzero", 0, 0)
    shape = builder.integers(node, 1, "shape")
    if shape is None or len(shape) < 2 or 0 in shape[1:]:
        raise Untranslatable(f"its shape {str(shape)[:60]} does not keep the axis of the examples")
    if shape[0] > 0 and -1 not in shape[1:]:
        builder.warn_of_batch(node, shape[0])
    spec = {"kind": "flatten"} if shape[1:] == [-1] else {"kind": "reshape", "shape": shape[1:]}
    builder.add(node, [builder.tensor(node, 0)], spec)


def squeeze(builder: Builder, node: OnnxNode) -> None:
    """Translate Squeeze of images of size 1 x 1 to flatten."""
    if builder.integers(node, 1, "axes") not in ([2, 3], [-2, -1]):
        raise Untranslatable("its axes are not height and width")
    builder.add(node, [builder.tensor(node, 0)], {"kind": "flatten"})


def transpose(builder: Builder, node: OnnxNode) -> None:
    """Translate a permutation of the axes."""
    order = _attribute(node, "perm", None)
    if order is None:
        raise Untranslatable("it does not state the order of the axes")
    builder.add(node, [builder.tensor(node, 0)], {"kind": "transpose", "axes": list(order)})


def concatenate(builder: Builder, node: OnnxNode) -> None:
    """Translate the concatenation of tensors."""
    reads = [builder.tensor(node, position) for position in range(len(node.inputs))]
    if len(reads) == 1:
        builder.alias(node, reads[0])
    else:
        builder.add(node, reads, {"kind": "concatenate", "axis": int(_attribute(node, "axis", 1))})


def reduction(kind: str) -> Translator:
    """Return the translator of sums or means along axes."""

    def translate(builder: Builder, node: OnnxNode) -> None:
        axes = builder.integers(node, 1, "axes")
        if not axes:
            raise Untranslatable("it also reduces the axis of the examples")
        spec = {"kind": kind, "axis": axes, "keep_axis": bool(_attribute(node, "keepdims", 1))}
        builder.add(node, [builder.tensor(node, 0)], spec)

    return translate


def pass_through(builder: Builder, node: OnnxNode) -> None:
    """Translate an operator that does nothing when a model is evaluated."""
    builder.alias(node, builder.tensor(node, 0))


def cast(builder: Builder, node: OnnxNode) -> None:
    """Translate a conversion between floating-point types to nothing, because the request sets the precision."""
    _require(node, "to", 1, 1, 10, 11, 16)
    pass_through(builder, node)


OPERATORS: dict[str, Translator] = {
    "Add": add, "AveragePool": pool("average_pool2d"), "BatchNormalization": batch_norm, "Cast": cast,
    "Concat": concatenate, "Conv": conv, "Div": divide, "Dropout": pass_through,
    "Elu": activation("elu", alpha=("alpha", 1.0)), "Exp": activation("exp"), "Flatten": flatten, "Gelu": gelu,
    "Gemm": gemm, "GlobalAveragePool": global_average,
    "Identity": pass_through, "LayerNormalization": layer_norm,
    "LeakyRelu": activation("leaky_relu", negative_slope=("alpha", 0.01)),
    "Log": activation("log"), "LogSoftmax": over_features("log_softmax"), "MatMul": matmul,
    "MaxPool": pool("max_pool2d"), "Mul": multiply, "Neg": activation("negate"), "Pow": power,
    "ReduceMean": reduction("reduce_mean"), "ReduceSum": reduction("reduce_sum"), "Relu": activation("relu"),
    "Reshape": reshape, "Selu": selu, "Sigmoid": activation("sigmoid"), "Sin": activation("sin"),
    "Softmax": over_features("softmax"), "Softplus": activation("softplus"), "Softsign": activation("softsign"),
    "Squeeze": squeeze, "Sub": subtract, "Sum": add, "Tanh": activation("tanh"), "Transpose": transpose,
}  # fmt: skip
"""The translators of all supported operators."""
