"""The operations of layers with products are those of the products that they make, counted while they run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from core.arrays import Array, Op, Shape, product
from core.layers import KINDS, Layer
from core.operations import count
from core.plan import Retain
from core.problem_validation import validate
from core.shape_inference import infer_shapes
from tests.core.sample import sample

WEIGHTS = ("CALL", "MATRIX", "ELEMENT", "FUNCTION", "ROTATION")


class Counter:
    """Counts the floating-point operations of every product that is made."""

    def __init__(self) -> None:
        self.operations = 0

    def product(self, A: Array, B: Array, out: Array) -> Op:
        made = product(A, B, out)

        def op() -> None:
            self.operations += 2 * A.size * (B.shape[1] if B.ndim > 1 else 1)
            made()

        return op

    def matmul(self, A: Array, B: Array, *rest: Any, **more: Any) -> Any:
        found = MATMUL(A, B, *rest, **more)
        self.operations += 2 * found.size * A.shape[-1]
        return found


MATMUL = np.matmul


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter]:
    """A counter of products, while everything else costs nothing in the estimate."""
    found = Counter()
    for name, module in list(sys.modules.items()):
        if name.startswith("core."):
            for weight in WEIGHTS:
                if name == "core.operations" or (name.startswith("core.layers") and hasattr(module, weight)):
                    monkeypatch.setattr(module, weight, 0.0)
            if name.startswith("core.layers") and hasattr(module, "product"):
                monkeypatch.setattr(module, "product", found.product)
    monkeypatch.setattr(np, "matmul", found.matmul)
    yield found


def made(kind: str, **fields: Any) -> Layer:
    construct: Any = KINDS[kind]
    return construct(**fields)  # type: ignore[no-any-return]


CASES: dict[str, tuple[Layer, dict[str, Shape]]] = {
    "dense": (made("dense", units=7, bias=False), {"input": (600, 900)}),
    "dense of rank 3": (made("dense", units=7), {"input": (5, 6, 9)}),
    "matmul": (made("matmul", inputs=["a", "b"]), {"a": (4, 5, 6), "b": (4, 6, 7)}),
    "matmul of broadcast stacks": (made("matmul", inputs=["a", "b"]), {"a": (4, 5, 6), "b": (6, 7)}),
    "attention": (made("multi_head_attention", heads=2), {"input": (3, 5, 8)}),
    "conv1d": (made("conv1d", filters=6, kernel_size=3), {"input": (4, 5, 11)}),
    "conv2d": (made("conv2d", filters=6, kernel_size=[3, 2], stride=2), {"input": (4, 5, 11, 8)}),
    "conv2d in groups": (made("conv2d", filters=6, kernel_size=3, groups=3), {"input": (4, 9, 7, 7)}),
    "conv_transpose2d": (made("conv_transpose2d", filters=6, kernel_size=3), {"input": (4, 5, 7, 8)}),
    "conv_transpose2d apart": (made("conv_transpose2d", filters=6, kernel_size=2, stride=2), {"input": (4, 5, 7, 8)}),
    "rnn": (made("rnn", units=6), {"input": (4, 5, 7)}),
    "lstm": (made("lstm", units=6), {"input": (4, 5, 7)}),
    "gru": (made("gru", units=6), {"input": (4, 5, 7)}),
    "lstm in both directions": (made("lstm", units=6, bidirectional=True), {"input": (4, 5, 7)}),
}


@pytest.mark.parametrize("name", CASES)
def test_a_forward_pass_makes_as_many_operations_as_estimated(name: str, counter: Counter) -> None:
    layer, inputs = CASES[name]
    plan = validate(sample([layer], inputs)).plan(retain=Retain(input_gradients=True))
    counter.operations = 0
    plan.forward()
    node = infer_shapes([layer], inputs, {}, "row", seeded=True).nodes[0]
    shapes = [inputs[read] for read in node.reads]
    assert counter.operations == layer.operations(*shapes, result=node.shape, column=False)


@pytest.mark.parametrize("name", CASES)
def test_a_backward_pass_makes_about_twice_as_many(name: str, counter: Counter) -> None:
    layer, inputs = CASES[name]
    plan = validate(sample([layer], inputs)).plan(retain=Retain(input_gradients=True))
    plan.forward()
    counter.operations = 0
    plan.backward()
    node = infer_shapes([layer], inputs, {}, "row", seeded=True).nodes[0]
    shapes = [inputs[read] for read in node.reads]
    estimate = layer.backward_operations(*shapes, result=node.shape, column=False)
    assert 0.75 * estimate <= counter.operations <= 1.25 * estimate


def test_attention_has_the_operations_of_the_literature(counter: Counter) -> None:
    """Vaswani et al. (2017), table 1, counts n² d for the scores and the sums; the projections are 4 products d x d."""
    n, time, d = 3, 5, 8
    layer, shape = CASES["attention"][0], (n, time, d)
    found = layer.operations(shape, result=shape, column=False)
    assert found == 2 * n * (4 * time * d**2 + 2 * time**2 * d)


def test_an_svd_has_the_operations_of_the_literature(counter: Counter) -> None:
    layer = made("svd")
    assert layer.operations((3, 50, 20), result=(3, 20), column=False) == 3 * (6 * 50 * 20**2 + 4 * 20**3)
    wide = layer.operations((3, 20, 50), result=(3, 20), column=False)
    assert wide == layer.operations((3, 50, 20), result=(3, 20), column=False)


def test_a_count_is_exact_where_a_product_of_lengths_overflows() -> None:
    assert count((2**31, 2**31, 2**31)) == 2**93
