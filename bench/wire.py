"""Reading a request and writing an answer of 102,554 numbers: gradd beside what services in Python usually do.

Run it with `make bench`. The request is a gradients request for a dense 784-128-10 network with one example, the answer
holds the same tensors. Every contender of a column does the whole work: from bytes to arrays in a validated model, and
from arrays to bytes; all are exact.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
from fastapi.encoders import jsonable_encoder
from pydantic import BaseModel

from app.wire.decode import decode
from app.wire.encode import encode
from app.wire.tensor import Tensor
from bench._stopwatch import medians, readable


class Arrays(BaseModel):
    """A request with arrays."""

    parameters: dict[str, dict[str, Tensor]]
    batch: dict[str, Tensor]


class Lists(BaseModel):
    """The same request with lists."""

    parameters: dict[str, dict[str, list[list[float]] | list[float]]]
    batch: dict[str, list[list[float]]]


def tensors() -> dict[str, Any]:
    """The tensors of the request."""
    draw = np.random.default_rng(0).standard_normal
    return {
        "parameters": {
            "1": {"weight": draw((784, 128)), "bias": draw(128)},
            "2": {"weight": draw((128, 10)), "bias": draw(10)},
        },
        "batch": {"inputs": draw((1, 784))},
    }


def each(change: Callable[[Any], Any], tree: Any) -> Any:
    """The tree with every tensor changed."""
    return {name: each(change, value) for name, value in tree.items()} if isinstance(tree, dict) else change(tree)


def as_arrays(lists: Lists) -> Any:
    """What a handler does with lists before it computes."""
    return each(np.asarray, {"parameters": lists.parameters, "batch": lists.batch})


def as_lists(arrays: Any) -> Any:
    """What a handler does with arrays before it answers."""
    return each(np.ndarray.tolist, arrays)


def longest_stall(work: Callable[[], object]) -> float:
    """Seconds for which another thread, which asks every half millisecond, had to wait for its turn at worst."""
    worker = threading.Thread(target=work)
    longest, last = 0.0, time.perf_counter()
    worker.start()
    while worker.is_alive():
        time.sleep(0.0005)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    return longest


def main() -> None:
    """Print both tables."""
    arrays = tensors()
    body, encoded = encode(arrays), encode(arrays, encoding="base64")
    decoders: dict[str, Callable[[], object]] = {
        "a FastAPI handler with lists": lambda: as_arrays(Lists.model_validate(json.loads(body))),
        "standard json, lists and arrays": lambda: each(np.asarray, json.loads(body)),
        "pydantic, a model of lists": lambda: as_arrays(Lists.model_validate_json(body)),
        "orjson, lists and arrays": lambda: each(np.asarray, orjson.loads(body)),
        "gradd": lambda: decode(body, Arrays),
        "gradd, base64": lambda: decode(encoded, Arrays),
    }
    encoders: dict[str, Callable[[], object]] = {
        "a FastAPI handler with lists": lambda: json.dumps(jsonable_encoder(as_lists(arrays))),
        "standard json, lists and arrays": lambda: json.dumps(as_lists(arrays)),
        "pydantic, a model of lists": lambda: Lists.model_construct(**as_lists(arrays)).model_dump_json(),
        "orjson, lists and arrays": lambda: orjson.dumps(as_lists(arrays)),
        "gradd": lambda: encode(arrays),
        "gradd, base64": lambda: encode(arrays, encoding="base64"),
    }
    reading, writing = medians(decoders), medians(encoders)
    print(f"{len(body):,} bytes of JSON, 102,554 float64; medians, contenders interleaved\n")
    print(
        f"| {'':31} | decode  |  x gradd | encode  |  x gradd |\n|{'-' * 33}|---------|----------|---------|----------|"
    )
    for name in decoders:
        read, written = reading[name], writing[name]
        ratios = f"{read / reading['gradd']:8.2f} | {readable(written):7} | {written / writing['gradd']:8.2f}"
        print(f"| {name:31} | {readable(read):7} | {ratios} |")
    large = {"parameters": {}, "batch": {"inputs": np.random.default_rng(0).standard_normal((10_000, 1_000))}}
    small = encode({"parameters": {}, "batch": {"inputs": large["batch"]["inputs"][:500]}})
    print("\nLongest wait of another thread meanwhile: ", end="")
    print(f"{readable(longest_stall(lambda: encode(large)))} while 10,000,000 numbers are written, ", end="")
    print(
        f"{readable(longest_stall(lambda: decode(small, Arrays)))} while 500,000 are read ({len(small) / 1e6:.1f} MB)"
    )


if __name__ == "__main__":
    main()
