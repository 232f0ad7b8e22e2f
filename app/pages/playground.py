"""GET /: a page on which a problem can be edited and its gradients computed."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, HTTPException
from starlette.responses import FileResponse

router = APIRouter(include_in_schema=False)

FOLDER = Path(__file__).with_name("static")


@router.get("/")
def show_playground() -> FileResponse:
    """Return the page. It loads only files from this server."""
    return FileResponse(FOLDER / "index.html")


@router.get("/playground/{name}")
def send_part(name: str) -> FileResponse:
    """Return the style sheet or the script of the page."""
    if name not in ("page.css", "page.js"):
        raise HTTPException(404)
    return FileResponse(FOLDER / name)
