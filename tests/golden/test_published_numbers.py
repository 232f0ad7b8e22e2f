"""Every published example that is a network, over HTTP, to the last digit that its source prints."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest

from tests.golden.cases import CASES, NOT_YET, found, request_of

NETWORKS = [
    name
    for name, case in CASES.items()
    if name not in NOT_YET and case.get("network") and any(check["path"] != "(procedure)" for check in case["checks"])
]


def checks_of(case: dict[str, Any]) -> list[dict[str, Any]]:
    return [check for check in case["checks"] if check["path"] != "(procedure)"]


def answered(client: httpx.Client, case: dict[str, Any]) -> dict[str, Any]:
    response = client.post("/v1/gradients", json=request_of(case))
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    assert answer["certificate"]["relative_error"] < 1e-12
    return answer


@pytest.mark.parametrize("name", [name for name in NETWORKS if CASES[name]["source_consistent_with_maths"]])
def test_prints_the_numbers_of_the_source(client: httpx.Client, name: str) -> None:
    answer = answered(client, CASES[name])
    for check in checks_of(CASES[name]):
        np.testing.assert_allclose(
            found(answer, check["path"]), check["expected"], rtol=0, atol=check["tol"], err_msg=check["name"]
        )


@pytest.mark.parametrize("name", [name for name in NETWORKS if not CASES[name]["source_consistent_with_maths"]])
def test_does_not_reproduce_an_error_of_the_source(client: httpx.Client, name: str) -> None:
    answer = answered(client, CASES[name])
    for check in checks_of(CASES[name]):
        difference = np.abs(np.subtract(found(answer, check["path"]), check["expected"]))
        assert difference.max() > check["tol"], check["name"]


def test_no_case_is_left_out() -> None:
    """Each is sent as a network, followed as a procedure, or waits for something that is named."""
    from tests.golden import test_procedures

    followed = {name.removeprefix("test_") for name in vars(test_procedures) if name.startswith("test_")}
    left = {name for name in CASES if name not in {*NETWORKS, *NOT_YET} and name.replace(".", "") not in followed}
    assert not left
