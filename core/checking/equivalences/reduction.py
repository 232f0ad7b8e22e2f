"""sum-instead-of-mean and its like: a loss that is a constant multiple of the one asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from core.checking.equivalences.base import Equivalence, Reading
from core.checking.submission import SubmissionSpec
from core.problem import Problem


class _Multiple(Equivalence):
    """The data's loss times a constant, everywhere: value, deltas and gradients. Training finds the same minimum."""

    scales_loss = True

    def multiples(self, problem: Problem) -> Iterator[tuple[float, str]]:
        """The constants that come into question, and what they mean."""
        raise NotImplementedError

    def readings(self, reading: Reading) -> Iterator[tuple[Problem, SubmissionSpec, str]]:
        objective = reading.problem.objective
        if objective is None or not objective.loss.needs_targets:
            return
        for factor, said in self.multiples(reading.problem):
            multiple = replace(objective, coefficients=objective.coefficients * factor)
            yield replace(reading.problem, objective=multiple), reading.sent, said


class AnotherReduction(_Multiple):
    """The sum over the examples instead of their mean, or the other way round."""

    slug = "sum-or-mean"

    def multiples(self, problem: Problem) -> Iterator[tuple[float, str]]:
        n = len(problem.objective.coefficients) if problem.objective else 1
        if n > 1 and problem.objective:
            if problem.objective.loss.reduction == "mean":
                yield float(n), f"Your loss is the sum over the {n} examples; the request's is their mean."
            else:
                yield 1 / n, f"Your loss is the mean over the {n} examples; the request's is their sum."


class AnotherHalf(_Multiple):
    """With ½ or without."""

    slug = "half-or-not"

    def multiples(self, problem: Problem) -> Iterator[tuple[float, str]]:
        if problem.objective and problem.objective.loss.measures_distance:
            yield 2.0, "Your loss is twice the request's, as if a factor ½ were missing."
            yield 0.5, "Your loss is half the request's: it has an additional factor ½."


class AnotherMeanOverOutputs(_Multiple):
    """Averaged over the outputs too, or not."""

    slug = "mean-over-outputs"

    def multiples(self, problem: Problem) -> Iterator[tuple[float, str]]:
        outputs = problem.output_shape[-1] if len(problem.output_shape) > 1 else 1
        if outputs > 1 and problem.objective:
            if problem.objective.loss.averages_outputs:
                yield (
                    float(outputs),
                    f"Your loss sums over the {outputs} outputs; the request's averages over them.",
                )
            else:
                yield 1 / outputs, f"Your loss averages over the {outputs} outputs; the request's sums over them."
