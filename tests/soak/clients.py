"""Clients that go on while a server is killed and its database fails, and remember what they were promised."""

from __future__ import annotations

import json
import time
from collections import Counter
from threading import Event, Thread
from types import TracebackType
from typing import Any

import httpx
import numpy as np

PATIENCE = 300
"""Seconds after which a request that is repeated and repeated is taken to have failed."""

_COMES_BACK = (503, 504, 507)
_NETWORK = {"layers": [{"kind": "dense", "units": 512, "activation": "tanh"}] * 3 + [{"kind": "dense", "units": 4}]}
_LARGE_BODY = 4 * 2**20
"""A body that is larger than this is answered in a process."""

LARGE = json.dumps(
    {
        "network": _NETWORK,
        "batch": {"inputs": [[0.1 * row + 0.01 * column for column in range(64)] for row in range(64)]},
        "seed": 1,
        "include": ["output"],
        "convention": "row",
    }
).encode() + b" " * (_LARGE_BODY + 1)
"""A computation that is answered in a process, because white space makes it large."""


def insist(client: httpx.Client, method: str, path: str, **more: Any) -> httpx.Response:
    """Send a request until the server answers it, and return the answer.

    Raises:
        AssertionError: if it is never answered, or with an error of the server that is no refusal for now.
    """
    deadline = time.monotonic() + PATIENCE
    last: object = None
    while time.monotonic() < deadline:
        try:
            answer = client.request(method, path, **more)
        except httpx.TransportError as error:
            last = error
        else:
            if answer.status_code not in _COMES_BACK:
                assert answer.status_code < 500, answer.text
                return answer
            last = answer.text
        time.sleep(0.1)
    raise AssertionError(f"{method} {path} was not answered within {PATIENCE} s: {last}")


def model_of(generator: np.random.Generator, units: int = 8) -> dict[str, Any]:
    """Return a model to store, of random numbers."""
    weight, bias = generator.normal(size=(16, units)), generator.normal(size=units)
    return {
        "network": {"layers": [{"kind": "dense", "units": units}]},
        "parameters": {"1": {"weight": weight.tolist(), "bias": bias.tolist()}},
        "convention": "row",
    }


class _Background:
    """A thread that repeats something as long as a block lasts. Its error is raised at the end of the block."""

    def __init__(self, address: str) -> None:
        self.client = httpx.Client(base_url=address, timeout=120)
        self.counts: Counter[str] = Counter()
        self._stop, self._thread = Event(), Thread(target=self._run, daemon=True)
        self._error: BaseException | None = None

    def __enter__(self) -> Any:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)
        self.client.close()
        if self._error is not None and kind is None:
            raise self._error

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self.once()
                self._stop.wait(0.05)
        except BaseException as error:
            self._error = error

    def once(self) -> None:
        """Do it once."""
        raise NotImplementedError


class Storing(_Background):
    """Stores models and datasets, and knows which of them the server has promised to keep."""

    def __init__(self, address: str, seed: int) -> None:
        super().__init__(address)
        self._generator = np.random.default_rng(seed)
        self._kept: dict[str, Any] = {}

    def once(self) -> None:
        model = model_of(self._generator)
        answer = insist(self.client, "POST", "/v1/models", json=model)
        assert answer.status_code in (200, 201), answer.text
        self._kept[f"/v1/models/{answer.json()['id']}?convention=row"] = model["parameters"]
        rows = self._generator.normal(size=(4, 4)).tolist()
        answer = insist(self.client, "POST", "/v1/datasets", json={"inputs": rows})
        assert answer.status_code in (200, 201), answer.text
        self._kept[f"/v1/datasets/{answer.json()['id']}"] = None
        self.counts["stored"] += 2

    def assert_kept(self, client: httpx.Client) -> int:
        """Find everything again that was promised, with its numbers, and return how much it was."""
        for path, parameters in self._kept.items():
            answer = insist(client, "GET", path)
            assert answer.status_code == 200, (path, answer.text)
            if parameters is not None:
                assert answer.json()["parameters"] == parameters, path
        return len(self._kept)


class Computing(_Background):
    """Asks for one large computation over and over: every answer is the first one."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self._first: bytes | None = None

    def once(self) -> None:
        headers = {"Content-Type": "application/json"}
        answer = insist(self.client, "POST", "/v1/forward", content=LARGE, headers=headers)
        assert answer.status_code == 200, answer.text
        assert self._first in (None, answer.content), "the same computation has another answer"
        self._first = answer.content
        self.counts["answered"] += 1
