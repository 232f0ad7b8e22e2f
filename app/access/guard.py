"""Guard: lets requests with a valid key pass, in front of routing, with their caller in the ASGI scope."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access import refusals
from app.access.authenticator import Authenticator
from app.access.rates import Rates
from app.access.scopes import allows, scope_of
from app.http.caller import ANYBODY, CALLER
from app.http.problem_details import RefusalWithHeaders, refusal_response
from app.settings import Settings
from app.storage import Database
from core.errors import Refusal


class Guard:
    """Asks requests for their key, as GRADD_AUTHENTICATION says."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._authentication = settings.authentication
        self._authenticator = Authenticator(database, settings)
        self.rates = Rates()

    def is_open(self, scope: Scope) -> bool:
        """Return whether a request needs no key, whatever its path is.

        With `auto`, the address at which it arrived decides: nobody but this machine reaches a loopback address.
        """
        if self._authentication != "auto":
            return self._authentication == "off"
        server = scope.get("server")
        return server is not None and is_loopback(server[0])

    async def __call__(self, answer: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Let `answer` answer a request, or refuse it."""
        needed = None if self.is_open(scope) else scope_of(_path(scope))
        if needed is None:
            scope[CALLER] = ANYBODY
            await answer(scope, receive, send)
            return
        with ExitStack() as admission:
            try:
                key = await self._authenticator.authenticate(scope["headers"])
                if not allows(key.scopes, needed):
                    raise refusals.without_scope(needed)
                fields = admission.enter_context(self.rates.admitted(key.caller))
            except Refusal as refusal:
                headers = refusal.headers if isinstance(refusal, RefusalWithHeaders) else None
                await refusal_response(refusal, scope["path"], headers)(scope, receive, send)
                return
            scope[CALLER] = key.caller
            is_limited = bool(fields) or key.caller.quota.concurrency is not None
            await answer(scope, receive, _watched(send, fields, admission.close) if is_limited else send)


def _path(scope: Scope) -> str:
    """Return the path as routes see it: without the prefix under which the application is mounted."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return path[len(root) :] if root and path.startswith(f"{root}/") else path


def _watched(send: Send, fields: dict[str, str], end: Callable[[], None]) -> Send:
    """Return a function that adds header fields to a response, and calls `end` before its last message.

    Who has the whole answer may send the next request at once, while this one still cleans up.
    """
    written = [(name.lower().encode(), value.encode()) for name, value in fields.items()]

    async def watched(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *written]}
        elif message["type"] == "http.response.body" and not message.get("more_body"):
            end()
        await send(message)

    return watched


@lru_cache(maxsize=64)
def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches an address. A name is no address, but for localhost."""
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback
