"""The steps by which a random model grows: each adds a node or two to a value, and returns the new value."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from onnx import helper

from tests.app.models.onnx_files.drawn import Drawn, Shape, broadcastable


def function(drawn: Drawn, name: str) -> str | None:
    plain = ["Relu", "Sigmoid", "Tanh", "Softsign", "Softplus", "Neg", "Abs", "Identity", "Exp", "Selu"]
    plain += ["Sin"] if drawn.opset >= 7 else []
    plain += ["Erf"] if drawn.opset >= 9 else []
    plain += ["HardSwish"] if drawn.opset >= 14 else []
    plain += ["Gelu"] if drawn.opset >= 20 else []
    of_alpha = ["LeakyRelu", "Elu", "HardSigmoid", "ThresholdedRelu"]
    operator = drawn.pick(*plain, *of_alpha)
    more = {"alpha": float(drawn.random.uniform(0, 2))} if operator in of_alpha and drawn.chance(0.6) else {}
    return drawn.add(operator, [name], drawn.shapes[name], **more)


def clip(drawn: Drawn, name: str) -> str | None:
    low, high = -float(drawn.random.uniform(0, 2)), float(drawn.random.uniform(0, 2))
    if drawn.opset < 11:
        return drawn.add("Clip", [name], drawn.shapes[name], min=low, max=high)
    least = drawn.constant(np.float32(low)) if drawn.chance(0.7) else ""
    return drawn.add("Clip", [name, least, drawn.constant(np.float32(high))], drawn.shapes[name])


def softmax(drawn: Drawn, name: str) -> str | None:
    rank = len(drawn.shapes[name])
    first = int(drawn.chance(0.9))
    axis = drawn.pick(None, *range(first, rank), *(range(first - rank, 0) if drawn.opset >= 11 else ()))
    if axis is None and rank < 2:
        return None
    more = {} if axis is None else {"axis": axis}
    return drawn.add(drawn.pick("Softmax", "LogSoftmax"), [name], drawn.shapes[name], **more)


def with_constant(drawn: Drawn, name: str) -> str | None:
    shape, operator = drawn.shapes[name], drawn.pick("Add", "Sub", "Mul", "Div", "Pow", "PRelu", "Max", "Min")
    if drawn.opset < 8 and operator in ("Max", "Min"):
        return None
    if drawn.opset < 7:
        return old_constant(drawn, name) if operator != "PRelu" else None
    other = broadcastable(drawn, shape)
    array = drawn.normal(*other)
    if operator == "Div":
        array = np.sign(array) * (np.abs(array) + np.float32(0.3))
    if operator == "Pow":
        array = np.full(other, drawn.pick(2, 3, 1), np.float32)
    if operator == "PRelu" and len(other) > len(shape):
        return None
    reads = [name, drawn.constant(array)]
    if operator in ("Add", "Mul", "Sub", "Max", "Min") and drawn.chance(0.4):
        reads.reverse()
    return drawn.add(operator, reads, np.broadcast_shapes(shape, other))


def old_constant(drawn: Drawn, name: str) -> str | None:
    """Before operator set 7 the second operand is aligned at an axis."""
    shape, operator = drawn.shapes[name], drawn.pick("Add", "Sub", "Mul")
    if drawn.chance(0.3) or not shape:
        return drawn.add(operator, [name, drawn.constant(drawn.normal(*shape))], shape)
    start = int(drawn.random.integers(len(shape)))
    end = int(drawn.random.integers(start, len(shape))) + 1
    constant = drawn.constant(drawn.normal(*shape[start:end]))
    return drawn.add(operator, [name, constant], shape, broadcast=1, axis=start)


def with_value(drawn: Drawn, name: str) -> str | None:
    """Two computed values: of one shape, or broadcast."""
    shape, fitting = drawn.shapes[name], []
    for other, found in drawn.shapes.items():
        try:
            if drawn.opset >= 7 or found == shape:
                fitting.append((other, np.broadcast_shapes(shape, found)))
        except ValueError:
            continue
    other, made = drawn.pick(*fitting)
    operator = drawn.pick("Add", "Mul", "Sub", "Sum" if drawn.opset >= 8 else "Add")
    return drawn.add(operator, drawn.pick([name, other], [other, name]), made)


def product(drawn: Drawn, name: str) -> str | None:
    shape = drawn.shapes[name]
    if not shape or (len(shape) < 2 and drawn.chance(0.9)):
        return None
    units = drawn.pick(1, 2, 3, 5)
    if len(shape) == 2 and drawn.chance(0.6):
        across, turned = int(drawn.chance(0.15)), int(drawn.chance(0.5))
        rows, width = shape if not across else shape[::-1]
        weight = drawn.normal(units, width) if turned else drawn.normal(width, units)
        more: dict[str, Any] = {"transB": turned} | ({"transA": 1} if across else {})
        more |= {"alpha": 0.5} if drawn.chance(0.2) else {}
        more |= {"beta": drawn.pick(0.0, 2.0)} if drawn.chance(0.2) else {}
        bias = drawn.pick((units,), (1, units), (1,), (), (rows, 1), (rows, units))
        if drawn.opset < 7:
            bias, more = (units,), {**more, "broadcast": 1}
        return drawn.add(
            "Gemm", [name, drawn.constant(weight), drawn.constant(drawn.normal(*bias))], (rows, units), **more
        )
    if len(shape) > 2 and drawn.chance(0.15):
        weight = drawn.normal(*shape[1:-2], shape[-1], units)
        return drawn.add("MatMul", [name, drawn.constant(weight)], (*shape[:-1], units))
    if len(shape) > 1 and drawn.chance(0.1):
        weight = drawn.normal(units, shape[-2])
        return drawn.add("MatMul", [drawn.constant(weight), name], (*shape[:-2], units, shape[-1]))
    if drawn.chance(0.1):
        return (
            drawn.add("MatMul", [name, drawn.constant(drawn.normal(shape[-1]))], shape[:-1]) if len(shape) > 1 else None
        )
    return drawn.add("MatMul", [name, drawn.constant(drawn.normal(shape[-1], units))], (*shape[:-1], units))


def reshape(drawn: Drawn, name: str) -> str | None:
    """Reshape to a random shape: with lengths as they are (0), one left to count (-1), the examples fixed or not."""
    shape = drawn.shapes[name]
    left, found = prod(shape), list[int]()
    if drawn.chance(0.85) and shape:
        found, left = [shape[0]], left // shape[0]
    for _ in range(int(drawn.random.integers(0, 4))):
        length = drawn.pick(*(part for part in range(1, left + 1) if left % part == 0))
        found, left = [*found, length], left // length
    found = [*found, left] if left != 1 or not found else found
    asked = list(found)
    if drawn.chance(0.6):
        asked[int(drawn.random.integers(len(asked)))] = -1
    for axis in range(min(len(asked), len(shape))):
        if asked[axis] == shape[axis] and drawn.chance(0.3):
            asked[axis] = 0
    return drawn.add("Reshape", [name, drawn.constant(np.array(asked, np.int64))], tuple(found))


def measured_reshape(drawn: Drawn, name: str) -> str | None:
    """As exporters write x.view(x.size(0), -1)."""
    shape = drawn.shapes[name]
    if len(shape) < 2 or drawn.opset < 13:
        return None
    zero, minus = drawn.constant(np.array([0], np.int64)), drawn.constant(np.array([-1], np.int64))
    kept = [name, drawn.add("Shape", [name], (len(shape),))]
    size = drawn.add("Gather", [str(kept[1]), zero], (1,))
    wanted = drawn.add("Concat", [str(size), minus], (2,), axis=0)
    made = drawn.add("Reshape", [name, str(wanted)], (shape[0], prod(shape[1:])))
    for helper_value in (kept[1], size, wanted):
        drawn.shapes.pop(str(helper_value))
    return made


def flatten(drawn: Drawn, name: str) -> str | None:
    shape = drawn.shapes[name]
    axis = int(drawn.random.integers(len(shape) + 1)) if drawn.chance(0.5) else 1
    if axis > len(shape):
        return None
    return drawn.add("Flatten", [name], (prod(shape[:axis]), prod(shape[axis:])), axis=axis)


def squeeze(drawn: Drawn, name: str) -> str | None:
    shape = drawn.shapes[name]
    ones = [axis for axis, length in enumerate(shape) if length == 1 and axis]
    if not ones:
        return None
    axes = [axis for axis in ones if drawn.chance(0.7)] or ones
    kept = tuple(length for axis, length in enumerate(shape) if axis not in axes)
    if drawn.opset >= 11 and drawn.chance(0.3):
        axes = [axis - len(shape) for axis in axes]
    return drawn.with_list(13, "Squeeze", [name], kept, "axes", axes)


def unsqueeze(drawn: Drawn, name: str) -> str | None:
    shape = list(drawn.shapes[name])
    axes = sorted({int(axis) for axis in drawn.random.integers(0, len(shape) + 1, int(drawn.random.integers(1, 3)))})
    for axis in axes:
        shape.insert(axis, 1)
    return drawn.with_list(13, "Unsqueeze", [name], tuple(shape), "axes", axes)


def transpose(drawn: Drawn, name: str) -> str | None:
    shape = drawn.shapes[name]
    if len(shape) < 2:
        return None
    order = [int(axis) for axis in drawn.random.permutation(len(shape))]
    if drawn.chance(0.6):
        order = [0, *(axis for axis in order if axis)]
    return drawn.add("Transpose", [name], tuple(shape[axis] for axis in order), perm=order)


def concatenate(drawn: Drawn, name: str) -> str | None:
    shape = drawn.shapes[name]
    if len(shape) < 2:
        return None
    axis = int(drawn.random.integers(int(drawn.chance(0.95)), len(shape)))
    others = [
        other
        for other, found in drawn.shapes.items()
        if len(found) == len(shape) and found[:axis] + found[axis + 1 :] == shape[:axis] + shape[axis + 1 :]
    ]
    other = drawn.pick(*others)
    length = shape[axis] + drawn.shapes[other][axis]
    more = axis - len(shape) if drawn.opset >= 11 and drawn.chance(0.3) else axis
    return drawn.add("Concat", [name, other], (*shape[:axis], length, *shape[axis + 1 :]), axis=more)


def reduced(drawn: Drawn, name: str) -> str | None:
    shape = drawn.shapes[name]
    if len(shape) < 2:
        return None
    operator = drawn.pick(
        "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL2", "ReduceLogSumExp"
    )
    axes = sorted({int(axis) for axis in drawn.random.integers(int(drawn.chance(0.9)), len(shape), 2)})
    kept = int(drawn.chance(0.5))
    made = [1 if axis in axes else length for axis, length in enumerate(shape)]
    made = made if kept else [length for axis, length in enumerate(shape) if axis not in axes]
    if drawn.opset >= 11 and drawn.chance(0.3):
        axes = [axis - len(shape) for axis in axes]
    since = 13 if operator == "ReduceSum" else 18
    if drawn.opset >= since:
        constant = drawn.constant(np.array(axes, np.int64))
        return drawn.add(operator, [name, constant], tuple(made), keepdims=kept)
    return drawn.add(operator, [name], tuple(made), axes=axes, keepdims=kept)


def sliced(drawn: Drawn, name: str) -> str | None:
    shape = drawn.shapes[name]
    if not shape:
        return None
    axis = int(drawn.random.integers(int(len(shape) > 1 and drawn.chance(0.9)), len(shape)))
    step = drawn.pick(1, 1, 2, -1) if drawn.opset >= 10 else 1
    whole = slice(None, None, -1) if step == -1 else slice(int(drawn.random.integers(shape[axis])), None, step)
    start, end, _ = whole.indices(shape[axis])
    end = -(2**31) if step == -1 else drawn.pick(end, 2**31 - 1)
    made = (*shape[:axis], len(range(shape[axis])[whole]), *shape[axis + 1 :])
    if drawn.opset < 10:
        return drawn.add("Slice", [name], made, starts=[start], ends=[end], axes=[axis])
    lists = [drawn.constant(np.array([value], np.int64)) for value in (start, end, axis, step)]
    return drawn.add("Slice", [name, *lists], made)


def gather(drawn: Drawn, name: str) -> str | None:
    shape = drawn.shapes[name]
    if not shape:
        return None
    axis = int(drawn.random.integers(int(len(shape) > 1), len(shape)))
    chosen = drawn.random.integers(0, shape[axis], drawn.pick((), (), (1,), (2,)))
    made = (*shape[:axis], *chosen.shape, *shape[axis + 1 :])
    return drawn.add("Gather", [name, drawn.constant(chosen.astype(np.int64))], made, axis=axis)


def split(drawn: Drawn, name: str) -> str | None:
    shape = drawn.shapes[name]
    axis = len(shape) - 1 if drawn.chance(0.5) else 1
    if not 0 < axis < len(shape) or shape[axis] % 2:
        return None
    half: Shape = (*shape[:axis], shape[axis] // 2, *shape[axis + 1 :])
    made = drawn.with_list(13, "Split", [name], half, "split", [half[axis]] * 2)
    if made is None:
        return None
    drawn.nodes[-1].attribute.append(helper.make_attribute("axis", axis))
    other = f"{made}b"
    drawn.nodes[-1].output.append(other)
    drawn.shapes[other] = half
    chosen: str = drawn.pick(made, other)
    return chosen
