"""W, R and B of ONNX as parameters of the layers: against loops after ONNX's definition, and against onnxruntime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.models.formats.onnx.recurrent_weights import initial_state, recurrent_parameters
from core.arrays import Array
from core.layers import KINDS
from core.losses.upstream import Upstream
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from tests.gradient import solved

N, TIME, FEATURES, UNITS = 2, 4, 3, 2
GATES = {"rnn": 1, "lstm": 4, "gru": 3}

CASES = [
    ("rnn", {}, {}),
    ("rnn", {"nonlinearity": "relu"}, {"activations": "Relu"}),
    ("lstm", {}, {}),
    ("lstm", {"gate_order": "fogi"}, {}),
    ("gru", {"reset_after": True}, {"linear_before_reset": 1}),
    ("gru", {"reset_after": False, "gate_order": "nzr"}, {"linear_before_reset": 0}),
]
"""Kind, fields of the layer, and attributes of the node."""


def sigma(a: Any) -> Any:
    return 1 / (1 + np.exp(-a))


def by_definition(kind: str, X: Array, tensors: dict[str, Array], at: int, attributes: dict[str, Any]) -> list[Array]:
    """H_1 … H_T of one direction, line by line as ONNX defines the operators; X is time x n x features."""
    W, R, B, H, C = (tensors[name][at] for name in ("W", "R", "B", "initial_h", "initial_c"))
    Wb, Rb = np.split(B, 2)
    W_, R_, Wb_, Rb_ = (np.split(array, GATES[kind]) for array in (W, R, Wb, Rb))
    found = []
    for x in X:
        a = [x @ w.T + h for w, h in zip(W_, Wb_, strict=True)]
        if kind == "rnn":
            total = a[0] + H @ R_[0].T + Rb_[0]
            H = np.maximum(total, 0) if attributes.get("activations") == "Relu" else np.tanh(total)
        elif kind == "lstm":
            i, o, f, c = (own + H @ r.T + b for own, r, b in zip(a, R_, Rb_, strict=True))
            C = sigma(f) * C + sigma(i) * np.tanh(c)
            H = sigma(o) * np.tanh(C)
        else:
            z, r = (sigma(a[k] + H @ R_[k].T + Rb_[k]) for k in range(2))
            if attributes["linear_before_reset"]:
                h = np.tanh(a[2] + r * (H @ R_[2].T + Rb_[2]))
            else:
                h = np.tanh(a[2] + (r * H) @ R_[2].T + Rb_[2])
            H = (1 - z) * h + z * H
        found.append(H)
    return found


def drawn(kind: str, directions: int) -> dict[str, Array]:
    random, k = np.random.default_rng(5), GATES[kind] * UNITS
    shapes = {
        "X": (TIME, N, FEATURES),
        "W": (directions, k, FEATURES),
        "R": (directions, k, UNITS),
        "B": (directions, 2 * k),
        "initial_h": (directions, N, UNITS),
        "initial_c": (directions, N, UNITS),
    }
    return {name: random.standard_normal(shape) for name, shape in shapes.items()}


def of_layer(kind: str, fields: dict[str, Any], direction: str, tensors: dict[str, Array]) -> Array:
    """The states of the layer as ONNX's Y, time x directions x n x hidden."""
    states = {"h0": "initial_h"} | ({"c0": "initial_c"} if kind == "lstm" else {})
    both = direction == "bidirectional"
    layer: Any = KINDS[kind](
        units=UNITS,
        return_sequences=True,
        bidirectional=both,
        inputs=["input", *states],
        **fields,  # type: ignore[call-arg]
    )
    X = tensors["X"].swapaxes(0, 1)
    parameters = recurrent_parameters(kind, tensors["W"], tensors["R"], tensors["B"], layer.gates())  # type: ignore[arg-type]
    sent = ProblemSpec(
        layers=[layer],
        inputs={
            "input": X[:, ::-1] if direction == "reverse" else X,
            **{name: initial_state(tensors[theirs]) for name, theirs in states.items()},
        },
        parameters={"1": parameters},
        loss=Upstream(),
        upstream=np.ones((N, TIME, UNITS * (1 + both))),
    )
    Z = solved(validate(sent)).output
    Z = Z[:, ::-1] if direction == "reverse" else Z
    return Z.reshape(N, TIME, 1 + both, UNITS).transpose(1, 2, 0, 3)


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize(("kind", "fields", "attributes"), CASES)
def test_the_states_are_those_of_the_definition_and_of_onnxruntime(
    kind: str, fields: dict[str, Any], attributes: dict[str, Any], direction: str
) -> None:
    directions = 2 if direction == "bidirectional" else 1
    tensors = drawn(kind, directions)
    expected = []
    for at in range(directions):
        turned = direction == "reverse" or at == 1
        H = by_definition(kind, tensors["X"][::-1] if turned else tensors["X"], tensors, at, attributes)
        expected.append(np.stack(H[::-1] if turned else H))
    Y = of_layer(kind, fields, direction, tensors)
    np.testing.assert_allclose(Y, np.stack(expected, axis=1), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(Y, by_onnxruntime(kind, attributes, direction, tensors), rtol=1e-4, atol=1e-5)


def by_onnxruntime(kind: str, attributes: dict[str, Any], direction: str, tensors: dict[str, Array]) -> Array:
    onnx: Any = pytest.importorskip("onnx")
    runtime: Any = pytest.importorskip("onnxruntime")
    helper, FLOAT = onnx.helper, onnx.TensorProto.FLOAT
    names = ["X", "W", "R", "B", "initial_h", *(["initial_c"] if kind == "lstm" else [])]
    own = dict(attributes)
    if "activations" in own:
        own["activations"] = [own["activations"]] * (2 if direction == "bidirectional" else 1)
    node = helper.make_node(
        kind.upper(),
        ["X", "W", "R", "B", "", *names[4:]],
        ["Y"],
        hidden_size=UNITS,
        direction=direction,
        **own,
    )
    given = [helper.make_tensor_value_info(name, FLOAT, tensors[name].shape) for name in names]
    graph = helper.make_graph([node], "g", given, [helper.make_tensor_value_info("Y", FLOAT, ["t", "d", "n", "h"])])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(model)
    session = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found: Array = session.run(["Y"], {name: tensors[name].astype(np.float32) for name in names})[0]
    return found


def test_no_bias_and_shapes_that_do_not_belong_together() -> None:
    tensors = drawn("lstm", 2)
    W, R, B = (tensors[name] for name in "WRB")
    without = recurrent_parameters("lstm", W, R, None, "ifgo")
    assert set(without) == {"weight", "recurrent_weight", "weight_reverse", "recurrent_weight_reverse"}
    for name, sent in (("R", (W, R[..., :1], B)), ("W", (W[:1], R, B)), ("B", (W, R, B[:, 1:]))):
        with pytest.raises(ValueError, match=f"^{name} is "):
            recurrent_parameters("lstm", *sent, "ifgo")
