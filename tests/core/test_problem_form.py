"""A form filled with other numbers is the problem that validation returns for them, or the same refusal."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from core.convention import Convention
from core.errors import Refusal
from core.feedback_alignment import Feedback, FeedbackSpec
from core.layers.dense import Dense
from core.losses.binary_cross_entropy import BinaryCrossEntropy
from core.losses.half_squared_error import HalfSquaredError
from core.losses.softmax_cross_entropy import SoftmaxCrossEntropy
from core.plan import Objective
from core.problem import Problem
from core.problem_form import ProblemForm
from core.problem_spec import ProblemSpec
from core.problem_validation import validate, validate_form
from tests.core.layers.layer_cases import CASES, Case, Sizes
from tests.core.sample import CONVENTIONS, sample

NETWORK = [Dense(units=3, activation="tanh"), Dense(units=3)]


def everything(problem: Problem) -> dict[str, str]:
    """All fields of a problem in words, numbers by their bits and layout."""
    return {field.name: in_words(getattr(problem, field.name)) for field in fields(problem) if field.name != "nodes"}


def in_words(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype.str} {value.shape} {value.strides} {value.tobytes().hex()}"
    if isinstance(value, dict):
        return str({name: in_words(below) for name, below in value.items()})
    if isinstance(value, Objective):
        return f"{value.loss} {in_words(value.targets)} {in_words(value.coefficients)}"
    if isinstance(value, Feedback):
        return in_words(dict(value.weights))
    return str(value)


def outcome(make: Any) -> Any:
    """The problem in words, or the issues of its refusal."""
    try:
        return everything(make())
    except Refusal as refusal:
        return refusal.issues


def assert_filled_like_validated(first: ProblemSpec, *others: ProblemSpec) -> list[Any]:
    """Return what became of the problems."""
    form: ProblemForm = validate_form(first)
    outcomes = []
    for sent in (first, *others, first):
        outcomes.append(outcome(lambda sent=sent: form.fill(sent)))
        assert outcomes[-1] == outcome(lambda sent=sent: validate(sent))
    assert outcomes[0] == outcomes[-1]
    return outcomes


@pytest.mark.parametrize("turn", range(len(CASES)), ids=lambda turn: CASES[turn].name.replace(" ", "-"))
def test_every_layer(turn: int) -> None:
    case: Case = CASES[turn]
    convention: Convention = CONVENTIONS[turn % 3]
    layers, inputs = case.built(Sizes(2, 3, 2, 3), convention)
    dtype = ("float64", "float32")[turn % 2]
    assert_filled_like_validated(
        *(sample(layers, inputs, convention=convention, seed=seed, dtype=dtype) for seed in range(3))
    )


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("more", [
    {"seed": 5, "parameters": {}}, {"seed": 5}, {"feedback": FeedbackSpec(kind="random", seed=2)}, {"dtype": "float32"},
    {"sample_weight": np.array([1.0, 2, 3, 4])}, {"feedback": FeedbackSpec(kind="direct", seed=2), "dtype": "float32"},
], ids=str)  # fmt: skip
def test_every_option(convention: Convention, more: dict[str, Any]) -> None:
    sent = [replace(sample(NETWORK, {"input": (4, 4)}, convention=convention, seed=seed), **more) for seed in range(3)]
    assert_filled_like_validated(*sent)


def test_parameters_and_targets_in_accepted_shapes() -> None:
    """A bias as a row or a column, a weight of one unit as a flat list, targets of one output as a flat list."""
    sent = []
    for seed in range(3):
        one = sample([Dense(units=3), Dense(units=1)], {"input": (4, 2)}, seed=seed)
        first, second = one.parameters["1"], one.parameters["2"]
        parameters = {
            "1": {"weight": first["weight"], "bias": first["bias"].reshape(3, 1)},
            "2": {"weight": second["weight"].ravel(), "bias": second["bias"].reshape(())},
        }
        assert one.targets is not None
        sent.append(replace(one, parameters=parameters, targets=one.targets.ravel(), convention=None))
    outcomes = assert_filled_like_validated(*sent)
    assert "(3, 1)" in outcomes[1]["sent_shapes"]


CLASSES = [[0, 1, 2, 1], [2, 2, 2, 2], [-0.0, 0, 0, 0], [0, 1, 3, 1], [0, -1, 0, 0], [0.5, 0, 0, 0], [1e300, 0, 0, 0]]


@pytest.mark.parametrize("shape", [(4,), (4, 1), (1, 4)])
@pytest.mark.parametrize("first_label", [0, 1])
def test_classes_and_what_is_none(shape: tuple[int, ...], first_label: int) -> None:
    """Whether a number is a class is asked of each, and the refusal is that of a new problem."""
    convention: Convention = "column" if shape == (1, 4) else "row"
    inputs = {"input": (2, 4) if convention == "column" else (4, 2)}
    one = sample([Dense(units=3)], inputs, convention=convention, loss=SoftmaxCrossEntropy(), targets=np.ones(shape))
    sent = [
        replace(one, targets=np.array(targets, float).reshape(shape), first_label=first_label) for targets in CLASSES
    ]
    outcomes = assert_filled_like_validated(one, *sent)
    assert any(isinstance(found, list) for found in outcomes)


def test_as_many_classes_as_examples() -> None:
    """Rows of chances, and class numbers in a square: the shape says what is meant."""
    one = sample([Dense(units=4)], {"input": (4, 2)}, loss=SoftmaxCrossEntropy())
    squares = [np.eye(4), np.ones((4, 4)), np.zeros((4, 4)), np.full((4, 4), -1.0)]
    assert_filled_like_validated(*(replace(one, targets=square) for square in squares))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_weights_of_examples_and_what_is_none(dtype: Any) -> None:
    one = sample(
        NETWORK, {"input": (4, 4)}, loss=HalfSquaredError(), sample_weight=np.array([1.0, 2, 3, 4]), dtype=dtype
    )
    weights = [[0, 0, 0, 1], [0, 0, 0, 0], [-1, 1, 1, 1], [-0.0, 1, 1, 1], [1e308] * 4, [5e-324, 0, 0, 0], [1e-300] * 4]
    outcomes = assert_filled_like_validated(
        *(replace(one, sample_weight=np.array(weight, float)) for weight in weights)
    )
    assert sum(isinstance(found, list) for found in outcomes) == 2


def test_numbers_beyond_float32_and_targets_that_a_loss_cannot_compare() -> None:
    one = sample([Dense(units=3, activation="sigmoid")], {"input": (4, 4)}, dtype="float32", targets=np.zeros((4, 3)))
    one = replace(one, loss=BinaryCrossEntropy())
    huge = np.full((4, 4), 1e39)
    assert one.targets is not None
    outcomes = assert_filled_like_validated(
        one,
        replace(one, inputs={"input": huge}),
        replace(one, targets=one.targets + 2),
        replace(one, targets=one.targets - 1e39),
        replace(one, parameters={"1": {**one.parameters["1"], "bias": np.array([1, -1e39, 0])}}),
    )
    assert [isinstance(found, list) for found in outcomes] == [False, True, True, True, True, False]
