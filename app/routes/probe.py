"""POST /v1/probe."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from app import examples, probes
from app.exchange import respond
from app.openapi import describe
from app.schemas.probe import ProbeAnswer, ProbeRequest

router = APIRouter(tags=["math"])


@router.post(
    "/v1/probe",
    operation_id="make_probe",
    summary="A batch and parameters at which every known mistake shows",
    **describe(ProbeRequest, ProbeAnswer, examples.PROBE),
)
async def make_probe(request: Request) -> Response:
    """Find a point to test your backpropagation at.

    Random numbers hide no sign and no index, and the number of examples is a prime that no width or factor can be taken
    for. What does not show even there is listed.
    """
    return await respond(request, ProbeRequest, probes.answered)
