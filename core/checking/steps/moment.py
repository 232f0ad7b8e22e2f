"""One step of an optimizer as a rule sees it: the parameters before it, the state, and the gradients to be had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from core.arrays import Array
from core.optimizers import Memory, Optimizer
from core.problem import Problem
from core.training.trainable import Trainable


class Layout:
    """All parameters of a problem as one vector, and what an update asks of each element."""

    def __init__(self, problem: Problem, frozen: Trainable | None = None) -> None:
        """Lay the parameters out; `frozen` is the selection of those that are trained, where some are not."""
        self.trainable = Trainable(problem.nodes)
        nodes = {node.name: node for node in problem.nodes}
        trained = self.trainable.entries if frozen is None else frozen.entries
        self.slices: dict[tuple[str, str], slice] = {}
        """The part of the vector by layer and name."""

        self.weight_like = np.zeros(self.trainable.size, bool)
        """True for the elements of weights, on which a penalty acts; False for biases, gains and shifts."""

        self.trained = np.zeros(self.trainable.size, bool)
        """True for the elements that the optimizer moves."""

        self.position = np.zeros(self.trainable.size)
        """The number of the parameter that an element belongs to, counted from 0."""

        start = 0
        for number, (layer, name, shape) in enumerate(self.trainable.entries):
            part = slice(start, start + int(np.prod(shape)))
            start = part.stop
            self.slices[layer, name] = part
            self.weight_like[part] = nodes[layer].parameters[name].weight_like
            self.trained[part] = any((layer, name) == entry[:2] for entry in trained)
            self.position[part] = number
        loss = problem.objective.loss if problem.objective else None
        self.l2 = loss.l2 if loss else 0.0
        """λ of the penalty in the loss."""

        self.layers = len({layer for layer, _ in self.slices})
        """The number of layers with parameters."""

        self.examples = len(problem.objective.targets) if problem.objective else 1
        self.is_mean = loss is None or loss.reduction == "mean"
        """True if the loss is a mean over the examples."""


@dataclass(slots=True)
class Moment:
    """One step of a replay. All vectors hold all parameters, shape (parameters,)."""

    optimizer: Optimizer
    layout: Layout
    t: int
    """The number of this step, counted from 1."""

    theta: Array
    """The parameters before the step."""

    memory: Memory
    """The state before the step, which the rule updates in place."""

    gradient_at: Callable[[Array], Array]
    """The gradient of the loss at other parameters, on the batch of this step."""

    first: Array
    """The parameters before the first step of all."""

    carried: dict[str, Array] = field(default_factory=dict)
    """What a wrong program keeps from step to step besides the state of the optimizer."""

    gradient_sent_back_through: Callable[[Array, Array], Array] | None = None
    """The gradient at the first parameters where errors come back through the weights of the second."""

    @property
    def base_rate(self) -> float | Array:
        """The learning rate without schedule and warm-up."""
        rate = self.carried.get("rate")
        if rate is not None:
            return rate
        given = self.optimizer.learning_rate
        return given if isinstance(given, float) else self.optimizer.default_rate
