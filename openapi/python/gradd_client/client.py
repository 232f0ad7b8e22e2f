"""The client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import gradd_api
import httpx
from gradd_api.api.math import compute_forward, compute_gradients
from gradd_api.models import ForwardRequest, GradientsRequest, ProblemDocument
from numpy.typing import ArrayLike

from gradd_client.answer import Answer
from gradd_client.problem import Problem
from gradd_client.tensor import encoded

Inputs = ArrayLike | Mapping[str, ArrayLike]


class Client:
    """Talks to one gradd server. Every method raises `Problem` where the server refuses."""

    def __init__(self, base_url: str, timeout_seconds: float = 60.0) -> None:
        self._api = gradd_api.Client(base_url=base_url, timeout=httpx.Timeout(timeout_seconds))

    def __enter__(self) -> Self:
        self._api.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._api.__exit__(*exception)

    def gradients(
        self,
        layers: Sequence[Any],
        parameters: Mapping[str, Mapping[str, ArrayLike]] | None = None,
        *,
        inputs: Inputs,
        targets: ArrayLike | None = None,
        loss: Any,
        **more: Any,
    ) -> Answer:
        """POST /v1/gradients. `more` are further members of the request: convention, dtype, seed, include, verify ..."""
        request = GradientsRequest.from_dict(_problem(layers, parameters, inputs, targets, loss, more))
        return _answer(compute_gradients.sync_detailed(client=self._api, body=request).parsed)

    def forward(
        self,
        layers: Sequence[Any],
        parameters: Mapping[str, Mapping[str, ArrayLike]] | None = None,
        *,
        inputs: Inputs,
        targets: ArrayLike | None = None,
        loss: Any = None,
        **more: Any,
    ) -> Answer:
        """POST /v1/forward. With a loss and targets the answer has the loss too."""
        request = ForwardRequest.from_dict(_problem(layers, parameters, inputs, targets, loss, more))
        return _answer(compute_forward.sync_detailed(client=self._api, body=request).parsed)


def _problem(
    layers: Sequence[Any],
    parameters: Mapping[str, Mapping[str, ArrayLike]] | None,
    inputs: Inputs,
    targets: ArrayLike | None,
    loss: Any,
    more: Mapping[str, Any],
) -> dict[str, Any]:
    """The problem as JSON; layers and loss may be typed models or plain objects."""
    named = isinstance(inputs, Mapping)
    batch: dict[str, Any] = {
        "inputs": {name: encoded(value) for name, value in inputs.items()} if named else encoded(inputs)  # type: ignore[union-attr,arg-type]
    }
    for name in ("upstream", "sample_weight", "first_label"):
        if name in more:
            batch[name] = more[name] if name == "first_label" else encoded(more[name])
    if targets is not None:
        batch["targets"] = encoded(targets)
    problem: dict[str, Any] = {"network": {"layers": [_plain(layer) for layer in layers]}, "batch": batch}
    if parameters is not None:
        problem["parameters"] = {
            layer: {name: encoded(value) for name, value in values.items()} for layer, values in parameters.items()
        }
    if loss is not None:
        problem["loss"] = _plain(loss)
    rest = {name: value for name, value in more.items() if name not in batch}
    return {"encoding": "base64", **problem, **rest}


def _plain(model: Any) -> dict[str, Any]:
    """A generated model, or an object that is plain already."""
    return dict(model) if isinstance(model, Mapping) else model.to_dict()


def _answer(parsed: Any) -> Answer:
    if isinstance(parsed, ProblemDocument):
        raise Problem(parsed)
    return Answer.of(parsed.to_dict())
