"""GET /livez and GET /readyz."""

from __future__ import annotations

import os

from fastapi import APIRouter

from app.http.dependencies import SettingsDep
from app.http.openapi import describe_refusal
from app.pages.schemas import Alive, Ready
from app.storage.dependencies import DatabaseDep
from core.errors import Refusal

router = APIRouter(tags=["service"])


@router.get("/livez", operation_id="check_alive", summary="Check that the process is alive")
async def check_alive() -> Alive:
    """Return immediately, even while large requests are being computed."""
    return Alive(status="alive")


@router.get(
    "/readyz",
    operation_id="check_ready",
    summary="Check that the server is ready for requests",
    responses={503: describe_refusal(503)},
)
def check_ready(settings: SettingsDep, database: DatabaseDep) -> Ready:
    """Check what requests need: a writable data folder, and a reachable database with the schema of this version."""
    if not os.access(settings.data_dir, os.W_OK | os.X_OK):
        raise Refusal.of(
            "not-ready",
            "The server cannot write to its data folder.",
            hint="Set GRADD_DATA_DIR to a folder that the server may write to.",
        )
    if not database.is_current():
        hint = "Run `gradd migrate`, or check GRADD_DATABASE_URL."
        raise Refusal.of(
            "not-ready",
            "The database does not answer, or its schema belongs to another version of the server.",
            hint=hint,
        )
    return Ready(status="ready", checks={"data_dir": "writable", "database": "current"})
