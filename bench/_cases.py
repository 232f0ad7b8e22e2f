"""Problems that are sent to servers: networks, and one request for gradients in every form in which it can be sent."""

from __future__ import annotations

import base64
import http.client
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import orjson
import safetensors.numpy
from numpy.typing import NDArray

from app.http.negotiation import JSON
from app.wire.encode import encode
from app.wire.safetensors_message import MEDIA_TYPE, encode_message
from bench._server import HOST, Server

Form = Literal["json", "base64", "safetensors"]
FORMS: tuple[Form, ...] = ("json", "base64", "safetensors")


@dataclass(frozen=True)
class Network:
    """A dense network and the number of its examples: a regression, or a classification if it has several outputs."""

    sizes: tuple[int, ...]
    examples: int

    @property
    def name(self) -> str:
        """The layer sizes."""
        return "-".join(map(str, self.sizes))

    @property
    def classes(self) -> bool:
        """Whether the outputs are classes."""
        return self.sizes[-1] > 1


SMALL = Network((2, 3, 1), 4)
MIDDLE = Network((784, 128, 10), 64)
LARGE = Network((1024, 4096, 1000), 16)


@dataclass(frozen=True)
class Message:
    """A body, where it is posted, and its format, which is that of the answer too."""

    path: str
    body: bytes
    content_type: str = JSON


def problem(network: Network) -> dict[str, Any]:
    """Return the fields of a request for gradients, its tensors drawn at random with all their digits."""
    draw = np.random.default_rng(0)
    hidden, output = ("relu", "softmax") if network.classes else ("tanh", "sigmoid")
    last = len(network.sizes) - 2
    pairs = list(pairwise(network.sizes))
    return {
        "network": {
            "layers": [
                {"kind": "dense", "units": units, "activation": output if position == last else hidden}
                for position, (_, units) in enumerate(pairs)
            ]
        },
        "parameters": {
            str(position): {
                "weight": draw.standard_normal(pair) / pair[0] ** 0.5,
                "bias": draw.standard_normal(pair[1]),
            }
            for position, pair in enumerate(pairs, 1)
        },
        "batch": {
            "inputs": draw.standard_normal((network.examples, network.sizes[0])),
            "targets": draw.integers(0, network.sizes[-1], network.examples)
            if network.classes
            else draw.random((network.examples, 1)),
        },
        "loss": {"kind": "cross_entropy"} if network.classes else {"kind": "half_squared_error", "reduction": "sum"},
    }


def message(fields: dict[str, Any], form: Form, path: str = "/v1/gradients") -> Message:
    """Return a request of gradd in a form, which its answer will have too."""
    if form == "safetensors":
        return Message(path, encode_message(fields), MEDIA_TYPE)
    return Message(path, encode({**fields, "encoding": form}, encoding=form))


def stored(server: Server, fields: dict[str, Any]) -> dict[str, Any]:
    """Store the model of a request in gradd and return the request with its id."""
    model = {name: fields[name] for name in ("network", "parameters")}
    answer = orjson.loads(post(server, message(model, "json", "/v1/models")))
    return {"model": answer["id"], "batch": fields["batch"], "loss": fields["loss"]}


def message_with_lists(fields: dict[str, Any], *, classes: bool) -> Message:
    """Return the request as the peer expects it."""
    body = encode({"layers": list(fields["parameters"].values()), **fields["batch"]})
    return Message("/classification" if classes else "/regression", body)


def post(server: Server, sent: Message) -> bytes:
    """Return the body of the answer.

    Raises:
        RuntimeError: if it is not a success.
    """
    connection = http.client.HTTPConnection(HOST, server.port, timeout=120)
    try:
        return post_over(connection, sent)
    finally:
        connection.close()


def post_over(connection: http.client.HTTPConnection, sent: Message) -> bytes:
    """Return the body of the answer over a connection that stays open.

    Raises:
        RuntimeError: if it is not a success.
    """
    connection.request("POST", sent.path, sent.body, {"Content-Type": sent.content_type, "Accept": sent.content_type})
    response = connection.getresponse()
    answer = response.read()
    if not 200 <= response.status < 300:
        raise RuntimeError(f"{sent.path} answered {response.status}: {answer[:500].decode(errors='replace')}")
    return answer


def gradients(answer: bytes, form: Form) -> list[NDArray[Any]]:
    """Return the gradients of weight and bias, layer by layer, of an answer of gradd or of the peer."""
    if form == "safetensors":
        tensors = safetensors.numpy.load(answer)
        count = sum(name.startswith("gradients.") for name in tensors) // 2
        return [tensors[f"gradients.{n}.{name}"] for n in range(1, count + 1) for name in ("weight", "bias")]
    layers = orjson.loads(answer)["gradients"]
    values = [layer[name] for layer in (layers.values() if isinstance(layers, dict) else layers) for name in layer]
    return [_array(value) for value in values]


def _array(value: Any) -> NDArray[Any]:
    if isinstance(value, dict):
        return np.frombuffer(base64.b64decode(value["data"]), value["dtype"]).reshape(value["shape"])
    return np.array(value)
