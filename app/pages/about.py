"""GET /v1: the description of the server."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from app import VERSION
from app.http.dependencies import SettingsDep
from app.http.entity_tags import page_response
from app.http.negotiation import JSON
from app.models.formats.keras import file as keras_file
from app.models.formats.onnx import file as onnx_file
from app.pages.schemas import About, Costs, Limits
from core.activations import FUNCTIONS
from core.convention import CONVENTIONS
from core.cost import PASSES
from core.layers import KINDS
from core.losses import LOSSES
from core.operations import RATE, UNIT
from core.optimizers import OPTIMIZERS

router = APIRouter(tags=["service"])


@router.get(
    "/v1",
    operation_id="describe_server",
    summary="Describe the server",
    response_model=About,
    responses={304: {"description": "The description with the ETag of If-None-Match is still the same."}},
)
async def describe_server(settings: SettingsDep, request: Request) -> Response:
    """Return the name, version, limits and supported operators of the server.

    The operators are the kinds of layers, activation functions, losses and optimizers.
    """
    about = About(
        name="gradd",
        version=VERSION,
        layers=list(KINDS),
        activations=list(FUNCTIONS),
        losses=list(LOSSES),
        optimizers=list(OPTIMIZERS),
        dtypes=["float64", "float32"],
        conventions=list(CONVENTIONS),
        limits=Limits(
            body_bytes=settings.max_body_bytes,
            layers=settings.max_layers,
            parameters=settings.max_parameters,
            activations=settings.max_activations,
            answer_elements=settings.max_answer_elements,
            operations=settings.max_operations,
            memory_bytes=settings.max_memory_bytes,
            seconds=settings.max_seconds,
            body_seconds=settings.max_body_seconds,
        ),
        costs=Costs(
            unit=UNIT,
            operations_per_second=RATE,
            layers={kind: layer.operations_formula for kind, layer in KINDS.items()},
            passes=PASSES,
        ),
        extensions=[name for name, module in (("onnx", onnx_file), ("keras", keras_file)) if module.is_installed()],
    )
    return page_response(about.model_dump_json().encode(), JSON, request.headers.get("if-none-match"))
