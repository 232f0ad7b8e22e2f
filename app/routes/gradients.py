"""POST /v1/gradients."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from app import answers, examples
from app.exchange import respond
from app.openapi import describe
from app.schemas.gradients import GradientsAnswer, GradientsRequest

router = APIRouter(tags=["math"])


@router.post(
    "/v1/gradients",
    operation_id="compute_gradients",
    summary="Activations, deltas and weight gradients",
    **describe(GradientsRequest, GradientsAnswer, examples.GRADIENTS),
)
async def compute_gradients(request: Request) -> Response:
    """Run a network forward, then backward from its loss.

    `gradients` has exactly the shape of `parameters`. The delta of a layer is ∂L/∂Z, the gradient at its result before
    the activation function. `verify` adds a certificate by complex step, independent of the backward pass.
    """
    return await respond(request, GradientsRequest, answers.gradients)
