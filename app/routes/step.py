"""POST /v1/step."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from app import examples, steps
from app.exchange import respond
from app.openapi import describe
from app.schemas.step import StepAnswer, StepRequest

router = APIRouter(tags=["math"])


@router.post(
    "/v1/step",
    operation_id="take_step",
    summary="One or more steps of an optimizer",
    **describe(StepRequest, StepAnswer, examples.STEP),
)
async def take_step(request: Request) -> Response:
    """Move the parameters against the gradient. Nothing is kept: the answer holds what the next request needs.

    With `steps` many are done in one request, over the whole batch or over shuffled minibatches of `batch_size`.
    """
    return await respond(request, StepRequest, steps.answered)
