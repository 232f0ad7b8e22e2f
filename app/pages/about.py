"""GET /v1."""

from __future__ import annotations

from fastapi import APIRouter

from app import VERSION
from app.http.dependencies import SettingsDep
from app.models.formats import onnx_file
from app.pages.schemas import About, Limits
from core.activations import FUNCTIONS
from core.convention import CONVENTIONS
from core.layers import KINDS
from core.losses import LOSSES
from core.optimizers import OPTIMIZERS

router = APIRouter(tags=["service"])


@router.get("/v1", operation_id="describe_server", summary="What this server is and can")
async def describe_server(settings: SettingsDep) -> About:
    """Name, version, the kinds of layers, activations, losses and optimizers, and the limits."""
    return About(
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
            seconds=settings.max_seconds,
            body_seconds=settings.max_body_seconds,
        ),
        extensions=["onnx"] if onnx_file.is_installed() else [],
    )
