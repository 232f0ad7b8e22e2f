"""The published worked examples, and how each becomes a request."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

CASES: dict[str, dict[str, Any]] = {
    case["id"]: case for case in json.loads((Path(__file__).parent / "published_numbers.json").read_text())["cases"]
}

NOT_YET = {
    "cs231n_conv_forward": "a convolution layer",
    "cs231n_maxpool_forward": "a pooling layer",
    "cs231n_sgd_momentum": "optimizers with momentum",
    "cs231n_rmsprop": "the RMSprop optimizer",
}
"""Cases whose layer or optimizer does not exist yet, and what they wait for."""

LOSSES = {"half_squared_error": "half_squared_error", "squared_error": "half_squared_error"}


def request_of(case: dict[str, Any]) -> dict[str, Any]:
    """The request for a case with a network of dense layers."""
    network = case["network"]
    layers, parameters = [], {}
    for position, layer in enumerate(network["layers"], 1):
        assert layer["type"] == "dense"
        units = np.shape(layer["W"])[0 if network["convention"] == "column" else 1]
        has_bias = layer.get("b") is not None
        layers.append({"kind": "dense", "units": units, "bias": has_bias, "activation": layer["activation"]})
        parameters[str(position)] = {"weight": layer["W"]} | ({"bias": layer["b"]} if has_bias else {})
    loss = dict(network["loss"])
    kind = loss.pop("type")
    request: dict[str, Any] = {
        "network": {"layers": layers},
        "parameters": parameters,
        "batch": {"inputs": network["X"]},
        "convention": network["convention"],
        "include": ["loss", "output", "preactivations", "activations", "deltas", "gradients", "input_gradient"],
        "verify": True,
    }
    if kind == "sum":  # The gradient of the sum of the outputs: 1 at each of them.
        examples = np.shape(network["X"])[1 if network["convention"] == "column" else 0]
        shape = (units, examples) if network["convention"] == "column" else (examples, units)
        request["loss"] = {"kind": "upstream"}
        request["batch"]["upstream"] = np.ones(shape).tolist()
    else:
        request["loss"] = {"kind": LOSSES.get(kind, kind), "reduction": loss.get("reduction", "sum")}
        request["batch"]["targets"] = network["T"]
    return request


def found(answer: dict[str, Any], path: str) -> Any:
    """What the answer has at a path of the golden file: z[0][1], a[1], deltas[0], grads[1].W[0][0], loss, dX."""
    if path == "loss":
        return answer["loss"]
    if path == "dX":
        return answer["input_gradient"]
    match = re.fullmatch(r"(z|a|deltas|grads)\[(\d+)\](?:\.(W|b))?((?:\[\d+\])*)", path)
    assert match, path
    part = {"z": "preactivations", "a": "activations", "deltas": "deltas", "grads": "gradients"}[match[1]]
    value = answer[part][str(int(match[2]) + 1)]
    if match[3]:
        value = value[{"W": "weight", "b": "bias"}[match[3]]]
    for index in re.findall(r"\d+", match[4]):
        value = value[int(index)]
    return value
