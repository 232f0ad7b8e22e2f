"""The members of a problem as the generated models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from gradd_api import models
from gradd_api.models import Convention, Precision

from gradd_client.kinds import Loss
from gradd_client.network import Json, Network, described, sent
from gradd_client.tensor import ArraysOfLayers, encoded, encoded_by_layer, encoded_by_name


class Options(TypedDict, total=False):
    """Members of a problem that may be left out. With a `model` the network may be None."""

    model: str
    parameters: ArraysOfLayers
    state: ArraysOfLayers
    loss: Loss | Json
    convention: Convention
    dtype: Precision
    seed: int
    feedback: Json


def members_of(network: Network | None, options: Options) -> dict[str, Any]:
    """Everything but the batch."""
    members: dict[str, Any] = {**options, "encoding": "base64"}
    if network is not None:
        members["network"] = described(network)
    for name in ("parameters", "state"):
        if name in members:
            members[name] = encoded_by_layer(members[name])
    if "feedback" in members:
        feedback = dict(members["feedback"])
        if "weights" in feedback:
            feedback["weights"] = encoded_by_name(feedback["weights"])
        members["feedback"] = models.Feedback(**feedback)
    if "loss" in members:
        members["loss"] = sent(members["loss"])
    return members


def tensor(value: Any) -> Any:
    """A tensor, tensors by name, or the number of the first class."""
    if isinstance(value, int):
        return value
    return encoded_by_name(value) if isinstance(value, Mapping) else encoded(value)
