"""The cost of /v1/jacobian."""

from __future__ import annotations

from app.computations.jacobian.schemas import JacobianRequest
from app.problem.costs import answer_cost, itemsize, network_cost, request_cost
from app.settings import Settings
from core.cost import Cost, NetworkCost
from core.cost.passes import both_passes
from core.operations import CALL, ELEMENT, count


def jacobian_cost(body: JacobianRequest, settings: Settings) -> Cost:
    """Return the cost of one backward pass for each row, and of the matrix."""
    network = network_cost(body, settings)
    if network is None:
        return Cost()
    names = [layer.node.name for layer in network.layers]
    of = body.of if body.of in names else names[-1]
    below = network.up_to(names.index(of))
    rows, columns = count(below.output), _columns(body.wrt, network)
    elements = rows * columns
    if elements > settings.max_answer_elements:
        return Cost()  # It is refused with its size.
    size = itemsize(body)
    matrix = Cost(rows * (below.backward + 5 * CALL) + 2 * ELEMENT * elements, elements * size, below)
    return request_cost(body, network, settings) + both_passes(below, size) + matrix + answer_cost(elements, settings)


def _columns(wrt: str, network: NetworkCost) -> int:
    """Return the number of elements of the variable; 0 if there is none of that name."""
    for layer in network.layers:
        for name, parameter in layer.node.parameters.items():
            if wrt == f"{layer.node.name}.{name}":
                return count(parameter.shape)
    return count(network.shapes.get(wrt, ()))
