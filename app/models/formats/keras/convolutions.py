"""The convolutions and poolings of Keras."""

from __future__ import annotations

from typing import Any

import numpy as np

from app.models.formats.keras.builder import Builder, Untranslatable, Value, channels_first
from app.models.formats.keras.functions import apply_function
from app.models.formats.keras.graph import KerasNode
from app.models.formats.keras.options import OVER_FEATURES, flag, function_of, is_first, refuse_unless, sides, whole


def convolution(builder: Builder, node: KerasNode) -> Value:
    """Kernels are height x width x channels x filters in Keras, and filters x channels x height x width here."""
    (X,), axes = builder.inputs(node), 2 if node.kind == "Conv2D" else 1
    if X.rank != axes + 2:
        raise Untranslatable(f"it reads a tensor of rank {X.rank}")
    order = tuple(range(X.rank)) if is_first(node) else channels_first(X.rank)
    X, padding = builder.ordered(X, order), node.config.get("padding")
    if padding not in ("same", "valid"):
        raise Untranslatable(f"its padding is {str(padding)[:40]!r}")
    size, stride, dilation = (sides(node, name, axes) for name in ("kernel_size", "strides", "dilation_rate"))
    filters, has_bias = whole(node, "filters"), flag(node, "use_bias", True)
    groups = whole(node, "groups") if "groups" in node.config else 1
    channels = X.shape[order[1]]
    read = None if channels is None else channels // groups
    kernel, *bias = builder.take(node, (*size, read, filters), *[(filters,)] * has_bias)
    function = function_of(node)
    along_features = function in OVER_FEATURES
    fields: dict[str, Any] = {"filters": filters, "kernel_size": size, "stride": stride, "dilation": dilation}
    fields |= {"padding": "same" if padding == "same" else 0, "groups": groups, "bias": has_bias}
    builder.add(node.name, [X], node.kind.lower(), **fields, activation=None if along_features else function)
    weight = np.ascontiguousarray(kernel.transpose(axes + 1, axes, *range(axes)))
    builder.parameters[node.name] = {"weight": weight} | ({"bias": bias[0]} if has_bias else {})
    spans = [dilated * (length - 1) + 1 for dilated, length in zip(dilation, size, strict=True)]
    lengths = [X.shape[axis] for axis in order[2:]]
    sizes = [_length(n, span, step, padding) for n, span, step in zip(lengths, spans, stride, strict=True)]
    shape = dict(zip(order, [X.shape[0], filters, *sizes], strict=True))
    Z = Value(node.name, tuple(shape[axis] for axis in range(X.rank)), order)
    return apply_function(builder, f"{node.name[:80]}.{function}", Z, function) if along_features else Z


def _length(length: int | None, span: int, stride: int, padding: str) -> int | None:
    """Return the number of windows along an axis."""
    if length is None:
        return None
    return -(-length // stride) if padding == "same" else (length - span) // stride + 1


def pooling(builder: Builder, node: KerasNode) -> Value:
    """Padding of "same" is stated for each side; Keras' mean leaves it out of the count, which no layer does."""
    (X,) = builder.inputs(node)
    if X.rank != 4:
        raise Untranslatable(f"it reads a tensor of rank {X.rank}")
    order = tuple(range(4)) if is_first(node) else channels_first(4)
    X, size, padding = builder.ordered(X, order), sides(node, "pool_size", 2), node.config.get("padding")
    stride = size if node.config.get("strides") is None else sides(node, "strides", 2)
    if padding not in ("same", "valid"):
        raise Untranslatable(f"its padding is {str(padding)[:40]!r}")
    lengths, kind = (
        [X.shape[axis] for axis in order[2:]],
        "max_pool2d" if node.kind == "MaxPooling2D" else "average_pool2d",
    )
    before, after, sizes = [], [], []
    for length, window, step in zip(lengths, size, stride, strict=True):
        count = _length(length, window, step, padding)
        total = 0
        if padding == "same":
            if length is None or count is None:
                raise Untranslatable("its padding is 'same', and the size of the image is not in the file")
            total = max((count - 1) * step + window - length, 0)
        if total and kind == "average_pool2d":
            raise Untranslatable(
                f"its padding 'same' adds {total} to an axis of {length}, which Keras does not count in the mean, and "
                "average_pool2d does"
            )
        before.append(total // 2)
        after.append(total - total // 2)
        sizes.append(count)
    padding = before if before == after else before + after
    builder.add(node.name, [X], kind, size=size, stride=stride, padding=padding)
    shape = dict(zip(order, [X.shape[0], X.shape[order[1]], *sizes], strict=True))
    return Value(node.name, tuple(shape[axis] for axis in range(4)), order)


def global_pooling(builder: Builder, node: KerasNode) -> Value:
    """The mean of each channel."""
    (X,) = builder.inputs(node)
    refuse_unless(node, keepdims=False)
    if X.rank != (4 if node.kind.endswith("2D") else 3):
        raise Untranslatable(f"it reads a tensor of rank {X.rank}")
    X = builder.ordered(X, tuple(range(X.rank)) if is_first(node) else channels_first(X.rank))
    builder.add(node.name, [X], "global_average_pool")
    return Value(node.name, (X.shape[0], X.shape[X.order[1]]), (0, 1))
