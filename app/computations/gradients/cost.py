"""The costs of /v1/forward and /v1/gradients."""

from __future__ import annotations

from app.computations.gradients.per_example import PART
from app.computations.gradients.schemas import ForwardRequest, GradientsRequest
from app.problem.costs import answer_cost, itemsize, network_cost, part_sizes, request_cost
from app.settings import Settings
from core.cost import Cost, NetworkCost
from core.cost.passes import (
    backward_pass,
    both_passes,
    certificate,
    forward_pass,
    initialisation,
    per_example_gradients,
)


def forward_cost(body: ForwardRequest, settings: Settings) -> Cost:
    """Return the cost of a forward pass and its answer."""
    network = network_cost(body, settings)
    if network is None:
        return Cost()
    cost, elements = request_cost(body, network, settings), _answer_elements(body, network)
    if elements > settings.max_answer_elements:
        return cost  # It is refused with the size of its answer, before a plan is laid.
    return cost + forward_pass(network, itemsize(body)) + answer_cost(elements, settings)


def gradients_cost(body: GradientsRequest, settings: Settings) -> Cost:
    """Return the cost of both passes, the certificate, the other parts and the answer."""
    network = network_cost(body, settings)
    if network is None:
        return Cost()
    size = itemsize(body)
    cost, elements = request_cost(body, network, settings), _answer_elements(body, network)
    if elements > settings.max_answer_elements:
        return cost
    cost += both_passes(network, size) + answer_cost(elements, settings)
    if "deltas" in body.include:
        cost += Cost(bytes=network.results * size)
    if PART in body.include:
        cost += per_example_gradients(network, size)
    if "norms" in body.include:
        cost += both_passes(network, size) + backward_pass(network, size)
    if body.feedback:
        cost += both_passes(network, size) + initialisation(network)
    return cost + certificate(network) if body.verify else cost


def _answer_elements(body: ForwardRequest | GradientsRequest, network: NetworkCost) -> int:
    sizes = part_sizes(body, network)
    return sum(sizes.get(part, 0) for part in body.include)
