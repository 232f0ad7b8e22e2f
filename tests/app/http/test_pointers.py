"""The pointer of every error leads to a place in the body that was sent, or to one in which a field is missing."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest

from app.examples import XOR
from tests.app.http.served import Served
from tests.app.test_any_body import STRANGE, places, replaced
from tests.server import examples

ADDRESS = re.compile(r"\bat 0x[0-9a-f]+|<[a-z_.]+ object|<class ")
STEP = {**XOR, "optimizer": {"kind": "adam"}}
BODIES: list[tuple[str, Any]] = [
    ("/v1/step", {**STEP, "optimizer_state": {"step": 1}}),
    ("/v1/step", {**STEP, "optimizer_state": {"step": 1, "slots": {}}}),
    ("/v1/step", {**STEP, "optimizer_state": {"step": 1, "slots": {"first_moment": {}}}}),
    ("/v1/step", {**STEP, "optimizer_state": {"step": 1, "slots": {"first_moment": {"1": {}}, "nothing": {}}}}),
    ("/v1/models", {"network": {"layers": [{"kind": "activation", "function": "no_such_function"}]}}),
    ("/v1/models", {"network": {"layers": [{"kind": "activation", "function": "relu", "alpha": 1}]}}),
    ("/v1/models", {"network": {"layers": [{"kind": "dense", "units": 1, "activation": "no_such_function"}]}}),
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    return Served(tmp_path_factory.mktemp("data"))


def leads_somewhere(pointer: str, body: Any) -> bool:
    """Whether a pointer resolves, or its parent does: the last part may be what is missing."""
    keys = [key.replace("~1", "/").replace("~0", "~") for key in pointer.removeprefix("#").split("/")[1:]]
    for position, key in enumerate(keys):
        if isinstance(body, list) and key.isdecimal() and int(key) < len(body):
            body = body[int(key)]
        elif isinstance(body, dict) and key in body:
            body = body[key]
        else:
            return position == len(keys) - 1 and isinstance(body, (dict, list))
    return True


def assert_leads_somewhere(served: Served, path: str, body: Any) -> int:
    answer = served.post(path, body)
    if answer.status < 400:
        return 0
    assert not ADDRESS.search(answer.body.decode()), answer.document
    for error in answer.document["errors"]:
        # Of parameters, the whole place is named, because "parameters" may be left out.
        whole = error["code"] == "missing-parameters" and error["pointer"].startswith("#/parameters/")
        assert whole or leads_somewhere(error["pointer"], body), (path, json.dumps(body)[:1000], error)
    return 1


@pytest.mark.parametrize(("path", "body"), BODIES, ids=str)
def test_pointers_that_once_led_nowhere(served: Served, path: str, body: Any) -> None:
    assert assert_leads_somewhere(served, path, body)


@pytest.mark.parametrize("name", examples())
def test_a_strange_value_anywhere(served: Served, name: str) -> None:
    path, example = examples()[name]
    strange = itertools.cycle(STRANGE)
    refused = 0
    for place in places(example):
        refused += assert_leads_somewhere(served, path, replaced(example, place, next(strange)))
    assert refused


def test_a_stored_model_has_no_unknown_function(tmp_path: Path) -> None:
    """It would be refused each time that it is used, and with a pointer into another body."""
    answer = Served(tmp_path).post("/v1/models", BODIES[4][1])
    assert (answer.status, answer.document["errors"][0]["pointer"]) == (422, "#/network/layers/0/function")
