"""The cost of /v1/probe."""

from __future__ import annotations

from app.computations.check.probe_schemas import ProbeRequest
from app.settings import Settings
from core.cost import Cost, NetworkCost
from core.cost.checking import probing
from core.network import INPUT
from core.shape_inference import infer_shapes

EXAMPLES = 11
"""A number of examples like those of a probe."""


def probe_cost(body: ProbeRequest, settings: Settings) -> Cost:
    """Return the cost of drawing points and trying all mistakes at them."""
    features = body.features if isinstance(body.features, dict) else {INPUT: body.features}
    shapes = {name: (EXAMPLES, *shape) for name, shape in features.items()}
    layers = body.network.layers
    if len(layers) > settings.max_layers:
        return Cost()
    report = infer_shapes(layers, shapes, {}, body.convention or "row", seeded=True)
    if report.unknown:
        return Cost()
    network = NetworkCost(report.nodes, report.shapes, column=body.convention == "column")
    if network.parameters > settings.max_parameters or network.results > settings.max_activations:
        return Cost()
    return probing(network)
