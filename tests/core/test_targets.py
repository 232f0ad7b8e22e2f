"""Targets and sample weights: how they are read, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core.arrays import Array
from core.convention import Convention
from core.errors import Issue, Refusal
from core.layers.dense import Dense
from core.layers.reduce_sum import ReduceSum
from core.losses import LOSSES, Loss
from core.losses.half_squared_error import HalfSquaredError
from core.losses.upstream import Upstream
from core.problem_validation import validate
from tests.core.sample import CONVENTIONS, sample, sampled
from tests.gradient import backpropagated

# normalized_cuts takes numbers of clusters, but reads matrices: test_normalized_cuts.py.
BY_CLASS = [kind for kind, loss in LOSSES.items() if loss.takes_class_indices and kind != "normalized_cuts"]
LABELS = np.array([2.0, 0, 1, 2])
ONE_HOT = np.eye(3)[[2, 0, 1, 2]]


def loss_of(kind: str) -> Loss:
    """The loss of that kind."""
    construct: Callable[..., Loss] = LOSSES[kind]
    return construct()


def targets_of(kind: str, targets: Array, convention: Convention = "row", **fields: Any) -> Array:
    """What the loss compares with in the end, for an output of four examples and three features."""
    shape = (2, 4) if convention == "column" else (4, 2)
    layers = [Dense(units=3, activation="softmax" if "softmax" in kind else "sigmoid")]
    problem = sampled(layers, {"input": shape}, loss=loss_of(kind), convention=convention, targets=targets, **fields)
    assert problem.objective is not None
    return problem.objective.targets


def refusal_of(targets: Array, kind: str = "half_squared_error", **fields: Any) -> Issue:
    """The only issue with these targets for an output of four examples and three features."""
    sent = sample([Dense(units=3)], {"input": (4, 2)}, loss=loss_of(kind), targets=targets, **fields)
    with pytest.raises(Refusal) as refusal:
        validate(sent)
    (issue,) = refusal.value.issues
    return issue


def test_the_entropies_take_class_numbers() -> None:
    assert set(BY_CLASS) == {
        "cross_entropy",
        "binary_cross_entropy",
        "softmax_cross_entropy",
        "sigmoid_cross_entropy",
    }


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("kind", BY_CLASS)
def test_class_numbers_become_one_hot_rows(kind: str, convention: Convention) -> None:
    np.testing.assert_array_equal(targets_of(kind, LABELS, convention), ONE_HOT)
    np.testing.assert_array_equal(targets_of(kind, LABELS + 1, convention, first_label=1), ONE_HOT)
    written_out = ONE_HOT.T if convention == "column" else ONE_HOT
    np.testing.assert_array_equal(targets_of(kind, written_out, convention), ONE_HOT)


def test_class_numbers_of_sequences_become_one_hot_rows() -> None:
    layers, loss = [Dense(units=3, activation="softmax")], loss_of("cross_entropy")
    labels = np.array([[0.0, 1], [2, 2]])
    by_number, by_row = (
        backpropagated(sampled(layers, {"input": (2, 2, 4)}, loss=loss, targets=targets))
        for targets in (labels, np.eye(3)[labels.astype(int)])
    )
    for path, array in by_number.items():
        np.testing.assert_array_equal(array, by_row[path])


@pytest.mark.parametrize(
    ("wrong", "first_label", "hint"),
    [(3.0, 0, True), (-1.0, 0, False), (1.5, 0, False), (0.0, 1, False), (4.0, 1, True)],
)
def test_refuses_what_is_no_class_number(wrong: float, first_label: int, hint: bool) -> None:
    labels = LABELS + first_label
    labels[2] = wrong
    issue = refusal_of(labels, "softmax_cross_entropy", first_label=first_label)
    assert (issue.code, issue.path) == ("invalid-request", ("batch", "targets", 2))
    assert (issue.expected, issue.got) == ([first_label, first_label + 2], wrong)
    assert bool(issue.hint) is hint


def test_a_loss_without_classes_says_so() -> None:
    issue = refusal_of(LABELS)
    assert (issue.code, issue.path) == ("shape-mismatch", ("batch", "targets"))
    assert (issue.expected, issue.got) == ([4, 3], [4])
    assert issue.hint and "takes no class numbers" in issue.hint


def test_a_flat_list_of_all_outputs_is_told_its_shape() -> None:
    assert refusal_of(np.zeros(12)).hint == "Send it as a matrix of shape [4, 3]."


def test_transposed_targets_are_told_so() -> None:
    issue = refusal_of(np.zeros((3, 4)))
    assert issue.hint == "It is transposed."
    assert "[4, 3] in convention 'row'" in issue.detail


@pytest.mark.parametrize(
    ("kind", "value"),
    [("hinge", 0.0), ("binary_cross_entropy", 1.5), ("sigmoid_cross_entropy", -0.1), ("cross_entropy", -1.0),
     ("softmax_cross_entropy", -1.0), ("kullback_leibler", -0.5)],
)  # fmt: skip
def test_refuses_targets_that_a_loss_cannot_compare_with(kind: str, value: float) -> None:
    issue = refusal_of(np.full((4, 3), value), kind)
    assert (issue.code, issue.path) == ("invalid-request", ("batch", "targets"))
    assert f"{value:g}" in issue.detail


def test_softmax_cross_entropy_refuses_an_output_without_features() -> None:
    layers = [Dense(units=3), ReduceSum(axis=1, keep_axis=False)]
    sent = sample(layers, {"input": (4, 2)}, loss=loss_of("softmax_cross_entropy"), targets=np.zeros(4))
    with pytest.raises(Refusal, match="features of each example"):
        validate(sent)


def test_a_single_example_may_be_a_flat_list_under_column() -> None:
    for loss, field in ((HalfSquaredError(), "targets"), (Upstream(), "upstream")):
        layers, inputs = [Dense(units=3)], {"input": (2,)}
        flat = sampled(layers, inputs, convention="column", loss=loss, **{field: np.arange(3.0)})
        column = sampled(layers, {"input": (2, 1)}, convention="column", loss=loss, **{field: np.arange(3.0)[:, None]})
        np.testing.assert_array_equal(flat.inputs["input"], column.inputs["input"])
        for path, array in backpropagated(flat).items():
            np.testing.assert_array_equal(array, backpropagated(column)[path])


def test_an_upstream_gradient_of_one_number_for_many_outputs_is_refused() -> None:
    sent = sample([Dense(units=3)], {"input": (4, 2)}, loss=Upstream(), upstream=np.array(1.0))
    with pytest.raises(Refusal) as refusal:
        validate(sent)
    assert [(issue.code, issue.path) for issue in refusal.value.issues] == [("shape-mismatch", ("batch", "upstream"))]


@pytest.mark.parametrize(
    ("weight", "code"),
    [([1.0, 2], "shape-mismatch"), ([[1.0], [1], [1], [1]], "shape-mismatch"), ([1.0, 1, -1, 1], "invalid-request"),
     ([0.0, 0, 0, 0], "invalid-request")],
)  # fmt: skip
def test_refuses_sample_weights_that_weigh_nothing(weight: list[Any], code: str) -> None:
    issue = refusal_of(np.zeros((4, 3)), sample_weight=np.array(weight))
    assert (issue.code, issue.path) == (code, ("batch", "sample_weight"))


def test_refuses_sample_weights_for_an_upstream_gradient() -> None:
    sent = sample([Dense(units=3)], {"input": (4, 2)}, loss=Upstream(), sample_weight=np.ones(4))
    with pytest.raises(Refusal, match="there is none"):
        validate(sent)


@pytest.mark.parametrize("field", ["targets", "sample_weight"])
def test_refuses_numbers_beyond_float32(field: str) -> None:
    fields: dict[str, Any] = {"targets": np.ones((4, 3)), "sample_weight": np.ones(4)}
    fields[field] = fields[field] * 1e300
    sent = sample(
        [Dense(units=3)], {"input": (4, 2)}, loss=HalfSquaredError(reduction="sum"), dtype="float32", **fields
    )
    with pytest.raises(Refusal) as refusal:
        validate(sent)
    assert [(issue.code, issue.path) for issue in refusal.value.issues] == [("non-finite", ("batch", field))]
