"""Right submissions: in several precisions, digits and conventions, all or a part of the numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np

from core.arrays import Array
from core.checking import SubmissionSpec
from core.checking.quantity import Quantity, quantities
from core.convention import Convention
from core.plan import Retain
from core.problem import Problem
from tests.core.checking.campaign.outcome import Trial
from tests.core.checking.campaign.problems import Sample, in_dtype, sample_of
from tests.core.checking.campaign.program import ALONE, EVERYTHING, Values, submission
from tests.core.sample import CONVENTIONS

FAMILY = "right"
PRECISIONS = (
    "float64",
    "float32",
    "float32 unsaid",
    *(f"{digits} digits" for digits in (4, 5, 6, 7, 8)),
    *(f"{decimals} decimals" for decimals in (4, 6, 8)),
    "float16",
)


def right_values(problem: Problem, dtype: type[np.floating[Any]]) -> Values:
    """What the core's plan computes in this precision. The check has no plan: it runs rule after rule in float64."""
    plan = in_dtype(problem, dtype).plan(retain=Retain(preactivations=True, deltas=True, input_gradients=True))
    plan.forward()
    plan.backward()
    found: Values = {Quantity("loss"): np.array(plan.loss.total)}
    for part, named in (
        ("preactivations", plan.preactivations),
        ("activations", plan.activations),
        ("deltas", plan.gradients.deltas),
        ("input_gradient", plan.gradients.input_gradients),
    ):
        found |= {Quantity(part, name): np.array(array) for name, array in named.items()}
    for layer, gradients in plan.gradients.gradients.items():
        found |= {Quantity("gradients", layer, name): np.array(array) for name, array in gradients.items()}
    return found


def written(array: Array, precision: str) -> Array:
    """Numbers as they are sent in a precision."""
    match precision.split():
        case [digits, "digits"]:
            return np.reshape([float(f"{x:.{int(digits) - 1}e}") for x in array.ravel().tolist()], array.shape)
        case [decimals, "decimals"]:
            return np.round(array.astype(np.float64), int(decimals))
        case ["float32", "unsaid"]:
            return np.reshape([float(str(x)) for x in array.astype(np.float32).ravel()], array.shape)
        case ["float16"]:
            return np.asarray(array.astype(np.float16).astype(np.float64))
        case _:
            return array


def trials(number: int) -> Iterator[tuple[Sample, Trial]]:
    """The trials of one problem."""
    for precision in PRECISIONS:
        single = precision.startswith("float32")
        sample = sample_of(number, in_float32=single)
        network = sample.network()
        known = set(quantities(network))
        exact = right_values(sample.problem, np.float32 if single else np.float64)
        exact = {quantity: value for quantity, value in exact.items() if quantity in known}
        if not all(np.isfinite(written(value, precision)).all() for value in exact.values()):
            continue
        dtypes = ("float32",) if precision == "float32" else ()
        for way, sent in _sent(sample, exact, precision):
            if not _is_empty(sent):
                yield sample, Trial(FAMILY, number, precision, sample.kind, way, sent, dtypes=dtypes)


def _is_empty(sent: SubmissionSpec) -> bool:
    named = (sent.preactivations, sent.activations, sent.deltas, sent.gradients, sent.input_gradient)
    return sent.loss is None and not any(named)


def _sent(sample: Sample, values: Values, precision: str) -> Iterator[tuple[str, SubmissionSpec]]:
    """What is sent of the numbers."""
    network, objective = sample.network(), sample.network().objective
    generator = np.random.default_rng([sample.number, PRECISIONS.index(precision)])

    def of(values: Values, parts: Collection[str], convention: Convention | None = None) -> SubmissionSpec:
        rounded = {quantity: written(value, precision) for quantity, value in values.items()}
        return submission(network, rounded, parts, convention)

    yield "everything", of(values, EVERYTHING)
    yield "loss and gradients", of(values, ALONE)
    if any(quantity.part == "gradients" for quantity in values):
        yield "gradients alone", of(values, ("gradients",))
    some = {quantity: value for quantity, value in values.items() if generator.random() < 0.4}
    yield "a part", of(some, EVERYTHING)
    with_gradients = any(quantity.part == "gradients" for quantity in values)
    averaged = objective.loss.reduction == "mean" and objective.loss.needs_targets  # No mean enters given derivatives.
    if with_gradients and averaged and network.examples > 1:
        summed = {q: value * network.examples if q.part == "deltas" else value for q, value in values.items()}
        yield "deltas without the mean", of(summed, ("loss", "deltas", "gradients"))
    other = CONVENTIONS[(CONVENTIONS.index(sample.problem.convention) + 1) % len(CONVENTIONS)]
    yield f"written in {other}", of(values, EVERYTHING, other)
