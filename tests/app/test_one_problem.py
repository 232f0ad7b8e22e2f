"""One problem object serves every computation: what one of them does not read, it passes over."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from app.examples import XOR

WISHES = {"include": ["loss", "output"], "layers": ["out"], "verify": True, "freeze": ["1.bias"]}


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/v1/forward", {}),
        ("/v1/gradients", {}),
        ("/v1/step", {"optimizer": {"kind": "sgd"}}),
        ("/v1/check", {}),
        ("/v1/explain", {}),
        ("/v1/invert", {"targets": [[0.5]]}),
        ("/v1/jacobian", {"of": "out", "wrt": "input"}),
        ("/v1/products", {"kind": "jvp", "vector": {"inputs": [[1, 0]] * 4}}),
    ],
)
def test_the_same_problem_goes_everywhere(client: httpx.Client, path: str, more: dict[str, Any]) -> None:
    response = client.post(path, json={**XOR, **WISHES, **more})
    assert response.status_code == 200, response.text
