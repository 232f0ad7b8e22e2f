"""A probe of a network with any layer in it shows whatever can show there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.checking.comparison import Comparator
from core.checking.mistakes import MISTAKES
from core.checking.mistakes.base import Fitted
from core.checking.other_points import comparator_of
from core.checking.probe import probe
from core.checking.quantity import Quantity
from core.checking.replay import made_by
from core.convention import Convention
from core.layers import KINDS, Layer
from core.layers.dense import Dense
from core.losses.half_squared_error import HalfSquaredError
from core.problem import Problem
from core.shape_inference import infer_shapes
from tests.core.layers.layer_cases import CASES, Case, Sizes
from tests.core.sample import CONVENTIONS, sampled

SIZES = Sizes(7, 4, 3, 5)
LOSS = HalfSquaredError(l2=0.1, reduction="mean")

Shown = set[tuple[str, Quantity]]


def network(case: Case, convention: Convention) -> tuple[list[Layer], dict[str, tuple[int, ...]]] | None:
    """The layer of a case between dense layers, and the features of what they read; None if it has no batch to vary."""
    layers, inputs = case.built(SIZES, "row")
    if len({shape[0] for shape in inputs.values()}) > 1:
        return None
    if convention == "column" and (case.as_sent or any(len(shape) == 1 for shape in inputs.values())):
        return None  # The first axis is that of the features, or a flat list is one example.
    below: list[Layer] = []
    features = {}
    for name, shape in inputs.items():
        dense = len(shape) > 1 and not layers[-1].reads_classes
        below += [Dense(name=name, inputs=[f"{name} sent"], units=shape[-1], activation="tanh")] if dense else []
        features[f"{name} sent" if dense else name] = shape[1:]
    layers = [*below, *layers[:-1], replace(layers[-1], name="examined")]
    for above in ([Dense(units=3, activation="sigmoid"), Dense(units=4)], []):
        shapes = {name: (11, *shape) for name, shape in features.items()}
        issues = infer_shapes([*layers, *above], shapes, {}, convention, seeded=True).issues
        if not [issue for issue in issues if issue.path[:1] != ("state",)]:
            return [*layers, *above], features
    return None


def shown(comparator: Comparator, among: Shown | None = None) -> tuple[Shown, Shown]:
    """The mistakes that show, and those that do not, each in a quantity whose rule it concerns.

    Args:
        comparator: of a point.
        among: those that are tried; all if None.
    """
    found: tuple[Shown, Shown] = set(), set()
    for quantity, right in comparator.right.items():
        for kind in MISTAKES:
            if among is not None and (kind.slug, quantity) not in among:
                continue
            if not issubclass(kind, Fitted) and (mistake := kind()).strikes_at(comparator.truth, quantity):
                with np.errstate(all="ignore"):
                    differs = comparator.differs(made_by(quantity.by_rule, mistake, comparator.truth), right)
                found[not differs].add((kind.slug, quantity))
    return found


def probed(name: str, convention: Convention) -> tuple[Problem, list[tuple[str, str, str]]]:
    layers, features = NETWORKS[name, convention]
    found = probe(layers, features, LOSS, convention, seed=0, limits=None, check_deadline=lambda: None)
    return found.problem, [(spot.cause, spot.layer or "", spot.tensor) for spot in found.blind_spots]


NETWORKS = {
    (case.name, convention): built
    for case in CASES
    for convention in CONVENTIONS
    if (built := network(case, convention)) is not None
}


def test_every_kind_of_layer_is_probed() -> None:
    assert {layer.kind for layers, _ in NETWORKS.values() for layer in layers} == set(KINDS)


@pytest.mark.parametrize(
    ("name", "convention"),
    [pytest.param(*key, marks=[] if key[1] == "row" else [pytest.mark.slow]) for key in NETWORKS],
)
def test_what_does_not_show_at_a_probe_shows_nowhere(name: str, convention: Convention) -> None:
    problem, spots = probed(name, convention)
    assert spots == []
    show, hidden = shown(comparator_of(problem))
    hidden -= show  # Several forms of one mistake.
    if not hidden:
        return
    layers, features = NETWORKS[name, convention]
    examples = len(next(iter(problem.inputs.values())))
    for seed in range(3):
        shapes = {name: (examples, *shape) for name, shape in features.items()}
        sent = {
            name: shape[::-1] if convention == "column" and len(shape) == 2 else shape for name, shape in shapes.items()
        }
        other = sampled(layers, sent, convention=convention, loss=LOSS, seed=seed)
        with np.errstate(all="ignore"):
            assert not hidden & shown(comparator_of(other), hidden)[0]
