"""Forward and backward of dense networks: gradd's core beside the bare matrix products, and beside torch where installed.

Run it with `make bench`. The floor is the matrix products that the network needs and nothing else, in NumPy. One BLAS
thread. Plans are built once, as for a stored model or a training loop; building one is timed in a column of its own.
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
from core.layers.dense import Dense
from core.losses.cross_entropy import CrossEntropy
from core.losses.half_squared_error import HalfSquaredError
from core.problem import Problem
from core.problem_spec import ProblemSpec
from core.problem_validation import validate


@dataclass(frozen=True)
class Case:
    """A network, its batch and its loss."""

    sizes: tuple[int, ...]
    examples: int
    hidden: str
    output: str
    loss: str
    bias: bool = True
    rounds: int = 21

    @property
    def name(self) -> str:
        """The layer sizes and the number of examples."""
        return f"{'-'.join(map(str, self.sizes))}, {self.examples}"


CASES = (
    Case((2, 3, 1), 4, "tanh", "sigmoid", "half_squared_error", rounds=41),
    Case((5, 5, 3, 2), 1, "tanh", "sigmoid", "half_squared_error", bias=False, rounds=41),
    Case((784, 128, 10), 64, "relu", "softmax", "cross_entropy"),
    Case((784, 512, 512, 10), 256, "relu", "softmax", "cross_entropy"),
    Case((1024, 4096, 4096, 1000), 512, "relu", "softmax", "cross_entropy", rounds=3),
)


def problem_of(case: Case, dtype: Any) -> Problem:
    """The case with random parameters and data."""
    generator = np.random.default_rng(0)
    last = len(case.sizes) - 2
    layers = [
        Dense(units=units, bias=case.bias, activation=case.output if position == last else case.hidden)
        for position, units in enumerate(case.sizes[1:])
    ]
    classes = case.loss == "cross_entropy"
    return validate(
        ProblemSpec(
            layers=layers,
            inputs={"input": generator.standard_normal((case.examples, case.sizes[0]))},
            targets=generator.integers(0, case.sizes[-1], case.examples).astype(float)
            if classes
            else generator.random((case.examples, case.sizes[-1])),
            loss=CrossEntropy() if classes else HalfSquaredError(reduction="sum"),
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


def floor(case: Case, dtype: Any) -> Callable[[], object]:
    """Only the matrix products that forward and backward need, into memory that exists."""
    generator = np.random.default_rng(0)
    A = [generator.random((case.examples, size)).astype(dtype) for size in case.sizes]
    W = [generator.random(pair).astype(dtype) for pair in zip(case.sizes, case.sizes[1:], strict=False)]
    Z, dA, dW = ([np.empty_like(array) for array in arrays] for arrays in (A, A, W))
    steps = [partial(A[layer].dot, weight, Z[layer + 1]) for layer, weight in enumerate(W)]
    for layer in reversed(range(len(W))):
        steps.append(partial(A[layer].T.dot, Z[layer + 1], dW[layer]))
        if layer:
            steps.append(partial(Z[layer + 1].dot, W[layer].T, dA[layer]))

    def run() -> None:
        for op in steps:
            op()

    return run


def torch_eager(case: Case, problem: Problem) -> Callable[[], object]:
    """The same network in torch, eager mode, gradients of the parameters."""
    torch: Any = import_module("torch")

    torch.set_num_threads(int(os.environ["OPENBLAS_NUM_THREADS"]))
    parameters = [
        {
            name: torch.tensor(np.ascontiguousarray(array.T)).requires_grad_()
            for name, array in problem.parameters[node.name].items()
        }
        for node in problem.nodes
    ]
    X = torch.tensor(problem.inputs["input"])
    Y = torch.tensor(problem.objective.targets if problem.objective else ())
    labels = Y.argmax(1)
    functions = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid, "softmax": lambda z: z}
    leaves = [array for layer in parameters for array in layer.values()]

    def run() -> None:
        a = X
        for layer, node in zip(parameters, problem.nodes, strict=True):
            a = functions[node.function.name](torch.nn.functional.linear(a, layer["weight"], layer.get("bias")))
        loss = (
            torch.nn.functional.cross_entropy(a, labels) if case.loss == "cross_entropy" else 0.5 * ((a - Y) ** 2).sum()
        )
        torch.autograd.grad(loss, leaves)

    return run


def main() -> None:
    """Print one table for all cases and both dtypes."""
    has_torch = find_spec("torch") is not None
    print(f"Forward + backward, {os.environ['OPENBLAS_NUM_THREADS']} BLAS thread(s), medians of interleaved turns.")
    print(
        f"{'network, examples':<28}{'dtype':<9}{'floor':>9}{'gradd':>9}{'/floor':>8}{'torch':>9}{'/gradd':>8}{'build':>10}"
    )
    for case in CASES:
        for dtype in ("float32", "float64"):
            problem = problem_of(case, dtype)
            contenders = {"floor": floor(case, dtype), "gradd": planned(problem)}
            if has_torch:
                contenders["torch"] = torch_eager(case, problem)
            times = medians(contenders, case.rounds)
            building = medians({"build": lambda problem=problem: planned(problem)}, 3)["build"]  # type: ignore[misc]
            torch_time = (
                f"{readable(times['torch']):>9}{times['torch'] / times['gradd']:>8.2f}"
                if has_torch
                else f"{'-':>9}{'-':>8}"
            )
            print(
                f"{case.name:<28}{dtype:<9}{readable(times['floor']):>9}{readable(times['gradd']):>9}"
                f"{times['gradd'] / times['floor']:>8.2f}{torch_time}{readable(building):>10}",
                flush=True,
            )


if __name__ == "__main__":
    main()
