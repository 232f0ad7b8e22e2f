"""What the tests of the systems share: how a system is sent, and a derivative that owes nothing to the service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def sigmoid(x: Any) -> Any:
    """The logistic function, as the sources write it."""
    return 1 / (1 + np.exp(-x))


def post(client: httpx.Client, path: str = "/v1/gradients", **problem: Any) -> dict[str, Any]:
    """The answer to a problem; arrays are written as lists."""
    response = client.post(path, json=listed(problem))
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def listed(value: Any) -> Any:
    """A document with its arrays as nested lists."""
    if isinstance(value, dict):
        return {key: listed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [listed(item) for item in value]
    return value.tolist() if isinstance(value, np.ndarray) else value


def dense(units: int, activation: str = "identity", **more: Any) -> dict[str, Any]:
    """A dense layer without bias unless it says otherwise."""
    return {"kind": "dense", "units": units, "activation": activation, "bias": False, **more}


def numerical_gradient(function: Callable[[Array], Any], at: Array, h: float = 1e-5) -> Array:
    """Central differences of a scalar function, one element at a time."""
    gradient = np.empty_like(at)
    for index in np.ndindex(at.shape):
        step = np.zeros_like(at)
        step[index] = h
        gradient[index] = (function(at + step) - function(at - step)) / (2 * h)
    return gradient


def close(actual: Any, expected: Any, rtol: float = 1e-12, atol: float = 1e-14) -> None:
    """Equal up to rounding."""
    np.testing.assert_allclose(actual, expected, rtol=rtol, atol=atol)
