"""Steps with windows, norms and recurrence: convolutions, pooling, padding, resizing."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.app.models.onnx_files.drawn import Drawn


def _window(drawn: Drawn, lengths: tuple[int, ...], *, dilated: bool) -> tuple[dict[str, Any], list[int]] | None:
    """The attributes of a window, and the lengths of its result."""
    rank = len(lengths)
    kernel = [drawn.pick(1, 2, 3) for _ in lengths]
    strides = [drawn.pick(1, 1, 2) for _ in lengths]
    dilations = [drawn.pick(1, 1, 1, 2) if dilated else 1 for _ in lengths]
    reach = [(size - 1) * dilation + 1 for size, dilation in zip(kernel, dilations, strict=True)]
    more: dict[str, Any] = {"kernel_shape": kernel, "strides": strides} | ({"dilations": dilations} if dilated else {})
    automatic = drawn.pick("NOTSET", "NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")
    pads = [0] * 2 * rank
    if automatic in ("SAME_UPPER", "SAME_LOWER"):
        if max(dilations) > 1:
            return None  # onnxruntime refuses it for pooling, and its operator sets disagree.
        return {**more, "auto_pad": automatic}, [-(-n // s) for n, s in zip(lengths, strides, strict=True)]
    if automatic == "NOTSET":
        pads = [int(drawn.random.integers(0, r)) if drawn.chance(0.5) else 0 for r in (*kernel, *kernel)]
        more["pads"] = pads
    else:
        more["auto_pad"] = automatic
    found = [
        (n + pads[a] + pads[a + rank] - reach[a]) // strides[a] + 1 if n + pads[a] + pads[a + rank] >= reach[a] else 0
        for a, n in enumerate(lengths)
    ]
    return (more, found) if min(found) > 0 else None


def conv(drawn: Drawn, name: str) -> str | None:
    shape = drawn.shapes[name]
    window = _window(drawn, shape[2:], dilated=True) if len(shape) in (3, 4) else None
    if window is None:
        return None
    more, found = window
    groups = drawn.pick(*(part for part in (1, 2, 3) if shape[1] % part == 0))
    filters = groups * drawn.pick(1, 2)
    weight = drawn.constant(drawn.normal(filters, shape[1] // groups, *more["kernel_shape"]))
    reads = [name, weight] + ([drawn.constant(drawn.normal(filters))] if drawn.chance(0.6) else [])
    return drawn.add("Conv", reads, (shape[0], filters, *found), group=groups, **more)


def conv_transpose(drawn: Drawn, name: str) -> str | None:
    shape = drawn.shapes[name]
    if len(shape) not in (3, 4) or max(shape[2:]) > 4:
        return None
    rank, groups = len(shape) - 2, drawn.pick(*(part for part in (1, 2) if shape[1] % part == 0))
    kernel, strides = [drawn.pick(2, 3) for _ in range(rank)], [drawn.pick(1, 2) for _ in range(rank)]
    pads = [int(drawn.chance(0.3)) for _ in range(2 * rank)]
    extra = [int(drawn.chance(0.3) and stride > 1) for stride in strides]
    found = [
        (n - 1) * s + k - pads[a] - pads[a + rank] + e
        for a, (n, s, k, e) in enumerate(zip(shape[2:], strides, kernel, extra, strict=True))
    ]
    if min(found) < 1:
        return None
    weight = drawn.constant(drawn.normal(shape[1], 2, *kernel))
    more = {"strides": strides, "pads": pads, "output_padding": extra, "group": groups, "kernel_shape": kernel}
    return drawn.add("ConvTranspose", [name, weight], (shape[0], 2 * groups, *found), **more)


def pool(drawn: Drawn, name: str) -> str | None:
    shape = drawn.shapes[name]
    window = _window(drawn, shape[2:], dilated=False) if len(shape) in (3, 4) else None
    if window is None:
        return None
    more, found = window
    operator = drawn.pick("MaxPool", "AveragePool")
    if operator == "AveragePool" and drawn.opset >= 7 and drawn.chance(0.5):
        more["count_include_pad"] = 1
    return drawn.add(operator, [name], (*shape[:2], *found), **more)


def global_pool(drawn: Drawn, name: str) -> str | None:
    shape = drawn.shapes[name]
    if len(shape) < 3:
        return None
    return drawn.add(drawn.pick("GlobalAveragePool", "GlobalMaxPool"), [name], (*shape[:2], *[1] * (len(shape) - 2)))


def padded(drawn: Drawn, name: str) -> str | None:
    shape = drawn.shapes[name]
    if len(shape) < 3:
        return None
    rank = len(shape)
    pads = [int(drawn.random.integers(0, 2)) if axis % rank > 1 else 0 for axis in range(2 * rank)]
    mode = drawn.pick("constant", "constant", "reflect", "edge") if min(shape[2:]) > 1 else "constant"
    made = tuple(length + pads[axis] + pads[axis + rank] for axis, length in enumerate(shape))
    if drawn.opset >= 11:
        reads = [name, drawn.constant(np.array(pads, np.int64))]
        reads += [drawn.constant(np.float32(0.5))] if mode == "constant" and drawn.chance(0.5) else []
        return drawn.add("Pad", reads, made, mode=mode)
    return drawn.add("Pad", [name], made, mode=mode, pads=pads, value=0.5)


def norm(drawn: Drawn, name: str) -> str | None:
    shape = drawn.shapes[name]
    if len(shape) < 2:
        return None
    gamma, beta = (drawn.constant(drawn.normal(shape[1])) for _ in range(2))
    operator = drawn.pick("BatchNormalization", "InstanceNormalization", "LayerNormalization", "LRN")
    if operator == "LRN" and len(shape) == 4:
        return drawn.add("LRN", [name], shape, size=drawn.pick(1, 3), alpha=0.1)
    if operator == "BatchNormalization" and drawn.opset >= 7:
        mean, var = (
            drawn.constant(drawn.normal(shape[1])),
            drawn.constant(np.abs(drawn.normal(shape[1])) + np.float32(0.1)),
        )
        return drawn.add(operator, [name, gamma, beta, mean, var], shape)
    if operator == "InstanceNormalization" and len(shape) > 2:
        return drawn.add(operator, [name, gamma, beta], shape)
    if operator == "LayerNormalization" and drawn.opset >= 17:
        axis = int(drawn.random.integers(1, len(shape)))
        return drawn.add(operator, [name, drawn.constant(drawn.normal(*shape[axis:]))], shape, axis=axis)
    return None


def resized(drawn: Drawn, name: str) -> str | None:
    shape = drawn.shapes[name]
    if len(shape) != 4 or drawn.opset < 9:
        return None
    scales = drawn.constant(np.array([1, 1, 2, drawn.pick(2, 3)], np.float32))
    made = (*shape[:2], shape[2] * 2, shape[3] * int(drawn.constants[scales][3]))
    if drawn.opset < 11:
        return drawn.add(
            "Upsample" if drawn.opset < 10 else "Resize", [name, scales], made, mode=drawn.pick("nearest", "linear")
        )
    mode = drawn.pick("nearest", "linear")
    where = drawn.pick("asymmetric", "half_pixel", "align_corners", "pytorch_half_pixel")
    more = (
        {"nearest_mode": drawn.pick("floor", "round_prefer_floor", "round_prefer_ceil", "ceil")}
        if mode == "nearest"
        else {}
    )
    empty = drawn.constant(np.zeros(0, np.float32)) if drawn.opset < 13 else ""
    return drawn.add("Resize", [name, empty, scales], made, mode=mode, coordinate_transformation_mode=where, **more)


def recurrence(drawn: Drawn, name: str) -> str | None:
    """Time x examples x features, as the operators of ONNX read them, in both orders of what precedes."""
    shape = drawn.shapes[name]
    if len(shape) != 3 or drawn.opset < 7:
        return None
    operator, gates = drawn.pick(("LSTM", 4), ("GRU", 3), ("RNN", 1))
    turned = drawn.add("Transpose", [name], (shape[1], shape[0], shape[2]), perm=[1, 0, 2])
    if turned is None:
        return None
    direction, units = drawn.pick("forward", "reverse", "bidirectional"), 2
    many = 2 if direction == "bidirectional" else 1
    reads = [turned, *(drawn.constant(drawn.normal(many, gates * units, width)) for width in (shape[2], units))]
    reads += [drawn.constant(drawn.normal(many, 2 * gates * units))] if drawn.chance(0.7) else []
    more = {"linear_before_reset": int(drawn.chance(0.5))} if operator == "GRU" else {}
    every = drawn.add(
        operator, reads, (shape[1], many, shape[0], units), hidden_size=units, direction=direction, **more
    )
    if every is None:
        return None
    if many == 1 and drawn.chance(0.5):
        drawn.shapes.pop(every)
        drawn.nodes[-1].output[:] = ["", every]
        drawn.shapes[every] = (1, shape[0], units)
        return drawn.with_list(13, "Squeeze", [every], (shape[0], units), "axes", [0])
    back = drawn.add("Transpose", [every], (shape[0], shape[1], many, units), perm=[2, 0, 1, 3])
    wanted = drawn.constant(np.array([0, 0, -1], np.int64))
    return back and drawn.add("Reshape", [back, wanted], (shape[0], shape[1], many * units))
