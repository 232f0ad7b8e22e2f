"""CompiledSteps: runs the steps of an epoch in blocks, each of them one call of the compiled function."""

from __future__ import annotations

import math
import time

import numpy as np

from app.compiled.chain import Chain
from app.compiled.rule import Rule
from app.compiled.steps import run_steps
from core.arrays import Array, CheckDeadline
from core.network import INPUT
from core.problem import Problem
from core.training import Recipe
from core.training.examples import objective_of, shares_of, split
from core.training.minibatches import Minibatches
from core.training.outputs import Outputs
from core.training.stepper import Stepper

SECONDS = 0.1
"""Aim for the duration of a block, after which the deadline is looked at. It does not change what is computed."""


class CompiledSteps:
    """Runs the steps of one epoch after the other for the arrays of a run."""

    def __init__(
        self,
        chain: Chain,
        rule: Rule,
        problem: Problem,
        recipe: Recipe,
        minibatches: Minibatches,
        stepper: Stepper,
        outputs: Outputs,
        check_deadline: CheckDeadline,
    ) -> None:
        """Prepare the arrays; `problem` has all examples, those that are held back included."""
        self._chain, self._rule, self._numbers = chain, rule, rule.numbers
        self._minibatches, self._stepper, self._outputs = minibatches, stepper, outputs
        self._check_deadline = check_deadline
        training, _ = split(problem, recipe.validation_fraction, shuffle=recipe.shuffle, seed=recipe.seed)
        objective, dtype = objective_of(training), problem.dtype
        self._X, self._Y = (
            np.require(array, dtype, ["C", "W"]) for array in (training.inputs[INPUT], objective.targets)
        )
        size, last = minibatches.size, minibatches.last
        self._shares = np.array([shares_of(objective, np.arange(count))[0] for count in (size, last)], np.float64)
        ends = np.cumsum([0, *(size * chain.sizes[1:])])
        self._codes = np.zeros((5, len(chain.sizes)), np.int64)
        self._codes[0] = chain.sizes
        self._codes[1:, :-1] = chain.weights, chain.biases, chain.functions, ends[:-1]
        self._results, self._deltas = np.empty(ends[-1], dtype), np.empty(ends[-1], dtype)
        self._turned = np.empty(int(np.max(chain.sizes[:-1] * chain.sizes[1:])), dtype)
        self._batch = np.empty(size * int(chain.sizes[0]), dtype)
        self._all = np.empty((minibatches.examples, int(chain.sizes[-1])), dtype)
        slots = [stepper.memory.slots[name] for name in rule.slots]
        # A rule with fewer slots reads none in their place.
        self._slots = [*slots, *[np.empty(0, dtype)] * (3 - len(slots))]
        self._block = 1

    def run(self, epoch: int, before: Array, losses: list[float]) -> None:
        minibatches, stepper = self._minibatches, self._stepper
        order, parts = minibatches.begin(epoch), minibatches.parts
        begun = self._outputs.first(len(losses) * minibatches.size)
        self._all[: len(begun)] = begun.reshape(len(begun), self._all.shape[1])
        while len(losses) < parts:
            steps = min(self._block, parts - len(losses))
            began = time.monotonic()
            found = self._run(order, before, len(losses), steps)
            elapsed = time.monotonic() - began
            losses += found
            if not math.isfinite(found[-1]):
                losses[-1] = math.nan
                return
            self._check_deadline()
            if elapsed < SECONDS / 2:
                self._block *= 2
            elif elapsed > 2 * SECONDS and self._block > 1:
                self._block //= 2
        self.settle()
        self._copy_to_plan()
        stepper.memory.step = (epoch + 1) * parts

    def settle(self) -> None:
        self._outputs.keeper(self._all)(0)

    def _run(self, order: Array, before: Array, first: int, steps: int) -> list[float]:
        """Run some steps of an epoch and return their losses."""
        chain, rule, stepper, size = self._chain, self._rule, self._stepper, self._minibatches.size
        losses, done = np.empty(steps), stepper.memory.step
        first_slot, second_slot, third_slot = self._slots
        ran = run_steps(
            self._X,
            self._Y,
            order,
            first * size,
            steps,
            size,
            self._shares,
            self._codes,
            chain.slopes,
            chain.loss,
            chain.l2,
            rule.update,
            self._numbers,
            rule.rates(done, steps),
            done,
            stepper.theta,
            stepper.gradient,
            before,
            first_slot,
            second_slot,
            third_slot,
            self._batch,
            self._results,
            self._deltas,
            self._turned,
            self._all,
            losses,
        )
        stepper.memory.step += ran
        found: list[float] = losses[:ran].tolist()
        return found

    def _copy_to_plan(self) -> None:
        """Give the plan of the last step its parameters, which the loop reads, where it has them as copies."""
        plan = self._minibatches.part(self._minibatches.last).plan
        for layer, named in self._stepper.parameters.items():
            for name, array in named.items():
                held = plan.parameters[layer][name]
                if held is not array and not np.may_share_memory(held, array):
                    np.copyto(held, array)
