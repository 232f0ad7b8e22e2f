"""The published worked examples, and how each becomes a request."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from core.layers.dense import Dense
from core.losses.half_squared_error import HalfSquaredError
from core.problem import Problem
from core.problem_spec import ProblemSpec
from core.problem_validation import validate

CASES: dict[str, dict[str, Any]] = {
    case["id"]: case for case in json.loads((Path(__file__).parent / "published_numbers.json").read_text())["cases"]
}

NOT_YET: dict[str, str] = {}
"""Cases whose layer or optimizer does not exist yet, and what they wait for."""

LOSSES = {"half_squared_error": "half_squared_error", "squared_error": "half_squared_error"}


def layer_of(layer: dict[str, Any], convention: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The layer and its parameters as a request has them."""
    match layer["type"]:
        case "conv2d":
            filters, _, *kernel = np.shape(layer["K"])
            sides = {"kernel_size": kernel, "stride": layer["stride"], "padding": layer["pad"]}
            return {"kind": "conv2d", "filters": filters, **sides}, {"weight": layer["K"], "bias": layer["b"]}
        case "maxpool":
            return {"kind": "max_pool2d", "size": layer["size"], "stride": layer["stride"]}, {}
        case "dense":
            units = np.shape(layer["W"])[0 if convention == "column" else 1]
            has_bias = layer.get("b") is not None
            parameters = {"weight": layer["W"]} | ({"bias": layer["b"]} if has_bias else {})
            return {"kind": "dense", "units": units, "bias": has_bias, "activation": layer["activation"]}, parameters
    raise LookupError(layer["type"])


def output_shape(network: dict[str, Any]) -> tuple[int, ...]:
    """The shape of the output as its convention writes it."""
    if np.ndim(network["X"]) == 4:
        examples, _, height, width = np.shape(network["X"])
        last = network["layers"][-1]
        filters = len(last["K"]) if "K" in last else np.shape(network["X"])[1]
        size, pad = np.shape(last["K"])[-1] if "K" in last else last["size"], last.get("pad", 0)
        return examples, filters, *((length + 2 * pad - size) // last["stride"] + 1 for length in (height, width))
    units = np.shape(network["layers"][-1]["W"])
    if network["convention"] == "column":
        return units[0], np.shape(network["X"])[1]
    return np.shape(network["X"])[0], units[1]


def request_of(case: dict[str, Any]) -> dict[str, Any]:
    """The request for a case with a network."""
    network = case["network"]
    layers, parameters = [], {}
    for position, described in enumerate(network["layers"], 1):
        layer, parameters[str(position)] = layer_of(described, network["convention"])
        layers.append(layer)
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
        request["loss"] = {"kind": "upstream"}
        request["batch"]["upstream"] = np.ones(output_shape(network)).tolist()
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


def problem_of(name: str) -> Problem:
    """A case of dense layers as the core has it, with every example's loss counted in full."""
    request = request_of(CASES[name])
    return validate(
        ProblemSpec(
            layers=[Dense(**layer) for layer in request["network"]["layers"]],
            inputs={"input": np.array(request["batch"]["inputs"], float)},
            parameters={
                layer: {key: np.array(value) for key, value in named.items()}
                for layer, named in request["parameters"].items()
            },
            targets=np.array(request["batch"]["targets"], float),
            loss=HalfSquaredError(reduction="sum"),
            convention=request["convention"],
        )
    )


def expected(name: str, check: str) -> tuple[Any, float]:
    """A printed number of a case, and half a unit of its last digit."""
    entry = next(entry for entry in CASES[name]["checks"] if entry["name"] == check)
    return entry["expected"], entry["tol"]
