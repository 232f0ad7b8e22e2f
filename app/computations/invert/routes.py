"""POST /v1/invert."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.computations.endpoint import ComputationEndpointDep
from app.computations.invert import examples, service
from app.computations.invert.schemas import InvertAnswer, InvertRequest
from app.http.openapi import describe

router = APIRouter(tags=["math"])


@router.post(
    "/v1/invert",
    operation_id="invert_network",
    summary="Inputs that the network maps to given outputs",
    **describe(InvertRequest, InvertAnswer, examples.INVERT),
)
async def invert_network(endpoint: ComputationEndpointDep) -> Response:
    """Invert a chain of dense layers and invertible functions, in closed form (Rossen 1990).

    From the output down, x^{l-1} = W⁺ (f⁻¹(x^l) - b). Any vector of the null space may be added; where a hidden image
    falls outside the range of the layer below, it is moved along the null space into it. An inverse need not exist:
    `feasible` says so, and each layer says why.
    """
    return await endpoint.handle(InvertRequest, service.invert_network)
