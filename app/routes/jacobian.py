"""POST /v1/jacobian."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from app import examples, jacobians
from app.exchange import respond
from app.openapi import describe
from app.schemas.jacobian import JacobianAnswer, JacobianRequest

router = APIRouter(tags=["math"])


@router.post(
    "/v1/jacobian",
    operation_id="compute_jacobian",
    summary="The dense Jacobian of a layer or the output",
    **describe(JacobianRequest, JacobianAnswer, examples.JACOBIAN),
)
async def compute_jacobian(request: Request) -> Response:
    """Differentiate every element of one tensor by every element of another.

    Its size is the product of theirs; what is beyond the server's limit is refused with the size it would take.
    """
    return await respond(request, JacobianRequest, jacobians.answered)
