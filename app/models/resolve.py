"""References to stored models: `"model": "mdl_..."` supplies what a request leaves out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeVar

from app.models.cache import CachedModel
from app.problem.schemas import NetworkInUse, NetworkSpec
from core.arrays import Array
from core.errors import Issue, Refusal
from core.model import Model, parameters_of, state_of
from core.network import names_of

B = TypeVar("B", bound=NetworkInUse)


def resolve_model(body: B, find: Callable[[str], CachedModel]) -> B:
    """Return the request completed with the network, parameters, state and warnings of the model that it names.

    The parameters are converted to the request's convention.

    Args:
        body: the request.
        find: returns the model with an id, or refuses the id as `not-found`.

    Raises:
        Refusal: `unknown-name`, if there is no such model.
    """
    if body.model is None:
        return body
    try:
        cached = find(body.model)
    except Refusal as refusal:
        if refusal.issues[0].code != "not-found":
            raise
        issue = refusal.issues[0]
        raise Refusal([Issue(code="unknown-name", path=("model",), detail=issue.detail, hint=issue.hint)]) from None
    needs = body.use.once("needs of the network", lambda: _needs(body, cached.model))
    supplied = {
        "network": needs.network,
        "parameters": _complete(cached.parameters[body.convention or "row"], body.parameters, needs.parameters),
        "state": _complete(cached.model.state, body.state, needs.state),
    }
    completed = body.model_copy(update=supplied)
    if cached.warnings:
        completed.warn_of_model(cached.warnings)
    return completed


@dataclass(frozen=True, slots=True)
class _Needs:
    """The network of a request, and the names of the tensors that its layers need."""

    network: NetworkSpec
    parameters: Mapping[str, Collection[str]]
    state: Mapping[str, Collection[str]]


def _needs(body: NetworkInUse, model: Model) -> _Needs:
    brings_network = "network" in body.model_fields_set
    network = body.network if brings_network else NetworkSpec(layers=list(model.layers))
    known = dict(zip(names_of(network.layers), network.layers, strict=True))
    return _Needs(
        network,
        {name: parameters_of(layer).keys() for name, layer in known.items()},
        {name: state_of(layer).keys() for name, layer in known.items()},
    )


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
