"""The routes POST /v1/gradients and POST /v1/forward."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.computations.endpoint import ComputationEndpointDep
from app.computations.gradients import cost, examples, service
from app.computations.gradients.schemas import ForwardRequest, GradientsRequest
from app.http.openapi import describe
from app.problem.results import ForwardAnswer, GradientsAnswer

router = APIRouter(tags=["math"])


@router.post(
    "/v1/gradients",
    operation_id="compute_gradients",
    summary="Compute activations, deltas and weight gradients",
    **describe(GradientsRequest, GradientsAnswer, examples.GRADIENTS),
)
async def compute_gradients(endpoint: ComputationEndpointDep) -> Response:
    """Compute the forward pass of a network, and the backward pass from its loss.

    `gradients` has exactly the shape of `parameters`. The delta of a layer is ∂L/∂Z, where Z is the layer's result
    before its activation function. `verify` adds a certificate: a check of the gradients by the complex-step method,
    independent of the backward pass.
    """
    return await endpoint.handle(GradientsRequest, service.compute_gradients, cost=cost.gradients_cost, is_steady=True)


@router.post(
    "/v1/forward",
    operation_id="compute_forward",
    summary="Compute output, activations and loss",
    **describe(ForwardRequest, ForwardAnswer, examples.FORWARD),
)
async def compute_forward(endpoint: ComputationEndpointDep) -> Response:
    """Compute the forward pass of a network. If the problem has a loss and targets, the answer includes the loss."""
    return await endpoint.handle(ForwardRequest, service.compute_forward, cost=cost.forward_cost, is_steady=True)
