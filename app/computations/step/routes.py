"""POST /v1/step."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.computations.endpoint import ComputationEndpointDep
from app.computations.step import examples, service
from app.computations.step.schemas import StepAnswer, StepRequest
from app.http.openapi import describe

router = APIRouter(tags=["math"])


@router.post(
    "/v1/step",
    operation_id="take_step",
    summary="One or more steps of an optimizer",
    **describe(StepRequest, StepAnswer, examples.STEP),
)
async def take_step(endpoint: ComputationEndpointDep) -> Response:
    """Move the parameters against the gradient. Nothing is kept: the answer holds what the next request needs.

    With `steps` many are done in one request, over the whole batch or over shuffled minibatches of `batch_size`.
    """
    return await endpoint.handle(StepRequest, service.take_steps)
