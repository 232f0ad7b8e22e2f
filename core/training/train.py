"""The training loop: a generator of epochs, each a function of the problem, the recipe and the state before it.

Training to epoch n gives the same bits as training to epoch k and resuming from its `state()`: the order of the examples
depends only on (seed, epoch), and the dropout masks on the number of the step. The same holds for a state between two steps
of an epoch, which has the losses and the outputs of the epoch so far.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from core.arrays import Array, CheckDeadline
from core.errors import Refusal
from core.nonfinite import all_finite
from core.problem import Problem
from core.training.engine import EngineFactory, PlannedSteps
from core.training.examples import split
from core.training.minibatches import Gradients, Minibatches
from core.training.outputs import Outputs
from core.training.recipe import Recipe
from core.training.report import EpochReport, norms, ratios
from core.training.state import BegunEpoch, Best, TrainingState
from core.training.stepper import Stepper
from core.training.trainable import Trainable, copy_arrays
from core.training.unfit import refuse_unfit
from core.training.validation import DeadUnits, Validation, locate, set_to


@dataclass(frozen=True, slots=True)
class Epoch:
    """A finished epoch."""

    report: EpochReport
    reason: str | None
    """The reason why training ends here, `epochs` or `early-stopping`; None if it continues."""

    state: Callable[[], TrainingState]
    """Returns a copy of the state; call it before requesting the next epoch."""

    @property
    def last(self) -> bool:
        """True if training ends here."""
        return self.reason is not None


BetweenSteps = Callable[[Callable[[], TrainingState | None]], object]
"""Called between two steps of an epoch, with a function that returns a copy of the state, or None if it is not finite."""


def train(
    problem: Problem,
    recipe: Recipe,
    start: TrainingState | None = None,
    *,
    check_deadline: CheckDeadline | None = None,
    between_steps: BetweenSteps | None = None,
    engine: EngineFactory = PlannedSteps,
) -> Iterator[Epoch]:
    """Train a network.

    Args:
        problem: the network and, as its batch, all examples.
        recipe: the settings of the run.
        start: the state of an earlier run with the same problem and recipe. Default: the beginning.
        check_deadline: called after every step; it ends the run by raising.
        between_steps: called after every step but the last one of an epoch, or after some of them if an engine runs several
            at once; it may take the state, and may end the run by raising.
        engine: builds what runs the steps of an epoch.

    Returns:
        The epochs, each as it finishes; none if `start` is already the end of the run.

    Raises:
        Refusal: before the first epoch, if problem and recipe do not fit; later `non-finite`, if training diverges.
    """
    refuse_unfit(problem, recipe)
    return _Run(problem, recipe, start, check_deadline, between_steps, engine).epochs()


class _Run:
    """The arrays of a run."""

    def __init__(
        self,
        problem: Problem,
        recipe: Recipe,
        start: TrainingState | None,
        check_deadline: CheckDeadline | None,
        between_steps: BetweenSteps | None,
        engine: EngineFactory,
    ) -> None:
        self._between_steps = between_steps
        self._recipe, self._check_deadline = recipe, check_deadline or (lambda: None)
        training, held = split(problem, recipe.validation_fraction, shuffle=recipe.shuffle, seed=recipe.seed)
        self._done = start.epoch if start else 0
        self._best = start.best if start else None
        begun = start.begun if start else None
        self._losses: list[float] = begun.losses.tolist() if begun else []
        """The losses of the steps of the epoch that has begun."""

        if start:
            # Layers without parameters have no tensors to restore.
            parameters = {node.name: start.parameters.get(node.name, {}) for node in training.nodes}
            training = replace(training, parameters=parameters, state=start.state)
        self._trainable = Trainable(training.nodes, recipe.freeze)
        stepper = self._stepper = Stepper(
            recipe.optimizer,
            self._trainable,
            training.parameters,
            training.dtype,
            state=start.optimizer if start else None,
            rates=recipe.rates,
        )
        self._training = training = replace(training, parameters=stepper.parameters)
        self._minibatches = self._order(gradients=stepper.gradients)
        self._outputs = Outputs(training)
        if begun:
            self._outputs.restore(begun.outputs)
        self._dead_units = DeadUnits(training)
        self._validation = Validation(held, recipe.batch_size, check_deadline) if held else None
        self._plan = self._minibatches.plan(self._done * self._minibatches.parts + len(self._losses))
        self._engine = engine(self._minibatches, stepper, self._outputs, self._after_step)
        self._before, self._moved = np.empty_like(stepper.theta), np.empty_like(stepper.theta)
        self._layers_before, self._layers_moved = map(self._trainable.apart, (self._before, self._moved))

    def _order(self, *, gradients: Gradients | None = None, check_deadline: CheckDeadline | None = None) -> Minibatches:
        training, recipe = self._training, self._recipe
        size, shuffle, seed = recipe.batch_size, recipe.shuffle, recipe.seed
        return Minibatches(
            training, size, shuffle=shuffle, seed=seed, gradients=gradients, check_deadline=check_deadline
        )

    def epochs(self) -> Iterator[Epoch]:
        """Yield the epochs up to the end."""
        while not self._reason():
            with np.errstate(all="ignore"):
                report = self._epoch()
            yield Epoch(report, self._reason(), self._state)

    def _reason(self) -> str | None:
        stopping = self._recipe.early_stopping
        if stopping and self._best and self._best.waited >= stopping.patience:
            return "early-stopping"
        return "epochs" if self._done >= self._recipe.epochs else None

    def _epoch(self) -> EpochReport:
        minibatches, stepper, before = self._minibatches, self._stepper, self._before
        restore, losses, begun = self._snapshot(), self._losses, list(self._losses)
        self._engine.run(self._done, before, losses)
        if not (math.isfinite(sum(losses)) and stepper.is_finite()):
            restore()
            losses = self._repeat(begun)
        self._losses = []
        # A plan that does not read θ has its parameters copied, and only that of the last step has the last ones.
        self._plan = minibatches.part(minibatches.last).plan
        self._done += 1
        loss = 0.0
        for weight, value in zip(minibatches.weights(), losses, strict=True):
            loss += weight * value
        if not math.isfinite(loss):
            detail = f"In epoch {self._done} the losses of all steps together are beyond all finite numbers."
            raise Refusal.of("non-finite", detail, "loss", hint=HINT)
        validation_loss, validation_metrics = self._validate()
        report = EpochReport(
            epoch=self._done,
            steps=stepper.memory.step,
            loss=loss,
            validation_loss=validation_loss,
            metrics=self._outputs.measure(minibatches.order),
            validation_metrics=validation_metrics,
            learning_rate=stepper.last_rate,
            gradient_norms=norms(stepper.gradients),
            update_to_weight=self._update_to_weight(),
            dead_units=self._dead_units.of(self._plan.parameters, self._kept_state()),
        )
        self._judge(loss if validation_loss is None else validation_loss)
        return report

    def _update_to_weight(self) -> dict[str, float]:
        np.subtract(self._stepper.theta, self._before, self._moved)
        return ratios(norms(self._layers_moved), norms(self._layers_before))

    def _snapshot(self) -> Callable[[], None]:
        """Return the function that takes the run back to where it is now."""
        restore, state = self._stepper.snapshot(), self._kept_state()

        def take_back() -> None:
            restore()
            set_to(self._plan, {}, state)

        return take_back

    def _after_step(self) -> None:
        self._check_deadline()
        if self._between_steps and len(self._losses) < self._minibatches.parts:
            self._between_steps(self._state_within)

    def _state_within(self) -> TrainingState | None:
        """Return the state after some steps of an epoch."""
        self._engine.settle()
        if not (math.isfinite(sum(self._losses)) and self._stepper.is_finite()):
            return None
        outputs = self._outputs.first(len(self._losses) * self._minibatches.size)
        begun = BegunEpoch(np.array(self._losses), outputs)
        return replace(self._state(), parameters=copy_arrays(self._stepper.parameters), begun=begun)

    def _repeat(self, begun: list[float]) -> list[float]:
        """Run the steps of an epoch in which some number may not be finite, with checks, after those that have begun it.

        Returns:
            The losses of all steps of the epoch.

        Raises:
            Refusal: with the epoch, the step and the first layer concerned. There is none if only squares were infinite.
        """
        minibatches, losses = self._minibatches, begun
        first = self._done * minibatches.parts
        for step in range(first + len(begun), first + minibatches.parts):
            plan = self._plan = minibatches.plan(step)
            np.copyto(self._before, self._stepper.theta)
            try:
                losses.append(self._stepper.step(plan))
            except Refusal as refusal:
                raise self._divergence(refusal, step) from None
            minibatches.carry_state()
            self._outputs.keeper(plan.output)(minibatches.chosen.start)
            self._check_deadline()
        return losses

    def _validate(self) -> tuple[float | None, dict[str, float]]:
        if self._validation is None:
            return None, {}
        loss, metrics = self._validation.of(self._plan.parameters, self._kept_state())
        if not math.isfinite(loss):
            detail = f"After epoch {self._done} the loss of the validation examples is beyond all finite numbers."
            raise Refusal.of("non-finite", detail, "optimizer", hint=HINT)
        return loss, metrics

    def _judge(self, loss: float) -> None:
        """Record the epoch if it is the best one."""
        best, stopping = self._best, self._recipe.early_stopping
        if best and not loss < best.loss - (stopping.min_delta if stopping else 0.0):
            self._best = replace(best, waited=best.waited + 1)
            return
        parameters, state = (self._parameters(), self._kept_state()) if stopping else ({}, {})
        self._best = Best(self._done, loss, parameters=parameters, state=state)

    def _state(self) -> TrainingState:
        after = self._stepper.state()
        slots = {name: copy_arrays(slot) for name, slot in after.slots.items()}
        optimizer = replace(after, slots=slots)
        return TrainingState(self._done, self._parameters(), self._kept_state(), optimizer, self._best)

    def _parameters(self) -> dict[str, dict[str, Array]]:
        return copy_arrays(self._plan.parameters)

    def _kept_state(self) -> dict[str, dict[str, Array]]:
        return copy_arrays({node.name: context.state for node, context in self._plan.contexts if context.state})

    def _divergence(self, refusal: Refusal, step: int) -> Refusal:
        """The refusal with the first layer that was not finite, and with the epoch and the step."""
        is_moved = not all_finite(self._stepper.theta)
        found = refusal
        if not is_moved:
            found = locate(self._order(check_deadline=lambda: None).plan(step), self._plan, refusal)
        diverged = all(issue.code == "non-finite" for issue in found.issues)
        where = f"{'Training diverged in epoch' if diverged else 'Epoch'} {self._done + 1}, step {step + 1}. "
        return Refusal(
            replace(issue, detail=where + issue.detail, hint=HINT if diverged else issue.hint) for issue in found.issues
        )


HINT = 'A smaller learning_rate, or "gradient_clip_norm".'
