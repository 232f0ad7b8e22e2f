"""The engine of the loop: unchecked steps give the bits of checked ones, and what goes wrong is refused where it does."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core.arrays import Array, CheckDeadline
from core.errors import Refusal
from core.layers.batch_norm import BatchNorm
from core.layers.dense import Dense
from core.layers.dropout import Dropout
from core.losses.mean_absolute_error import MeanAbsoluteError
from core.losses.mean_squared_error import MeanSquaredError
from core.losses.softmax_cross_entropy import SoftmaxCrossEntropy
from core.optimizers.adam import Adam
from core.optimizers.base import GradientNoise, Optimizer
from core.optimizers.sgd import Sgd
from core.problem import Problem
from core.problem_spec import ProblemSpec
from core.problem_validation import validate
from core.training import Recipe, train
from core.training.minibatches import Minibatches
from core.training.outputs import Outputs
from core.training.stepper import Stepper
from core.training.trainable import Trainable

RNG = np.random.default_rng(11)
EXAMPLES = 23


class CheckedSteps:
    """The engine that a reader would write first: one checked step after the other."""

    def __init__(self, batches: Minibatches, stepper: Stepper, outputs: Outputs, check_deadline: CheckDeadline) -> None:
        self._batches, self._stepper, self._outputs = batches, stepper, outputs

    def run(self, epoch: int, before: Array, losses: list[float]) -> None:
        for number in range(len(losses), self._batches.parts):
            plan = self._batches.plan(epoch * self._batches.parts + number)
            before[...] = self._stepper.theta
            losses.append(self._stepper.step(plan))
            self._batches.carry_state()
            self._outputs.keeper(plan.output)(self._batches.chosen.start)

    def settle(self) -> None:
        """Do nothing: outputs are kept after every step."""


def classes(dtype: str = "float64", **more: Any) -> Problem:
    sent: dict[str, Any] = {
        "layers": [Dense(units=6, activation="relu"), Dense(units=3)],
        "inputs": {"input": RNG.normal(size=(EXAMPLES, 4)).astype(dtype)},
        "targets": RNG.integers(0, 3, EXAMPLES),
        "loss": SoftmaxCrossEntropy(),
        "seed": 2,
        "dtype": dtype,
    }
    return validate(ProblemSpec(**sent | more))


SOFT = RNG.dirichlet(np.ones(3), EXAMPLES)
PROBLEMS: dict[str, Callable[[], Problem]] = {
    "classes": classes,
    "single precision": lambda: classes("float32"),
    "probabilities as targets": lambda: classes(targets=SOFT),
    "sample weights": lambda: classes(sample_weight=RNG.random(EXAMPLES)),
    "a sum with l2": lambda: classes(loss=SoftmaxCrossEntropy(reduction="sum", l2=0.1)),
    "dropout": lambda: classes(layers=[Dense(units=6), Dropout(drop_probability=0.4, seed=1), Dense(units=3)]),
    "batch norm": lambda: classes(layers=[Dense(units=6), BatchNorm(), Dense(units=3)]),
    "distances": lambda: classes(targets=SOFT, loss=MeanSquaredError()),
}
OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": Sgd(learning_rate=0.1),
    "adam": Adam(learning_rate=0.01),
    "looking ahead": Sgd(learning_rate=0.1, momentum=0.9, nesterov=True, variant="ruder"),
    "clipped, with noise and warmup": Adam(
        learning_rate=0.01, gradient_clip_norm=0.3, gradient_noise=GradientNoise(eta=0.01, seed=3), warmup_steps=4
    ),
}


@pytest.mark.parametrize("freeze", [(), ("1.bias",)])
@pytest.mark.parametrize("rule", OPTIMIZERS)
@pytest.mark.parametrize("name", PROBLEMS)
def test_an_engine_of_checked_steps_gives_the_same_epochs(name: str, rule: str, freeze: tuple[str, ...]) -> None:
    problem = PROBLEMS[name]()
    recipe = Recipe(optimizer=OPTIMIZERS[rule], epochs=3, batch_size=5, freeze=freeze)
    for ours, checked in zip(train(problem, recipe), train(problem, recipe, engine=CheckedSteps), strict=True):
        assert ours.report == checked.report
        tensors = checked.state().tensors()
        for path, array in ours.state().tensors().items():
            assert array.tobytes() == tensors[path].tobytes(), path


@pytest.mark.parametrize("rate", [1e3, 1e10, 1e150, 1e306])
@pytest.mark.parametrize("rule", [Sgd, Adam])
def test_the_step_that_is_refused_is_the_first_that_a_checked_one_refuses(
    rule: type[Sgd] | type[Adam], rate: float
) -> None:
    problem = PROBLEMS["distances"]()
    optimizer = rule(learning_rate=rate)
    stepper = Stepper(optimizer, Trainable(problem.nodes), problem.parameters, problem.dtype)
    batches = Minibatches(problem, 5, shuffle=True, seed=0)
    step, steps = 0, 20 * batches.parts
    with np.errstate(all="ignore"):
        try:
            for step in range(steps):
                stepper.step(batches.plan(step))
        except Refusal:
            steps = step
    recipe = Recipe(optimizer=optimizer, epochs=20, batch_size=5)
    if steps == 20 * batches.parts:
        assert len(list(train(problem, recipe))) == 20
        return
    with pytest.raises(Refusal) as refused:
        list(train(problem, recipe))
    found = re.search(r"diverged in epoch (\d+), step (\d+)\.", refused.value.issues[0].detail)
    assert found and [int(number) for number in found.groups()] == [steps // batches.parts + 1, steps + 1]


def test_a_run_goes_on_where_only_a_square_is_infinite() -> None:
    """adam's second moment overflows, its parameters do not: every epoch is repeated with checks and refuses nothing."""
    far = {"input": 1e21 * RNG.normal(size=(EXAMPLES, 4)).astype("float32")}
    problem = classes("float32", inputs=far, targets=SOFT, loss=MeanAbsoluteError())
    recipe = Recipe(optimizer=Adam(learning_rate=0.01), epochs=2, batch_size=5)
    with np.errstate(all="ignore"):
        *_, ours = train(problem, recipe)
        *_, checked = train(problem, recipe, engine=CheckedSteps)
    assert np.isinf(ours.state().optimizer.slots["second_moment"]["1"]["weight"]).any()
    for path, array in ours.state().tensors().items():
        assert array.tobytes() == checked.state().tensors()[path].tobytes(), path


def test_the_deadline_is_looked_at_after_every_step() -> None:
    calls: list[None] = []
    recipe = Recipe(optimizer=Sgd(), epochs=2, batch_size=5)
    list(train(classes(), recipe, check_deadline=lambda: calls.append(None)))
    assert len(calls) == 2 * 5
