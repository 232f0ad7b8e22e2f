"""POST /v1/check and POST /v1/probe."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.computations.check import examples, probe, service
from app.computations.check.probe_schemas import ProbeAnswer, ProbeRequest
from app.computations.check.schemas import CheckAnswer, CheckRequest
from app.computations.endpoint import ComputationEndpointDep
from app.http.dependencies import EndpointDep
from app.http.openapi import describe

router = APIRouter(tags=["math"])


@router.post(
    "/v1/check",
    operation_id="check_submission",
    summary="Which rule of your backpropagation is wrong, why, and how to fix it",
    **describe(CheckRequest, CheckAnswer, examples.CHECK),
)
async def check_submission(endpoint: ComputationEndpointDep) -> Response:
    """Compare what your own code computed, rule by rule.

    Each rule (forward, output delta, delta from the delta above, each gradient) is evaluated on your own numbers where you
    sent them, so one mistake is accused once, and what is wrong only because of it is `inherited`. A cause is named only
    where its wrong formula reproduces your numbers.
    """
    return await endpoint.handle(CheckRequest, service.check_submission)


@router.post(
    "/v1/probe",
    operation_id="make_probe",
    summary="A batch and parameters at which every known mistake shows",
    **describe(ProbeRequest, ProbeAnswer, examples.PROBE),
)
async def make_probe(endpoint: EndpointDep) -> Response:
    """Find a point to test your backpropagation at.

    Random numbers hide no sign and no index, and the number of examples is a prime that no width or factor can be taken
    for. What does not show even there is listed.
    """
    return await endpoint.handle(ProbeRequest, probe.find_probe)
