"""The computation of /v1/probe."""

from __future__ import annotations

from typing import Any

from app.computations.check.probe_schemas import ProbeRequest
from app.computations.check.service import spots
from app.problem.from_request import refuse_too_many_layers
from app.settings import Settings
from core.arrays import CheckDeadline
from core.checking import probe
from core.network import INPUT, NetworkLimits


def find_probe(body: ProbeRequest, settings: Settings, check_deadline: CheckDeadline) -> dict[str, Any]:
    """Find a batch and parameters at which known mistakes change the numbers."""
    layers = body.network.layers
    refuse_too_many_layers(len(layers), settings)
    features = body.features if isinstance(body.features, dict) else {INPUT: body.features}
    shapes = {name: tuple(shape) for name, shape in features.items()}
    convention = body.convention or "row"
    limits = NetworkLimits(parameters=settings.max_parameters, activations=settings.max_activations)
    found = probe(layers, shapes, body.loss, convention, seed=body.seed, limits=limits, check_deadline=check_deadline)
    sent = found.sent
    inputs = sent.inputs[INPUT] if set(sent.inputs) == {INPUT} else dict(sent.inputs)
    compared = {"upstream": sent.upstream} if sent.targets is None else {"targets": sent.targets}
    hidden = len({spot.cause for spot in found.blind_spots})
    what = f"{hidden} known mistake{'s' if hidden > 1 else ''} would stay hidden in some layer, see blind_spots."
    answer: dict[str, Any] = {
        "parameters": {layer: dict(named) for layer, named in sent.parameters.items()},
        "batch": {"inputs": inputs, **compared},
        "blind_spots": spots(found.blind_spots),
        "summary": what if hidden else "This point reveals every known mistake in every layer.",
        "convention": convention,
    }
    return answer | ({"state": sent.state} if sent.state else {})
