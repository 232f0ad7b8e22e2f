"""A network as the generated client sends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gradd_api import models

from gradd_client.kinds import Layer, Loss, Optimizer

Json = Mapping[str, Any]
"""A layer, a loss, an optimizer or a vector as JSON has it: {"kind": "dense", "units": 3}."""
Network = Sequence[Layer | Json] | Mapping[str, Sequence[Layer | Json]]
"""The layers in execution order, or an object that has them under `layers`."""


class _AsSent:
    """A layer, a loss or an optimizer in JSON: what is wrong with it the server says, not the generated model."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        self.members = members

    def to_dict(self) -> dict[str, Any]:
        return dict(self.members)


def described(network: Network) -> models.NetworkSpec:
    """A network with its layers as generated models."""
    layers = network["layers"] if isinstance(network, Mapping) else network
    return models.NetworkSpec(layers=[sent(layer) for layer in layers])


def sent(value: Layer | Loss | Optimizer | Json) -> Any:
    """A layer, a loss or an optimizer, as it is or as JSON."""
    return _AsSent(value) if isinstance(value, Mapping) else value
