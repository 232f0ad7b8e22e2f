"""The route POST /v1/invert."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.computations.endpoint import ComputationEndpointDep
from app.computations.invert import cost, examples, service
from app.computations.invert.schemas import InvertAnswer, InvertRequest
from app.http.openapi import describe

router = APIRouter(tags=["math"])


@router.post(
    "/v1/invert",
    operation_id="invert_network",
    summary="Compute inputs that the network maps to given outputs",
    **describe(InvertRequest, InvertAnswer, examples.INVERT),
)
async def invert_network(endpoint: ComputationEndpointDep) -> Response:
    """Invert a chain of dense layers and invertible activation functions in closed form (Rossen 1990).

    From the output to the input, x^{l-1} = W⁺ (f⁻¹(x^l) - b). Any vector of the null space of W may be added. If a
    hidden image lies outside the range of the layer below, it is moved along the null space into that range. An inverse
    need not exist: `feasible` states whether it does, and `layers` gives the reason for each layer.
    """
    return await endpoint.handle(InvertRequest, service.invert_network, cost=cost.invert_cost)
