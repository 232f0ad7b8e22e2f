"""GET /v1: the description of the server."""

from __future__ import annotations

from fastapi import APIRouter

from app import VERSION
from app.http.dependencies import SettingsDep
from app.models.formats.keras import file as keras_file
from app.models.formats.onnx import file as onnx_file
from app.pages.schemas import About, Limits
from core.activations import FUNCTIONS
from core.convention import CONVENTIONS
from core.layers import KINDS
from core.losses import LOSSES
from core.optimizers import OPTIMIZERS

router = APIRouter(tags=["service"])


@router.get("/v1", operation_id="describe_server", summary="Describe the server")
async def describe_server(settings: SettingsDep) -> About:
    """Return the name, version, limits and supported operators of the server.

    The operators are the kinds of layers, activation functions, losses and optimizers.
    """
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
        extensions=[name for name, module in (("onnx", onnx_file), ("keras", keras_file)) if module.is_installed()],
    )
