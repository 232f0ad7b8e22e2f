"""S10: the Jacobian of an elementwise activation is diag(g'(z)); that of softmax is not diagonal."""

from __future__ import annotations

import httpx
import numpy as np
import pytest

from core.activations import FUNCTIONS
from tests.core.activations.activation_cases import OF_POSITIVE_NUMBERS
from tests.systems.network import Array, close, post, sigmoid

Z = np.array([0.3, -1.2, 2.0, 0.7])


def jacobian(client: httpx.Client, function: str) -> Array:
    """∂a_i/∂z_j, a row for each upstream gradient e_i."""
    answer = post(
        client,
        network={"layers": [{"kind": "activation", "function": function}]},
        batch={"inputs": np.tile(Z, (4, 1)), "upstream": np.eye(4)},
        loss={"kind": "upstream"},
        include=["input_gradient"],
    )
    return np.array(answer["input_gradient"])


@pytest.mark.parametrize(
    "function", [name for name in FUNCTIONS if name not in ("softmax", "log_softmax", *OF_POSITIVE_NUMBERS)]
)
def test_an_elementwise_jacobian_is_diagonal(client: httpx.Client, function: str) -> None:
    found = jacobian(client, function)
    np.testing.assert_array_equal(found, np.diag(np.diag(found)))


def test_the_diagonal_holds_the_derivative(client: httpx.Client) -> None:
    close(jacobian(client, "sigmoid"), np.diag(sigmoid(Z) * (1 - sigmoid(Z))))
    close(jacobian(client, "tanh"), np.diag(1 - np.tanh(Z) ** 2))
    close(jacobian(client, "relu"), np.diag([1, 0, 1, 1]))


def test_every_output_of_softmax_depends_on_every_input(client: httpx.Client) -> None:
    p = np.exp(Z) / np.exp(Z).sum()
    close(jacobian(client, "softmax"), np.diag(p) - np.outer(p, p))
    close(jacobian(client, "log_softmax"), np.eye(4) - np.tile(p, (4, 1)))
