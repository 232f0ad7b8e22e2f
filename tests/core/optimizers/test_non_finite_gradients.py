"""A gradient that is not finite leaves a trace: the training loop looks for it once an epoch."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from core.optimizers import AnyOptimizer, Memory, Optimizer
from core.optimizers.adam import Adam
from core.optimizers.rmsprop import Rmsprop
from core.optimizers.sgd import Sgd

MORE: dict[str, Optimizer] = {
    "momentum": Sgd(momentum=0.9),
    "nesterov": Sgd(momentum=0.9, nesterov=True),
    "dampened": Sgd(momentum=0.9, dampening=1.0),
    "amsgrad": Adam(amsgrad=True),
    "centered": Rmsprop(centered=True, momentum=0.5),
}
EVERY: dict[str, Optimizer] = {optimizer().kind: optimizer() for optimizer in get_args(AnyOptimizer)} | MORE
CASES = EVERY | {f"{name}, ruder": replace(optimizer, variant="ruder") for name, optimizer in EVERY.items()}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("steps_before", [0, 2])
def test_the_trace_stays(name: str, bad: float, steps_before: int) -> None:
    optimizer: Optimizer = CASES[name]
    generator = np.random.default_rng(5)
    theta = generator.normal(size=7)
    memory = Memory(0, {slot: np.zeros(7) for slot in optimizer.slots}, dict(optimizer.scalars))
    with np.errstate(all="ignore"):
        for number in range(steps_before + 6):
            gradient = generator.normal(size=7)
            if number == steps_before:
                gradient[3] = bad
            memory.step += 1
            optimizer.update(theta, gradient, 0.1, memory)
    assert not all(np.isfinite(array).all() for array in (theta, *memory.slots.values()))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bound_operations_do_what_the_update_does(name: str, dtype: str) -> None:
    optimizer: Optimizer = CASES[name]
    generator = np.random.default_rng(6)
    start = generator.normal(size=9).astype(dtype)
    gradient, results = np.empty_like(start), []
    for bound in (True, False):
        theta, draws = start.copy(), np.random.default_rng(7)
        memory = Memory(0, {slot: np.zeros_like(theta) for slot in optimizer.slots}, dict(optimizer.scalars))
        ops = optimizer.ops(theta, gradient, 0.1, memory)
        for _ in range(4):
            gradient[...] = draws.normal(size=9)
            memory.step += 1
            if bound:
                for op in ops:
                    op()
            else:
                optimizer.update(theta, gradient, 0.1, memory)
        results.append([theta, *memory.slots.values()])
    for one, other in zip(*results, strict=True):
        assert one.tobytes() == other.tobytes()
