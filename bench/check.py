"""A check beside the gradients of the same problem: right, one named mistake, an unknown fault, everything wrong.

Run it with `make bench`. Each row is the median of its turns, which the submissions take one after another, with the ratio
to one forward and backward pass of the core in the same run. The parts are the times inside the functions named at the
head of the table, measured by wrapping them. One BLAS thread. The targets are at the end.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pkgutil
import statistics
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np

from bench._stopwatch import medians, readable
from core.arrays import Array
from core.checking import Checker, SubmissionSpec, Tolerance
from core.layers import KINDS
from core.losses import LOSSES
from core.plan import Retain
from core.problem import Problem
from core.problem_spec import ProblemSpec
from core.problem_validation import validate

ROUNDS = 3
PARTS: dict[str, tuple[str, str]] = {
    "oracle": ("core.checking.checker", "certify"),
    "search": ("core.checking.search.Search", "explain"),
    "numerical": ("core.checking.explanation.Explainer", "_numerical"),
    "readings": ("core.checking.explanation.Explainer", "_read_otherwise"),
    "forward": ("core.checking.explanation.Explainer", "_supposing"),
    "blind": ("core.checking.checker", "blind_spots"),
}
"""The parts of a check, with the function of each. `readings` and `forward` contain further searches."""


@dataclass(frozen=True)
class Case:
    """A network and its batch."""

    name: str
    layers: Sequence[tuple[str, dict[str, Any]]]
    inputs: tuple[int, ...]
    loss: str = "half_squared_error"
    limit: float = 1.0
    """The time within which a check of it should be answered, in seconds."""

    def problem(self) -> Problem:
        """The case with random parameters and data."""
        generator = np.random.default_rng(0)
        layers = [KINDS[kind](**fields) for kind, fields in self.layers]
        loss: Any = LOSSES[self.loss]
        outputs, n = self.layers[-1][1]["units"], self.inputs[0]
        classes = self.loss == "cross_entropy"
        return validate(
            ProblemSpec(
                layers=layers,
                inputs={"input": generator.standard_normal(self.inputs)},
                targets=generator.integers(0, outputs, n).astype(float) if classes else generator.random((n, outputs)),
                loss=loss(),
                seed=1,
            )
        )


def dense(units: int, activation: str = "tanh") -> tuple[str, dict[str, Any]]:
    """A dense layer."""
    return "dense", {"units": units, "activation": activation}


CASES = (
    Case("2-6-1, 5", [dense(6), dense(1, "sigmoid")], (5, 2)),
    Case("64-96-32-10, 32", [dense(96, "relu"), dense(32), dense(10, "softmax")], (32, 64), "cross_entropy"),
    Case("lstm 8, 6 steps, 16", [("lstm", {"units": 8}), dense(3, "softmax")], (16, 6, 4), "cross_entropy"),
    Case(
        "attention 8, 6 positions, 16",
        [("multi_head_attention", {"heads": 2}), ("flatten", {}), dense(3, "softmax")],
        (16, 6, 8),
        "cross_entropy",
    ),
    Case(
        "conv 3x3, pool, 16",
        [
            ("conv2d", {"filters": 4, "kernel_size": 3, "activation": "relu"}),
            ("max_pool2d", {"size": 2}),
            ("flatten", {}),
            dense(5, "softmax"),
        ],
        (16, 1, 10, 10),
        "cross_entropy",
    ),
    Case("784-128-10, 64", [dense(128, "relu"), dense(10, "softmax")], (64, 784), "cross_entropy", limit=2.0),
)


def right(problem: Problem, change: Callable[[str, Array], Array]) -> SubmissionSpec:
    """Loss, deltas and gradients, each changed."""
    plan = problem.plan(retain=Retain(preactivations=True, deltas=True))
    plan.forward()
    plan.backward()
    return SubmissionSpec(
        loss=float(change("loss", np.asarray(plan.loss.total))),
        deltas={name: change(f"delta {name}", np.array(array)) for name, array in plan.gradients.deltas.items()},
        gradients={
            layer: {name: change(f"{name} {layer}", np.array(array)) for name, array in named.items()}
            for layer, named in plan.gradients.gradients.items()
        },
    )


def submissions(problem: Problem) -> dict[str, SubmissionSpec]:
    """One of each sort."""
    first, generator = problem.nodes[0].name, np.random.default_rng(1)

    def named(name: str, array: Array) -> Array:
        return 2 * array if name == f"bias {first}" or name == f"in_bias {first}" else array

    def unknown(name: str, array: Array) -> Array:
        return np.sin(3 * array) + 0.1 if name.endswith(f"weight {first}") else array

    def random(name: str, array: Array) -> Array:
        del name
        return np.asarray(generator.standard_normal(array.shape))

    every = {"right": lambda _, array: array, "named mistake": named, "unknown fault": unknown, "all wrong": random}
    found = {sort: right(problem, change) for sort, change in every.items()}
    wrong = found["all wrong"]
    return {**found, "all wrong, gradients": SubmissionSpec(loss=wrong.loss, gradients=wrong.gradients)}


@contextmanager
def timed(spent: Counter[str]) -> Iterator[None]:
    """Adds up the seconds inside each of the parts."""
    with ExitStack() as stack:
        for part, (place, name) in PARTS.items():
            owner = _owner(place)
            call = getattr(owner, name)
            stack.enter_context(mock.patch.object(owner, name, _measured(call, part, spent)))
        yield


def _owner(place: str) -> Any:
    return pkgutil.resolve_name(place)


def _measured(call: Callable[..., Any], part: str, spent: Counter[str]) -> Callable[..., Any]:
    def run(*arguments: Any, **named: Any) -> Any:
        start = time.perf_counter()
        try:
            return call(*arguments, **named)
        finally:
            spent[part] += time.perf_counter() - start  # type: ignore[assignment]

    return run


def main() -> None:
    """Print one table for all cases."""
    warnings.simplefilter("ignore")
    print(f"Checks, medians of {ROUNDS} turns, 1 BLAS thread. gradients: one forward and backward pass.")
    heads = "".join(f"{part:>10}" for part in PARTS)
    print(f"{'network, examples':<30}{'submission':<22}{'gradients':>10}{'check':>10}{'ratio':>9}{heads}  verdict")
    late: list[str] = []
    for case in CASES:
        problem = case.problem()
        plan = problem.plan()
        gradients = medians({"gradients": lambda plan=plan: (plan.forward(), plan.backward())}, 5)["gradients"]  # type: ignore[misc]
        sorts = submissions(problem)
        turns: dict[str, list[float]] = {sort: [] for sort in sorts}
        spent: dict[str, Counter[str]] = {sort: Counter() for sort in sorts}
        verdicts: dict[str, str] = {}
        for _ in range(ROUNDS):
            for sort, sent in sorts.items():
                with timed(spent[sort]):
                    start = time.perf_counter()
                    report = Checker(problem, lambda: None).report(sent, set(), Tolerance())
                    turns[sort].append(time.perf_counter() - start)
                verdicts[sort] = report.verdict + (" (partial)" if report.partial else "")
        for sort in sorts:
            seconds = statistics.median(turns[sort])
            parts = "".join(f"{readable(max(spent[sort][part] / ROUNDS, 1e-9)):>10}" for part in PARTS)
            print(
                f"{case.name:<30}{sort:<22}{readable(gradients):>10}{readable(seconds):>10}{seconds / gradients:>9.0f}"
                f"{parts}  {verdicts[sort]}",
                flush=True,
            )
            if seconds > case.limit:
                late.append(f"{case.name}, {sort}: {readable(seconds)}, the target is {readable(case.limit)}")
    print("\n".join(["Over the target:", *late]) if late else "Every check is within its target.")


if __name__ == "__main__":
    main()
