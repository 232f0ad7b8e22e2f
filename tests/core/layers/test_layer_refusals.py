"""What layers refuse, and how they say it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from core.arrays import Shape
from core.convention import CONVENTIONS, Convention
from core.errors import Issue
from core.layers import KINDS
from core.shape_inference import infer_shapes


def issues_of(kind: str, shapes: list[Shape], convention: Convention = "row", **fields: object) -> list[Issue]:
    """The issues that shape inference finds for one layer that reads tensors of those (batch-first) shapes."""
    inputs = dict(zip("abcd", shapes, strict=False))
    construct: Callable[..., object] = KINDS[kind]
    layer = construct(inputs=list(inputs), **fields)
    return infer_shapes([layer], inputs, {}, convention, seeded=True).issues  # type: ignore[list-item]


def refusal_of(kind: str, *shapes: Shape, **fields: object) -> Issue:
    """The only issue."""
    (issue,) = issues_of(kind, list(shapes), **fields)  # type: ignore[arg-type]
    return issue


def test_dense_refuses_a_vector() -> None:
    issue = refusal_of("dense", (3,), units=2)
    assert (issue.code, issue.path) == ("shape-mismatch", ("network", "layers", 0))
    assert issue.detail == (
        "Layer '1': dense multiplies matrices (examples x features); it reads a tensor of shape [3]."
    )
    assert issue.equation == "Z = A W + 1 b', W is in x out"
    assert issue.hint and "[[...]]" in issue.hint


@pytest.mark.parametrize("kind", ["add", "subtract", "multiply"])
def test_arithmetic_refuses_shapes_that_do_not_stretch(kind: str) -> None:
    issue = refusal_of(kind, (4, 3), (4, 2))
    assert issue.path == ("network", "layers", 0, "inputs")
    assert "[4, 3] and [4, 2]" in issue.detail


def test_shapes_are_shown_as_the_caller_writes_them() -> None:
    (issue,) = issues_of("add", [(4, 3), (4, 2)], "column")
    assert "[3, 4] and [2, 4]" in issue.detail


@pytest.mark.parametrize(
    ("shapes", "axis"),
    [([(2, 3), (3, 2)], 0), ([(2, 3), (2, 3, 1)], 1), ([(2, 3), (2,)], 1), ([(2, 3, 4), (2, 3, 5)], 1)],
)
def test_concatenate_refuses_tensors_that_differ_elsewhere(shapes: list[Shape], axis: int) -> None:
    assert "differ along one axis only" in refusal_of("concatenate", *shapes, axis=axis).detail


@pytest.mark.parametrize("kind", ["concatenate", "reduce_sum", "reduce_mean", "reduce_max", "slice"])
@pytest.mark.parametrize("axis", [2, -3])
def test_refuses_an_axis_that_is_not_there(kind: str, axis: int) -> None:
    issue = refusal_of(kind, *[(2, 3)] * KINDS[kind].reads[0], axis=axis)
    assert issue.path == ("network", "layers", 0, "axis")
    assert (issue.expected, issue.got) == ([-2, 1], axis)


@pytest.mark.parametrize("kind", ["reduce_sum", "reduce_mean", "reduce_min"])
def test_refuses_a_list_with_an_axis_that_is_not_there(kind: str) -> None:
    assert refusal_of(kind, (2, 3), axis=[0, 7]).got == 7


def test_matmul_refuses_what_does_not_multiply() -> None:
    assert "r x k by k x c" in refusal_of("matmul", (2, 3), (2, 3)).detail
    assert refusal_of("matmul", (2, 3), (4, 3)).hint == "Put a transpose layer before one of them."
    assert "r x k by k x c" in refusal_of("matmul", (2, 3), (3,)).detail
    assert "stacks" in refusal_of("matmul", (2, 5, 3), (4, 3, 5)).detail


@pytest.mark.parametrize("axes", [[0], [0, 0], [1, 2], [0, 1, 2], [-1, 0]])
def test_transpose_refuses_what_is_no_permutation(axes: list[int]) -> None:
    issue = refusal_of("transpose", (2, 3), axes=axes)
    assert (issue.path[-1], issue.expected, issue.got) == ("axes", [0, 1], axes)


@pytest.mark.parametrize("shape", [[4], [-1, 4], [-1, -1], [0, 6], [-2, 3], [6, 0], [10**30]])
def test_reshape_refuses_another_number_of_elements(shape: list[int]) -> None:
    issue = refusal_of("reshape", (2, 3, 2), shape=shape)
    assert (issue.code, issue.path[-1]) == ("shape-mismatch", "shape")


def test_flatten_refuses_to_scan_what_has_no_maps() -> None:
    assert refusal_of("flatten", (2, 3), order="column_scan").path[-1] == "order"


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize(
    ("kind", "fields"),
    [("flatten", {}), ("reshape", {"shape": [1]}), ("dense", {"units": 1}), ("transpose", {}), ("concatenate", {}),
     ("matmul", {}), ("activation", {"function": "softmax"}), ("reduce_sum", {"axis": 0})],
)  # fmt: skip
def test_refuses_a_single_number(kind: str, fields: dict[str, object], convention: Convention) -> None:
    (issue,) = issues_of(kind, [()] * KINDS[kind].reads[0], convention, **fields)
    assert issue.code == "shape-mismatch"


@pytest.mark.parametrize("function", ["softmax", "log_softmax"])
def test_functions_over_features_refuse_a_vector(function: str) -> None:
    assert "features of each example" in refusal_of("activation", (3,), function=function).detail
    issue = refusal_of("reduce_sum", (2, 3), axis=1, keep_axis=False, activation=function)
    assert issue.path == ("network", "layers", 0, "activation")


def test_a_gain_does_not_change_what_a_function_reads() -> None:
    assert not issues_of("activation", [(3,)], function="sigmoid", gain=2.0)
    assert issues_of("activation", [(3,)], function="softmax", gain=2.0)


@pytest.mark.parametrize(
    ("kind", "number", "wanted"),
    [
        ("dense", 2, "1 tensor;"),
        ("subtract", 3, "2 tensors;"),
        ("add", 1, "2 or more tensors;"),
        ("matmul", 1, "2 tens"),
    ],
)
def test_refuses_another_number_of_tensors(kind: str, number: int, wanted: str) -> None:
    fields = {"units": 1} if kind == "dense" else {}
    issue = refusal_of(kind, *[(2, 2)] * number, **fields)
    assert (issue.code, issue.path) == ("invalid-request", ("network", "layers", 0, "inputs"))
    assert wanted in issue.detail


def test_refuses_an_empty_result() -> None:
    assert "would be empty" in refusal_of("dense", (0, 3), units=2).detail


@pytest.mark.parametrize("axes", [[0], [1, 1], [1, -1], [2], [-3], [-2]])
def test_scale_refuses_axes_of_no_example(axes: list[int]) -> None:
    issue = refusal_of("scale", (4, 3), axes=axes)
    assert (issue.code, issue.path[-1], issue.expected) == ("shape-mismatch", "axes", [1])


def test_group_norm_refuses_groups_that_do_not_divide_the_channels() -> None:
    issue = refusal_of("group_norm", (2, 6, 4), groups=4)
    assert (issue.code, issue.path[-1], issue.expected) == ("shape-mismatch", "groups", [1, 2, 3, 6])
    assert refusal_of("group_norm", (6,), groups=1).code == "shape-mismatch"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"axis": 2}, "axis"),
        ({"step": 0}, "step"),
        ({"start": 3}, "start"),
        ({"start": 0, "keep_axis": False}, "keep_axis"),
    ],
)
def test_slice_refuses_ranges_without_positions(fields: dict[str, object], field: str) -> None:
    assert refusal_of("slice", (2, 3), **fields).path[-1] == field


def test_scale_refuses_to_do_nothing_and_a_vector_without_features() -> None:
    assert refusal_of("scale", (4, 3), gamma=False, beta=False).path[-1] == "gamma"
    assert refusal_of("scale", (4,)).path[-1] == "axes"
