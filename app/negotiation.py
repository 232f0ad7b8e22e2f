"""Which formats a request brings and accepts."""

from __future__ import annotations

from core.errors import Refusal

JSON = "application/json"


def refuse_media_type(content_type: str | None) -> None:
    """Refuse a body that is not announced as JSON.

    Raises:
        Refusal: `unsupported-media-type`.
    """
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if media_type == JSON or (media_type.startswith("application/") and media_type.endswith("+json")):
        return
    raise Refusal.of(
        "unsupported-media-type",
        f"The body is announced as {media_type[:80]!r}." if media_type else "The body has no Content-Type.",
        expected=[JSON],
        hint="Send the header Content-Type: application/json.",
    )


def refuse_unacceptable(accept: str | None) -> None:
    """Refuse a request whose Accept header leaves out JSON.

    Raises:
        Refusal: `not-acceptable`.
    """
    if not accept:
        return
    quality = {}
    for entry in accept.lower().split(","):
        media_range, *parameters = (part.strip() for part in entry.split(";"))
        weights = [parameter[2:] for parameter in parameters if parameter.startswith("q=")]
        quality[media_range] = weights[0] if weights else "1"
    for media_range in (JSON, "application/*", "*/*"):
        if media_range in quality:
            if quality[media_range].strip("0.") != "":
                return
            break
    raise Refusal.of("not-acceptable", f"{JSON} is not among the formats that Accept names.", expected=[JSON])
