"""A program that prints the estimated memory of requests beside the peak of a process that answers each.

The peak of a process never falls, and memory that it has freed stays with it. So this program computes nothing itself: it
forks one process that writes a request and its estimate into files, one that only reads the request, and one that answers
it. OpenBLAS has one thread, so that forking is safe.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.http.operation import Wanted
from app.wire.encode import encode
from bench.cost import OPERATIONS, conv, dense, flat, lstm, new_server, problem

Fields = Callable[[], dict[str, Any]]

REQUESTS: dict[str, tuple[str, Fields]] = {
    "wide layers": ("gradients", lambda: problem(dense(*[1500] * 3), (200, 50))),
    "many parameters": ("forward", lambda: problem(dense(2500, 2500), (2, 10))),
    "many examples": ("gradients", lambda: problem(dense(200, 200), (20000, 10))),
    "activations": ("gradients", lambda: problem(dense(200), (10000, 10), include=["activations", "output"])),
    "per example": ("gradients", lambda: problem(dense(100), (500, 100), include=["per_example_gradients"])),
    "certificate": ("gradients", lambda: problem(dense(*[1000] * 2), (2000, 50), verify=True)),
    "convolution": ("gradients", lambda: problem([conv(16, 5), *flat(4)], (16, 3, 128, 128))),
    "attention": ("gradients", lambda: problem([{"kind": "multi_head_attention", "heads": 8}], (8, 300, 32))),
    "lstm": ("gradients", lambda: problem([lstm(64)], (16, 1500, 8))),
    "jacobian": ("jacobian", lambda: problem(dense(100), (40, 20))),
    "hvp": ("products", lambda: problem(dense(*[800] * 3), (1000, 50), kind="hvp", vector={"parameters": {}})),
    "step": ("step", lambda: problem(dense(*[1000] * 2), (500, 50), optimizer={"kind": "adam"}, steps=3)),
    "decompositions": ("gradients", lambda: problem([{"kind": "svd"}], (600, 80, 60))),
    "float32": ("gradients", lambda: problem(dense(*[1000] * 4), (3000, 50), dtype="float32")),
}


def in_child(work: Callable[[], object]) -> int:
    """Run a function in a process of its own and return the peak of its memory in bytes."""
    child = os.fork()
    if not child:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    _, status, usage = os.wait4(child, 0)
    if status:
        raise RuntimeError(f"a child ended with status {status}")
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def write(kind: str, fields: Fields, body: Path, estimate: Path) -> None:
    """Write a request and its estimated bytes into files."""
    operation, server = OPERATIONS[kind], new_server()
    body.write_bytes(encode(fields()))
    asked = operation.model.model_validate(operation.read(body.read_bytes(), "json").values)
    estimate.write_text(str(operation.cost(asked, server.settings).bytes if operation.cost else 0))


def answer(kind: str, body: Path) -> None:
    """Answer a request."""
    operation = OPERATIONS[kind]
    reading = operation.read(body.read_bytes(), "json")
    operation.answer(reading, None, Wanted("json", None), new_server(), lambda: None)


def main() -> None:
    """Print a line of JSON for each request: its name, the estimated bytes and those that were taken."""
    with tempfile.TemporaryDirectory() as folder:
        body, estimate = Path(folder) / "body", Path(folder) / "estimate"
        idle = in_child(lambda: None)
        for name, (kind, fields) in REQUESTS.items():
            in_child(lambda kind=kind, fields=fields: write(kind, fields, body, estimate))  # type: ignore[misc]
            taken = in_child(lambda kind=kind: answer(kind, body)) - idle  # type: ignore[misc]
            print(json.dumps([name, int(estimate.read_text()), taken]), flush=True)


if __name__ == "__main__":
    main()
