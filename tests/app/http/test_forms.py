"""A cached form changes the time of an answer, never a bit of it: every layer, loss and option, with other numbers."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from app.examples import XOR
from core.activations import FUNCTIONS
from core.layers.activation import ActivationLayer
from core.layers.dense import Dense
from core.losses.normalized_cuts import NormalizedCuts
from tests.app.http.form_bodies import body_of, changes
from tests.app.http.served import Pair
from tests.app.http.test_hostile_forms import COMPUTATIONS
from tests.core.layers.layer_cases import CASES, Case, Sizes
from tests.core.losses.loss_cases import CASES as LOSS_CASES
from tests.core.losses.loss_cases import Case as LossCase
from tests.core.sample import CONVENTIONS, sample
from tests.core.test_graphs import GRAPHS

pytestmark = pytest.mark.usefixtures("unhurried")

EVERYTHING = ["loss", "output", "preactivations", "activations", "deltas", "gradients", "input_gradient", "norms"]
INCLUDES = [
    None,
    EVERYTHING,
    [*EVERYTHING, "per_example_losses"],
    ["gradients"],
    ["loss"],
    ["deltas", "input_gradient"],
]
"""Parts of the answer. None: the default."""


def assert_same_answers(pair: Pair, path: str, bodies: list[dict[str, Any]]) -> int:
    """Send bodies of one form, and the first one again; return how many were answered directly."""
    before = pair.cached.direct
    answers = [pair.post(path, body) for body in [*bodies, bodies[0]]]
    assert answers[0] == answers[-1]
    assert not pair.plain.direct
    assert not len(pair.plain.forms)
    return pair.cached.direct - before


def is_number(body: dict[str, Any]) -> bool:
    """Whether the targets of a body are a number, so that it has no form."""
    return isinstance(body["batch"]["targets"], float)


def options(turn: int) -> dict[str, Any]:
    """Options of a request that differ from turn to turn."""
    chosen = {"dtype": ("float64", "float32")[turn % 5 == 1], "verify": turn % 7 == 3, "include": INCLUDES[turn % 6]}
    return {name: value for name, value in chosen.items() if value is not None}


@pytest.mark.parametrize("turn", range(len(CASES)), ids=lambda turn: CASES[turn].name.replace(" ", "-"))
def test_every_layer(pair: Pair, turn: int) -> None:
    case: Case = CASES[turn]
    convention = CONVENTIONS[turn % 3]
    layers, inputs = case.built(Sizes(2, 3, 2, 3), convention)
    bodies = [body_of(sample(layers, inputs, convention=convention, seed=seed), **options(turn)) for seed in range(3)]
    assert assert_same_answers(pair, "/v1/gradients", [*bodies, *changes(bodies[1], "zeros")]) >= 3 or is_number(
        bodies[0]
    )


@pytest.mark.parametrize("name", GRAPHS)
def test_every_graph(pair: Pair, name: str) -> None:
    bodies = [body_of(sample(*GRAPHS[name], seed=seed), include=EVERYTHING) for seed in range(3)]
    assert assert_same_answers(
        pair, "/v1/gradients", [*bodies, *changes(bodies[1], "zeros", "equal")]
    ) >= 3 or is_number(bodies[0])
    for body in bodies:
        body["include"] = ["output", "activations", "preactivations"]
    assert assert_same_answers(pair, "/v1/forward", bodies) >= 3 or is_number(bodies[0])


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("case", LOSS_CASES, ids=lambda case: case.name)
def test_every_loss(pair: Pair, case: LossCase, convention: Any) -> None:
    """Alone and behind a function with which it may be fused; with sample weights, which stay the same but once."""
    turn = LOSS_CASES.index(case) + CONVENTIONS.index(convention)
    loss = case.loss(reduction=("mean", "sum")[turn % 2], l2=(0.0, 0.3)[turn % 3 == 1])
    function = ("sigmoid" if case.kind == "binary_cross_entropy" else "identity", "sigmoid", "softmax")[turn % 3]
    bodies = []
    for seed in range(3):
        generator = np.random.default_rng(seed)
        spec = sample(
            [Dense(units=3, activation=function)], {"input": (4, 4)}, convention=convention, loss=loss, seed=seed
        )
        body = body_of(spec, include=EVERYTHING, dtype=("float64", "float32")[turn % 2])
        compared = case.targets(generator, (4, 3))
        body["batch"]["targets" if loss.needs_targets else "upstream"] = (
            compared.T if convention == "column" else compared
        ).tolist()
        if turn % 2 and case.kind != "upstream":
            body["batch"]["sample_weight"] = [[1, 2, 0, 5], [1, 2, 0, 5], [0.1, 0.2, 0.3, 0.5]][seed]
        bodies.append(body)
    more = [*changes(bodies[1], *("zeros", "whole", "negative zeros", "huge"))]
    assert assert_same_answers(pair, "/v1/gradients", [*bodies, *more]) >= 1


def test_a_loss_of_similarities(pair: Pair) -> None:
    layers = [ActivationLayer(function="softmax")]
    bodies = []
    for seed in range(3):
        body = body_of(sample(layers, {"input": (4, 3)}, loss=NormalizedCuts(), seed=seed))
        similar = np.random.default_rng(seed).random((4, 4))
        body["batch"]["targets"] = (similar + similar.T).tolist()
        bodies.append(body)
    assert_same_answers(pair, "/v1/gradients", bodies)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_activation(pair: Pair, function: str) -> None:
    layers = [Dense(units=3, activation="square"), ActivationLayer(function=function)]
    bodies = [body_of(sample(layers, {"input": (4, 4)}, seed=seed), include=EVERYTHING) for seed in range(3)]
    assert_same_answers(pair, "/v1/gradients", [*bodies, *changes(bodies[1], "zeros", "equal", "tiny")])


@pytest.mark.parametrize("name", COMPUTATIONS)
def test_every_route(pair: Pair, name: str) -> None:
    """The documented requests of all computations with other parameters, also with base64 in the answer."""
    path, body = COMPUTATIONS[name]
    names = ("zeros",) if path == "/v1/check" else ("zeros", "whole", "huge")  # A check takes its time.
    assert_same_answers(pair, path, [body, *changes(body, *names), body])
    if "batch" in body:
        bodies = [body, *changes(body, "tiny")]
        assert_same_answers(pair, path, [{**each, "encoding": "base64"} for each in bodies])


OPTIONS: list[dict[str, Any]] = [
    {"seed": 3, "parameters": None},
    {"seed": 4, "parameters": {"out": {"weight": [[0.5], [1.0], [2.0]]}}},
    {"feedback": {"kind": "random", "seed": 1}},
    {"feedback": {"kind": "direct", "weights": {"out": [[1.0], [2.0], [3.0]]}}},
    {"layers": ["out"]}, {"layers": ["1"], "include": ["activations", "deltas", "gradients"]}, {"layers": []},
    {"verify": True}, {"verify": True, "dtype": "float32"}, {"include": ["per_example_gradients"]}, {"include": []},
    {"include": ["norms", "per_example_losses"]}, {"convention": None}, {"freeze": ["1.bias"]}, {"encoding": "base64"},
]  # fmt: skip


@pytest.mark.parametrize("more", OPTIONS, ids=str)
def test_every_option(pair: Pair, more: dict[str, Any]) -> None:
    body = {**copy.deepcopy(XOR), **more}
    bodies = [body]
    for factor in (1, 2, 3):
        other = copy.deepcopy(body)
        other["batch"]["inputs"] = (factor * np.array(body["batch"]["inputs"]) + 0.5).tolist()
        bodies.append(other)
    for path in ("/v1/gradients", "/v1/forward"):
        assert_same_answers(pair, path, bodies)
