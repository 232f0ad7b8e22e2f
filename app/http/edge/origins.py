"""The origins of web pages that may use the service: those it serves itself, and those that a setting lists (CORS)."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from app.http.problem_details import refusal_response
from core.errors import Refusal

SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
"""Methods that change nothing. A foreign page may send them, and does not see the answer."""

EXPOSED = (
    "Content-Disposition", "ETag", "Location", "RateLimit", "RateLimit-Limit", "RateLimit-Policy", "RateLimit-Remaining",
    "RateLimit-Reset", "Retry-After", "X-Request-Id",
)  # fmt: skip
"""Headers of answers that pages of allowed origins can read."""

DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class AllowedOrigins:
    """The origins whose pages may send requests that change something, or that compute."""

    def __init__(self, setting: str) -> None:
        self.listed = [part.strip().rstrip("/").lower() for part in setting.split(",") if part.strip()]
        self._all = "*" in self.listed

    def refusal(self, host: bytes | None, origin: bytes | None, fetch_site: bytes | None) -> Refusal | None:
        """Return the refusal of a request that is not safe, or None if no page or an allowed one has sent it.

        Browsers send Origin with every such request; clients that are no browser send neither header.

        Args:
            host: the header Host.
            origin: the header Origin.
            fetch_site: the header Sec-Fetch-Site.
        """
        if origin is None:
            if self._all or fetch_site not in (b"cross-site", b"same-site"):
                return None
            return _foreign("another site", "ORIGIN")
        name = origin.decode("latin-1").lower()
        if self._all or name in self.listed or is_same(name, (host or b"").decode("latin-1").lower()):
            return None
        return _foreign(f"the origin {name[:100]!r}", name[:100])


def is_same(origin: str, host: str) -> bool:
    """Return whether an origin is that of a host.

    The scheme is not compared: behind a proxy with TLS, the page is at https and the request comes by http.
    """
    scheme, _, authority = origin.partition("://")
    if not authority or scheme not in DEFAULT_PORTS:
        return False
    default = DEFAULT_PORTS[scheme]
    return authority.removesuffix(default) == host.removesuffix(default)


class CrossOriginRequests(CORSMiddleware):
    """Answers preflight requests, and lets pages of the allowed origins read the answers."""

    def __init__(self, app: ASGIApp, origins: AllowedOrigins) -> None:
        super().__init__(
            app,
            allow_origins=origins.listed,
            allow_methods=("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST"),
            allow_headers=("*",),
            expose_headers=EXPOSED,
            allow_private_network=True,  # A public course page may call the service on the reader's own machine.
        )

    def is_allowed_origin(self, origin: str) -> bool:
        """Return whether an origin is listed. Browsers write origins in small letters."""
        return super().is_allowed_origin(origin.lower())

    def preflight_response(self, request_headers: Headers) -> Response:
        """Return the answer to a preflight request, a problem document where it is refused."""
        response = super().preflight_response(request_headers)
        if response.status_code < 400:
            return Response(status_code=204, headers=_without_body(response))
        origin, method = request_headers["origin"][:100], request_headers["access-control-request-method"][:20]
        if self.is_allowed_origin(origin):
            detail = f"A page of {origin!r} may not send {method!r} with the headers that it asks for."
            refusal = Refusal.of("forbidden-origin", detail, "header", "Access-Control-Request-Method")
        else:
            refusal = _foreign(f"the origin {origin!r}", origin)
        return refusal_response(refusal, "/", {"Vary": "Origin"})


def _without_body(response: Response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if not name.startswith("content-")}


def _foreign(who: str, origin: str) -> Refusal:
    return Refusal.of(
        "forbidden-origin",
        f"The request was sent by a web page of {who}, which may not use this server.",
        "header",
        "Origin",
        hint=f"If it may, list its origin in the setting GRADD_ALLOWED_ORIGINS, such as GRADD_ALLOWED_ORIGINS={origin}. "
        "A proxy in front must pass on the header Host.",
    )
