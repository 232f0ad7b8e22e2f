"""The cost of /v1/products."""

from __future__ import annotations

from app.computations.products.schemas import ProductsRequest
from app.problem.costs import answer_cost, itemsize, network_cost, request_cost
from app.settings import Settings
from core.cost import Cost
from core.cost.passes import both_passes, complex_passes, forward_pass
from core.operations import READ, count


def product_cost(body: ProductsRequest, settings: Settings) -> Cost:
    """Return the cost of the passes that a product takes, of the vector and of the answer."""
    network = network_cost(body, settings)
    if network is None:
        return Cost()
    size, moved = itemsize(body), network.parameters + network.inputs
    cost = request_cost(body, network, settings) + Cost(READ * moved, 8 * moved)
    if body.kind in ("vjp", "gauss_newton"):
        cost += both_passes(network, size)
    if body.kind in ("jvp", "gauss_newton"):
        cost += complex_passes(network, backward=False)
    if body.kind == "gauss_newton":
        cost += forward_pass(network, size)
    if body.kind == "hvp":
        cost += complex_passes(network, backward=True)
    return cost + answer_cost(count(network.output) if body.kind == "jvp" else moved, settings)
