"""GET /: a page on which a problem can be edited and its gradients be looked at."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, HTTPException
from starlette.responses import FileResponse

router = APIRouter(include_in_schema=False)

FOLDER = Path(__file__).with_name("static")


@router.get("/")
def show_playground() -> FileResponse:
    """The page; everything it needs comes from this server."""
    return FileResponse(FOLDER / "index.html")


@router.get("/playground/{name}")
def send_part(name: str) -> FileResponse:
    """Its style or its script."""
    if name not in ("page.css", "page.js"):
        raise HTTPException(404)
    return FileResponse(FOLDER / name)
