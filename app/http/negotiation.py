"""Which formats a request brings and accepts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from app.wire import safetensors_message
from core.errors import Refusal

JSON = "application/json"
Format = Literal["json", "safetensors"]


def format_of_body(content_type: str | None) -> Format:
    """The format in which a body is announced.

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
        f"The body is announced as {media_type[:80]!r}." if media_type else "The body has no Content-Type.",
        expected=[JSON, safetensors_message.MEDIA_TYPE],
        hint="Send the header Content-Type: application/json.",
    )


def format_of_answer(accept: str | None, documents: Sequence[str] = ()) -> str:
    """The format that Accept prefers: JSON, unless safetensors or one of the documents is named and not less preferred.

    Raises:
        Refusal: `not-acceptable`, where both are left out.
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
    """The value of q; what is none counts as 1, and what is 0 leaves a format out."""
    try:
        return float(weight)
    except ValueError:
        return 1.0
