"""Rule: an optimizer as numbers that the compiled function reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.compiled import codes
from app.compiled.unsupported import Unsupported
from core.arrays import Array
from core.optimizers import Optimizer
from core.optimizers.adam import Adam
from core.optimizers.adamw import AdamW
from core.optimizers.sgd import Sgd
from core.training import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The update of θ by an optimizer."""

    optimizer: Optimizer
    update: int
    slots: tuple[str, ...]
    """Names of the vectors that the update reads and writes."""

    momentum: float = 0.0
    damped: float = 1.0
    """1 − the dampening."""

    beta1: float = 0.0
    beta2: float = 0.0
    epsilon: float = 0.0
    keeps_largest: bool = False
    """amsgrad."""

    is_corrected: bool = True
    """Whether the moments are corrected for their start."""

    shrinks: bool = False
    """Whether weight decay shrinks θ itself."""

    rate: float
    """The learning rate before schedule and warm-up."""

    @classmethod
    def of(cls, recipe: Recipe) -> Rule:
        """Return the rule of a recipe's optimizer.

        Raises:
            Unsupported: for optimizers and settings that are not compiled.
        """
        optimizer = recipe.optimizer
        if recipe.freeze:
            raise Unsupported("Frozen parameters are not compiled.")
        if recipe.rates is not None:
            raise Unsupported("Learning rates of single weights are not compiled.")
        if optimizer.gradient_noise is not None:
            raise Unsupported("Gradient noise is not compiled.")
        rate = optimizer.learning_rate if isinstance(optimizer.learning_rate, float) else optimizer.default_rate
        if type(optimizer) is Sgd:
            if optimizer.looks_ahead:
                raise Unsupported("Nesterov's method in the variant ruder is not compiled.")
            momentum = optimizer.momentum
            update = codes.NESTEROV if optimizer.nesterov else codes.MOMENTUM
            update = codes.RUDER_MOMENTUM if optimizer.variant == "ruder" else update
            return cls(
                optimizer=optimizer,
                update=update if momentum else codes.PLAIN,
                slots=("velocity",) if momentum else (),
                momentum=momentum,
                damped=1 - optimizer.dampening,
                rate=rate,
            )
        if type(optimizer) is Adam or type(optimizer) is AdamW:
            return cls(
                optimizer=optimizer,
                update=codes.MOMENTS,
                slots=optimizer.slots,
                beta1=optimizer.beta1,
                beta2=optimizer.beta2,
                epsilon=optimizer.epsilon,
                keeps_largest=optimizer.amsgrad,
                is_corrected=not (optimizer.amsgrad and optimizer.variant == "ruder"),
                shrinks=optimizer.decouples_weight_decay,
                rate=rate,
            )
        raise Unsupported(f"The optimizer {optimizer.kind} is not compiled.")

    def rates(self, done: int, steps: int) -> Array:
        """Return the learning rates of the steps after those that are done."""
        optimizer = self.optimizer
        if optimizer.schedule is None and not optimizer.warmup_steps:
            return np.full(steps, self.rate)
        return np.array([self.rate * optimizer.factor(step) for step in range(done, done + steps)])

    @property
    def numbers(self) -> Array:
        """The constants in the order in which the compiled function reads them."""
        clip = self.optimizer.gradient_clip_norm
        return np.array(
            [
                self.momentum,
                self.damped,
                self.beta1,
                self.beta2,
                self.epsilon,
                self.keeps_largest,
                self.is_corrected,
                self.optimizer.weight_decay,
                self.shrinks,
                np.inf if clip is None else clip,
            ],
            dtype=np.float64,
        )
