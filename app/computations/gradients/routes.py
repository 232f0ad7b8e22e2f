"""POST /v1/gradients and POST /v1/forward."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.computations.endpoint import ComputationEndpointDep
from app.computations.gradients import examples, service
from app.computations.gradients.schemas import ForwardRequest, GradientsRequest
from app.http.openapi import describe
from app.problem.results import ForwardAnswer, GradientsAnswer

router = APIRouter(tags=["math"])


@router.post(
    "/v1/gradients",
    operation_id="compute_gradients",
    summary="Activations, deltas and weight gradients",
    **describe(GradientsRequest, GradientsAnswer, examples.GRADIENTS),
)
async def compute_gradients(endpoint: ComputationEndpointDep) -> Response:
    """Run a network forward, then backward from its loss.

    `gradients` has exactly the shape of `parameters`. The delta of a layer is ∂L/∂Z, the gradient at its result before
    the activation function. `verify` adds a certificate by complex step, independent of the backward pass.
    """
    return await endpoint.handle(GradientsRequest, service.compute_gradients)


@router.post(
    "/v1/forward",
    operation_id="compute_forward",
    summary="Output, activations and loss",
    **describe(ForwardRequest, ForwardAnswer, examples.FORWARD),
)
async def compute_forward(endpoint: ComputationEndpointDep) -> Response:
    """Run a network forward. With a loss and targets the answer has the loss too."""
    return await endpoint.handle(ForwardRequest, service.compute_forward)
