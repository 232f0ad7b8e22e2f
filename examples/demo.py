"""The main job on real input: gradients of a digit classifier, certified, over HTTP. Run it with `make demo`."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from examples.server import running_server

DIGITS = Path(__file__).parent / "data" / "digits.csv"
EXAMPLES = 128


def digits(count: int) -> tuple[list[list[float]], list[int]]:
    """The first digits: 64 grey levels from 0 to 1 each, and the label."""
    with DIGITS.open(newline="") as file:
        rows = list(csv.reader(file))[1 : count + 1]
    return [[int(pixel) / 16 for pixel in row[:64]] for row in rows], [int(row[64]) for row in rows]


def main() -> None:
    """Ask for gradients, read them, and go one step down."""
    pixels, labels = digits(EXAMPLES)
    problem: dict[str, Any] = {
        "network": {
            "layers": [
                {"kind": "dense", "units": 32, "activation": "relu", "name": "hidden"},
                {"kind": "dense", "units": 10, "activation": "softmax", "name": "digit"},
            ]
        },
        "batch": {"inputs": pixels, "targets": labels},
        "loss": {"kind": "cross_entropy"},
        "seed": 1,
        "verify": True,
    }
    print("starting a gradd server on a free port\n", flush=True)
    with running_server() as address, httpx.Client(base_url=address) as client:
        print(f"POST /v1/gradients   64-32-10 classifier, {EXAMPLES} handwritten digits, parameters drawn from seed 1")
        response = client.post("/v1/gradients", json=problem)
        answer = response.raise_for_status().json()
        print(
            f"{response.status_code}, {len(response.content):,} bytes in {response.elapsed.total_seconds() * 1e3:.0f} ms\n"
        )
        show(answer, labels)
        stepped = {
            layer: {
                name: (np.array(value) - 0.5 * np.array(answer["gradients"][layer][name])).tolist()
                for name, value in named.items()
            }
            for layer, named in answer["parameters"].items()
        }
        after = client.post("/v1/forward", json=stripped(problem) | {"parameters": stepped, "include": ["loss"]}).json()
        print(f"\nOne step W - 0.5 dL/dW    loss {answer['loss']:.4f} -> {after['loss']:.4f}")
        stepped["digit"]["weight"] = np.array(stepped["digit"]["weight"]).T.tolist()
        refused = client.post("/v1/gradients", json=stripped(problem) | {"parameters": stepped})
        error = refused.json()["errors"][0]
        print(f"\nThe same with the last weight transposed: {refused.status_code} {refused.json()['type']}")
        print(f"  at    {error['pointer']}\n  what  {error['detail']}\n  hint  {error['hint']}")


def stripped(problem: dict[str, Any]) -> dict[str, Any]:
    """The problem with neither a seed nor a certificate."""
    return {key: value for key, value in problem.items() if key not in ("seed", "verify")}


def show(answer: dict[str, Any], labels: list[int]) -> None:
    """Print an answer's loss, tensors and certificate."""
    right = np.mean(np.argmax(answer["output"], axis=1) == labels)
    print(f"loss          {answer['loss']:.6f}    (ln 10 = {np.log(10):.6f} is a blind guess; {right:.0%} right)")
    for part in ("activations", "deltas"):
        for layer, values in answer[part].items():
            array = np.array(values)
            print(
                f"{part:<13} {layer:<8}{array.shape!s:<12} first row {np.array2string(array[0, :4], precision=4)} ..."
            )
    for layer, named in answer["gradients"].items():
        for name, values in named.items():
            array = np.array(values)
            print(f"gradients     {layer:<8}{name:<7}{array.shape!s:<10} norm {np.linalg.norm(array):.6f}")
    certificate = answer["certificate"]
    print(
        f"certificate   {certificate['method']}: dL/dv = {certificate['directional_derivative']:.15f}\n"
        f"              gradients . v         = {certificate['from_gradients']:.15f}"
        f"    relative error {certificate['relative_error']:.1e}"
    )


if __name__ == "__main__":
    main()
