"""POST /v1/forward."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from app import answers, examples
from app.exchange import respond
from app.openapi import describe
from app.schemas.gradients import ForwardAnswer, ForwardRequest

router = APIRouter(tags=["math"])


@router.post(
    "/v1/forward",
    operation_id="compute_forward",
    summary="Output, activations and loss",
    **describe(ForwardRequest, ForwardAnswer, examples.FORWARD),
)
async def compute_forward(request: Request) -> Response:
    """Run a network forward. With a loss and targets the answer has the loss too."""
    return await respond(request, ForwardRequest, answers.forward)
