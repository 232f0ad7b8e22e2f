"""Translation of layers to ONNX operators: one writer function for each supported kind of layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.models.formats.onnx_writer import Writer
from core.activations.choice import Function
from core.arrays import Array
from core.layers import Layer

ELEMENTWISE = {
    "sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "Relu", "selu": "Selu", "gelu": "Gelu", "softplus": "Softplus",
    "softsign": "Softsign", "sin": "Sin", "exp": "Exp", "log": "Log", "negate": "Neg",
}  # fmt: skip


class Unwritable(Exception):
    """A layer has no ONNX counterpart; the message says why."""


class OnnxLayer:
    """A layer with its tensors and the names of its inputs."""

    def __init__(
        self, name: str, layer: Layer, reads: Sequence[str], parameters: Mapping[str, Array], state: Mapping[str, Array]
    ) -> None:
        self.name = name
        self.layer: Any = layer
        self.reads = list(reads)
        self.parameters = parameters
        self.state = state

    def tensor(self, writer: Writer, name: str) -> str:
        """Write a parameter as a constant of the graph, and return its name.

        Raises:
            Unwritable: if the model does not have the parameter.
        """
        source = self.parameters if name in self.parameters else self.state
        if name not in source:
            raise Unwritable(f"the model does not have its parameter {name}")
        return writer.constant(f"{self.name}.{name}", source[name])


def write_activation(writer: Writer, name: str, value: str, function: Any) -> str:
    """Write an activation function applied to a value, and return the name of the result."""
    spec = function if isinstance(function, Function) else Function(function=function)
    if spec.gain != 1:
        value = writer.node("Mul", [value, writer.number(spec.gain)])
    kind = spec.function
    if kind == "identity":
        return value
    if kind == "leaky_relu":
        return writer.node("LeakyRelu", [value], alpha=0.01 if spec.negative_slope is None else spec.negative_slope)
    if kind == "elu":
        return writer.node("Elu", [value], alpha=1.0 if spec.alpha is None else spec.alpha)
    if kind in ("softmax", "log_softmax"):
        return writer.node("Softmax" if kind == "softmax" else "LogSoftmax", [value], axis=-1)
    if kind == "silu":
        return writer.node("Mul", [value, writer.node("Sigmoid", [value])])
    if kind == "square":
        return writer.node("Mul", [value, value])
    if kind not in ELEMENTWISE:
        raise Unwritable(f"its activation {kind} has no ONNX operator")
    return writer.node(ELEMENTWISE[kind], [value])


def _activation(writer: Writer, target: OnnxLayer) -> str:
    layer = target.layer
    constants = {"gain": layer.gain, "negative_slope": layer.negative_slope, "alpha": layer.alpha}
    return write_activation(writer, target.name, target.reads[0], Function(function=layer.function, **constants))


def _dense(writer: Writer, target: OnnxLayer) -> str:
    made = writer.node("MatMul", [target.reads[0], target.tensor(writer, "weight")])
    return writer.node("Add", [made, target.tensor(writer, "bias")]) if target.layer.bias else made


def _conv(writer: Writer, target: OnnxLayer) -> str:
    layer = target.layer
    weight = target.parameters.get("weight")
    if weight is None:
        raise Unwritable("the model does not have its parameter weight")
    if layer.mode == "convolution":
        weight = weight[..., ::-1] if weight.ndim == 3 else weight[..., ::-1, ::-1]
    rank = weight.ndim - 2
    dilation = _each(layer.dilation, rank)
    inputs = [target.reads[0], writer.constant(f"{target.name}.weight", weight)]
    if layer.bias:
        inputs.append(target.tensor(writer, "bias"))
    stride = _each(layer.stride, rank)
    if layer.padding == "same":
        reaches = [(side - 1) * step for side, step in zip(weight.shape[2:], dilation, strict=True)]
        if set(stride) != {1}:
            raise Unwritable('its padding "same" with a stride depends on the size of the input')
        pads = [reach // 2 for reach in reaches] + [reach - reach // 2 for reach in reaches]
    else:
        pads = _each(layer.padding, rank) * 2
    return writer.node(
        "Conv",
        inputs,
        kernel_shape=list(weight.shape[2:]),
        strides=stride,
        pads=pads,
        dilations=dilation,
        group=layer.groups,
    )


def _each(sides: int | list[int], rank: int) -> list[int]:
    return list(sides) if isinstance(sides, list) else [sides] * rank


def _pool(operator: str, **more: Any) -> Callable[[Writer, OnnxLayer], str]:
    def write(writer: Writer, target: OnnxLayer) -> str:
        layer = target.layer
        size = _each(layer.size, 2)
        stride = size if layer.stride is None else _each(layer.stride, 2)
        return writer.node(
            operator, target.reads, kernel_shape=size, strides=stride, pads=_each(layer.padding, 2) * 2, **more
        )

    return write


def _global_average(writer: Writer, target: OnnxLayer) -> str:
    return writer.node("Flatten", [writer.node("GlobalAveragePool", target.reads)], axis=1)


def _flatten(writer: Writer, target: OnnxLayer) -> str:
    if target.layer.order != "row_major":
        raise Unwritable("it flattens in column-major order")
    return writer.node("Flatten", target.reads, axis=1)


def _reshape(writer: Writer, target: OnnxLayer) -> str:
    return writer.node("Reshape", [target.reads[0], writer.integers([0, *target.layer.shape])])


def _pairs(operator: str) -> Callable[[Writer, OnnxLayer], str]:
    def write(writer: Writer, target: OnnxLayer) -> str:
        made = target.reads[0]
        for other in target.reads[1:]:
            made = writer.node(operator, [made, other])
        return made

    return write


def _concatenate(writer: Writer, target: OnnxLayer) -> str:
    return writer.node("Concat", target.reads, axis=1 if target.layer.axis is None else target.layer.axis)


def _transpose(writer: Writer, target: OnnxLayer) -> str:
    if target.layer.axes is None:
        raise Unwritable('it has no "axes", which are needed for the export')
    return writer.node("Transpose", target.reads, perm=target.layer.axes)


def _reduction(operator: str) -> Callable[[Writer, OnnxLayer], str]:
    def write(writer: Writer, target: OnnxLayer) -> str:
        axis = target.layer.axis
        if axis is None:
            raise Unwritable('it has no "axis", which is needed for the export')
        axes = writer.integers([axis] if isinstance(axis, int) else axis)
        return writer.node(operator, [target.reads[0], axes], keepdims=int(target.layer.keep_axis))

    return write


def _batch_norm(writer: Writer, target: OnnxLayer) -> str:
    if target.layer.mode != "eval":
        raise Unwritable('it uses the statistics of the batch; set its mode to "eval"')
    tensors = [target.tensor(writer, name) for name in ("gamma", "beta", "running_mean", "running_variance")]
    return writer.node("BatchNormalization", [target.reads[0], *tensors], epsilon=target.layer.epsilon)


def _layer_norm(writer: Writer, target: OnnxLayer) -> str:
    tensors = [target.tensor(writer, name) for name in ("gamma", "beta")]
    return writer.node("LayerNormalization", [target.reads[0], *tensors], axis=-1, epsilon=target.layer.epsilon)


def _rms_norm(writer: Writer, target: OnnxLayer) -> str:
    X = target.reads[0]
    mean = writer.node("ReduceMean", [writer.node("Mul", [X, X]), writer.integers([-1])], keepdims=1)
    root = writer.node("Sqrt", [writer.node("Add", [mean, writer.number(target.layer.epsilon)])])
    return writer.node("Mul", [writer.node("Div", [X, root]), target.tensor(writer, "gamma")])


def _dropout(writer: Writer, target: OnnxLayer) -> str:
    """Write Dropout, which passes its input on unchanged when a model is evaluated."""
    return writer.node("Dropout", target.reads)


def _embedding(writer: Writer, target: OnnxLayer) -> str:
    classes = writer.node("Cast", target.reads, to=int(writer.onnx.TensorProto.INT64))
    return writer.node("Gather", [target.tensor(writer, "weight"), classes], axis=0)


WRITERS: dict[str, Callable[[Writer, OnnxLayer], str]] = {
    "activation": _activation, "add": _pairs("Add"), "average_pool2d": _pool("AveragePool", count_include_pad=1),
    "batch_norm": _batch_norm, "concatenate": _concatenate, "conv1d": _conv, "conv2d": _conv, "dense": _dense,
    "dropout": _dropout, "embedding": _embedding, "flatten": _flatten, "global_average_pool": _global_average,
    "layer_norm": _layer_norm, "matmul": _pairs("MatMul"), "max_pool2d": _pool("MaxPool"), "multiply": _pairs("Mul"),
    "reduce_mean": _reduction("ReduceMean"), "reduce_sum": _reduction("ReduceSum"), "reshape": _reshape,
    "rms_norm": _rms_norm, "subtract": _pairs("Sub"), "transpose": _transpose,
}  # fmt: skip
"""The writer functions of all supported kinds of layers."""
