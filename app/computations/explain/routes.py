"""The route POST /v1/explain."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.computations.endpoint import ComputationEndpointDep
from app.computations.explain import examples, markdown, page
from app.computations.explain.cost import explain_cost
from app.computations.explain.schemas import ExplainAnswer, ExplainRequest
from app.computations.explain.service import explain_problem
from app.http.openapi import TEXT, describe

router = APIRouter(tags=["math"])

DOCUMENTS = {page.MEDIA_TYPE: page.page, markdown.MEDIA_TYPE: markdown.markdown}


@router.post(
    "/v1/explain",
    operation_id="explain_gradients",
    summary="Derive the gradients step by step",
    **describe(ExplainRequest, ExplainAnswer, examples.EXPLAIN, also=dict.fromkeys(DOCUMENTS, TEXT)),
)
async def explain_gradients(endpoint: ComputationEndpointDep) -> Response:
    """Derive the gradients step by step, forward and backward, with the shapes and numbers of the request.

    Send `Accept: text/html` for a page to read and print, or `text/markdown` for a document with LaTeX formulas.
    """
    return await endpoint.handle(ExplainRequest, explain_problem, DOCUMENTS, cost=explain_cost)
