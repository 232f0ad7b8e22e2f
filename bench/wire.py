"""JSON to arrays and back: a request with the weights of 784-128-10 and one example, 102,554 numbers.

Run it with `make bench`. Each contender decodes the same body, or encodes the same answer; all are exact.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import orjson
from fastapi.encoders import jsonable_encoder
from pydantic import BaseModel

from app.schemas.gradients import GradientsRequest
from app.wire.decode import decode
from app.wire.encode import encode
from bench._stopwatch import medians, readable

SIZES = (784, 128, 10)


class Lists(BaseModel):
    """The same request as a model of nested lists, as FastAPI handlers usually have it."""

    network: dict[str, Any]
    parameters: dict[str, dict[str, list[list[float]] | list[float]]]
    batch: dict[str, list[list[float]]]
    loss: dict[str, Any]


def arrays(parameters: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The parameters as arrays."""
    return {
        layer: {name: np.asarray(value, float) for name, value in named.items()} for layer, named in parameters.items()
    }


def lists(parameters: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The parameters as nested lists."""
    return {layer: {name: array.tolist() for name, array in named.items()} for layer, named in parameters.items()}


def table(title: str, contenders: dict[str, Callable[[], object]], ours: str) -> None:
    """Print the medians, and each as a multiple of ours."""
    times = medians(contenders)
    print(f"\n{title:<62}{'time':>10}{'/ gradd':>9}")
    for name, seconds in sorted(times.items(), key=lambda entry: -entry[1]):
        print(f"{name:<62}{readable(seconds):>10}{seconds / times[ours]:>9.1f}")


def main() -> None:
    """Print both tables."""
    generator = np.random.default_rng(0)
    parameters = {
        str(layer): {"weight": generator.standard_normal((inputs, units)), "bias": generator.standard_normal(units)}
        for layer, (inputs, units) in enumerate(pairwise(SIZES), 1)
    }
    request = {
        "network": {"layers": [{"kind": "dense", "units": units, "activation": "sigmoid"} for units in SIZES[1:]]},
        "parameters": lists(parameters),
        "batch": {"inputs": generator.random((1, SIZES[0])).tolist(), "targets": [[0.0] * SIZES[-1]]},
        "loss": {"kind": "half_squared_error"},
    }
    body = orjson.dumps(request)
    answer = {"loss": 0.5, "gradients": parameters}
    model = Lists.model_validate_json(body)
    print(
        f"{sum(array.size for named in parameters.values() for array in named.values()) + 784:,} numbers, {len(body):,} bytes"
    )

    ours = "gradd: pysimdjson into arrays, pydantic for the rest"
    table(
        "decode",
        {
            "standard json, asarray": lambda: arrays(json.loads(body)["parameters"]),
            "a FastAPI handler with list[list[float]] (json, then pydantic)": lambda: Lists.model_validate(
                json.loads(body)
            ),
            "pydantic list[list[float]], validate_json": lambda: Lists.model_validate_json(body),
            "orjson, asarray": lambda: arrays(orjson.loads(body)["parameters"]),
            ours: lambda: decode(body, GradientsRequest),
        },
        ours,
    )
    ours = "gradd: orjson over arrays, watched for NaN"
    table(
        "encode",
        {
            "FastAPI's way with lists (jsonable_encoder, standard json)": lambda: json.dumps(
                jsonable_encoder({"loss": 0.5, "gradients": lists(parameters)})
            ),
            "tolist, standard json": lambda: json.dumps({"gradients": lists(parameters)}),
            "pydantic, model_dump_json": model.model_dump_json,
            "tolist, orjson": lambda: orjson.dumps({"gradients": lists(parameters)}),
            ours: lambda: encode(answer),
        },
        ours,
    )


if __name__ == "__main__":
    main()
