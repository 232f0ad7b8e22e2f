"""POST /v1/products."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from app import examples, products
from app.exchange import respond
from app.openapi import describe
from app.schemas.products import ProductsAnswer, ProductsRequest

router = APIRouter(tags=["math"])


@router.post(
    "/v1/products",
    operation_id="compute_product",
    summary="Jacobian and Hessian products with a vector",
    **describe(ProductsRequest, ProductsAnswer, examples.PRODUCTS),
)
async def compute_product(request: Request) -> Response:
    """Multiply the Jacobian, its transpose, the Hessian or the Gauss-Newton matrix with a vector.

    No matrix is formed: each product costs one or two passes, and is exact to rounding.
    """
    return await respond(request, ProductsRequest, products.answered)
