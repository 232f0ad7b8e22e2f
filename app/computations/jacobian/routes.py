"""The route POST /v1/jacobian."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.computations.endpoint import ComputationEndpointDep
from app.computations.jacobian import cost, examples, service
from app.computations.jacobian.schemas import JacobianAnswer, JacobianRequest
from app.http.openapi import describe

router = APIRouter(tags=["math"])


@router.post(
    "/v1/jacobian",
    operation_id="compute_jacobian",
    summary="Compute the dense Jacobian of a layer or the output",
    **describe(JacobianRequest, JacobianAnswer, examples.JACOBIAN),
)
async def compute_jacobian(endpoint: ComputationEndpointDep) -> Response:
    """Differentiate every element of one tensor with respect to every element of another.

    The size of the answer is the product of the two sizes. A Jacobian beyond the server's limit is refused, and the
    refusal states its size.
    """
    return await endpoint.handle(JacobianRequest, service.compute_jacobian, cost=cost.jacobian_cost, is_steady=True)
