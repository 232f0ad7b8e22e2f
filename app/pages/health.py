"""GET /livez and GET /readyz."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from fastapi import APIRouter

from app.http.dependencies import SettingsDep
from app.http.openapi import describe_refusal
from app.pages.schemas import Alive, Ready
from app.storage.dependencies import DatabaseDep
from core.errors import Refusal

router = APIRouter(tags=["service"])

BLOCK = 4096
"""Number of bytes of a test write."""


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
    """Check what requests need: a writable data folder with free space, and a database that this version works with."""
    if not os.access(settings.data_dir, os.W_OK | os.X_OK):
        raise Refusal.of(
            "not-ready",
            "The server cannot write to its data folder.",
            hint="Set GRADD_DATA_DIR to a folder that the server may write to.",
        )
    folders = {settings.data_dir.resolve()}
    if database.is_sqlite:
        folders.add(Path(str(database.url.database)).resolve().parent)
    for folder in folders:
        _refuse_full(folder, settings.min_free_bytes)
    state = database.schema_state()
    if state is None or not state.is_usable:
        hint = "Run `gradd migrate`, or check GRADD_DATABASE_URL."
        raise Refusal.of(
            "not-ready",
            "The database does not answer, or its schema belongs to another version of the server.",
            hint=hint,
        )
    return Ready(status="ready", checks={"data_dir": "writable", "space": "free", "database": state.value})


def _refuse_full(folder: Path, reserve: int) -> None:
    """Refuse to be ready where the disk of a folder has less free space than the reserve, or a write fails."""
    hint = "Delete what is no longer needed, for instance with `gradd prune`, or enlarge the disk."
    try:
        free = shutil.disk_usage(folder).free
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(BLOCK))
    except OSError as error:
        raise Refusal.of("not-ready", f"A test write to the disk failed: {error.strerror}.", hint=hint) from error
    if free < reserve:
        detail = f"The disk has {free:,} free bytes, fewer than the reserve of {reserve:,} (GRADD_MIN_FREE_BYTES)."
        raise Refusal.of("not-ready", detail, expected=reserve, got=free, hint=hint)
