"""The path of this service that is most like one that does not exist."""

from __future__ import annotations

from difflib import SequenceMatcher

from fastapi.routing import APIRoute, iter_route_contexts
from starlette.requests import Request

LENGTH_LIMIT = 200
"""Characters of a path that is compared with others."""

LIKENESS = 0.8
"""The ratio of `SequenceMatcher` from which on a path is near."""


def nearest_path(request: Request) -> str | None:
    """Return the path that is most like the request's, or None where none is near.

    A slash at the end and capital letters do not count. Ids and other parameters stay as they were sent.
    """
    path = request.url.path
    if len(path) > LENGTH_LIMIT:
        return None
    sent = [segment for segment in path.split("/") if segment]
    near = [_compare(template, sent) for template in _published(request)]
    likeness, nearest = max((found for found in near if found[1] != path), default=(0.0, ""))
    return nearest if likeness >= LIKENESS else None


def _published(request: Request) -> dict[str, None]:
    """Return the paths of the OpenAPI document, without writing it."""
    contexts = iter_route_contexts(request.app.routes)
    published = (each for each in contexts if isinstance(each.route, APIRoute) and each.include_in_schema)
    return dict.fromkeys(each.path for each in published if each.path)


def _compare(template: str, sent: list[str]) -> tuple[float, str]:
    """Return the similarity of a path and a template in the segments that are no parameters, and the filled-in template."""
    segments = template.strip("/").split("/")
    literal = [position for position, segment in enumerate(segments) if not segment.startswith("{")]
    if len(literal) < len(segments) != len(sent):
        return 0.0, template
    given = [sent[position] for position in literal] if len(segments) == len(sent) else sent
    known = [segments[position] for position in literal]
    likeness = SequenceMatcher(None, "/".join(given).lower(), "/".join(known)).ratio()
    filled = [segment if position in literal else sent[position] for position, segment in enumerate(segments)]
    return likeness, "/" + "/".join(filled)
