"""The cache of forms: within its bytes, the least recently used one goes first, and nothing that was refused stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from app.examples import XOR
from app.http.forms import FormCache, FormUse
from app.http.held_bytes import held_bytes
from tests.app.http.served import Served

GRADIENTS = "/v1/gradients"


def of_examples(count: int) -> dict[str, Any]:
    """A body of a form of its own for each number of examples."""
    return {**XOR, "batch": {"inputs": [[0.5, 0.25]] * count, "targets": [[1]] * count}}


@pytest.fixture
def small(tmp_path: Path) -> Served:
    """An application whose cache holds about four small forms."""
    return Served(tmp_path, form_cache_bytes=250_000)


def is_known(served: Served, body: dict[str, Any]) -> bool:
    """Send a request and return whether its form was in the cache."""
    before = served.forms.hits
    assert served.post(GRADIENTS, body).status == 200
    return bool(served.forms.hits > before)


def test_many_forms_stay_within_the_limit(small: Served, tmp_path: Path) -> None:
    for count in range(1, 20):
        small.post(GRADIENTS, of_examples(count))
        assert 0 < small.forms.nbytes <= 250_000
    assert 2 <= len(small.forms) < 10


def test_the_least_recently_used_form_goes_first(small: Served) -> None:
    for count in range(1, 20):
        small.post(GRADIENTS, of_examples(1))
        small.post(GRADIENTS, of_examples(count))
    assert is_known(small, of_examples(1))
    assert is_known(small, of_examples(19))
    assert not is_known(small, of_examples(2))


def test_a_form_that_is_larger_than_the_limit_displaces_none(small: Served) -> None:
    small.post(GRADIENTS, of_examples(1))
    for _ in range(2):
        assert not is_known(small, of_examples(3000))
    assert is_known(small, of_examples(1))
    assert len(small.forms) == 1


def test_a_limit_of_0_caches_nothing(tmp_path: Path) -> None:
    served = Served(tmp_path, form_cache_bytes=0, model_cache_bytes=0)
    layers = [{"kind": "activation", "function": "tanh"}]
    model = served.post("/v1/models", {"network": {"layers": layers}, "parameters": {}}).document["id"]
    by_model = {
        "model": model,
        "batch": {"inputs": [[1.0]], "targets": [[0.5]]},
        "loss": {"kind": "half_squared_error"},
    }
    for body in (XOR, by_model) * 3:
        assert served.post(GRADIENTS, body).status == 200
    assert (served.forms.hits, len(served.forms), served.models.hits, len(served.models)) == (0, 0, 0, 0)
    assert served.direct == 0


REFUSED: list[dict[str, Any]] = [
    {**XOR, "loss": None},
    {**XOR, "include": ["nothing"]},
    {**XOR, "batch": {"inputs": [[1, 2, 3]], "targets": [[1]]}},
    {**XOR, "batch": {"inputs": [[1, 2]], "targets": [[1]], "sample_weight": [-1]}},
    {**XOR, "batch": {"inputs": [[1, 2]], "targets": [[7]]}, "loss": {"kind": "binary_cross_entropy"}},
    {**XOR, "batch": {"inputs": [[1e308, 1e308]], "targets": [[1]]}, "dtype": "float32"},
    {**XOR, "network": {"layers": [{"kind": "dense", "units": 1, "activation": "exp"}]},
     "batch": {"inputs": [[1, 2]], "targets": [[0]]},
     "parameters": {"1": {"weight": [[1e3], [1e3]], "bias": [0]}}, "loss": {"kind": "half_squared_error"}},
]  # fmt: skip


@pytest.mark.parametrize("body", REFUSED, ids=range(len(REFUSED)))
def test_a_form_that_was_refused_is_not_kept(tmp_path: Path, body: dict[str, Any]) -> None:
    served = Served(tmp_path)
    answers = [served.post(GRADIENTS, body) for _ in range(3)]
    assert answers[0].status == 422
    assert answers == answers[:1] * 3
    assert len(served.forms) == 0


def held(served: Served) -> Iterator[tuple[int, int]]:
    """The accounted size and the real one of each form, without what its numbers share with Python."""
    for form in served.forms._forms.values():
        yield form.nbytes, held_bytes([form.template, form.facts, form.stock])


def test_the_size_of_a_form_is_its_real_size(tmp_path: Path) -> None:
    """Also if its key is short because it names a stored model with many layers."""
    served = Served(tmp_path)
    layers = [{"kind": "dense", "units": 2, "activation": "tanh"}] * 100
    parameters = {str(place + 1): {"weight": [[0.5, 0.1], [0.2, 0.7]], "bias": [0, 0.1]} for place in range(100)}
    model = served.post("/v1/models", {"network": {"layers": layers}, "parameters": parameters}).document["id"]
    batch = {"inputs": [[1, 2]], "targets": [[1, 2]]}
    requests: list[tuple[str, dict[str, Any]]] = [
        (GRADIENTS, XOR),
        (GRADIENTS, {"model": model, "batch": batch, "loss": {"kind": "half_squared_error"}}),
        (
            GRADIENTS,
            {"network": {"layers": layers}, "parameters": parameters, "batch": batch, "loss": {"kind": "huber"}},
        ),
        ("/v1/jacobian", {"model": model, "batch": {"inputs": [[1, 2]]}, "of": "100", "wrt": "input"}),
    ]
    for path, body in requests:
        assert served.post(path, body).status == 200
    assert len(served.forms) == len(requests)
    for accounted, real in held(served):
        assert 0.8 * real <= accounted <= 1.5 * real
    layers = [{"kind": "activation", "function": "tanh"}] * 100
    model = served.post("/v1/models", {"network": {"layers": layers}, "parameters": {}}).document["id"]
    served.post("/v1/forward", {"model": model, "batch": {"inputs": [[1.0]]}})
    assert served.models.nbytes > 50_000


@dataclass
class Block:
    """A thing of some size."""

    nbytes: int

    def rest(self) -> None:
        """Nothing is held."""


def test_a_form_that_outgrows_the_limit_in_the_cache_leaves_it() -> None:
    """Requests at the same time need a plan each, and all of them go to the stock."""
    cache, key = FormCache(10_000), (BaseModel, b"key")
    first = FormUse()
    first.borrow("plan", lambda: Block(6_000), lambda _: True)
    cache.keep(key, first, 0.0)
    assert cache.find(key) is first.form
    together = [FormUse(cache.find(key)) for _ in range(2)]
    for use in together:
        use.borrow("plan", lambda: Block(6_000), lambda _: True)
    for use in together:
        cache.keep(key, use, 0.0)
    kept = cache.find(key)
    assert sum(block.nbytes for block in (kept.stock["plan"] if kept else ())) <= 10_000
    assert cache.nbytes <= 10_000


def test_what_is_refused_is_replaced_by_something_new() -> None:
    use = FormUse()
    use.borrow("plan", lambda: Block(1), lambda _: True)
    use.give_back()
    again = FormUse(use.form)
    assert again.borrow("plan", lambda: Block(2), lambda _: False).nbytes == 2
    assert not again.is_known
    again.give_back()
    assert [block.nbytes for block in use.form.stock["plan"]] == [2]


def test_a_cache_that_is_off_measures_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[Any] = []

    def measure(things: Any) -> int:
        measured.append(things)
        return held_bytes(things)

    monkeypatch.setattr("app.http.forms.held_bytes", measure)
    for limit in (0, 250_000):
        served = Served(tmp_path / str(limit), form_cache_bytes=limit)
        assert served.post(GRADIENTS, XOR).status == 200
        assert bool(measured) is bool(limit)
