"""Forward and backward of convolutional networks: gradd's core beside the bare matrix products, and beside torch.

Run it with `make bench`. The floor is the three matrix products of every convolution and dense layer over an im2col that
exists already, and nothing else. One BLAS thread. The gradient of the images is not asked for.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from bench._stopwatch import medians, readable
from core.arrays import Array
from core.layers import Layer
from core.layers.conv2d import Conv2D
from core.layers.dense import Dense
from core.layers.flatten import Flatten
from core.layers.max_pool2d import MaxPool2D
from core.losses.cross_entropy import CrossEntropy
from core.problem import Problem
from core.problem_spec import ProblemSpec
from core.problem_validation import validate

CLASSES = 10


@dataclass(frozen=True)
class Case:
    """A network of convolutions, each with relu and a pool of 2 x 2, and a dense layer with softmax."""

    name: str
    image: tuple[int, int, int]
    filters: tuple[int, int]
    kernel: int
    examples: int

    def layers(self) -> list[Layer]:
        """The layers."""
        pairs = [
            (Conv2D(filters=filters, kernel_size=self.kernel, activation="relu"), MaxPool2D(size=2))
            for filters in self.filters
        ]
        return [
            *(layer for pair in pairs for layer in pair),
            Flatten(),
            Dense(units=CLASSES, activation="softmax"),
        ]


CASES = (
    Case("1x28x28, 6@5x5, 12@5x5", (1, 28, 28), (6, 12), 5, 64),
    Case("3x32x32, 32@3x3, 64@3x3", (3, 32, 32), (32, 64), 3, 32),
)


def problem_of(case: Case, dtype: Any) -> Problem:
    """The case with random parameters and data."""
    generator = np.random.default_rng(0)
    return validate(
        ProblemSpec(
            layers=case.layers(),
            inputs={"input": generator.standard_normal((case.examples, *case.image))},
            targets=generator.integers(0, CLASSES, case.examples).astype(float),
            loss=CrossEntropy(),
            dtype=dtype,
            seed=1,
        )
    )


def planned(problem: Problem) -> Callable[[], object]:
    """A plan of the problem, ready to run forward and backward."""
    plan = problem.plan()

    def run() -> None:
        plan.forward()
        plan.backward()

    return run


def floor(problem: Problem, dtype: Any) -> Callable[[], object]:
    """Only the matrix products."""
    steps: list[Callable[[], object]] = []
    for node in problem.nodes:
        weight = problem.parameters[node.name].get("weight")
        if weight is None:
            continue
        convolution = weight.ndim == 4
        matrix = weight.reshape(len(weight), -1) if convolution else weight.T
        columns = node.shape[0] * int(np.prod(node.shape[2:], dtype=int))
        X, Z = _random(matrix.shape[1], columns, dtype), _random(matrix.shape[0], columns, dtype)
        W = np.ascontiguousarray(matrix)
        steps += [partial(W.dot, X, np.empty_like(Z)), partial(Z.dot, X.T, np.empty_like(W))]
        if node.position:
            steps.append(partial(W.T.dot, Z, np.empty_like(X)))

    def run() -> None:
        for op in steps:
            op()

    return run


def _random(rows: int, columns: int, dtype: Any) -> Array:
    return np.random.default_rng(1).random((rows, columns)).astype(dtype)


def torch_eager(case: Case, problem: Problem) -> Callable[[], object]:
    """The same network in torch, eager mode, gradients of the parameters."""
    torch: Any = import_module("torch")
    torch.set_num_threads(int(os.environ["OPENBLAS_NUM_THREADS"]))
    dtype = torch.float32 if problem.dtype == np.float32 else torch.float64
    nn, modules, channels, side = torch.nn, [], case.image[0], case.image[1]
    for filters in case.filters:
        modules += [nn.Conv2d(channels, filters, case.kernel), nn.ReLU(), nn.MaxPool2d(2)]
        channels, side = filters, (side - case.kernel + 1) // 2
    model = nn.Sequential(*modules, nn.Flatten(), nn.Linear(channels * side * side, CLASSES)).to(dtype)
    X = torch.tensor(np.asarray(problem.inputs["input"]), dtype=dtype)
    Y = torch.randint(CLASSES, (case.examples,))
    loss = nn.CrossEntropyLoss()

    def run() -> None:
        model.zero_grad(set_to_none=True)
        loss(model(X), Y).backward()

    return run


def main() -> None:
    """Print the table."""
    has_torch = find_spec("torch") is not None
    print(
        f"{'network, 64 and 32 examples':<28}{'dtype':<9}{'floor':>9}{'gradd':>9}{'/floor':>8}{'torch':>9}{'/gradd':>8}"
    )
    for case in CASES:
        for dtype in ("float32", "float64"):
            problem = problem_of(case, dtype)
            contenders = {"floor": floor(problem, dtype), "gradd": planned(problem)}
            if has_torch:
                contenders["torch"] = torch_eager(case, problem)
            times = medians(contenders, 11)
            torch = f"{readable(times['torch']):>9}{times['torch'] / times['gradd']:>8.2f}" if has_torch else ""
            print(
                f"{case.name:<28}{dtype:<9}{readable(times['floor']):>9}{readable(times['gradd']):>9}"
                f"{times['gradd'] / times['floor']:>8.2f}{torch}",
                flush=True,
            )


if __name__ == "__main__":
    main()
