"""The route POST /v1/step."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.computations.endpoint import ComputationEndpointDep
from app.computations.step import cost, examples, service
from app.computations.step.schemas import StepRequest
from app.http.openapi import describe
from app.problem.update import StepAnswer

router = APIRouter(tags=["math"])


@router.post(
    "/v1/step",
    operation_id="take_step",
    summary="Take one or more optimizer steps",
    **describe(StepRequest, StepAnswer, examples.STEP),
)
async def take_step(endpoint: ComputationEndpointDep) -> Response:
    """Update the parameters with an optimizer.

    The server stores nothing: the answer holds everything that the next request needs.

    With `steps`, one request takes several steps, on the whole batch or on shuffled minibatches of `batch_size`
    examples.
    """
    return await endpoint.handle(StepRequest, service.take_steps, cost=cost.step_cost, is_steady=True)
