"""Engine: runs the steps of an epoch, unchecked; the loop looks afterwards whether all is finite."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import numpy as np

from core.arrays import Array, CheckDeadline, Op
from core.errors import Refusal
from core.training.minibatches import Minibatches
from core.training.outputs import Outputs
from core.training.part import Part
from core.training.stepper import Stepper


class Engine(Protocol):
    """Runs the steps of one epoch after the other for the arrays that it was built with, all of them in place."""

    def run(self, epoch: int, before: Array, losses: list[float]) -> None:
        """Run the steps of an epoch, counted from 0, and append the loss of each.

        The epoch may have begun already: then `losses` has those of its first steps, and the rest of them are run.

        Afterwards θ, the optimizer's memory, the number of steps and the state of the layers are those after the last step,
        `stepper.gradient` is that of the last step, `before` is θ before it, and `outputs` has those of all examples.

        Numbers may be non-finite: the loop then repeats the epoch with checks, to refuse it as step, layer and tensor
        deserve. An engine may end such an epoch early, with a last loss that is NaN.
        """

    def settle(self) -> None:
        """Bring `outputs` up to date in the middle of an epoch, while `check_deadline` is called."""


EngineFactory = Callable[[Minibatches, Stepper, Outputs, CheckDeadline], Engine]
"""Builds the engine of a run. `minibatches` draws the order of an epoch, `stepper` has θ, gradient and memory as vectors."""


Bound = tuple[Part, list[Op], Callable[[int], object]]
"""A part, the operations of its steps, and the function that stores their outputs."""


class PlannedSteps:
    """Runs the operations of plans: those of a step are one list, bound to its arrays when they first run."""

    def __init__(
        self, minibatches: Minibatches, stepper: Stepper, outputs: Outputs, check_deadline: CheckDeadline
    ) -> None:
        self._minibatches, self._stepper, self._outputs = minibatches, stepper, outputs
        self._check_deadline = check_deadline
        self._bound: dict[int, Bound] = {}

    def run(self, epoch: int, before: Array, losses: list[float]) -> None:
        minibatches, check_deadline = self._minibatches, self._check_deadline
        order, size = minibatches.begin(epoch), minibatches.size
        last, step = minibatches.examples - minibatches.last, epoch * minibatches.parts + len(losses)
        for start in range(len(losses) * size, minibatches.examples, size):
            chosen = order[start : start + size]
            part, ops, keep = self._bound.get(len(chosen)) or self._bind(len(chosen))
            if start == last:
                np.copyto(before, self._stepper.theta)
            try:
                part.place(chosen, step)
                for op in ops:
                    op()
            except (Refusal, np.linalg.LinAlgError):
                # A layer cannot go on, perhaps because of what an earlier step left.
                losses.append(math.nan)
                return
            loss = float(part.plan.loss.total)
            losses.append(loss)
            if not math.isfinite(loss):
                break
            keep(start)
            check_deadline()
            step += 1

    def settle(self) -> None:
        pass

    def _bind(self, count: int) -> Bound:
        part = self._minibatches.part(count)
        ops = [*self._stepper.ops(part.plan), *part.carry]
        bound = self._bound[count] = part, ops, self._outputs.keeper(part.plan.output)
        return bound
