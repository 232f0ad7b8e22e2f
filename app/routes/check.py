"""POST /v1/check."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from app import check, examples
from app.exchange import respond
from app.openapi import describe
from app.schemas.check import CheckAnswer, CheckRequest

router = APIRouter(tags=["math"])


@router.post(
    "/v1/check",
    operation_id="check_submission",
    summary="Which rule of your backpropagation is wrong, why, and how to fix it",
    **describe(CheckRequest, CheckAnswer, examples.CHECK),
)
async def check_submission(request: Request) -> Response:
    """Compare what your own code computed, rule by rule.

    Each rule (forward, output delta, delta from the delta above, each gradient) is evaluated on your own numbers where you
    sent them, so one mistake is accused once, and what is wrong only because of it is `inherited`. A cause is named only
    where its wrong formula reproduces your numbers.
    """
    return await respond(request, CheckRequest, check.answered)
