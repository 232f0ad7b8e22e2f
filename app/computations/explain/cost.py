"""The cost of /v1/explain."""

from __future__ import annotations

from app.computations.explain.schemas import ExplainRequest
from app.problem.costs import network_cost, request_cost
from app.settings import Settings
from core.cost import Cost
from core.cost.passes import both_passes
from core.operations import RATE

EQUATION = 0.0003 * RATE
"""Operations of one equation: 0.3 ms, most of which goes into MathML."""

EQUATION_BYTES = 2**14
"""Memory of one equation in all formats."""


def explain_cost(body: ExplainRequest, settings: Settings) -> Cost:
    """Return the cost of both passes and of the derivation, whose recurrent layers are written out for each time step."""
    network = network_cost(body, settings)
    if network is None:
        return Cost()
    equations = sum(10 + layer.node.layer.unrolled(*layer.inputs) for layer in network.layers)
    elements = 2 * network.results + network.parameters
    derivation = Cost(EQUATION * equations, EQUATION_BYTES * equations + 8 * elements)
    return request_cost(body, network, settings) + both_passes(network) + derivation
