"""S27: the shape table of every equation; S22: worked numbers in the derivation; S25: the chain rule factor by factor."""

from __future__ import annotations

import httpx
import numpy as np

from app.examples import COLUMN
from tests.systems.network import dense, post


def test_rajas_shapes(client: httpx.Client) -> None:
    """W3 2 x 3, W2 3 x 5, x1 5 x 1: "∂E/∂W_3 must have the same dimensions as W_3"."""
    rng = np.random.default_rng(1)
    answer = post(
        client,
        "/v1/explain",
        network={"layers": [dense(5, "tanh"), dense(3, "tanh"), dense(2, "tanh")]},
        parameters={str(k): {"weight": rng.standard_normal(s)} for k, s in ((1, (5, 4)), (2, (3, 5)), (3, (2, 3)))},
        batch={"inputs": rng.standard_normal((4, 1)), "targets": rng.standard_normal((2, 1))},
        loss={"kind": "half_squared_error", "reduction": "sum"},
        convention="column",
    )
    table = {row["id"]: row["shapes"] for row in answer["shape_table"]}
    third = table["gradients.3.weight"]
    assert third[r"\frac{\partial L}{\partial W_{3}}"] == [2, 3]
    assert third[r"\delta_{3}"] == [2, 1]
    assert third["A_{2}"] == [3, 1]
    assert table["preactivations.3"]["W_{3}"] == [2, 3]
    for row in answer["shape_table"]:
        if row["id"].startswith("gradients."):
            layer = row["id"].split(".")[1]
            assert next(iter(row["shapes"].values())) == table[f"preactivations.{layer}"][f"W_{{{layer}}}"]


def test_mazurs_arithmetic(client: httpx.Client) -> None:
    """S22: his printed numbers, to the digits that he prints."""
    answer = post(client, "/v1/explain", **COLUMN | {"style": {"digits": 9, "notation": "factors"}})
    numbers = {step["id"]: step["numbers"] for step in answer["steps"]}
    for id, printed in (
        ("preactivations.1", "0.3775"), ("activations.1", "0.593269992"), ("activations.2", "0.751365070"),
        ("loss", "0.298371109"), ("factors.2", "0.186815602"), ("upstream.2", "0.741365070"),
        ("gradients.2.weight", "0.0821670406"),
    ):  # fmt: skip
        assert printed.rstrip("0") in numbers[id], id


def test_every_factor_of_the_chain(client: httpx.Client) -> None:
    """S25: one path of a single unit: ∂L/∂w = ∂L/∂a ∂a/∂z ∂z/∂w, a factor a step."""
    answer = post(
        client,
        "/v1/explain",
        network={"layers": [dense(1, "sigmoid")]},
        parameters={"1": {"weight": [[0.5]]}},
        batch={"inputs": [[2.0]], "targets": [[1.0]]},
        loss={"kind": "half_squared_error"},
        style={"notation": "factors"},
    )
    values = {step["id"]: np.array(step["value"]).item() for step in answer["steps"]}
    a = 1 / (1 + np.exp(-1.0))
    np.testing.assert_allclose(
        [values["upstream.1"], values["factors.1"], values["deltas.1"], values["gradients.1.weight"]],
        [a - 1, a * (1 - a), (a - 1) * a * (1 - a), (a - 1) * a * (1 - a) * 2.0],
        rtol=1e-14,
    )
