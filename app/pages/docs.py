"""GET /docs: Swagger UI, served without any file from another server."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import orjson
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse

from app.http.entity_tags import page_response
from app.http.negotiation import JSON

router = APIRouter(include_in_schema=False)

ASSETS = files("fastapi_offline") / "static"
TYPES = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css", "favicon.png": "image/png"}


@router.get("/openapi.json")
def send_schema(request: Request) -> Response:
    """Return the OpenAPI document. The first request of a server writes it, which takes a second of a thread."""
    schema: dict[str, Any] = request.app.openapi()
    root = request.scope.get("root_path", "").rstrip("/")
    content = orjson.dumps(schema | ({"servers": [{"url": root}]} if root else {}))
    return page_response(content, JSON, request.headers.get("if-none-match"))


@router.get("/docs")
async def show_documentation() -> HTMLResponse:
    """Return the Swagger UI page for /openapi.json."""
    return get_swagger_ui_html(
        openapi_url="openapi.json",
        title="gradd",
        swagger_js_url="docs/swagger-ui-bundle.js",
        swagger_css_url="docs/swagger-ui.css",
        swagger_favicon_url="docs/favicon.png",
        swagger_ui_parameters={"tryItOutEnabled": True, "defaultModelsExpandDepth": 0},
    )


@router.get("/docs/{name}")
def send_asset(name: str) -> Response:
    """Return a file of Swagger UI."""
    if name not in TYPES:
        raise HTTPException(404)
    return Response((ASSETS / name).read_bytes(), media_type=TYPES[name], headers={"Cache-Control": "max-age=86400"})
