"""Refusals of problems and recipes that cannot be trained."""

from __future__ import annotations

from core.derivatives import per_example
from core.errors import Refusal
from core.losses import Loss
from core.problem import Problem
from core.training.examples import objective_of, split
from core.training.recipe import Recipe
from core.training.trainable import Trainable


def refuse_unfit_loss(loss: Loss) -> None:
    """Refuse a loss that is a gradient at the output of one batch.

    Raises:
        Refusal: `unsupported-operator`.
    """
    if not loss.needs_targets:
        detail = f"The loss {loss.kind!r} belongs to one batch only: a run of many needs a loss with targets."
        raise Refusal.of("unsupported-operator", detail, "loss", "kind", hint="half_squared_error, for instance.")


def refuse_unfit(problem: Problem, recipe: Recipe) -> None:
    """Refuse a problem that cannot be trained by the recipe.

    Raises:
        Refusal: a loss without targets, parts of a batch where there is no telling its examples apart, a split that leaves
            one side empty, frozen parameters that do not exist.
    """
    objective = objective_of(problem)
    refuse_unfit_loss(objective.loss)
    per_example.refuse_divided(problem, recipe.batch_size)
    layer = per_example.indivisible(problem)
    if layer and recipe.validation_fraction:
        detail = f"Layer {layer.name!r} ({layer.layer.kind}) couples the examples, so none can be held back."
        raise Refusal.of("unsupported-operator", detail, "validation_fraction", hint="Leave validation_fraction out.")
    split(problem, recipe.validation_fraction, shuffle=recipe.shuffle, seed=recipe.seed)
    Trainable(problem.nodes, recipe.freeze)
