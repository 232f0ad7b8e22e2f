"""Where with a constant condition is a mask; with a comparison it is softplus, or refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.models.formats.onnx.comparison import _output
from core.arrays import Array
from tests.app.models.onnx_files.sample import normal
from tests.app.models.onnx_operators.files import assert_same, file_of, imported, refusal_of

X = normal(4, 3, 5)
TRIANGLE = np.tril(np.ones((3, 5), bool))
MASKED: dict[str, tuple[str, dict[str, Array], dict[str, Array]]] = {
    "by zero": ("m x z", {"m": TRIANGLE, "z": np.zeros(())}, {"x": X}),
    "by a large number": ("m x z", {"m": TRIANGLE[None], "z": np.array(-1e9)}, {"x": X}),
    "by numbers": ("m z x", {"m": TRIANGLE, "z": normal(1, 3, 5)}, {"x": X}),
    "by numbers along one axis": ("m z x", {"m": TRIANGLE[:, :1], "z": normal(5)}, {"x": X}),
    "two tensors": ("m x z", {"m": TRIANGLE}, {"x": X, "z": normal(4, 3, 5)}),
    "all": ("m x z", {"m": np.array(True), "z": np.zeros(())}, {"x": X}),
}


@pytest.mark.parametrize("name", MASKED)
def test_a_constant_condition_is_a_mask(name: str) -> None:
    reads, constants, inputs = MASKED[name]
    network = assert_same(file_of([("Where", reads, "y")], constants, inputs), inputs)
    codes = [issue.code for issue in network.warnings]
    assert codes == ([] if name == "all" else ["constant-as-parameter"])


def softplus(beta: float, threshold: float) -> list[Any]:
    """As torch.onnx.export writes nn.Softplus."""
    if beta == 1:
        return [("Softplus", "x", "p"), ("Greater", "x t", "g"), ("Where", "g x p", "y")]
    return [
        ("Mul", "x beta", "s"), ("Softplus", "s", "p"), ("Div", "p beta", "q"), ("Greater", "s t", "g"),
        ("Where", "g x q", "y"),
    ]  # fmt: skip


@pytest.mark.parametrize("beta", [1.0, 2.0, -0.5])
def test_softplus_as_torch_writes_it(beta: float) -> None:
    inputs = {"x": X * 30}
    constants = {"t": np.array(20.0)} | ({} if beta == 1 else {"beta": np.array(beta)})
    content = file_of(softplus(beta, 20), constants, inputs)
    # Beyond the threshold torch takes the argument itself.
    assert_same(content, inputs, 5e-9)
    exact = np.logaddexp(0, beta * X * 30) / beta
    np.testing.assert_allclose(_output(imported(content), inputs), exact, rtol=1e-14)


@pytest.mark.parametrize(
    ("written", "constants"),
    [
        (softplus(1, 5), {"t": np.array(5.0)}),
        ([("Greater", "x t", "g"), ("Where", "g x t", "y")], {"t": np.array(20.0)}),
        ([("Exp", "x", "p"), ("Greater", "x t", "g"), ("Where", "g x p", "y")], {"t": np.array(20.0)}),
        (
            [("Abs", "x", "a"), ("Softplus", "x", "p"), ("Greater", "a t", "g"), ("Where", "g x p", "y")],
            {"t": np.array(20.0)},
        ),
    ],
)
def test_other_comparisons_are_refused(written: list[Any], constants: dict[str, Array]) -> None:
    assert "no layer chooses between two tensors" in refusal_of(file_of(written, constants, {"x": X}))


def test_a_mask_that_differs_between_examples_is_refused() -> None:
    content = file_of([("Where", "m x z", "y")], {"m": np.ones((4, 3, 5), bool), "z": np.zeros(())}, {"x": X})
    assert refusal_of(content)
