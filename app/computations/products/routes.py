"""The route POST /v1/products."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.computations.endpoint import ComputationEndpointDep
from app.computations.products import cost, examples, service
from app.computations.products.schemas import ProductsAnswer, ProductsRequest
from app.http.openapi import describe

router = APIRouter(tags=["math"])


@router.post(
    "/v1/products",
    operation_id="compute_product",
    summary="Multiply the Jacobian or the Hessian by a vector",
    **describe(ProductsRequest, ProductsAnswer, examples.PRODUCTS),
)
async def compute_product(endpoint: ComputationEndpointDep) -> Response:
    """Multiply the Jacobian, its transpose, the Hessian or the Gauss-Newton matrix by a vector.

    The matrix is never formed: a product costs one or two passes through the network and is exact up to rounding.
    """
    return await endpoint.handle(ProductsRequest, service.compute_product, cost=cost.product_cost, is_steady=True)
