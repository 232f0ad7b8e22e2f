"""Convolution and pooling."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from app.models.formats.onnx.graph import Builder, Translator
from app.models.formats.onnx.node import OnnxNode, Untranslatable


def _sides(builder: Builder, node: OnnxNode, weight_shape: list[int] | None) -> dict[str, Any]:
    """Return the kernel size, stride, padding before and after, and dilation of a window."""
    shape = builder.shape(node, 0)
    rank = len(shape) - 2
    kernel = node.integers("kernel_shape", weight_shape) or []
    dilations = node.integers("dilations", [1] * rank)
    strides = node.integers("strides", [1] * rank)
    pads = node.integers("pads", [0] * 2 * rank)
    if rank < 1 or (len(kernel), len(dilations), len(strides), len(pads)) != (rank, rank, rank, 2 * rank):
        raise Untranslatable(f"its kernel, strides, pads and dilations do not fit an input of {len(shape)} axes")
    if min(kernel + dilations + strides) < 1 or min(pads) < 0 or (weight_shape and kernel != weight_shape):
        raise Untranslatable("its kernel, strides, pads and dilations are not those of a window")
    automatic = node.text("auto_pad", "NOTSET")
    if automatic in ("SAME_UPPER", "SAME_LOWER"):
        pads = _same(shape[2:], kernel, strides, dilations, upper=automatic == "SAME_UPPER")
    elif automatic == "VALID":
        pads = [0] * 2 * rank
    elif automatic not in ("NOTSET", ""):
        raise Untranslatable(f"its auto_pad is {automatic[:20]}")
    return {"size": kernel, "stride": strides, "pads": (pads[:rank], pads[rank:]), "dilation": dilations}


def _same(
    lengths: tuple[int | None, ...], kernel: list[int], strides: list[int], dilations: list[int], *, upper: bool
) -> list[int]:
    """Return the padding with which the result has 1 / stride of the length, rounded up."""
    before, after = [], []
    for length, size, stride, dilation in zip(lengths, kernel, strides, dilations, strict=True):
        reach = (size - 1) * dilation + 1
        if length is None and stride != 1:
            raise Untranslatable("its auto_pad depends on the length of its input, which is open; send ?input_shape=")
        total = reach - 1 if length is None else max(0, (-(-length // stride) - 1) * stride + reach - length)
        before.append(total // 2 if upper else total - total // 2)
        after.append(total - before[-1])
    return before + after


def _padding(sides: dict[str, Any]) -> list[int]:
    """Take the padding out of the sides: one number for each axis, or for each side if they differ."""
    before, after = sides.pop("pads")
    return list(before) if before == after else [*before, *after]


def conv(builder: Builder, node: OnnxNode) -> None:
    """Translate Conv to conv1d or conv2d."""
    weight, bias = builder.weight(node, 1), builder.weight(node, 2)
    if weight is None or weight.ndim not in (3, 4):
        raise Untranslatable("its weight is not a constant of rank 3 or 4")
    groups = node.integer("group", 1, least=1)
    channels = builder.shape(node, 0)[1:2]
    if weight.shape[0] % groups or channels not in ((None,), (weight.shape[1] * groups,)):
        raise Untranslatable(f"its weight of shape {list(weight.shape)} does not fit its input in {groups} groups")
    # The padding that depends on the length of the input, where that is open, is known to the layer as "same".
    is_same = node.text("auto_pad", "NOTSET") == "SAME_UPPER" and None in builder.shape(node, 0)[2:]
    if is_same:
        node = replace(node, attributes={name: each for name, each in node.attributes.items() if name != "auto_pad"})
    sides = _sides(builder, node, list(weight.shape[2:]))
    spec = {
        "kind": f"conv{weight.ndim - 2}d",
        "filters": weight.shape[0],
        "kernel_size": sides.pop("size"),
        "padding": _padding(sides),
        **sides,
        "groups": groups,
        "bias": bias is not None,
    }
    if is_same:
        spec["padding"] = "same"
    parameters = {"weight": weight} | ({} if bias is None else {"bias": bias.reshape(-1)})
    builder.add(node, [builder.tensor(node, 0)], spec, parameters, named_by=1)


def pool(kind: str) -> Translator:
    """Return the translator of max or average pooling over images."""

    def translate(builder: Builder, node: OnnxNode) -> None:
        node.require("ceil_mode", 0, 0)
        node.require("storage_order", 0, 0)
        sides = _sides(builder, node, None)
        rank = len(sides["size"])
        if rank > 2 or len([name for name in node.outputs if name]) > 1:
            raise Untranslatable("its input is a volume, or it also returns positions")
        if set(sides.pop("dilation")) != {1}:
            raise Untranslatable("its dilations are not 1")
        if any(2 * pad > size for pads in sides["pads"] for pad, size in zip(pads, sides["size"], strict=True)):
            raise Untranslatable("it pads by more than half a window")
        if kind == "average_pool2d" and any(map(any, sides["pads"])):
            node.require("count_include_pad", 0, 1)
        reads, padding = builder.tensor(node, 0), _padding(sides)
        if rank == 2:
            builder.add(node, [reads], {"kind": kind, **sides, "padding": padding})
            return
        # A sequence is an image of height 1.
        channels = builder.shape(node, 0)[1]
        if channels is None:
            raise Untranslatable("its number of channels is open; send ?input_shape=")
        image = builder.add(
            node, [reads], {"kind": "reshape", "shape": [channels, 1, -1]}, output=f"{node.outputs[0]} image"
        )
        spec = {"kind": kind, "size": [1, *sides["size"]], "stride": [1, *sides["stride"]]}
        spec["padding"] = [0, *padding] if len(padding) == 1 else [0, padding[0], 0, padding[1]]
        pooled = builder.add(node, [image], spec, output=f"{node.outputs[0]} pooled")
        builder.add(node, [pooled], {"kind": "reshape", "shape": [channels, -1]})

    return translate


def conv_transpose(builder: Builder, node: OnnxNode) -> None:
    """Translate ConvTranspose to conv_transpose1d or conv_transpose2d."""
    weight, bias = builder.weight(node, 1), builder.weight(node, 2)
    if weight is None or weight.ndim not in (3, 4):
        raise Untranslatable("its weight is not a constant of rank 3 or 4")
    rank, groups = weight.ndim - 2, node.integer("group", 1, least=1)
    node.require("auto_pad", "NOTSET", "NOTSET", "VALID", "")
    if "output_shape" in node.attributes:
        raise Untranslatable("it states its output_shape; export it with pads and output_padding")
    sides = _sides(builder, node, list(weight.shape[2:]))
    spec = {
        "kind": f"conv_transpose{rank}d",
        "filters": weight.shape[1] * groups,
        "kernel_size": sides.pop("size"),
        "padding": _padding(sides),
        **sides,
        "output_padding": node.integers("output_padding", [0] * rank),
        "groups": groups,
        "bias": bias is not None,
    }
    parameters = {"weight": weight} | ({} if bias is None else {"bias": bias.reshape(-1)})
    builder.add(node, [builder.tensor(node, 0)], spec, parameters, named_by=1)


def pad(builder: Builder, node: OnnxNode) -> None:
    """Translate Pad behind the channels."""
    rank = len(builder.shape(node, 0))
    pads = builder.integers(node, 1, "pads")
    axes = builder.integers(node, 3, "axes")
    mode = node.text("mode", "constant")
    if pads is None or mode not in ("constant", "reflect", "edge"):
        raise Untranslatable(f"its pads are not stated, or its mode is {mode[:20]}")
    chosen = list(range(rank)) if axes is None else [builder.axis(node, axis, rank) for axis in axes]
    if len(pads) != 2 * len(chosen) or min(pads, default=0) < 0:
        raise Untranslatable("its pads are negative, or not two for each axis")
    before, after = [0] * rank, [0] * rank
    for axis, left, right in zip(chosen, pads[: len(chosen)], pads[len(chosen) :], strict=True):
        before[axis], after[axis] = left, right
    if not any(before + after):
        builder.alias(node, builder.tensor(node, 0))
        return
    if rank < 3 or any(before[:2] + after[:2]):
        raise Untranslatable("it adds examples or channels")
    if rank > 4:
        raise Untranslatable("its input is a volume")
    value = node.number("value", 0.0)
    if mode == "constant" and (found := builder.constant(node, 2)) is not None:
        value = float(found.reshape(-1)[0])
    spec = {"kind": "pad", "padding": before[2:] + after[2:], "mode": mode}
    builder.add(node, [builder.tensor(node, 0)], spec | ({"value": value} if mode == "constant" else {}))


def resize(builder: Builder, node: OnnxNode) -> None:
    """Translate Resize and Upsample to another resolution behind the channels."""
    before, after = builder.shape(node, 0), builder.result_shape(node)
    if len(before) < 3 or before[:2] != after[:2]:
        raise Untranslatable("it changes the examples or the channels")
    mode = node.text("mode", "nearest")
    older = node.operator == "Upsample" or builder.graph.opset < 11
    where = "asymmetric" if older else node.text("coordinate_transformation_mode", "half_pixel")
    rounding = "floor" if older else node.text("nearest_mode", "round_prefer_floor")
    for name, default in (("antialias", 0), ("exclude_outside", 0)):
        node.require(name, default, default)
    known: dict[tuple[str, ...], dict[str, Any]] = {
        ("nearest", "asymmetric", "floor"): {"mode": "nearest"},
        ("nearest", "half_pixel", "round_prefer_ceil"): {"mode": "nearest_exact"},
        ("linear", "half_pixel"): {"mode": "linear"},
        ("linear", "pytorch_half_pixel"): {"mode": "linear"},
        ("linear", "align_corners"): {"mode": "linear", "align_corners": True},
    }
    spec = known.get((mode, where, rounding) if mode == "nearest" else (mode, where))
    if spec is None:
        raise Untranslatable(f"its mode {mode[:20]} with {where[:30]} and {rounding[:30]} is that of no layer")
    if where == "pytorch_half_pixel" and 1 in after[2:]:
        raise Untranslatable("its pytorch_half_pixel differs from half_pixel for a result of length 1")
    scales = _scales(builder, node, older)
    if scales is not None:
        if scales[:2] != [1, 1]:
            raise Untranslatable("it changes the examples or the channels")
        builder.add(node, [builder.tensor(node, 0)], {"kind": "upsample", "scale": scales[2:], **spec})
    elif None in after[2:]:
        raise Untranslatable("its sizes are open; send ?input_shape=")
    else:
        builder.add(node, [builder.tensor(node, 0)], {"kind": "upsample", "size": list(after[2:]), **spec})


def _scales(builder: Builder, node: OnnxNode, older: bool) -> list[float] | None:
    """Return the scales of all axes, None if the node states sizes."""
    if isinstance(listed := node.attributes.get("scales"), list):
        return [_shortest(scale) for scale in listed]
    if not older and len(node.inputs) > 3 and node.inputs[3]:
        return None
    found = builder.constant(node, 1 if older else 2)
    if found is None or not found.size:
        return None
    return [_shortest(scale) for scale in found.reshape(-1)]


def _shortest(scale: float) -> float:
    """Return the shortest decimal that the file, which has single precision, writes as that scale."""
    return float(str(np.float32(scale)))
