"""Content negotiation: the format of a body and the format of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from app.wire import safetensors_message
from core.errors import Refusal

JSON = "application/json"
Format = Literal["json", "safetensors"]


def format_of_body(content_type: str | None) -> Format:
    """Return the format that Content-Type names.

    Raises:
        Refusal: `unsupported-media-type`.
    """
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if media_type == safetensors_message.MEDIA_TYPE:
        return "safetensors"
    if media_type == JSON or (media_type.startswith("application/") and media_type.endswith("+json")):
        return "json"
    raise Refusal.of(
        "unsupported-media-type",
        f"The Content-Type {media_type[:80]!r} is not supported." if media_type else "The body has no Content-Type.",
        expected=[JSON, safetensors_message.MEDIA_TYPE],
        hint="Send the header Content-Type: application/json.",
    )


def format_of_answer(accept: str | None, documents: Sequence[str] = ()) -> str:
    """Return the format that Accept prefers.

    JSON is the default; safetensors or a document is chosen if the header names it and prefers it at least as much
    (a document: more).

    Raises:
        Refusal: `not-acceptable`, if the header allows none of the formats.
    """
    if not accept:
        return "json"
    quality: dict[str, float] = {}
    for entry in accept.lower().split(","):
        media_range, *parameters = (part.strip() for part in entry.split(";"))
        weights = [parameter[2:] for parameter in parameters if parameter.startswith("q=")]
        quality[media_range] = _number(weights[0]) if weights else 1.0
    json = next((quality[name] for name in (JSON, "application/*", "*/*") if name in quality), 0.0)
    tensors = quality.get(safetensors_message.MEDIA_TYPE, 0.0)
    document = max(documents, key=lambda name: quality.get(name, 0.0), default=None)
    if document and quality.get(document, 0.0) > max(tensors, quality.get(JSON, 0.0)):
        return document
    if tensors and tensors >= quality.get(JSON, 0.0):
        return "safetensors"
    if json:
        return "json"
    formats = [JSON, safetensors_message.MEDIA_TYPE, *documents]
    detail = f"None of {', '.join(formats)} is among the formats that Accept names."
    raise Refusal.of("not-acceptable", detail, expected=formats)


def _number(weight: str) -> float:
    """Return the value of a q parameter. An invalid value counts as 1; 0 excludes a format."""
    try:
        return float(weight)
    except ValueError:
        return 1.0
