"""The hosts under whose names the service answers."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address

from starlette.types import Scope

from core.errors import Refusal

_HOST = re.compile(r"(?P<name>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]+)(?::\d{0,5})?")


class AllowedHosts:
    """The names and addresses that the header Host may have.

    The setting lists them without ports. `*.example.org` stands for every name below example.org, `*` for every host. The
    address to which the connection was made is always allowed: a name that somebody else controls (DNS rebinding) never
    is an address.
    """

    def __init__(self, setting: str) -> None:
        names = {part.strip().lower().strip("[]") for part in setting.split(",")} - {""}
        self._all = "*" in names
        self._names = frozenset(names)
        self._below = tuple(name[1:] for name in names if name.startswith("*."))
        self.allows = lru_cache(maxsize=256)(self._allows)

    def refusal(self, scope: Scope, host: bytes | None, *, is_single: bool) -> Refusal | None:
        """Return the refusal of a request, or None if its host is allowed.

        Args:
            scope: the request.
            host: the header Host.
            is_single: False if the header may have been sent more than once.
        """
        if host is None:
            # Before version 1.1 the header was optional, and no browser sends 1.0.
            if scope["http_version"] == "1.0":
                return None
            return _malformed("The request has no header Host, which HTTP/1.1 requires.")
        if not is_single and sum(name == b"host" for name, _ in scope["headers"]) > 1:
            return _malformed("The request has the header Host more than once.")
        server = scope.get("server")
        allowed = self.allows(host, server[0] if server else None)
        if allowed:
            return None
        if allowed is None:
            return _malformed("The header Host is no name or address, with or without a port.")
        name = host.decode("latin-1")[:100]
        return Refusal.of(
            "misdirected-request",
            f"This server does not answer for the host {name!r}.",
            "header",
            "Host",
            hint=f"If it should, add the name to the setting GRADD_ALLOWED_HOSTS, such as "
            f"GRADD_ALLOWED_HOSTS=localhost,{_name_of(name)}; * allows every host.",
        )

    def _allows(self, host: bytes, address: str | None) -> bool | None:
        """Return whether a host is allowed; None if it is malformed."""
        match = _HOST.fullmatch(host.decode("latin-1"))
        if match is None:
            return None
        name = match["name"].lower().strip("[]")
        if self._all or name in self._names or name.rstrip(".") in self._names or name.endswith(self._below or ("\0",)):
            return True
        try:
            return address is not None and ip_address(name) == ip_address(address.partition("%")[0])
        except ValueError:
            return False


def _name_of(host: str) -> str:
    match = _HOST.fullmatch(host)
    return match["name"] if match else host


def _malformed(detail: str) -> Refusal:
    return Refusal.of("malformed-request", detail, "header", "Host", hint="Send one header Host.")
