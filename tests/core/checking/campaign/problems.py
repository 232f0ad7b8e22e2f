"""Small random problems with every kind of layer, every loss, reduction and convention. A number makes one again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.arrays import Array, Shape
from core.checking import Checker
from core.checking.trace import Network
from core.convention import Convention, tensor
from core.layers import KINDS, Layer
from core.losses import LOSSES, Loss
from core.problem import Problem
from tests.core.layers.layer_cases import CASES, Case, Sizes
from tests.core.losses.loss_cases import anything, bits, chances, distributions, signs, sparse
from tests.core.sample import CONVENTIONS, sampled

Draw = Callable[[np.random.Generator, Shape], Array]

ON_ANYTHING: list[tuple[str, Draw]] = [
    ("half_squared_error", anything),
    ("mean_squared_error", anything),
    ("mean_absolute_error", anything),
    ("huber", anything),
    ("upstream", anything),
]
"""Losses that can compare any numbers, with what they compare."""

ON_VECTORS: list[tuple[str, str, Draw]] = [
    *(("identity", loss, targets) for loss, targets in ON_ANYTHING),
    ("sigmoid", "half_squared_error", chances),
    ("tanh", "mean_squared_error", anything),
    ("softmax", "cross_entropy", distributions),
    ("softmax", "cross_entropy", sparse),
    ("softmax", "kullback_leibler", distributions),
    ("sigmoid", "binary_cross_entropy", bits),
    ("identity", "softmax_cross_entropy", distributions),
    ("identity", "sigmoid_cross_entropy", bits),
    ("identity", "hinge", signs),
]
"""Activation functions, losses and targets of a last layer that is dense."""

INNER = ("identity", "tanh", "sigmoid", "relu", "leaky_relu", "gelu", "softplus")
"""The activation functions of the layer itself."""

ORDER = np.random.default_rng(0).permutation(len(CASES)).tolist()
"""Mixed, so that a few problems have many kinds of layers."""


@dataclass(frozen=True)
class Sample:
    """A random problem."""

    number: int
    kind: str
    """The kind of layer that it is about."""
    layer: str
    """The name of that layer."""
    problem: Problem

    def checker(self) -> Checker:
        """What examines submissions to it."""
        return Checker(self.problem, lambda: None)

    def network(self) -> Network:
        """Its rules."""
        return Network(self.problem)


def sample_of(number: int, *, in_float32: bool = False) -> Sample:
    """The problem with that number: another layer each time, and after all of them other sizes and neighbours.

    Args:
        number: from 0 on.
        in_float32: whether every number of it is one that float32 can hold.
    """
    case, generator = CASES[ORDER[number % len(CASES)]], np.random.default_rng(number)
    sizes = Sizes(int(generator.integers(2, 7)), 3, int(generator.integers(3, 5)), int(generator.integers(2, 4)))
    convention = CONVENTIONS[int(generator.integers(len(CONVENTIONS)))]
    function = INNER[int(generator.integers(len(INNER)))]
    for behind, below in ((True, True), (True, False), (False, False)):
        try:
            layers, inputs = _built(case, sizes, convention, function, behind=behind)
            problem = _problem(layers, inputs, convention, np.random.default_rng(number), number, below=below)
        except AssertionError:
            continue  # Matrices that are no batch have no dense layer before or after them.
        layer = layers[-1]
        return Sample(number, layer.kind, str(layer.name), _single(problem) if in_float32 else problem)
    raise LookupError(case.name)


def _built(
    case: Case, sizes: Sizes, convention: Convention, function: str, *, behind: bool
) -> tuple[list[Layer], dict[str, Shape]]:
    """The case's layers; `behind` puts a function between the inputs and them."""
    (*layers, layer), inputs = case.built(sizes, convention)
    layer = replace(layer, activation=function, name="it")
    if layer.reads_classes:
        return [*layers, layer], inputs
    if behind:
        make: Any = KINDS["activation"]
        primed = {name: f"{name}'" for name in inputs}
        before = [make(function="sin", inputs=[name], name=other) for name, other in primed.items()]
        rest = [replace(one, inputs=[primed.get(name, name) for name in one.inputs or []]) for one in (*layers, layer)]
        return [*before, *rest], inputs
    return [*layers, layer], inputs


def _problem(
    layers: list[Layer],
    inputs: dict[str, Shape],
    convention: Convention,
    generator: np.random.Generator,
    seed: int,
    *,
    below: bool,
) -> Problem:
    """The problem of these layers, `below` a dense layer if half of the draws want it."""
    plain = sampled(layers, inputs, convention=convention)
    loss, targets = ON_ANYTHING[int(generator.integers(len(ON_ANYTHING)))]
    if below and generator.random() < 0.6 and len(plain.output_shape) > 1:
        dense, flatten = (_maker(KINDS[kind]) for kind in ("dense", "flatten"))
        last, loss, targets = ON_VECTORS[int(generator.integers(len(ON_VECTORS)))]
        flat = [] if len(plain.output_shape) == 2 else [flatten(inputs=["it"], name="flat")]
        layers = [*layers, *flat, dense(units=3, activation=last, name="out", inputs=["flat" if flat else "it"])]
        plain = sampled(layers, inputs, convention=convention)
    l2 = 0.1 * (generator.random() < 0.3)
    reduction = ("mean", "sum")[int(generator.integers(2))]
    made = _loss(loss, reduction=reduction, l2=l2)
    target = tensor(targets(generator, plain.output_shape), convention)
    field = "upstream" if loss == "upstream" else "targets"
    more: dict[str, Any] = {field: target}
    return sampled(layers, inputs, convention=convention, loss=made, seed=seed, **more)


def _maker(kind: Any) -> Callable[..., Layer]:
    found: Callable[..., Layer] = kind
    return found


def _loss(kind: str, **fields: object) -> Loss:
    construct: Callable[..., Loss] = LOSSES[kind]
    return construct(**fields)


def _single(problem: Problem) -> Problem:
    """The problem with every number rounded to float32, kept in double precision."""
    return in_dtype(in_dtype(problem, np.float32), np.float64)


def in_dtype(problem: Problem, dtype: type[np.floating[Any]]) -> Problem:
    """The problem with every number in a precision."""

    def cast(named: Mapping[str, Array]) -> dict[str, Array]:
        return {name: array.astype(dtype) for name, array in named.items()}

    objective = problem.objective
    assert objective is not None
    targets, coefficients = objective.targets.astype(dtype), objective.coefficients.astype(dtype)
    return replace(
        problem,
        inputs=cast(problem.inputs),
        parameters={layer: cast(named) for layer, named in problem.parameters.items()},
        state={layer: cast(named) for layer, named in problem.state.items()},
        objective=replace(objective, targets=targets, coefficients=coefficients),
        dtype=np.dtype(dtype),
    )
