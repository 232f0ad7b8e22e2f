"""Random valid ONNX models: chains and small graphs of operators with random attributes, for operator sets 6 to 21."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from core.arrays import Array
from tests.app.models.onnx_files import drawing_steps as steps
from tests.app.models.onnx_files import drawing_windows as windows
from tests.app.models.onnx_files.drawn import Drawn, Step

OPSETS = (6, 7, 8, 9, 10, 11, 12, 13, 14, 17, 18, 19, 20, 21)
STEPS: list[Step] = [
    *[steps.function, steps.with_constant, steps.product] * 3,
    *[steps.with_value, steps.reshape, steps.transpose, steps.flatten, steps.softmax] * 2,
    *(steps.clip, steps.measured_reshape, steps.squeeze, steps.unsqueeze, steps.concatenate, steps.reduced),
    *(steps.sliced, steps.gather, steps.split),
    *[windows.conv, windows.pool] * 2,
    *(windows.conv_transpose, windows.global_pool, windows.padded, windows.norm, windows.resized, windows.recurrence),
]


def draw_model(seed: int) -> tuple[bytes, dict[str, Array], int]:
    """A model of up to seven nodes, its inputs, and its operator set."""
    random = np.random.default_rng(seed)
    opset = OPSETS[int(random.integers(len(OPSETS)))]
    drawn = Drawn(random, opset, examples=int(random.choice([1, 2, 3, 4])))
    shape = (drawn.examples, *(int(length) for length in random.choice([1, 2, 3, 4, 6], int(random.integers(0, 5)))))
    names = ["x"] if drawn.chance(0.85) else ["x", "z"]
    drawn.shapes |= dict.fromkeys(names, shape)
    now = names[0]
    for _ in range(int(random.integers(1, 8))):
        for _ in range(20):
            step = STEPS[int(random.integers(len(STEPS)))]
            count, kept = len(drawn.nodes), len(drawn.constants)
            if (made := step(drawn, now)) is not None:
                now = made
                break
            del drawn.nodes[count:]
            drawn.constants = dict(list(drawn.constants.items())[:kept])
        if drawn.chance(0.1):
            now = drawn.pick(*drawn.shapes)
    if now in names:
        now = drawn.add("Identity", [now], drawn.shapes[now]) or now
    first: Any = drawn.pick("n", drawn.examples, drawn.examples, "n")
    content = _written(drawn, names, first, now)
    return content, {name: drawn.normal(*shape) for name in names}, opset


def _written(drawn: Drawn, names: list[str], first: Any, output: str) -> bytes:
    graph = helper.make_graph(
        drawn.nodes,
        "drawn",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [first, *drawn.shapes[name][1:]]) for name in names],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in drawn.constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", drawn.opset)], ir_version=8)
    return bytes(model.SerializeToString())
