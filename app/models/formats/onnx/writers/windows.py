"""Convolutions and pooling."""

from __future__ import annotations

from typing import Any

from app.models.formats.onnx.writer import Writer
from app.models.formats.onnx.writers.layer import OnnxLayer, Unwritable, Write, each
from core.layers.shared.windows import paddings_along


def _pads(target: OnnxLayer, rank: int) -> list[int]:
    """Return the padding before all axes and then behind all."""
    paddings = paddings_along(target.layer.kind, target.layer.padding, rank)
    return [before for before, _ in paddings] + [after for _, after in paddings]


def conv(writer: Writer, target: OnnxLayer) -> str:
    """Write Conv. A convolution in the strict sense has its kernel turned."""
    layer, weight = target.layer, target.array("weight")
    if layer.mode == "convolution":
        weight = weight[..., ::-1] if weight.ndim == 3 else weight[..., ::-1, ::-1]
    rank = weight.ndim - 2
    dilation, stride = each(layer.dilation, rank), each(layer.stride, rank)
    inputs = [target.reads[0], writer.constant(f"{target.name}.weight", weight)]
    if layer.bias:
        inputs.append(target.tensor(writer, "bias"))
    padding: dict[str, Any]
    if layer.padding != "same":
        padding = {"pads": _pads(target, rank)}
    elif set(stride) == {1}:
        reaches = [(side - 1) * step for side, step in zip(weight.shape[2:], dilation, strict=True)]
        padding = {"pads": [reach // 2 for reach in reaches] + [reach - reach // 2 for reach in reaches]}
    elif set(dilation) != {1}:
        raise Unwritable('its padding "same" with a stride and a dilation depends on the size of its input')
    else:
        padding = {"auto_pad": "SAME_UPPER"}  # It depends on the size of the input.
    kernel = list(weight.shape[2:])
    fields = {"kernel_shape": kernel, "strides": stride, "dilations": dilation, "group": layer.groups}
    return writer.node("Conv", inputs, **fields, **padding)


def conv_transpose(writer: Writer, target: OnnxLayer) -> str:
    """Write ConvTranspose."""
    layer, weight = target.layer, target.array("weight")
    rank = weight.ndim - 2
    strides, more = each(layer.stride, rank), each(layer.output_padding, rank)
    if any(number >= stride for number, stride in zip(more, strides, strict=True)):
        raise Unwritable("its output_padding is not less than its stride, which no program reads")
    inputs = [target.reads[0], target.tensor(writer, "weight")]
    if layer.bias:
        inputs.append(target.tensor(writer, "bias"))
    return writer.node(
        "ConvTranspose",
        inputs,
        kernel_shape=list(weight.shape[2:]),
        strides=strides,
        dilations=each(layer.dilation, rank),
        pads=_pads(target, rank),
        output_padding=more,
        group=layer.groups,
    )


def pool(operator: str, **more: Any) -> Write:
    """Return the writer of pooling over images."""

    def write(writer: Writer, target: OnnxLayer) -> str:
        layer = target.layer
        size = each(layer.size, 2)
        stride = size if layer.stride is None else each(layer.stride, 2)
        return writer.node(operator, target.reads, kernel_shape=size, strides=stride, pads=_pads(target, 2), **more)

    return write


def global_average(writer: Writer, target: OnnxLayer) -> str:
    """Write GlobalAveragePool, whose axes of length 1 are dropped."""
    return writer.node("Flatten", [writer.node("GlobalAveragePool", target.reads)], axis=1)
