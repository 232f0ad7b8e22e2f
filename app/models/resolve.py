"""References to stored models: `"model": "mdl_..."` supplies what a request leaves out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeVar

from app.models.repository import load_model
from app.problem.schemas import NetworkInUse, NetworkSpec
from app.storage import Database
from core.arrays import Array
from core.errors import Issue, Refusal
from core.model import parameters_of, state_of
from core.network import names_of

B = TypeVar("B", bound=NetworkInUse)


def resolve_model(body: B, database: Database) -> B:
    """Return the request completed with the network, parameters and state of the model that it names.

    The parameters are converted to the request's convention.

    Raises:
        Refusal: `unknown-name`, if there is no such model.
    """
    if body.model is None:
        return body
    try:
        model = load_model(database, body.model)
    except Refusal as refusal:
        if refusal.issues[0].code != "not-found":
            raise
        issue = refusal.issues[0]
        raise Refusal([Issue(code="unknown-name", path=("model",), detail=issue.detail, hint=issue.hint)]) from None
    brings_network = "network" in body.model_fields_set
    network = body.network if brings_network else NetworkSpec(layers=list(model.layers))
    known = dict(zip(names_of(network.layers), network.layers, strict=True))
    stored = model.parameters_in(body.convention or "row")
    supplied = {
        "network": network,
        "parameters": _complete(stored, body.parameters, {name: parameters_of(layer) for name, layer in known.items()}),
        "state": _complete(model.state, body.state, {name: state_of(layer) for name, layer in known.items()}),
    }
    return body.model_copy(update=supplied)


def _complete(
    stored: Mapping[str, Mapping[str, Array]],
    sent: Mapping[str, Mapping[str, Array]] | None,
    wanted: Mapping[str, Collection[str]],
) -> dict[str, dict[str, Array]]:
    """Return the tensors that were sent, completed with those of the model that the network needs."""
    joined = {
        layer: {name: array for name, array in named.items() if name in wanted.get(layer, ())}
        for layer, named in stored.items()
        if layer in wanted
    }
    for layer, named in (sent or {}).items():
        joined[layer] = {**joined.get(layer, {}), **named}
    return joined
