"""POST /v1/explain."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.computations.endpoint import ComputationEndpointDep
from app.computations.explain import examples, markdown, page
from app.computations.explain.schemas import ExplainAnswer, ExplainRequest
from app.computations.explain.service import explain_problem
from app.http.openapi import describe

router = APIRouter(tags=["math"])

DOCUMENTS = {page.MEDIA_TYPE: page.page, markdown.MEDIA_TYPE: markdown.markdown}


@router.post(
    "/v1/explain",
    operation_id="explain_gradients",
    summary="The derivation of the gradients, with the request's shapes and numbers",
    **describe(ExplainRequest, ExplainAnswer, examples.EXPLAIN),
)
async def explain_gradients(endpoint: ComputationEndpointDep) -> Response:
    """Derive the gradients step by step, forward and backward, in the convention of the request.

    Accept text/html for a page to read and print, text/markdown for a document with LaTeX.
    """
    return await endpoint.handle(ExplainRequest, explain_problem, DOCUMENTS)
