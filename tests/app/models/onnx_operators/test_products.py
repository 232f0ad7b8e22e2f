"""Einsum and Attention are those of onnx's evaluator."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.app.models.onnx_files.sample import normal
from tests.app.models.onnx_operators.files import assert_same, file_of, kinds, outcomes, refusal_of

SIZES = {"b": 3, "h": 2, "i": 4, "j": 5, "k": 6, "d": 7}


def operand(letters: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return normal(*(SIZES[letter] for letter in letters))


@pytest.mark.parametrize(
    "equation",
    [
        "bij,bjk->bik", "bij,bkj->bik", "bji,bjk->bki", "bhid,bhjd->bhij", "bhij,bhjd->bihd", "bihd,bjhd->bhij", "bi,bi->b",
        "bi,bj->bij", "bhi,bh->bi", "bijh,bkjh->bik", "bij,bij->bij", "ibj,bjk->ibk",
    ],
)  # fmt: skip
def test_einsum_of_two_tensors(equation: str) -> None:
    first, second = equation.partition("->")[0].split(",")
    written: list[Any] = [("Einsum", "x z", "y", {"equation": equation})]
    inputs = {"x": operand(first), "z": operand(second)}
    if not first.startswith("b"):  # Layers have the examples first; a graph arranges them.
        inputs["x"] = inputs["x"].swapaxes(0, 1)
        written = [("Transpose", "x", "t", {"perm": [1, 0, 2]}), ("Einsum", "t z", "e", {"equation": equation})]
        written += [("Transpose", "e", "y", {"perm": [1, 0, 2]})]
    assert_same(file_of(written, {}, inputs), inputs)


@pytest.mark.parametrize(
    "equation",
    ["bij,jk->bik", "jk,bij->bik", "bij,kj->bik", "bhd,hdk->bk", "bi,ijk->bjk", "bij,j->bi", "bij,ik->bkj", "bi,i->b"],
)
def test_einsum_with_a_constant_is_a_dense_layer(equation: str) -> None:
    terms = equation.partition("->")[0].split(",")
    (tensor,) = (term for term in terms if "b" in term)
    (other,) = (term for term in terms if "b" not in term)
    reads = " ".join("x" if term == tensor else "w" for term in terms)
    inputs = {"x": operand(tensor)}
    content = file_of([("Einsum", reads, "y", {"equation": equation})], {"w": operand(other)}, inputs)
    assert "dense" in kinds(content)
    assert_same(content, inputs)


def test_einsum_of_one_tensor_and_with_itself() -> None:
    inputs = {"x": operand("bij")}
    for equation in ("bij->bji", "bij->bi", "bij->bj", "bij->b"):
        assert_same(file_of([("Einsum", "x", "y", {"equation": equation})], {}, inputs), inputs)
    assert_same(file_of([("Einsum", "x x", "y", {"equation": "bij,bkj->bik"})], {}, inputs), inputs)


def test_heads_are_divided_and_joined_around_einsum() -> None:
    written = [
        ("Reshape", "x split", "q"),
        ("Einsum", "q q", "s", {"equation": "bihd,bjhd->bhij"}),
        ("Softmax", "s", "p", {"axis": -1}),
        ("Einsum", "p q", "o", {"equation": "bhij,bjhd->bihd"}),
        ("Reshape", "o join", "r"),
        ("Relu", "r", "a"),
        ("Add", "a r", "y"),
    ]
    constants = {"split": np.array([-1, 5, 2, 3]), "join": np.array([-1, 5, 6])}
    inputs = {"x": normal(4, 5, 6)}
    assert_same(file_of(written, constants, inputs), inputs)


@pytest.mark.parametrize(
    ("equation", "why"),
    [
        ("bij,bjk->ik", "sums over the examples"),
        ("bij,bjk", "sums over the examples"),
        ("bij,cjk->bick", "pairs different ones"),
        ("bii,bij->bj", "diagonal"),
        ("...ij,...jk->...ik", "ellipsis"),
        ("bij,bjk->bi", "only one of its operands has"),
    ],
)
def test_einsum_that_no_layer_computes_is_refused(equation: str, why: str) -> None:
    inputs = {"x": normal(3, 3, 3), "z": normal(3, 3, 3)}
    assert why in refusal_of(file_of([("Einsum", "x z", "y", {"equation": equation})], {}, inputs))


def test_a_matrix_for_each_head_is_refused() -> None:
    content = file_of(
        [("Einsum", "x w", "y", {"equation": "bhd,hdk->bhk"})], {"w": operand("hdk")}, {"x": operand("bhd")}
    )
    assert "another matrix for some positions" in refusal_of(content)


def test_attention_of_a_tensor_to_itself_between_layers() -> None:
    written = [
        ("MatMul", "x a", "q"),
        ("MatMul", "x b", "k"),
        ("Attention", "q k x", "o", {"q_num_heads": 4, "kv_num_heads": 2, "softcap": 3.0}),
        ("Relu", "o", "r"),
        ("Add", "r o", "y"),
    ]
    inputs = {"x": normal(3, 5, 6)}
    content = file_of(written, {"a": normal(6, 12), "b": normal(6, 6)}, inputs, opset=23)
    assert_same(content, inputs, 1e-7)


def test_the_node_tests_of_onnx() -> None:
    right, refused = outcomes("Einsum", tensors=2)
    assert len(right) == 4, refused
    assert all("diagonal" in why or "does not count the examples" in why for why in refused.values()), refused
    right, refused = outcomes("Attention", tensors=3)
    assert len(right) == 20, refused
    reasons = ("mask", "is_causal", "outputs", "inconsistent type", "window_size")
    assert all(any(reason in why for reason in reasons) for why in refused.values()), refused
