"""GET /livez and /readyz."""

from __future__ import annotations

import os

from fastapi import APIRouter

from app.http.dependencies import SettingsDep
from app.http.openapi import refused
from app.pages.schemas import Alive, Ready
from app.storage.dependencies import DatabaseDep
from core.errors import Refusal

router = APIRouter(tags=["service"])


@router.get("/livez", operation_id="check_alive", summary="Whether the process answers")
async def check_alive() -> Alive:
    """Answers at once, also while large requests compute."""
    return Alive(status="alive")


@router.get(
    "/readyz", operation_id="check_ready", summary="Whether the server takes requests", responses={503: refused(503)}
)
def check_ready(settings: SettingsDep, database: DatabaseDep) -> Ready:
    """Looks at what requests need: a data folder that can be written, and a database of this version."""
    if not os.access(settings.data_dir, os.W_OK | os.X_OK):
        raise Refusal.of("not-ready", "The data folder cannot be written.", hint="Set GRADD_DATA_DIR.")
    if not database.is_current():
        hint = "Run `gradd migrate`, or look at GRADD_DATABASE_URL."
        raise Refusal.of("not-ready", "The database does not answer, or is not of this version.", hint=hint)
    return Ready(status="ready", checks={"data_dir": "writable", "database": "current"})
