"""The answer of /v1/probe."""

from __future__ import annotations

from typing import Any

from app.check import spots
from app.schemas.probe import ProbeRequest
from app.settings import Settings
from app.workshop import Interrupt
from core.checking import probe
from core.errors import Refusal
from core.network import INPUT, Limits


def answered(body: ProbeRequest, settings: Settings, interrupt: Interrupt) -> dict[str, Any]:
    """Find a batch and parameters for the network of a request."""
    layers = body.network.layers
    if len(layers) > settings.max_layers:
        detail = f"The network has {len(layers):,} layers; this server takes {settings.max_layers:,}."
        raise Refusal.of("too-large", detail, "network", "layers", expected=settings.max_layers, got=len(layers))
    features = body.features if isinstance(body.features, dict) else {INPUT: body.features}
    shapes = {name: tuple(shape) for name, shape in features.items()}
    convention = body.convention or "row"
    limits = Limits(parameters=settings.max_parameters, activations=settings.max_activations)
    found = probe(layers, shapes, body.loss, convention, seed=body.seed, limits=limits, interrupt=interrupt)
    sent = found.sent
    inputs = sent.inputs[INPUT] if set(sent.inputs) == {INPUT} else dict(sent.inputs)
    compared = {"upstream": sent.upstream} if sent.targets is None else {"targets": sent.targets}
    hidden = len({spot.cause for spot in found.blind_spots})
    what = f"{hidden} known mistake{'s' if hidden > 1 else ''} would not show in some layer, see blind_spots."
    answer: dict[str, Any] = {
        "parameters": {layer: dict(named) for layer, named in sent.parameters.items()},
        "batch": {"inputs": inputs, **compared},
        "blind_spots": spots(found.blind_spots),
        "summary": what if hidden else "Every known mistake shows at this point, in every layer.",
        "convention": convention,
    }
    return answer | ({"state": sent.state} if sent.state else {})
