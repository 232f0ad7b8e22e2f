"""POST /v1/explain."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from app import examples
from app.exchange import respond
from app.explaining import markdown, page
from app.explaining.answer import answered
from app.openapi import describe
from app.schemas.explain import ExplainAnswer, ExplainRequest

router = APIRouter(tags=["math"])

DOCUMENTS = {page.MEDIA_TYPE: page.page, markdown.MEDIA_TYPE: markdown.markdown}


@router.post(
    "/v1/explain",
    operation_id="explain_gradients",
    summary="The derivation of the gradients, with the request's shapes and numbers",
    **describe(ExplainRequest, ExplainAnswer, examples.EXPLAIN),
)
async def explain_gradients(request: Request) -> Response:
    """Derive the gradients step by step, forward and backward, in the convention of the request.

    Accept text/html for a page to read and print, text/markdown for a document with LaTeX.
    """
    return await respond(request, ExplainRequest, answered, DOCUMENTS)
