"""S26: units that start alike stay alike: the gradient is right, and its columns are equal."""

from __future__ import annotations

import httpx
import numpy as np

from tests.systems.network import close, dense, post

XOR_X, XOR_Y = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]), np.array([[0], [1], [1], [0.0]])


def test_identical_units_receive_identical_gradients(client: httpx.Client) -> None:
    weight = np.tile([[0.3], [-0.2]], (1, 3))
    out = np.full((3, 1), 0.5)
    for _ in range(3):
        answer = post(
            client,
            network={"layers": [dense(3, "tanh"), dense(1, "sigmoid")]},
            parameters={"1": {"weight": weight}, "2": {"weight": out}},
            batch={"inputs": XOR_X, "targets": XOR_Y},
            loss={"kind": "binary_cross_entropy"},
            convention="row",
            verify=True,
        )
        gradient = np.array(answer["gradients"]["1"]["weight"])
        for other in (1, 2):
            close(gradient[:, other], gradient[:, 0], rtol=1e-14)
        (warning,) = answer["warnings"]
        assert (warning["code"], warning["got"]) == ("symmetric-units", [0, 1, 2])
        assert answer["certificate"]["relative_error"] < 1e-13
        weight = weight - gradient
        out = out - np.array(answer["gradients"]["2"]["weight"])


def test_zeros_do_not_learn_below_the_last_layer(client: httpx.Client) -> None:
    answer = post(
        client,
        network={"layers": [dense(3, "tanh", initializer="zeros"), dense(1, "sigmoid", initializer="zeros")]},
        seed=0,
        batch={"inputs": XOR_X, "targets": XOR_Y},
        loss={"kind": "binary_cross_entropy"},
    )
    assert not np.any(answer["parameters"]["1"]["weight"])
    assert not np.any(answer["gradients"]["1"]["weight"])
    assert not np.any(answer["gradients"]["2"]["weight"])


def test_drawn_parameters_break_the_symmetry(client: httpx.Client) -> None:
    answer = post(
        client,
        network={"layers": [dense(3, "tanh"), dense(1, "sigmoid")]},
        seed=0,
        batch={"inputs": XOR_X, "targets": XOR_Y},
        loss={"kind": "binary_cross_entropy"},
    )
    gradient = np.array(answer["gradients"]["1"]["weight"])
    assert len({tuple(column) for column in gradient.T}) == 3
