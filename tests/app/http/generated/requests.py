"""Requests for every operation of the published schema, drawn at random: bodies, files, queries and headers."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tests.app.http.generated.bodies import Bodies
from tests.app.http.generated.damage import damaged, damaged_bytes
from tests.app.http.generated.values import Values

JSON = "application/json"
ACCEPTS = (
    "application/json", "*/*", "application/*", "application/vnd.gradd+safetensors", "text/html", "image/png", "",
    "text/html, application/json;q=0.5", "application/json;q=0", "text/markdown", ";;q=,", "application/json;q=nonsense",
)  # fmt: skip
TYPES = ("application/json; charset=utf-8", "text/plain", "application/problem+json", "application/vnd.gradd+safetensors",
         "multipart/form-data", "multipart/form-data; boundary=x", "", "application/x-www-form-urlencoded")  # fmt: skip
ENCODINGS = ("gzip", "zstd", "deflate", "identity", "br", "gzip, gzip")
ODD_IDS = ("mdl_" + "0" * 24, "dst_" + "f" * 24, "job_1", "x", "%00", "%ff", "..%2f..", "é", "a" * 300, "1%2F2")
WORDS = ("0", "1", "-1", "1.5", "abc", "", "null", "true", "9" * 30, "1e9", "NaN", "row", "%00", "é🙂", "a" * 300, "[]")


@dataclass
class Request:
    """A request, and what is known about it."""

    operation: dict[str, Any]
    method: str
    path: str
    """Its template in the schema."""

    url: str
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""
    document: Any = None
    """The body as JSON; None if it has none, or damaged bytes."""

    invalid: str | None = None
    """Which parameter the schema does not allow."""


class Requests:
    """Draws requests for the operations of a document."""

    def __init__(self, document: Mapping[str, Any], seed: int, files: Mapping[str, list[bytes]]) -> None:
        self.draw = random.Random(seed)
        self.document, self.files = document, files
        self.bodies, self.values = Bodies(document, self.draw), Values(document, self.draw)
        self.ids: dict[str, list[str]] = {"models": [], "datasets": [], "jobs": [], "ended": []}
        self.operations = [
            (method.upper(), path, operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        ]

    def request(self, number: int) -> Request:
        """Return the next request. The operations take turns; those that compute have five turns."""
        turns = [o for o in self.operations for _ in range(5 if "requestBody" in o[2] else 1)]
        method, path, operation = turns[number % len(turns)]
        request = Request(operation, method, path, "")
        content = operation.get("requestBody", {}).get("content", {})
        if JSON in content and not (len(content) > 2 and self.draw.random() < 0.5):
            self._json(request, content[JSON]["schema"])
        elif content:
            self._file(request, list(content))
        request.url = self._url(request)
        self._headers(request)
        return request

    def _json(self, request: Request, schema: Mapping[str, Any]) -> None:
        draw = self.draw
        self.bodies.models = self.ids["models"]
        body = self.bodies.body(request.path, schema)
        for _ in range(draw.choice((0, 0, 1, 1, 2, 3))):
            body = damaged(body, draw)
        request.headers["Content-Type"] = JSON
        request.document = body
        request.content = json.dumps(body, ensure_ascii=draw.random() < 0.5).encode("utf-8", "surrogatepass")
        if draw.random() < 0.06:
            request.content, request.document = damaged_bytes(request.content, draw), None

    def _file(self, request: Request, media_types: list[str]) -> None:
        draw = self.draw
        kinds = [kind for kind in self.files if (kind in ("csv", "npz")) or "models" in request.path]
        weights = [0.05 if kind in ("onnx", "keras") else 1.0 for kind in kinds]
        (kind,) = draw.choices(kinds, weights)
        content = draw.choice(self.files[kind])
        request.content = damaged_bytes(content, draw) if draw.random() < 0.8 else content
        request.headers["Content-Type"] = draw.choice(
            [*(t for t in media_types if t != JSON), "application/octet-stream"]
        )
        if request.headers["Content-Type"].startswith("multipart") and draw.random() < 0.9:
            head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
            request.content = head + request.content + b"\r\n--x--\r\n"
            request.headers["Content-Type"] += "; boundary=x"

    def _url(self, request: Request) -> str:
        draw, path = self.draw, request.path
        if "{id}" in path:
            kind = path.split("/")[2]
            known = self.ids["ended" if path.endswith("events") else kind]
            path = path.replace("{id}", draw.choice(known) if known and draw.random() < 0.7 else draw.choice(ODD_IDS))
        if "{slug}" in path:
            path = path.replace("{slug}", draw.choice(("timeout", "not-found", *ODD_IDS)))
        query = []
        for parameter in request.operation.get("parameters", ()):
            name, schema = parameter["name"], parameter["schema"]
            if parameter["in"] == "query" and (parameter.get("required") or draw.random() < 0.3):
                if draw.random() < 0.6:
                    value = self.values.value(schema)
                    if value is None:
                        continue
                    text = ",".join(map(str, value)) if isinstance(value, list) else _as_text(value)
                else:
                    text = draw.choice(WORDS)
                    request.invalid = request.invalid or (name if _refuted(text, schema) else None)
                if name == "wait" and text not in ("0", "abc", "-1"):
                    text = "0"
                query.append(f"{name}={quote(text, safe='%')}")
        return path + ("?" + "&".join(query) if query else "")

    def _headers(self, request: Request) -> None:
        draw, headers = self.draw, request.headers
        if draw.random() < 0.12:
            headers["Accept"] = draw.choice(ACCEPTS)
        if request.path.endswith("events") and draw.random() < 0.5:
            headers["Accept"] = "text/event-stream"
        if request.content and draw.random() < 0.04:
            headers["Content-Type"], request.document = draw.choice(TYPES), None
        if draw.random() < 0.05:
            headers["Accept-Encoding"] = draw.choice(ENCODINGS)
        if request.content and draw.random() < 0.05:
            coding = draw.choice(ENCODINGS)
            headers["Content-Encoding"] = coding
            if coding == "gzip" and draw.random() < 0.7:
                request.content = gzip.compress(request.content)
            elif coding != "identity":
                request.document = None
        for name, values in (("Idempotency-Key", ("a", "b", "", "x" * 300)), ("Last-Event-ID", ("0", "1", "x", "-1"))):
            if any(p["name"] == name for p in request.operation.get("parameters", ())) and draw.random() < 0.2:
                headers[name] = draw.choice(values)


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _refuted(text: str, schema: Mapping[str, Any]) -> bool:
    """Whether the schema of a query parameter surely does not allow a text."""
    if "enum" in schema:
        return text not in schema["enum"]
    if schema.get("type") == "integer":
        try:
            value = int(text)
        except ValueError:
            return True
        return bool(value < schema.get("minimum", value) or value > schema.get("maximum", value))
    return False
